"""Images whose resizing by Pillow differs on 64-bit ARM: many sums lie half way between two levels."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image

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
