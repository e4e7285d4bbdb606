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


@pytest.mark.parametrize(
    "profile", ["openai", "hf-pil", "hf-torchvision", "hf-torchvision-floats", "torchvision"]
)
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


@pytest.mark.parametrize("profile", ["hf-pil", "hf-torchvision", "torchvision", "torchvision-pil"])
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


@pytest.mark.parametrize("profile", ["torchvision", "torchvision-pil"])
@pytest.mark.parametrize("factor", [1 / 255, 1 / 127.5, 0.3, 7.0, None])
def test_version_2_of_torchvision_multiplies_in_float32(profile: str, factor: float | None) -> None:
    mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (MEAN, STD))
    expected = LEVELS.transpose(2, 0, 1).astype(np.float32)
    if factor is not None:
        expected = expected * np.float32(factor)
    options = {"profile": profile, "rescale_factor": factor, "mean": MEAN, "std": STD}
    plain = Preprocess(16, normalize=False, **options)
    assert_equal_bits(plain(LEVELS), np.ascontiguousarray(expected), "rescaled")
    expected = np.ascontiguousarray((expected - mean) / std)
    assert_equal_bits(Preprocess(16, **options)(LEVELS), expected, "normalised")
    pixels_last = Preprocess(16, layout="NHWC", **options)(LEVELS)
    assert_equal_bits(pixels_last, np.ascontiguousarray(expected.transpose(1, 2, 0)), "NHWC")


def test_an_offset_needs_a_factor() -> None:
    with pytest.raises(ValueError, match="rescale_factor"):
        Preprocess(16, profile="hf-pil", rescale_factor=None, rescale_offset=True)
