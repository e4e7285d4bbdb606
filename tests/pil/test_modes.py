"""The modes that few files have: each is resized as it is and converted afterwards, to the bits of live Pillow."""

from __future__ import annotations

import io
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.expect import assert_explained, assert_file, opened
from support.pictures import CONTENTS, WIDE, content, picture
from support.reference import FILTERS, LIVE, reference, resized_size, rgb_over_white

BYTES = ("RGBX", "RGBa", "PA", "YCbCr", "HSV", "LAB")
MODES = (*BYTES, *WIDE)
SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (9, 950), (1, 1), (1, 90), (64, 64))


def check(image: Image.Image, n: int, name: str, **options: object) -> None:
    options = {"pillow": LIVE, **options}
    expected = reference(image, n, **options)
    assert_equal_bits(clipprep.Preprocess(n, **options)(image), expected, f"{name} {options}")


def wide(mode: str, kind: str, width: int, height: int, seed: int) -> Image.Image:
    """Samples of more than a byte, by name."""
    rng = np.random.default_rng(seed)
    size = (height, width)
    kinds = np.dtype(WIDE[mode])
    if kinds.kind == "f":
        beyond = [np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 1e-45, -0.0]
        lowest, highest = -1e9, 1e9
    else:
        lowest, highest = np.iinfo(kinds).min, np.iinfo(kinds).max
        beyond = [lowest, lowest + 1, highest - 1, highest]
    if kind == "bytes":
        values = rng.integers(0, 256, size)
    elif kind == "around white":
        values = rng.choice([0, 1, 128, 254, 255, 256, 257, 300, 511, 512], size)
    elif kind == "full range":
        values = rng.uniform(lowest, highest, size)
    elif kind == "around zero":
        values = rng.normal(100, 90, size).clip(max(lowest, -1e9), highest)
    elif kind == "halves":  # sums that fall on a half as often as they can
        values = rng.integers(0, 4, size) * 64 + (rng.integers(0, 2, size) if seed % 2 else 0)
    elif kind == "extremes":
        values = rng.choice(np.array(beyond), size)
    else:  # a few extremes among bytes
        values = rng.integers(0, 256, size).astype(np.float64)
        few = rng.random(size) < 0.002
        values[few] = rng.choice(np.array(beyond, np.float64), int(few.sum()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.frombytes(mode, (width, height), values.astype(kinds).tobytes())


WIDE_KINDS = (
    "bytes",
    "around white",
    "full range",
    "around zero",
    "halves",
    "extremes",
    "sparse extremes",
)


def narrow(mode: str, kind: str, width: int, height: int, seed: int) -> Image.Image:
    """Bytes of every kind, in a mode of several bands."""
    image = picture(mode, width, height, seed)
    bands = len(image.getbands())
    raw = content(kind, (height, width, bands), seed).tobytes()
    made = Image.frombytes(mode, (width, height), raw)
    if mode == "PA":
        rng = np.random.default_rng(seed)
        entries = int(rng.choice([1, 16, 255, 256]))
        made.putpalette(rng.integers(0, 256, 3 * entries, dtype=np.uint8).tobytes())
    return made


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("mode", MODES)
def test_modes_and_filters(mode: str, interpolation: str) -> None:
    for size in SIZES:
        for n in (17, 64):
            image = picture(mode, *size, seed=n)
            for pillow in ("12", "13"):
                for profile in ("openai", "hf-pil"):
                    check(
                        image,
                        n,
                        f"PIL {mode} {size} n={n}",
                        interpolation=interpolation,
                        pillow=pillow,
                        profile=profile,
                    )


geometry = {
    "width": st.one_of(st.integers(1, 80), st.integers(1, 500)),
    "height": st.one_of(st.integers(1, 80), st.integers(1, 500)),
    "n": st.integers(1, 64),
    "interpolation": st.sampled_from([*FILTERS]),
    "profile": st.sampled_from(["openai", "openai", "hf-pil"]),
    "pillow": st.sampled_from(["12", "13"]),
    "seed": st.integers(0, 1000),
}


def check_drawn(make, mode, kind, width, height, n, seed, **options) -> None:
    resized = resized_size(width, height, n)
    if resized[0] * resized[1] > 1_000_000:
        n = 1 + n % 8
    image = make(mode, kind, width, height, seed)
    check(image, n, f"PIL {mode} {kind} {width} x {height} n={n} {seed}", **options)


@given(mode=st.sampled_from([*WIDE]), kind=st.sampled_from(WIDE_KINDS), **geometry)
def test_any_image_of_wide_samples(mode, kind, **drawn) -> None:
    check_drawn(wide, mode, kind, **drawn)


@given(mode=st.sampled_from(BYTES), kind=st.sampled_from(CONTENTS), **geometry)
def test_any_image_of_bytes(mode, kind, **drawn) -> None:
    check_drawn(narrow, mode, kind, **drawn)


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "RGBa", "LAB"])
def test_every_colour(mode: str) -> None:
    """All 16.7 million, in squares that are converted and not resized; LAB and RGBa sampled."""
    n = 1024
    pre = clipprep.Preprocess(n)
    low = np.arange(n * n, dtype=np.uint32).reshape(n, n)
    for high in range(0, 16, 1 if mode in ("YCbCr", "HSV") else 5):
        value = low | high << 20
        bands = [value >> 16 & 255, value >> 8 & 255, value & 255]
        if mode == "RGBa":
            bands.append(value * 7919 >> 5 & 255)
        raw = np.stack(bands, -1).astype(np.uint8).tobytes()
        image = Image.frombytes(mode, (n, n), raw)
        assert_equal_bits(pre(image), reference(image, n), f"every colour {mode} {high}")


def test_every_sample_of_16_bits() -> None:
    for mode in ("I;16", "I;16L", "I;16B", "I;16N"):
        image = Image.frombytes(mode, (256, 256), np.arange(65536).astype(WIDE[mode]).tobytes())
        for profile in ("openai", "hf-pil"):
            check(image, 256, f"every sample {mode}", profile=profile)
            check(image, 100, f"every sample {mode}", profile=profile)


@pytest.mark.parametrize("mode", MODES)
def test_explained(mode: str) -> None:
    small = clipprep.Preprocess(32, pillow=LIVE)
    for size in SIZES:
        image = picture(mode, *size)
        assert_explained(small.explain(image), image, 32, decoder="none", format_name=None)


@pytest.mark.parametrize("mode", MODES)
def test_the_torchvision_profile_converts_first(mode: str) -> None:
    pre = clipprep.Preprocess(32, profile="hf-torchvision")
    for size in ((157, 90), (90, 157), (32, 32)):
        image = picture(mode, *size)
        rgb = np.asarray(rgb_over_white(image))
        assert_equal_bits(pre(image), pre(rgb), f"hf-torchvision {mode} {size}")


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000), (1500, 3)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_thin_images(mode: str, size: tuple[int, int]) -> None:
    for pillow in ("12", "13"):
        check(picture(mode, *size), 3, f"thin {mode} {size}", pillow=pillow)


@pytest.mark.parametrize("mode", MODES)
def test_images_in_several_blocks_of_memory(small, mode: str) -> None:
    """Small blocks: such an image is copied, not lent."""
    before = Image.core.get_block_size()
    Image.core.set_block_size(4096)
    try:
        image = picture(mode, 90, 157).copy()
    finally:
        Image.core.set_block_size(before)
    for profile in ("openai", "hf-pil"):
        check(image, 32, f"several blocks {mode}", profile=profile)
    assert_equal_bits(small.batch([image] * 3)[2], reference(image, 32), f"batch {mode}")


@pytest.mark.parametrize("mode", MODES)
def test_images_that_borrow_memory(small, mode: str) -> None:
    image = picture(mode, 157, 90)
    borrowed = Image.frombuffer(mode, image.size, image.tobytes(), "raw", mode, 0, 1)
    if mode == "PA":
        borrowed.putpalette(image.getpalette())
    assert_equal_bits(small(borrowed), reference(image, 32), f"borrowed {mode}")


@pytest.mark.parametrize("mode", MODES)
def test_in_place_edits_are_seen(mode: str) -> None:
    image = picture(mode, 90, 61)
    check(image, 24, f"before {mode}")
    image.paste(picture(mode, 40, 30, 3), (20, 10))
    check(image, 24, f"after paste {mode}")
    image.putpixel((45, 30), image.getpixel((0, 0)))
    check(image, 24, f"after putpixel {mode}")
    check(image.transpose(Image.Transpose.ROTATE_90), 24, f"rotated {mode}")


def test_derived_images() -> None:
    rgb, rgba = picture("RGB", 120, 90), picture("RGBA", 120, 90)
    for mode in ("YCbCr", "HSV", "LAB", "RGBX", "I", "F", "I;16", "RGBa"):
        check(rgb.convert(mode), 40, f"RGB as {mode}")
    check(rgba.convert("RGBa"), 40, "RGBA as RGBa")
    check(rgba.convert("PA"), 40, "RGBA as PA")
    check(rgba.quantize(30).convert("PA"), 40, "quantised, as PA")
    check(picture("P", 120, 90).convert("PA"), 40, "P as PA")


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_png_of_16_bit_grey(small, size: tuple[int, int]) -> None:
    for kind in WIDE_KINDS:
        data = saved(wide("I;16", kind, *size, seed=1), "PNG")
        assert_file(data, small, "clipprep", f"PNG 16-bit grey {kind} {size}", mode="I;16")


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I", "F", "YCbCr", "LAB"])
def test_tiff(small, mode: str) -> None:
    for size in SIZES:
        data = saved(picture(mode, *size), "TIFF")
        try:
            opened(data)
        except OSError:
            pytest.skip("this Pillow does not read what it writes")
        assert_file(data, small, "pillow", f"TIFF {mode} {size}", mode=mode)


@pytest.mark.parametrize("interpolation", FILTERS)
def test_files_and_images_are_one(interpolation: str) -> None:
    pre = clipprep.Preprocess(32, interpolation=interpolation, pillow=LIVE)
    for mode in ("I;16", "I", "F", "LAB"):
        image = picture(mode, 157, 90)
        expected = reference(image, 32, interpolation=interpolation)
        assert_equal_bits(pre(saved(image, "TIFF")), expected, f"TIFF {mode} {interpolation}")
    image = picture("I;16", 157, 90)
    expected = reference(image, 32, interpolation=interpolation)
    assert_equal_bits(pre(saved(image, "PNG")), expected, f"PNG I;16 {interpolation}")


def test_pgm_of_16_bits(small) -> None:
    raw = np.random.default_rng(1).integers(0, 400, (90, 157)).astype(">u2").tobytes()
    assert_file(b"P5 157 90 65535\n" + raw, small, "clipprep", "PGM 65535", mode="I")


def test_a_mode_that_pillow_does_not_convert(small) -> None:
    """La can be resized, and then becomes LA and nothing else."""
    image = picture("LA", 90, 61).convert("La")
    with pytest.raises(ValueError, match="not supported"):
        image.convert("RGB")
    for call in (small, small.explain, lambda source: small.batch([picture("RGB", 9, 9), source])):
        with pytest.raises((clipprep.UnsupportedError, clipprep.BatchError)) as caught:
            call(image)
        error = caught.value
        if isinstance(error, clipprep.BatchError):
            assert error.index == 1
            error = error.__cause__
        assert isinstance(error, clipprep.UnsupportedError)
        assert '"La"' in str(error)


def test_lab_without_colour_management(small, monkeypatch) -> None:
    """A Pillow that was built without LittleCMS refuses to convert, and so do we."""
    monkeypatch.setitem(sys.modules, "PIL.ImageCms", None)
    monkeypatch.delattr("PIL.ImageCms", raising=False)
    for profile in ("openai", "hf-pil"):
        with pytest.raises(clipprep.UnsupportedError, match="LAB"):
            clipprep.Preprocess(32, profile=profile)(picture("LAB", 90, 61))
