"""Pillow's exceptions, sorted by what they mean for a file."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image, UnidentifiedImageError

from .._messages import said

#: Words by which Pillow says that a file ends too early, and that a variant is none of its own. Its
#: exceptions have no types for either.
_TRUNCATED = (
    "truncated",
    "unexpected end of file",
    "requires a buffer",
    "only got",
    "no more data",
)
_UNSUPPORTED = (
    *("unsupported", "not supported", "not yet supported", "unimplemented", "cannot handle"),
    *("unknown", "unable to determine", "decoder jpeg2k not available"),
)


class RefusedError(Exception):
    """A file that is not read: `kind` is the class of our error, `said` our words where ours are clearer."""

    def __init__(self, kind: str, said: str = "") -> None:
        super().__init__(kind, said)
        self.kind = kind
        self.said = said

    def __str__(self) -> str:
        return self.said


def bare(error: Exception) -> Exception:
    """The exception without the frames that it came through, nor those of its causes. They would keep the image, its
    file and its decoder: until Python looks for cycles, or as long as a caller keeps the error of a row."""
    rest: list[BaseException | None] = [error]
    seen: set[int] = set()
    while rest:
        each = rest.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            # Not by the methods of a class that is a plug-in's.
            BaseException.with_traceback(each, None)
            rest += [getter.__get__(each) for getter in _CAUSES]
    return error


_CAUSES: tuple[Any, ...] = (
    BaseException.__dict__["__cause__"],
    BaseException.__dict__["__context__"],
)


def refusal(error: BaseException, name: str | None) -> tuple[str, str, BaseException | None]:
    """The kind of error that a failed call of Pillow's is, our words for it, if any, and what caused it.

    The kind is "decode", "truncated", "unsupported" or "limit". `name` is that of the format that
    the file begins as.
    """
    if isinstance(error, RefusedError):
        return error.kind, error.said, error.__cause__
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return "limit", "expected an image within Pillow's own limit, found a larger one", error
    if isinstance(error, UnidentifiedImageError):
        return "unsupported", "", error
    text = said(error)
    if isinstance(error, (EOFError, struct.error)) or _has(text, _TRUNCATED):
        whole = f"expected a whole {name} file, found one that ends too early"
        return "truncated", whole if name else "", error
    if isinstance(error, NotImplementedError) or _has(text, _UNSUPPORTED):
        return "unsupported", "", error
    valid = f"expected a valid {name} file, found one that Pillow cannot read"
    return "decode", valid if name else "", error


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text.lower() for word in words)
