"""The reference, live: what OpenAI's transform does, on the Pillow that is installed and NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def resized_size(width: int, height: int, n: int) -> tuple[int, int]:
    """The shorter side becomes n, as torchvision computes it."""
    if width <= height:
        return n, int(n * height / width)
    return int(n * width / height), n


@contextmanager
def load_truncated(wanted: bool) -> Iterator[None]:
    """Pillow's switch for the reference alone: where clipprep runs, it is as it was."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = wanted
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def pixels(image: Image.Image, n: int) -> NDArray[np.uint8]:
    """Resize, centre crop and convert: (n, n, 3)."""
    width, height = resized_size(*image.size, n)
    left, top = round((width - n) / 2), round((height - n) / 2)
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image.crop((left, top, left + n, top + n)).convert("RGB"))


def normalise(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, n, 3) bytes to (3, n, n) floats, each step rounded to float32."""
    values = (pixels.astype(np.float32) / np.float32(255) - MEAN) / STD
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def levels(tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """The pixels that `normalise` was given, as far as floats of any value tell: (3, n, n), in levels of 0 to 255."""
    values = np.nan_to_num(tensor.astype(np.float64), nan=1e6)
    back = np.rint((values * STD[:, None, None] + MEAN[:, None, None]) * 255)
    return np.asarray(back.clip(-1000, 1000), np.float64)
