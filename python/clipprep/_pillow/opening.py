"""Opens encoded images with Pillow's readers, each format checked by its row of the table."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import PIL
from PIL import Image, UnidentifiedImageError, features

from .. import _core
from .._hints import of_bytes
from .._messages import value_error
from . import copies, headers, originals
from .formats import (
    SOUND,
    default_formats,
    has_sound_readers,
    known_formats,
    memory,
    row,
    seconds,
)
from .guard import Guard
from .refusals import RefusedError, bare, refusal

#: Formats whose codec a Pillow may have been built without: the names of the format and of the codec
#: in `features`, and how the files begin.
_OPTIONAL: tuple[tuple[str, str, Callable[[bytes], bool]], ...] = (
    ("AVIF", "avif", lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis")),
    (
        "JPEG 2000",
        "jpg_2000",
        lambda head: head.startswith((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")),
    ),
)
#: How deep files may lie inside each other.
_MAX_DEPTH = 2


class _File(io.RawIOBase):
    """A file over memory, without a copy of it."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if start + offset < 0:
            raise value_error(f"expected a position from 0, found {start + offset}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at


class _Buffered(io.BufferedReader):
    """A file over memory that hands out all of it at once, as Pillow asks a `BytesIO` to."""

    def __init__(self, data: memoryview) -> None:
        super().__init__(_File(data))
        self._data = data

    def getvalue(self) -> memoryview:
        """All of the file."""
        return self._data


class _Call(threading.local):
    """The guard of the call that this thread is in."""

    guard: Guard | None = None
    pad = False
    depth = 0


_call = _Call()


@contextmanager
def _calling(pad: bool, guard: Guard) -> Iterator[None]:
    outer = _call.guard, _call.pad, _call.depth
    _call.guard, _call.pad, _call.depth = guard, pad, 0
    try:
        yield
    finally:
        _call.guard, _call.pad, _call.depth = outer


def open_image(
    data: Any, formats: Iterable[str] | None, pad: bool, guard: Guard
) -> tuple[Image.Image | None, tuple[str, str, BaseException | None]]:
    """Opens and loads an encoded image of the allowed formats. Where it is refused there is none, and the kind
    of the error, our words for it and its cause follow.

    With `pad`, loading fills up what is missing. What is no fault of the file is raised.
    """
    found: list[str] = []
    with _calling(pad, guard):
        try:
            image = _open(data, default_formats() if formats is None else formats, found)
            image.load()
            return image, ("", "", None)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:
            return None, refusal(bare(error), found[-1] if found else None)


def reopen(image: Image.Image, pad: bool, guard: Guard) -> tuple[str, bytes, Image.Image] | None:
    """The format and the bytes of the file of an image that the caller opened, which are checked as those of any file,
    and the same image, opened from them. None where they cannot be read, or where the caller has changed the
    image since.

    Raises `RefusedError` for what `open_image` refuses.
    """
    name, data = originals.name(image), originals.data(image)
    if name is None or data is None:
        return None
    with _calling(pad, guard), _refusing(name):
        guard.file(data)
        own = _read(name, data)
        return (name, data, own) if originals.is_same(own, image) else None


def open_again(image: Image.Image, pad: bool, guard: Guard) -> Image.Image | None:
    """The image that `reopen` opens, loaded."""
    found = reopen(image, pad, guard)
    if found is None:
        return None
    name, _, own = found
    with _calling(pad, guard), _refusing(name):
        own.load()
    return own


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Raises `RefusedError` for what is a fault of a file of that format."""
    try:
        yield
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        kind, said, cause = refusal(bare(error), name)
        raise RefusedError(kind, said) from cause


def _open(data: Any, allowed: Iterable[str], found: list[str]) -> Image.Image:
    """`Image.open` with our list of formats and our checks. Notes the names of the formats that the
    file begins as."""
    view = memoryview(data)
    prefix = bytes(view[:16])
    _check_codec(prefix)
    readers = copies.readers(_call.pad, open_inside)
    refused: Exception | None = None
    allowed = set(allowed)
    for name in known_formats():
        _, accept = readers[name]
        if not accepts(accept, prefix):
            continue
        if name not in allowed:
            if accept is not None:
                found.append(name)
            continue
        if accept is not None:
            found.append(name)
        try:
            image = _read(name, data)
        except (SyntaxError, IndexError, TypeError, struct.error) as error:
            # As to Pillow, this says that the file is of another format.
            refused = refused or bare(error)
            continue
        if accept is None:
            found.append(name)
        return image
    raise _unidentified(view, found, allowed, refused)


def _read(name: str, data: Any) -> Image.Image:
    """Opens a file as one of that format: the one place where the rules of the format's row are kept."""
    guard = _call.guard
    assert guard is not None
    view = memoryview(data)
    checks = row(name).check, row(name).check_inside if _call.depth else None
    for check in filter(None, checks):
        check(view, row(name).pixel_bytes, guard)
    file = io.BytesIO(data) if isinstance(data, bytes) else _Buffered(view)
    factory, _ = copies.readers(_call.pad, open_inside)[name]
    image = factory(file, "")
    Image._decompression_bomb_check(image.size)
    guard.pixels(*image.size)
    guard.memory(memory(name, image))
    headers.check_time(seconds(image), image.width * image.height)
    return image


def open_inside(file: Any, *_arguments: Any, **_options: Any) -> Image.Image:
    """`Image.open` for readers that open the file inside theirs: by default formats alone, and checked."""
    if _call.depth >= _MAX_DEPTH:
        raise RefusedError("decode", f"expected files at most {_MAX_DEPTH} deep inside each other")
    file.seek(0)
    _call.depth += 1
    try:
        return _open(file.read(), default_formats(), [])
    finally:
        _call.depth -= 1


def accepts(accept: Any, prefix: bytes) -> bool:
    """Whether a format's function takes a file that begins so."""
    try:
        # Pillow takes a text for a warning.
        return accept is None or (not isinstance(said := accept(prefix), str) and bool(said))
    except (SyntaxError, IndexError, TypeError, struct.error):
        return False


def _check_codec(head: bytes) -> None:
    """Says what to install, for a file whose codec this Pillow was built without."""
    for name, codec, begins in _OPTIONAL:
        if begins(head) and codec not in features.get_supported():
            raise RefusedError("unsupported") from UnidentifiedImageError(
                f"expected a Pillow that reads {name}, found {PIL.__version__} without {codec};"
                " Pillow's wheels of PyPI have it: pip install --upgrade pillow"
            )


def _unidentified(
    data: memoryview, begins: list[str], allowed: set[str], refused: Exception | None
) -> Exception:
    """The error for a file that no allowed format takes."""
    hint = of_bytes(data, Image.OPEN)
    if refused is not None and begins and begins[-1] in allowed and not hint:
        return refused
    unidentified = UnidentifiedImageError("cannot identify image file")
    is_default = allowed == set(default_formats()) and not _call.depth
    if is_default and not has_sound_readers() and not hint:
        hint = (
            f"expected a file that needs no Pillow, since the readers of Pillow {PIL.__version__} have known holes, found another one:"
            f" install Pillow {SOUND} or newer, or name the format of a file that is trusted (formats=)"
        )
    elif shut := [name for name in begins if name not in allowed]:
        names = " or ".join(shut)
        found = f"expected a file of the allowed formats, found one that begins as {names}"
        if not set(shut).difference(name for name, _ in _core.native_formats()):
            return UnidentifiedImageError(found)  # the core says which are allowed
        if is_default:
            found += f": formats={shut[:1]} reads it (docs/formats.md says why it has to be named)"
        hint = found
    elif hint:
        hint = f"expected an image file, found {hint}"
    else:
        return unidentified
    error = RefusedError("unsupported", hint)
    error.__cause__ = unidentified
    return error
