"""What Pillow does for us: it decodes what the native decoders leave to it, and hands out pixels."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import cache
from typing import Any

import PIL
from PIL import Image
from PIL import _imaging as core

#: These formats run other programs or scripts, or hand the file to the operating system.
UNSAFE = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5"})


@cache
def _formats() -> tuple[str, ...]:
    Image.preinit()
    common = list(Image.ID)
    Image.init()
    # As `Image.open` does: the common formats first.
    return tuple(
        name
        for name in [*common, *(set_aside for set_aside in Image.ID if set_aside not in common)]
        if name not in UNSAFE
    )


def decode(data: bytes) -> Image.Image:
    """Opens and loads an encoded image; raises what Pillow raises."""
    image = Image.open(io.BytesIO(data), formats=_formats())
    image.load()
    return image


def pixels(image: Image.Image) -> tuple[str, int, int, Any, bool, bytes | None]:
    """The mode, width, height, memory and palette (RGB) of an image, loaded if it was not.

    The memory is an Arrow capsule of Pillow's own storage, where this Pillow exports it and the
    image lies in one block (then the flag is true), and packed bytes otherwise.
    """
    image.load()
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
