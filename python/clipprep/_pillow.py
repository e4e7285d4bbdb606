"""What Pillow does for us: it decodes what the native decoders leave to it, and hands out pixels."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

import PIL
from PIL import Image, ImageFile, UnidentifiedImageError, features
from PIL import _imaging as core

#: These formats run other programs or scripts, or hand the file to the operating system.
UNSAFE = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5"})

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

_ORIENTATION_TAG = 274
# What `ImageOps.exif_transpose` turns by; any other orientation leaves an image as it is.
_ORIENTATIONS = {orientation: orientation for orientation in range(2, 9)}


@cache
def _known_formats() -> tuple[str, ...]:
    Image.preinit()
    common = list(Image.ID)
    Image.init()
    # As `Image.open` does: the common formats first.
    return tuple(dict.fromkeys([*common, *Image.ID]))


def allowed_formats(formats: Iterable[str]) -> list[str]:
    """The value of the option `formats`, checked and sorted."""
    if isinstance(formats, (str, bytes)):
        raise TypeError(f"expected formats= a list of names, found {formats!r}")
    names = sorted({str(name).upper() for name in formats})
    known = {*_known_formats(), *Image.ID}
    if not names or not known.issuperset(names):
        found = ", ".join(repr(name) for name in names if name not in known) or "none"
        raise ValueError(f"expected formats= some of {', '.join(sorted(known))}, found {found}")
    return names


class _View(io.RawIOBase):
    """A file over memory, without a copy of it."""

    def __init__(self, data: Any) -> None:
        self._data = memoryview(data)
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
            raise ValueError(f"expected a position from 0, found {start + offset}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at


def _file(data: Any) -> BinaryIO:
    """A file over `bytes`, or over another buffer."""
    return io.BytesIO(data) if isinstance(data, bytes) else io.BufferedReader(_View(data))


def open_image(data: Any, formats: list[str] | None, pad: bool) -> Image.Image:
    """Opens an encoded image of the allowed formats; raises what Pillow raises.

    With `pad`, loading the image fills up what is missing.
    """
    known = dict.fromkeys([*_known_formats(), *Image.ID])
    head = bytes(data[:16])
    if missing := _missing_codec(head):
        raise UnidentifiedImageError(missing)
    allowed = tuple(
        name for name in known if (name not in UNSAFE if formats is None else name in formats)
    )
    try:
        if pad:
            from . import _lenient

            return _lenient.open_image(_file(data), allowed)
        return Image.open(_file(data), formats=allowed)
    except UnidentifiedImageError:
        found = [name for name in known if name not in allowed and _begins_as(name, head)]
        if not found:
            raise
        raise UnidentifiedImageError(
            f"expected a file of the allowed formats, found one that begins as {' or '.join(found)}"
        ) from None


def _missing_codec(head: bytes) -> str | None:
    """What to install, for a file whose codec this Pillow was built without."""
    for name, codec, begins in _OPTIONAL:
        if begins(head) and codec not in features.get_supported():
            return (
                f"expected a Pillow that reads {name}, found {PIL.__version__} without {codec};"
                " Pillow's wheels of PyPI from 11.3 on have it: pip install --upgrade pillow"
            )
    return None


def _begins_as(name: str, prefix: bytes) -> bool:
    accept = Image.OPEN[name][1]
    try:
        return accept is not None and accept(prefix) is True
    except (IndexError, struct.error):
        return False


def orientation(image: Image.Image) -> int:
    """The orientation of a loaded image, 1 where it is none that `ImageOps.exif_transpose` turns by."""
    return _ORIENTATIONS.get(image.getexif().get(_ORIENTATION_TAG, 1), 1)


def size(image: Image.Image) -> tuple[int, int, bool]:
    """The width and height of an image, and whether its pixels are in memory already."""
    width, height = image.size
    lazy = isinstance(image, ImageFile.ImageFile)
    return width, height, not lazy or not (image.tile or getattr(image, "_im", None) is None)


def pixels(image: Image.Image, over_white: bool) -> tuple[str, int, int, Any, bool, bytes | None]:
    """The mode, width, height, memory and palette (RGB) of an image, loaded if it was not.

    The memory is an Arrow capsule of Pillow's own storage, where this Pillow exports it and the
    image lies in one block (then the flag is true), and packed bytes otherwise. With `over_white`, an
    image with a transparent colour is laid over white, and so is RGB.
    """
    image.load()
    if over_white and image.info.get("transparency") is not None:
        image = _over_white(image)
    # Asked once: another thread may give the image other pixels meanwhile.
    stored = image.im
    mode, (width, height) = stored.mode, stored.size
    if 0 in (width, height):
        raise ValueError(f"expected an image of at least one pixel, found {width} x {height}")
    if image.mode != mode:
        # Pillow's own resize refuses such an image, in these words.
        raise ValueError("image has wrong mode")
    palette = bytes(image.getpalette("RGB") or ()) if mode in ("P", "PA") else None
    memory: Any = None
    # Before 13, exporting an image whose memory is borrowed or mapped crashes the process.
    if major_version() >= 13 and core.get_alignment() == 1:
        with suppress(ValueError):
            memory = stored.__arrow_c_array__()
    shared = memory is not None
    if not shared:
        memory = _packed(image)
    return mode, width, height, memory, shared, palette


def _over_white(image: Image.Image) -> Image.Image:
    """As transformers makes RGB of an image with a transparent colour."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def _packed(image: Image.Image) -> bytes:
    if image.mode == "1":
        return image.convert("L").tobytes()
    # The others as Pillow stores them, which for LAB is not as it packs them.
    if image.mode in ("YCbCr", "HSV", "LAB"):
        return Image.merge("RGB", image.split()).tobytes("raw", "RGBX")
    if image.mode == "PA":
        index, alpha = image.split()
        return Image.merge("RGBA", (index, index, index, alpha)).tobytes()
    return image.tobytes()


def rgb_of_lab(stored: bytes, width: int, height: int) -> bytes:
    """Pixels of mode LAB, as Pillow stores them, in RGB by Pillow's colour management."""
    bands = Image.frombytes("RGB", (width, height), stored, "raw", "RGBX").split()
    return Image.merge("LAB", bands).convert("RGB").tobytes()


@cache
def major_version() -> int:
    """Pillow's major version."""
    return int(PIL.__version__.split(".")[0])
