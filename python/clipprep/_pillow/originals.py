"""Lazily opened images of the caller's: their format, the bytes of their file, and whether they are unchanged."""

from __future__ import annotations

from typing import Any

from PIL import Image

#: Bytes of a file from which an image is loaded in its place.
_MOST_READ = 1 << 28


def name(image: Image.Image) -> str | None:
    """The name by which Pillow registered the reader of an image; None for a class of the caller's, which may
    do anything."""
    kind = type(image)
    if kind.__module__.partition(".")[0] != "PIL":
        return None
    name = str(getattr(kind, "format", None)).upper()
    # The JPEG reader finds those files.
    name = "JPEG" if name == "MPO" else name
    return name if name in Image.OPEN else None


def data(image: Any) -> bytes | None:
    """The bytes of the file of an image; None where they cannot be read, and where the caller has chosen another
    frame or, by `draft`, another size, which alone counts."""
    try:
        if image.decoderconfig or image.tell():
            return None
        file = image.fp
        position = file.tell()
        file.seek(0)
        try:
            data = file.read(_MOST_READ)
        finally:
            file.seek(position)
    except Exception:  # loading it in its place says what is wrong
        return None
    return data if isinstance(data, bytes) and len(data) < _MOST_READ else None


def is_same(own: Image.Image, image: Image.Image) -> bool:
    """Whether what the caller may have changed before the pixels are loaded is as in an image that was just opened."""
    try:
        return isinstance(own, type(image)) and bool(_state(own) == _state(image))
    except Exception:  # of arrays in `info`, say
        return False


def _state(image: Any) -> tuple[object, ...]:
    """The state that a caller may change before the pixels are loaded: the frame, the size by `draft`, notes."""
    palette = image.palette and (image.palette.mode, bytes(image.palette.palette))
    names = ("mode", "size", "tile", "info", "_exif", "decoderconfig")
    return image.tell(), palette, *(getattr(image, name, None) for name in names)
