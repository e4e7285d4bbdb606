"""Pixels out of Pillow's images."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import PIL
from PIL import Image, ImageFile
from PIL import _imaging as core

from .refusals import RefusedError
from .storage import stored_bytes

if TYPE_CHECKING:
    from .guard import Guard

# The class of `Image.im`.
_STORED = type(core.new("L", (1, 1)))
_ORIENTATION_TAG = 274
# The orientations that `ImageOps.exif_transpose` turns by; any other leaves an image as it is.
_ORIENTATIONS = {orientation: orientation for orientation in range(2, 9)}


@cache
def major_version() -> int:
    """Pillow's major version."""
    return int(PIL.__version__.split(".")[0])


def _orientation(image: Image.Image, guard: Guard) -> int:
    """The orientation of a loaded image, 1 where it is none that `ImageOps.exif_transpose` turns by."""
    # Pillow reads the block by `get`, whatever it is.
    block = image.info.get("exif") if isinstance(image.info, dict) else None
    if isinstance(block, (bytes, bytearray)):
        guard.exif(bytes(block))
    return _ORIENTATIONS.get(image.getexif().get(_ORIENTATION_TAG, 1), 1)


def size(image: Image.Image) -> tuple[int, int, bool]:
    """The width and height of an image, and whether its pixels are in memory already."""
    width, height = image.size
    if not isinstance(image, ImageFile.ImageFile):
        return width, height, True
    return width, height, not image.tile and getattr(image, "_im", None) is not None


#: When an image becomes RGB: over white and so before it is resized; before it is resized; after.
Rgb: TypeAlias = Literal["over white", "first", "last"]
#: What `pixels` gives.
Found: TypeAlias = tuple[str, int, int, Any, bool, bytes | None, int, int]


def pixels(image: Image.Image, is_own: bool, rgb: Rgb, exif: bool, guard: Guard) -> Found:
    """The mode, width, height, memory, whether that is as Pillow stores pixels, palette (RGB), orientation of an
    image, loaded if it was not, and the bytes that all of it holds; those of an image that is not `is_own` are its owner's.

    The memory is an Arrow capsule of Pillow's own storage, where this Pillow exports it and the image lies in one
    block; or Pillow's image itself, of which `strip` exports copies of some rows at a time; or packed bytes. The flag
    is true for the first two, which have pixels as Pillow stores them. With `rgb` "over white", an image with a
    transparent colour, or in LAB, is laid over white, and so is RGB. The orientation is 1 without `exif`.
    """
    # Also where they are in memory: it hands a changed palette to Pillow's core.
    image.load()
    loaded = image
    if rgb == "first" and not exif:
        _check_palette(image)
    held = stored_bytes(image.mode) * image.width * image.height if is_own else 0
    # Of LAB, Pillow makes the unused fourth byte of a pixel the alpha of RGBA.
    if rgb == "over white" and (image.info.get("transparency") is not None or image.mode == "LAB"):
        count = image.width * image.height
        guard.memory(held + _OVER_WHITE * count)
        held += stored_bytes("RGB") * count
        # A Pillow without LittleCMS leaves LAB as it is, which is refused later.
        with suppress(ImportError):
            image = _over_white(image)
    # Asked once: another thread may give the image other pixels meanwhile.
    stored = image.im
    mode, (width, height) = stored.mode, stored.size
    if 0 in (width, height):
        raise RefusedError(
            "decode", f"expected an image of at least one pixel, found {width} x {height}"
        )
    if image.mode != mode:
        # Pillow's own resize refuses such an image, in these words.
        raise ValueError("image has wrong mode")
    palette = _palette(stored) if mode in ("P", "PA") else None
    memory: Any = None
    # Whatever else a subclass has in its place says nothing that holds. Other alignments leave gaps between rows.
    if type(stored) is _STORED and core.get_alignment() == 1:
        # Before 13, exporting an image whose memory is borrowed or mapped crashes the process.
        if major_version() >= 13:
            try:
                memory = stored.__arrow_c_array__()
            except ValueError:  # it lies in several blocks
                memory = None
        # Memory that an image borrows may be the caller's `out=`, which is written while strips are read; LAB is
        # converted as a whole.
        if memory is None and not image.readonly and mode != "LAB":
            memory = stored
    shared = memory is not None
    if not shared:
        guard.memory(held + _PACKING.get(mode, 8) * width * height)
        memory = _packed(image)
        held += len(memory)
    turned = _orientation(loaded, guard) if exif else 1
    return mode, width, height, memory, shared, palette, turned, held


def strip(stored: Any, left: int, right: int, top: int, rows: int, row: int) -> tuple[Any, int]:
    """An Arrow capsule with a copy of some rows of Pillow's image `stored`, cut to the columns from `left` to before
    `right`, and how many rows it has: `rows` from `top` on, or fewer where Pillow would spread them over several blocks
    of memory. `row` is the number of bytes of one.
    """
    if core.get_alignment() != 1:
        raise RefusedError(
            "decode",
            "expected Pillow's alignment of rows to stay 1 during a call, found another one",
        )
    rows = max(1, min(rows, core.get_block_size() // row))
    return stored.crop((left, top, right, top + rows)).__arrow_c_array__(), rows


def _check_palette(image: Image.Image) -> None:
    """Refuse an image that `convert("RGB")` refuses by an assertion. Resizing, cropping and turning give it a palette."""
    transparency = image.info.get("transparency", b"")
    if image.mode == "P" and image.palette is None and not isinstance(transparency, bytes):
        raise RefusedError(
            "decode", "expected a palette for the transparent colour, found none in the image"
        )


def _palette(stored: Any) -> bytes:
    """The colours that `convert("RGB")` gives the indices: the first three bytes of each entry, even in CMYK."""
    mode = stored.getpalettemode()
    entries = stored.getpalette(mode, mode)
    if len(mode) == 3:
        return bytes(entries)
    return b"".join(entries[at : at + 3] for at in range(0, len(entries), len(mode)))


def _over_white(image: Image.Image) -> Image.Image:
    """As transformers makes RGB of an image with a transparent colour."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


#: Bytes a pixel that laying an image over white takes: it in RGBA, white, both together, and that in RGB.
_OVER_WHITE = 16
#: Bytes a pixel that `_packed` takes for a mode, those of its result twice, since Pillow joins it out of pieces.
_PACKING = {"1": 3, "L": 2, "P": 2, "LA": 4, "RGB": 6, "PA": 14}
_PACKING |= dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), 4)
_PACKING |= dict.fromkeys(("YCbCr", "HSV", "LAB"), 15)


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
