"""Names of files in outputs and on terminals: Linux lets a name be any bytes, both want text."""

from __future__ import annotations

import contextlib
import re
import sys
import unicodedata
from typing import Any

_FORMS = "x[0-9a-f]{2}|ud[89a-f][0-9a-f]{2}"
_ESCAPE = re.compile(rf"\\({_FORMS})")
#: Bytes that are no character in UTF-8, and backslashes that would read as an escape.
_ODD = re.compile(rf"[\ud800-\udfff]|\\(?={_FORMS})")


def written(name: str) -> str:
    r"""A name as outputs have it: bytes that are not UTF-8 become ``\xe9``; `restored` gives the name back.

    >>> written("caf\udce9.jpg")
    'caf\\xe9.jpg'
    """
    return _ODD.sub(_escaped, name)


def restored(text: str) -> str:
    r"""The name that `written` was given, as `os.fsencode` takes it.

    >>> restored(r"caf\xe9.jpg") == "caf\udce9.jpg"
    True
    """
    return _ESCAPE.sub(_unescaped, text)


def shown(text: object) -> str:
    r"""A text for people: on one line, with escapes for what is not text and for what steers a terminal.

    >>> shown("a\nb\x1b[2J")
    'a\\nb\\x1b[2J'
    """
    return "".join(c if _is_plain(c) else _visible(c) for c in str(text))


def clean(value: Any) -> Any:
    """A value for JSON in which each text is `written`."""
    if isinstance(value, str):
        return written(value)
    if isinstance(value, dict):
        return {clean(name): clean(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(one) for one in value]
    return value


def say(text: object = "") -> None:
    """Print a line for people on standard output."""
    write(shown(text))


class UnprintedError(OSError):
    """Standard output takes no answer."""


def write(text: str) -> None:
    """Print lines on standard output. Raises UnprintedError, or BrokenPipeError where nobody reads it any more."""
    try:
        print(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnprintedError(error.errno, error.strerror, "standard output") from None


def warn(text: object) -> None:
    """Print a line for people on standard error, if it takes one: no work stops because nobody can be told."""
    with contextlib.suppress(OSError):
        print(shown(text), file=sys.stderr, flush=True)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\\":
        return "\\x5c"
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return f"\\u{ord(character):04x}"  # half a character of Windows' names


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1][1:], 16)
    return chr(code if found[1][0] == "u" or code < 0x80 else 0xDC00 + code)


def _is_plain(character: str) -> bool:
    # Cc, Cf, Cs, Zl, Zp: control, direction, half a character, the ends of lines and paragraphs.
    return character == " " or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _visible(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return _ODD.sub(_escaped, character)
    return character.encode("unicode_escape").decode()
