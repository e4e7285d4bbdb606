"""torch's resizing of uint8 tensors with antialiasing, in NumPy, since torch is not installed here.

Written from its `UpSampleKernel.cpp`, and checked against torch itself by `tests/data/torch_resize.npz`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def _bilinear(t: float) -> float:
    return max(1.0 - abs(t), 0.0)


def _bicubic(t: float) -> float:
    t, a = abs(t), -0.5
    if t < 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a if t < 2 else 0.0


def _lanczos(t: float) -> float:
    def sinc(t: float) -> float:
        return 1.0 if t == 0 else math.sin(t * math.pi) / (t * math.pi)

    return sinc(t) * sinc(t / 3) if -3 <= t < 3 else 0.0


FILTERS: dict[str, tuple[float, Callable[[float], float]]] = {
    "bilinear": (1.0, _bilinear),
    "bicubic": (2.0, _bicubic),
    "lanczos": (3.0, _lanczos),
}


def _weights(name: str, old: int, new: int) -> tuple[list[tuple[int, np.ndarray]], int]:
    """The first input and the 16-bit weights of each output, and their fractional bits."""
    support, kernel = FILTERS[name]
    scale = old / new
    wide = max(scale, 1.0)
    real = []
    for x in range(new):
        centre = scale * (x + 0.5)
        first = max(int(centre - support * wide + 0.5), 0)
        last = min(int(centre + support * wide + 0.5), old)
        taps = np.array([kernel((i - centre + 0.5) / wide) for i in range(first, last)])
        real.append((first, taps / taps.sum()))
    largest = max(float(taps.max()) for _, taps in real)
    bits = 0
    while bits < 22 and int(0.5 + largest * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    whole = [
        (first, np.trunc(taps * (1 << bits) + np.copysign(0.5, taps)).astype(np.int64))
        for first, taps in real
    ]
    return whole, bits


def _axis(pixels: np.ndarray, name: str, new: int) -> np.ndarray:
    """Resizes the first axis."""
    if pixels.shape[0] == new:
        return pixels
    weights, bits = _weights(name, pixels.shape[0], new)
    wide = pixels.astype(np.int64)
    sums = [np.tensordot(taps, wide[first : first + len(taps)], 1) for first, taps in weights]
    return np.clip((np.stack(sums) + (1 << (bits - 1))) >> bits, 0, 255).astype(np.uint8)


def resize(pixels: np.ndarray, size: tuple[int, int], name: str) -> np.ndarray:
    """(H, W, C) uint8 to (height, width, C): the width first, each axis rounded to bytes."""
    narrow = _axis(pixels.swapaxes(0, 1), name, size[1]).swapaxes(0, 1)
    return _axis(narrow, name, size[0])
