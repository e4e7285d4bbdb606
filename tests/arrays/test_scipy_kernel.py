"""The profile hf-scipy against NumPy: SciPy's blur and zoom of float32, with its order of sums."""

from __future__ import annotations

import numpy as np
import pytest

import clipprep
from clipprep import Preprocess
from support.compare import assert_equal_bits
from support.pictures import picture


def mirrored(at: np.ndarray, length: int) -> np.ndarray:
    if length == 1:
        return np.zeros_like(at)
    at = at % (2 * length - 2)
    return np.where(at < length, at, 2 * length - 2 - at)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Along the first axis."""
    radius = int(4 * sigma + 0.5)
    if sigma <= 0:
        return image
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    weights /= weights.sum()
    at, value = np.arange(len(image)), image.astype(np.float64)
    total = value * weights[radius]
    for offset in range(-radius, 0):
        one = value[mirrored(at + offset, len(at))]
        total += (one + value[mirrored(at - offset, len(at))]) * weights[radius + offset]
    return total.astype(np.float32)


def between(length: int, output: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two pixels that each output pixel lies between, and the weight of the first."""
    at = np.abs((np.arange(output) + 0.5) * (length / output) - 0.5) * (length > 1)
    first = np.floor(at).astype(int)
    return mirrored(first, length), mirrored(first + 1, length), 1 - (at - np.floor(at))


def expected(pixels: np.ndarray, size: tuple[int, int], factor: float) -> np.ndarray:
    side = max(pixels.shape[:2])
    square = np.zeros((side, side, 3), np.float32)
    scaled = (pixels.astype(np.float64) * factor).astype(np.float32)
    square[: pixels.shape[0], : pixels.shape[1]] = scaled
    for axis, output in enumerate(size):
        turned = np.moveaxis(square, axis, 0)
        square = np.moveaxis(blurred(turned, max(0, (side / output - 1) / 2)), 0, axis)
    (above, below, up), (left, right, near) = (between(side, output) for output in size)
    value, up, near = square.astype(np.float64), up[:, None, None], near[:, None]
    total = value[above][:, left] * up * near
    total += value[above][:, right] * up * (1 - near)
    total += value[below][:, left] * (1 - up) * near
    total += value[below][:, right] * (1 - up) * (1 - near)
    return total.astype(np.float32)


@pytest.mark.parametrize("size", [(40, 40), (33, 56), (64, 9), (1, 1), (90, 90)])
def test_a_blur_and_a_zoom(size: tuple[int, int]) -> None:
    options = {"resize_mode": "squash", "interpolation": "bilinear", "normalize": False}
    pre = Preprocess(size, profile="hf-scipy", layout="NHWC", **options)
    for shape in ((90, 61), (35, 121), (64, 64), (1, 7), (5, 3), (300, 20), (1, 1)):
        image = picture("RGB", *shape)
        wanted = expected(np.array(image), size, 1 / 255)
        assert_equal_bits(pre(image), wanted, f"{shape} to {size}")


def test_memory_for_the_image_is_counted() -> None:
    options = {"profile": "hf-scipy", "resize_mode": "squash", "interpolation": "bilinear"}
    image = np.zeros((1000, 1000, 3), np.uint8)
    limits = clipprep.Limits(max_memory=3_000_000)
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        Preprocess(32, limits=limits, **options)(image)
