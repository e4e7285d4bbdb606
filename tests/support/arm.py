"""What Pillow does otherwise on 64-bit ARM.

Resizing 16 and 32 bits a sample: `CASES` are images of which many sums lie half way between two levels.

JPEG samples far beyond a byte: its libjpeg has code of its own there, in which other sums overflow. Files have such
samples when they are damaged, or quantised in very coarse steps.
"""

from __future__ import annotations

import itertools
import platform

import numpy as np
from PIL import Image

#: Whether the installed Pillow is one of these. clipprep gives the bits of x86 on every machine.
IS_ARM = platform.machine().lower() in ("aarch64", "arm64")

FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

#: Mode, width and height of the source, filter, side of the result, by a name.
CASES = {
    f"{mode} {source[0]}x{source[1]} {filter_name} {side}": (mode, source, filter_name, side)
    for mode, source, filter_name, side in itertools.product(
        ("I;16", "I", "F"), ((64, 64), (97, 61), (130, 300)), FILTERS, (24, 32, 40)
    )
}


def image(mode: str, size: tuple[int, int]) -> Image.Image:
    """Levels from 0 to 255, by arithmetic alone."""
    x, y = np.ogrid[: size[0], : size[1]]
    noise = ((x * 40_503 + y * 30_011) * 2_654_435_761 >> 16) & 255
    levels = Image.fromarray(noise.astype(np.uint8).T.copy()).convert("I")
    return levels if mode == "I" else levels.convert(mode)
