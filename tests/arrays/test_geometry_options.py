"""Sizes, resize modes, padding and the float part's options: against Pillow and NumPy, step by step."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

import clipprep
from support.compare import assert_equal_bits
from support.pictures import picture
from support.reference import FILTERS, LIVE, MEAN, STD, rgb_over_white

PROFILES = ("openai", "timm", "hf-pil")


def resized_size(image: Image.Image, mode: str, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height, by torchvision's rule for a number and `ResizeKeepRatio`'s for a pair."""
    (width, height), (new_height, new_width) = image.size, size
    if mode == "squash":
        return new_width, new_height
    if mode == "none":
        return width, height
    if mode == "shortest" and new_width == new_height:
        n = new_width
        return (n, int(n * height / width)) if width <= height else (int(n * width / height), n)
    ratios = height / new_height, width / new_width
    ratio = min(ratios) if mode == "shortest" else max(ratios)
    return round(width / ratio), round(height / ratio)


def crop_or_pad(
    image: Image.Image, size: tuple[int, int], profile: str, fill: int | tuple[int, ...]
) -> Image.Image:
    """The centre, padded where the image is smaller."""
    before, after, offsets = [], [], []
    for side, n in zip(image.size, size[::-1], strict=True):
        lacking = max(n - side, 0)
        larger, smaller = (lacking + 1) // 2, lacking // 2
        before.append(larger if profile == "hf-pil" else smaller)
        after.append(lacking - before[-1])
        margin = max(side - n, 0)
        offsets.append(margin // 2 if profile == "hf-pil" else round(margin / 2))
    if any(before) or any(after):
        fills = (fill,) * len(image.getbands()) if isinstance(fill, int) else fill
        fill = fills if len(image.getbands()) > 1 else fills[0]
        palette = image.getpalette() if image.mode == "P" else None
        image = ImageOps.expand(image, (before[0], before[1], after[0], after[1]), fill=fill)
        if palette is not None:
            image.putpalette(palette)
    left, top = offsets
    return image.crop((left, top, left + size[1], top + size[0]))


def expected(
    image: Image.Image,
    size: tuple[int, int],
    *,
    profile: str = "openai",
    resize_mode: str = "shortest",
    resize_size: tuple[int, int] | None = None,
    fill_color: int | tuple[int, int, int] = 0,
    interpolation: str = "bicubic",
    rescale_factor: float | None = 1 / 255,
    normalize: bool = True,
) -> np.ndarray:
    if profile == "timm":
        image = image.convert("RGB")
    if profile == "hf-pil":
        image = rgb_over_white(image)
    to = resized_size(image, resize_mode, resize_size or size)
    if to != image.size:
        image = image.resize(to, FILTERS[interpolation])
    cropped = crop_or_pad(image, size, profile, fill_color).convert("RGB")
    value = np.asarray(cropped).astype(np.float64)
    if rescale_factor is not None:
        exact = profile == "hf-pil"
        value = value * rescale_factor if exact else np.float32(value) / np.float32(255)
    value = value.astype(np.float32)
    if normalize:
        value = (value - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(value.transpose(2, 0, 1))


def check(image: Image.Image, size: tuple[int, int], **options: object) -> None:
    pre = clipprep.Preprocess(size, pillow=LIVE, **options)
    name = f"{image.mode} {image.size} to {size} {options}"
    assert_equal_bits(pre(image), expected(image, size, **options), name)
    assert pickle.loads(pickle.dumps(pre)) == pre
    assert hash(eval(repr(pre), {"Preprocess": clipprep.Preprocess})) == hash(pre)


sides = st.integers(1, 90)
pairs = st.tuples(sides, sides)


@given(
    mode=st.sampled_from(["RGB", "L", "LA", "RGBA", "P", "1", "CMYK", "I;16", "F"]),
    image_size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    size=pairs,
    resize_size=st.one_of(st.none(), pairs, sides.map(lambda n: (n, n))),
    resize_mode=st.sampled_from(["shortest", "longest", "squash", "none"]),
    profile=st.sampled_from(PROFILES),
    fill=st.integers(0, 255),
    interpolation=st.sampled_from(list(FILTERS)),
    seed=st.integers(0, 99),
)
def test_any(
    mode, image_size, size, resize_size, resize_mode, profile, fill, interpolation, seed
) -> None:
    image = picture(mode, *image_size, seed)
    if resize_mode == "none":
        resize_size = None
    options = {
        "profile": profile,
        "resize_mode": resize_mode,
        "resize_size": resize_size,
        "fill_color": fill,
        "interpolation": interpolation,
    }
    to = resized_size(image, resize_mode, resize_size or size)
    if to[0] * to[1] > 1_000_000:
        return
    if 0 in to:
        with pytest.raises(clipprep.UnsupportedError, match=f"{to[0]} x {to[1]}"):
            clipprep.Preprocess(size, **options)(image)
        return
    check(image, size, **options)


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "HSV"])
def test_a_fill_of_three_bands(mode: str) -> None:
    for size in ((90, 30), (30, 90)):
        options = {"resize_mode": "longest", "fill_color": (10, 200, 90)}
        check(picture(mode, *size), (64, 64), **options)
    for mode in ("L", "RGBA", "P"):
        with pytest.raises(clipprep.UnsupportedError, match="three bands"):
            clipprep.Preprocess(64, resize_mode="longest", fill_color=[1, 2, 3])(
                picture(mode, 90, 30)
            )


@pytest.mark.parametrize("profile", ["hf-pil", "hf-torchvision"])
def test_the_float_part(profile: str) -> None:
    """All levels, with each step left out, by the two backends' own arithmetic."""
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    mean, std = np.float32(MEAN), np.float32(STD)
    value = ramp.astype(np.float32)
    for factor in (None, 1 / 255, 1 / 127.5, 0.25):
        for normalize in (False, True):
            pre = clipprep.Preprocess(
                16, profile=profile, rescale_factor=factor, normalize=normalize
            )
            if factor is None:
                result = (value - mean) / std if normalize else value
            elif profile == "hf-pil":
                result = (ramp.astype(np.float64) * factor).astype(np.float32)
                result = (result - mean) / std if normalize else result
            elif normalize:
                inverse = np.float32(1 / factor)
                result = (value - mean * inverse) / (std * inverse)
            else:
                result = value * np.float32(factor)
            name = f"{profile} {factor} {normalize}"
            assert_equal_bits(pre(ramp), np.ascontiguousarray(result.transpose(2, 0, 1)), name)
            assert pickle.loads(pickle.dumps(pre)) == pre


def test_normalize_off_in_openai() -> None:
    check(picture("RGB", 90, 61), (32, 32), normalize=False)


@pytest.mark.parametrize("profile", ["openai", "timm"])
def test_profiles_that_divide_by_255(profile: str) -> None:
    for factor in (None, 1 / 128):
        with pytest.raises(ValueError, match="rescale_factor"):
            clipprep.Preprocess(32, profile=profile, rescale_factor=factor)


def test_images_that_are_not_converted(small) -> None:
    pre = clipprep.Preprocess(32, convert_rgb=False, pillow=LIVE)
    image = picture("RGB", 90, 61)
    assert_equal_bits(pre(image), small(image), "RGB is taken")
    assert_equal_bits(pre(np.asarray(image)), small(image), "an array of RGB is taken")
    for mode in ("L", "RGBA", "P", "1", "CMYK", "I;16"):
        with pytest.raises(
            clipprep.UnsupportedError,
            match=f'convert_rgb is False, found "{mode}": convert_rgb=True',
        ):
            pre(picture(mode, 90, 61))


def test_explained() -> None:
    pre = clipprep.Preprocess((64, 48), resize_mode="longest")
    explained = pre.explain(np.zeros((30, 90, 3), np.uint8))
    assert explained.resized == (48, 16)
    assert explained.crop == (0, -24, 48, 40)
    assert (pre.size, pre.resize_size, pre.resize_mode) == ((64, 48), (64, 48), "longest")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("resize_mode", "middle"),
        ("resize_size", 0),
        ("resize_size", (3, 4, 5)),
        ("resize_size", "large"),
        ("fill_color", 256),
        ("fill_color", -1),
        ("fill_color", (1, 2)),
        ("fill_color", "red"),
        ("rescale_factor", 0.0),
        ("rescale_factor", float("nan")),
        ("convert_rgb", "no"),
        ("normalize", None),
    ],
)
def test_values_that_are_refused(option: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=option):
        clipprep.Preprocess(32, profile="hf-pil", **{option: value})


def test_nothing_is_resized_to_a_size() -> None:
    with pytest.raises(ValueError, match="resize_size"):
        clipprep.Preprocess(32, resize_mode="none", resize_size=40)
