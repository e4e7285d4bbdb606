"""Exceptions of Python's own with messages of ours: short, on one line, without addresses.

Values and what other code said come into a message by `shown` and `said`.
"""

from __future__ import annotations

from ._core import kind, message, said, shown

__all__ = [
    "filename",
    "kind",
    "message",
    "said",
    "shown",
    "system_error",
    "type_error",
    "value_error",
]


def value_error(text: str) -> ValueError:
    """An error about a value."""
    return ValueError(message(text))


def system_error(error: OSError, name: str) -> OSError:
    """The same error about the file of that name."""
    if error.errno is None:
        return type(error)(message(f"{filename(name)!r}: {said(error)}"))
    return type(error)(error.errno, error.strerror, filename(name))


def filename(name: str) -> str:
    """A path in full, of which a message shows the beginning and the end."""
    return name if len(repr(name)) <= _SHOWN else _Path(name)


#: The longest path that a message shows, in the characters that `repr` takes.
_SHOWN = 200


class _Path(str):
    __slots__ = ()

    def __repr__(self) -> str:
        shown = super().__repr__()
        return f"{shown[: _SHOWN // 2]}...{shown[-_SHOWN // 2 + 3 :]}"


def type_error(text: str) -> TypeError:
    """An error about a value's type."""
    return TypeError(message(text))
