"""The ways of resizing that single classes of transformers have, and where an image stands in a larger output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import Preprocess, _core
from clipprep.verify.transform import Transform
from support.compare import assert_equal_bits
from support.pictures import picture
from support.reference import FILTERS


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
        ("detr", (640, 480), 224, (60, 90), (80, 60)),
        ("detr", (200, 100), 224, (60, 90), (90, 45)),  # the longer side is at its limit
        ("detr", (101, 200), 224, (60, 90), (45, 90)),
        ("detr", (61, 60), 224, (60, 90), (61, 60)),
        ("fit", (640, 480), 224, (60, 90), (80, 60)),
        ("fit", (640, 100), 224, (60, 90), (90, 14)),
        ("sam", (301, 200), 224, 224, (224, 149)),
        ("sam", (200, 301), 224, 64, (43, 64)),
        ("aria", (1000, 999), 490, 490, (490, 489)),
        ("aria", (100, 1000), 490, 490, (336, 490)),
        ("aria", (393, 200), 980, 980, (980, 498)),  # 393 * (980 / 393) is below 980
        ("deepseek-ocr", (1000, 10), 384, 384, (384, 4)),
        ("donut", (640, 480), (64, 48), (64, 48), (48, 36)),
        ("donut", (480, 640), (64, 48), (64, 48), (48, 64)),
        ("donut", (480, 1000), (64, 48), (64, 48), (30, 64)),
        ("donut", (300, 300), (64, 48), (64, 48), (48, 48)),
    ],
)
def test_sizes_of_resize_modes(
    mode: str, source: tuple[int, int], size: Any, resize_size: Any, resized: tuple[int, int]
) -> None:
    options = {"resize_mode": mode, "resize_size": resize_size, "profile": "timm"}
    pre = Preprocess(size, **options)
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


@pytest.mark.parametrize("profile", ["timm", "hf-pil"])
@pytest.mark.parametrize("name", ["bicubic", "bilinear", "nearest"])
def test_donut_resizes_twice(profile: str, name: str) -> None:
    """Step by step, with bytes between the steps; black fills the rest."""
    pre = Preprocess((64, 48), profile=profile, resize_mode="donut", interpolation=name,
                     dtype="uint8", layout="NHWC", pillow="installed")  # fmt: skip
    for size in ((90, 200), (200, 90), (100, 100), (301, 77), (48, 64), (48, 50), (20, 21)):
        image = picture("RGB", *size)
        shorter = min(size)
        first = image.resize(tuple(int(48 * side / shorter) for side in size), FILTERS[name])
        to = pre.explain(image).resized
        last = first if first.size == to else first.resize(to, FILTERS[name])
        expected = Image.new("RGB", (48, 64))
        expected.paste(last, ((48 - to[0]) // 2, (64 - to[1]) // 2))
        assert_equal_bits(pre(image), np.asarray(expected), f"{size} to {to}")


def test_donut_needs_a_profile_that_resizes_bytes_of_rgb() -> None:
    for profile in ("openai", "hf-torchvision-floats"):
        options = {"profile": profile, "resize_mode": "donut", "interpolation": "bilinear"}
        with pytest.raises(clipprep.UnsupportedError, match="donut"):
            Preprocess(32, **options)(picture("RGB", 90, 61))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("profile", ["openai", "hf-pil", "hf-torchvision-floats"])
@pytest.mark.parametrize("position", ["centre", "top-left"])
def test_zeros_around_an_image(position: str, profile: str, dtype: str, layout: str) -> None:
    """The image has the values that it has in an output of its own size, wherever it stands."""
    options = {"profile": profile, "interpolation": "bilinear", "layout": layout, "dtype": dtype}
    image = picture("RGB", 90, 61)
    pre = Preprocess((70, 80), resize_mode="longest", resize_size=40, position=position,
                     fill_color=None, **options)  # fmt: skip
    alone = Preprocess((27, 40), resize_mode="squash", **options)(image)
    top, left = (0, 0)
    if position == "centre":
        up = profile == "hf-pil"
        top, left = (70 - 27 + up) // 2, (80 - 40 + up) // 2
    rows, columns = slice(top, top + 27), slice(left, left + 40)
    at = (rows, columns) if layout == "NHWC" else (slice(None), rows, columns)
    expected = np.zeros((70, 80, 3) if layout == "NHWC" else (3, 70, 80), alone.dtype)
    expected[at] = alone
    assert_equal_bits(pre(image), expected, f"{position} {profile}")


def test_an_image_that_does_not_fit_at_the_top_left() -> None:
    pre = Preprocess((30, 40), resize_mode="none", position="top-left")
    assert pre(np.zeros((30, 40, 3), np.uint8)).shape == (3, 30, 40)
    for shape in ((31, 40, 3), (30, 41, 3)):
        with pytest.raises(clipprep.UnsupportedError, match="top-left"):
            pre(np.zeros(shape, np.uint8))


def test_no_antialiasing_where_no_filter_has_that() -> None:
    for options in (
        {"profile": "openai"},
        {"profile": "hf-torchvision", "interpolation": "lanczos"},
        {"profile": "hf-torchvision-floats", "interpolation": "bilinear"},
    ):
        with pytest.raises(ValueError, match="antialias"):
            Preprocess(32, antialias=False, **options)


@pytest.mark.parametrize(
    ("mode", "size", "resize_size"),
    [
        ("detr", 32, (32, 31)),
        ("sam", 32, (32, 31)),
        ("janus", 32, (32, 31)),
        ("bridgetower", 32, (32, 64)),
        ("perceiver", 32, 31),
    ],
)
def test_sizes_that_a_mode_cannot_be_about(mode: str, size: int, resize_size: object) -> None:
    with pytest.raises(ValueError, match=f'resize_size= .*with resize_mode="{mode}"'):
        Preprocess(size, resize_mode=mode, resize_size=resize_size)


OPTIONS = {row["name"]: row for row in _core.describe_options()}


@pytest.mark.parametrize("mode", OPTIONS["resize_mode"]["choices"])
@pytest.mark.parametrize("profile", ["timm", "hf-pil"])
def test_the_reference_of_verify_has_the_same_bits(profile: str, mode: str) -> None:
    """Its geometry is Python's, its pixels are live Pillow's."""
    for position, fill in (("centre", None), ("centre", 7), ("top-left", None), ("top-left", 7)):
        pre = Preprocess(64, profile=profile, resize_mode=mode, position=position,
                         fill_color=fill, pillow="installed")  # fmt: skip
        transform = Transform(pre)
        for size in ((90, 61), (61, 91), (200, 9), (64, 64)):
            image = picture("RGB", *size)
            try:
                expected = transform(image)
            except ValueError:
                with pytest.raises(clipprep.UnsupportedError):
                    pre(image)
            else:
                assert_equal_bits(pre(image), expected, f"{mode} {position} {size}")


def test_the_image_between_two_steps_is_counted() -> None:
    """A thin one becomes longer by the first step than any that is asked for."""
    options = {"profile": "hf-pil", "resize_mode": "donut"}
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        Preprocess((640, 480), limits=clipprep.Limits(max_memory=50_000_000), **options)(
            Image.new("RGB", (2, 1000))
        )
