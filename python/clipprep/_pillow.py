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
    mode = image.mode
    if 0 in image.size:
        raise ValueError(
            f"expected an image of at least one pixel, found {image.width} x {image.height}"
        )
    if mode != image.im.mode:
        # Pillow's own resize refuses such an image, in these words.
        raise ValueError("image has wrong mode")
    palette = bytes(image.getpalette("RGB") or ()) if mode == "P" else None
    memory: Any = None
    # Before 13, exporting an image whose memory is borrowed or mapped crashes the process.
    if major_version() >= 13 and core.get_alignment() == 1:
        with suppress(ValueError):
            memory = image.__arrow_c_array__()[1]
    shared = memory is not None
    if not shared:
        memory = image.convert("L").tobytes() if mode == "1" else image.tobytes()
    return mode, image.width, image.height, memory, shared, palette


@cache
def major_version() -> int:
    """Pillow's major version."""
    return int(PIL.__version__.split(".")[0])
