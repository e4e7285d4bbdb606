"""The options that change the order of the channels and the steps after rescaling, against NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from clipprep import Preprocess
from support.compare import assert_equal_bits

MEAN, STD = (0.25, 0.5, 0.75), (0.3, 0.2, 0.1)
LEVELS = np.arange(16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)
IMAGES = {mode: Image.fromarray(LEVELS).convert(mode) for mode in ("RGB", "L", "RGBA", "CMYK", "P")}


@pytest.mark.parametrize("profile", ["openai", "hf-pil", "hf-torchvision", "hf-torchvision-floats"])
@pytest.mark.parametrize("mode", IMAGES)
def test_bgr_is_rgb_in_the_other_order(profile: str, mode: str) -> None:
    """With the mean and the deviation of each channel as before; with a resize and without one."""
    for size, dtype, layout in itertools.product(
        (16, 9), ("float32", "float16", "uint8"), ("NCHW", "NHWC")
    ):
        options = {"profile": profile, "mean": MEAN, "std": STD, "dtype": dtype, "layout": layout}
        options |= {"interpolation": "bilinear"}
        rgb = Preprocess(size, **options)(IMAGES[mode])
        bgr = Preprocess(size, channel_order="BGR", **options)(IMAGES[mode])
        turned = rgb[..., ::-1] if layout == "NHWC" else rgb[::-1]
        assert_equal_bits(bgr, np.ascontiguousarray(turned), f"{size} {dtype} {layout}")


@pytest.mark.parametrize("profile", ["hf-pil", "hf-torchvision"])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("std_twice", [True, False])
@pytest.mark.parametrize("factor", [1 / 255, 1 / 127.5])
def test_an_offset_and_a_second_division(
    profile: str, normalize: bool, std_twice: bool, factor: float
) -> None:
    """Each step is rounded to float32; nothing is folded into the mean where 1 is subtracted."""
    mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (MEAN, STD))
    channels = LEVELS.transpose(2, 0, 1)
    if profile == "hf-pil":
        expected = (channels.astype(np.float64) * factor).astype(np.float32)
    else:
        expected = channels.astype(np.float32) * np.float32(factor)
    expected = expected - np.float32(1)
    if normalize:
        expected = (expected - mean) / std
    if std_twice:
        expected = expected / std
    pre = Preprocess(
        16,
        profile=profile,
        rescale_factor=factor,
        rescale_offset=True,
        normalize=normalize,
        std_twice=std_twice,
        mean=MEAN,
        std=STD,
    )
    assert_equal_bits(pre(LEVELS), np.ascontiguousarray(expected), "offset")


def test_an_offset_needs_a_factor() -> None:
    with pytest.raises(ValueError, match="rescale_factor"):
        Preprocess(16, profile="hf-pil", rescale_factor=None, rescale_offset=True)


@pytest.mark.parametrize(
    ("mode", "source", "size", "resize_size", "resized"),
    [
        ("bridgetower", (640, 480), 288, 288, (384, 288)),
        ("bridgetower", (1000, 100), 288, 288, (448, 32)),  # at most 1333/800 of 288 long
        ("janus", (640, 480), 384, 384, (384, 288)),
        ("janus", (1000, 10), 384, 384, (384, 14)),
        ("tvp", (300, 200), 448, 448, (448, 298)),
        ("tvp", (200, 300), 448, 448, (298, 448)),
        ("pp-lcnet", (301, 200), 224, 256, (385, 256)),
        ("perceiver", (640, 480), 224, 256, (224, 224)),
    ],
)
def test_sizes_of_resize_modes(
    mode: str, source: tuple[int, int], size: int, resize_size: int, resized: tuple[int, int]
) -> None:
    pre = Preprocess(size, resize_mode=mode, resize_size=resize_size)
    assert pre.explain(np.zeros((source[1], source[0], 3), np.uint8)).resized == resized


def test_perceiver_crops_first() -> None:
    """The pixels around the centre have no say, as they would have after a resize."""
    array = np.zeros((64, 100, 3), np.uint8)
    array[8:56, 26:74] = np.arange(48 * 48 * 3).reshape(48, 48, 3) % 256
    options = {"resize_mode": "perceiver", "resize_size": 32}
    expected = Preprocess(24, resize_mode="squash")(np.ascontiguousarray(array[8:56, 26:74]))
    assert_equal_bits(Preprocess(24, **options)(array), expected, "centre")
    array[:8] = 255
    assert_equal_bits(Preprocess(24, **options)(array), expected, "around")


@pytest.mark.parametrize(
    ("mode", "size", "resize_size"),
    [("janus", 32, (32, 31)), ("bridgetower", 32, (32, 64)), ("perceiver", 32, 31)],
)
def test_sizes_that_a_mode_cannot_be_about(mode: str, size: int, resize_size: object) -> None:
    with pytest.raises(ValueError, match=f'resize_size= .*with resize_mode="{mode}"'):
        Preprocess(size, resize_mode=mode, resize_size=resize_size)
