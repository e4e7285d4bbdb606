"""Images to test with, made from a seed: photo-like ones for files, hard ones for arithmetic."""

from __future__ import annotations

import numpy as np
from PIL import Image

CHANNELS = {
    "L": 1,
    "LA": 2,
    "RGB": 3,
    "RGBA": 4,
    "CMYK": 4,
    "RGBX": 4,
    "RGBa": 4,
    "PA": 2,
    "YCbCr": 3,
    "HSV": 3,
    "LAB": 3,
}

#: Modes of one band whose samples are more than a byte, with the type of a sample in memory.
WIDE = {"I;16": "<u2", "I;16L": "<u2", "I;16B": ">u2", "I;16N": "=u2", "I": "=i4", "F": "=f4"}


def photo(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """(H, W, C) uint8: slopes, waves and an edge with some noise, so that every codec has something to lose."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    layers = []
    for _ in range(channels):
        fx, fy, phase = [*rng.uniform(0.02, 0.6, 2).tolist(), rng.uniform(0, 6)]
        layers.append(
            127 + 90 * np.sin(x * fx + phase) * np.cos(y * fy) + 60 * (x / width - y / height)
        )
    image = np.stack(layers, axis=-1)
    image[(x + 2 * y) > (width + height)] *= 0.6
    image += rng.normal(0, 9, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def alpha(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W) uint8 with regions of 0 and of 255, and everything between."""
    rng = np.random.default_rng(seed + 1)
    y, x = np.mgrid[0:height, 0:width]
    plane = rng.integers(0, 256, (height, width), dtype=np.uint8)
    plane[(x // 5 + y // 3) % 3 == 0] = 0
    plane[(x // 7 + y // 4) % 4 == 1] = 255
    return plane


def picture(mode: str, width: int, height: int, seed: int = 0) -> Image.Image:
    """A PIL image of any mode that this issue supports."""
    if mode in CHANNELS:
        array = photo(height, width, CHANNELS[mode], seed)
        if mode in ("LA", "RGBA", "RGBa", "PA"):
            array[..., -1] = alpha(height, width, seed)
        image = Image.frombytes(mode, (width, height), array.tobytes())
        if mode == "PA":
            rng = np.random.default_rng(seed)
            image.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
        return image
    if mode in WIDE:  # most of it between black and white, some of it beyond
        array = photo(height, width, 1, seed)[..., 0].astype(np.float64) * 1.3
        array[:: seed % 7 + 5] *= 100
        if mode in ("I", "F"):
            array = array * 1.1 - 40
        return Image.frombytes(mode, (width, height), array.astype(WIDE[mode]).tobytes())
    if mode == "1":
        return Image.fromarray(photo(height, width, 1, seed)[..., 0] > 127)
    if mode == "P":
        rng = np.random.default_rng(seed)
        image = Image.frombytes("P", (width, height), photo(height, width, 1, seed).tobytes())
        image.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
        return image
    raise ValueError(mode)


def content(kind: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Array contents by name; those that overshoot make the bicubic kernel clip at both ends."""
    rng = np.random.default_rng(seed)
    height, width = shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    y, x = (axis.reshape(height, width, *[1] * (len(shape) - 2)) for axis in (y, x))
    if kind == "random":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == "extremes":
        return rng.choice(np.array([0, 255], np.uint8), shape)
    if kind == "checkerboard":
        period = int(rng.integers(1, 5))
        return np.broadcast_to(
            ((x // period + y // period) % 2 * 255).astype(np.uint8), shape
        ).copy()
    if kind == "gradient":
        fx, fy = rng.integers(0, 9, 2)
        return np.broadcast_to(((x * fx + y * fy + seed) % 256).astype(np.uint8), shape).copy()
    if kind == "sparse":
        array = np.zeros(shape, np.uint8)
        array[rng.random(shape) < 0.02] = 255
        return array if seed % 2 else 255 - array
    if kind == "constant":
        return np.full(shape, rng.choice([0, 1, 127, 128, 254, 255]), np.uint8)
    raise ValueError(kind)


CONTENTS = ("random", "extremes", "checkerboard", "gradient", "sparse", "constant")


def layout(kind: str, array: np.ndarray) -> np.ndarray:
    """The same values in another memory layout."""
    if kind == "c":
        return array
    if kind == "fortran":
        return np.asfortranarray(array)
    if kind == "flipped":  # negative strides on every axis
        return np.ascontiguousarray(array[(slice(None, None, -1),) * array.ndim])[
            (slice(None, None, -1),) * array.ndim
        ]
    if kind == "upside down":
        return np.ascontiguousarray(array[::-1])[::-1]
    if (
        kind == "bgr"
    ):  # as OpenCV's frames are turned round: a negative stride on the last axis only
        return np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    if kind == "transposed":
        return np.ascontiguousarray(array.swapaxes(0, 1)).swapaxes(0, 1)
    if kind == "planar":  # channels first in memory
        return np.ascontiguousarray(np.moveaxis(array, -1, 0).copy()).transpose(
            *range(1, array.ndim), 0
        )
    if kind == "step":
        big = np.full((array.shape[0] * 2, array.shape[1] * 3, *array.shape[2:]), 77, np.uint8)
        big[::2, ::3] = array
        return big[::2, ::3]
    if kind == "window":  # a part of a larger frame, which neither starts nor ends on a row's end
        big = np.full((array.shape[0] + 5, array.shape[1] + 7, *array.shape[2:]), 177, np.uint8)
        big[3:-2, 2:-5] = array
        return big[3:-2, 2:-5]
    if kind == "unaligned":
        return np.frombuffer(b"\xa5" + array.tobytes(), np.uint8)[1:].reshape(array.shape)
    if kind == "read-only":
        array = array.copy()
        array.flags.writeable = False
        return array
    raise ValueError(kind)


LAYOUTS = (
    "c",
    "fortran",
    "flipped",
    "upside down",
    "bgr",
    "transposed",
    "planar",
    "step",
    "window",
    "unaligned",
    "read-only",
)
