"""Limits before work, and the allow-list of formats."""

from __future__ import annotations

import io
import pickle
import time
import warnings
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import Limits
from support.attacks.containers import ico, png_of_two_headers
from support.compare import assert_equal_bits
from support.expect import assert_as_pillow_decides, opened
from support.pictures import picture
from support.reference import reference
from support.tiffs import DEFLATE, tiff
from support.writers import TRUECOLOUR, jpeg_with_empty_scans, orientation, png, png_chunk, saved

RGB = picture("RGB", 400, 300)
PIXELS = 400 * 300


def pre(**options: object) -> clipprep.Preprocess:
    limits = {key: options.pop(key) for key in list(options) if key.startswith("max_")}
    return clipprep.Preprocess(32, pillow="installed", limits=Limits(**limits), **options)


def scans_of(data: bytes) -> int:
    """No file here has these two bytes anywhere else."""
    return data.count(b"\xff\xda")


# Memory ------------------------------------------------------------------------------------------

#: The least and the most memory that a file may need, in bytes per pixel. A JPEG of many scans has a table for each
#: of them besides, which counts in an image of this size.
HELD = {
    "JPEG of many scans": (saved(RGB, "JPEG", progressive=True, subsampling=0), 6, 8),
    "subsampled JPEG of many scans": (saved(RGB, "JPEG", progressive=True, subsampling=2), 3, 5),
    "grey JPEG of many scans": (saved(RGB.convert("L"), "JPEG", progressive=True), 2, 3),
    "interlaced PNG": (png(np.asarray(RGB), TRUECOLOUR, 8, interlaced=True), 3, 5),
    "GIF": (saved(RGB.quantize(), "GIF"), 1, 3),
    "WebP": (saved(RGB, "WEBP"), 3, 8),
    "plain PPM": (b"P3 400 300 255\n" + b" ".join(b"%d" % v for v in RGB.tobytes()), 3, 4),
    "QOI": (saved(RGB, "QOI"), 3, 8),
    "TIFF of one strip": (tiff(np.asarray(RGB), 2, compression=DEFLATE), 3, 5),
    "TGA": (saved(RGB, "TGA"), 4, 9),
}


@pytest.mark.parametrize("name", HELD)
def test_memory(name: str) -> None:
    data, least, most = HELD[name]
    with pytest.raises(clipprep.LimitError, match="max_memory") as caught:
        pre(max_memory=least * PIXELS - 1)(data)
    assert f"{least * PIXELS - 1}" in str(caught.value)
    assert_equal_bits(pre(max_memory=most * PIXELS)(data), reference(opened(data), 32), name)
    assert_equal_bits(pre(max_memory=None)(data), reference(opened(data), 32), name)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "PPM"])
def test_what_streams_takes_little(kind: str) -> None:
    image = picture("RGB", 900, 2000)
    data = saved(image, kind)
    # 5.4 MB of pixels; the output counts as well.
    output = 4 * 3 * 32 * 32
    assert_equal_bits(pre(max_memory=600_000 + output)(data), reference(opened(data), 32), kind)


def test_the_output_counts() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    least = 4 * 3 * 32 * 32
    for call in (lambda pre: pre(image), lambda pre: pre.explain(image)):
        with pytest.raises(clipprep.LimitError, match="max_memory"):
            call(pre(max_memory=3 * 32 * 32 - 1))
    assert pre(max_memory=8 * least)(image).any()
    with pytest.raises(clipprep.LimitError, match=r"max_memory.*out="):
        pre(max_memory=8 * least).batch([image] * 9)
    out = np.zeros((9, 3, 32, 32), np.float32)
    assert pre(max_memory=8 * least).batch([image] * 9, out=out) is out
    assert pre(max_memory=8 * least).batch([image] * 8).any()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "QOI"])
def test_an_image_that_was_opened_lazily_stays_unloaded(kind: str) -> None:
    """Its pixels would be held until the whole batch is done, and after that."""
    data = saved(RGB.convert("P") if kind == "GIF" else RGB, kind)
    images = [Image.open(io.BytesIO(data)) for _ in range(3)]
    expected = pre()(data)
    for row in pre(exif=True).batch(images):
        assert_equal_bits(row, expected, kind)
    assert all(getattr(image, "_im", None) is None for image in images)
    assert_equal_bits(pre()(images[0].copy()), expected, f"{kind}, loaded after")


def test_turning_takes_the_image() -> None:
    data = saved(RGB, "JPEG", exif=b"Exif\0\0" + orientation(6))
    assert pre(max_memory=PIXELS)(data).shape == (3, 32, 32)
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        pre(max_memory=3 * PIXELS - 1, exif=True)(data)
    assert pre(max_memory=4 * PIXELS, exif=True)(data).shape == (3, 32, 32)


def test_upscaling_takes_no_more_than_the_crop() -> None:
    """Resized as a whole, this one would have 3.4 GB."""
    long = np.zeros((1, 100_000, 3), np.uint8)
    limits = clipprep.Limits(max_memory=1 << 20)
    for profile in ("openai", "hf-pil", "hf-torchvision"):
        pixels = clipprep.Preprocess(105, profile=profile, limits=limits)(long)
        assert pixels.shape == (3, 105, 105)


def test_a_header_alone_is_enough() -> None:
    """Nothing is decoded, nothing allocated: the pixels are not even there."""
    header = b"\0\0\x9c\x40\0\0\x10\0\x08\x02\0\0\x01"  # 40,000 x 4,096, interlaced
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"x")
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        pre(max_memory=1 << 28)(data + png_chunk(b"IEND", b""))
    file = jpeg_with_empty_scans(HELD["JPEG of many scans"][0], (16_000, 11_000), 3)
    started = time.thread_time()
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        pre(max_memory=1_000_000_000)(file)
    assert time.thread_time() - started < 1


def test_large_ancillary_chunks() -> None:
    data = saved(RGB, "PNG")
    for name in (b"iCCP", b"tEXt", b"eXIf", b"prVt", b"sPLT"):
        body = b"name\0\0" + bytes(3_000_000)
        large = data[:33] + png_chunk(name, body) + data[33:]
        assert_as_pillow_decides(large, pre(), f"{name!r} of 3 MB")
        with suppress(clipprep.LimitError):
            assert_as_pillow_decides(large, pre(max_memory=1_000_000), f"{name!r}, bounded")


# Scans -------------------------------------------------------------------------------------------


def test_scans() -> None:
    data = saved(RGB, "JPEG", progressive=True)
    count = scans_of(data)
    assert count > 5
    assert_equal_bits(pre(max_scans=count)(data), reference(opened(data), 32), f"{count} scans")
    with pytest.raises(clipprep.LimitError, match="max_scans") as caught:
        pre(max_scans=count - 1)(data)
    assert f"{count}" in str(caught.value)
    assert pre(max_scans=None)(data).shape == (3, 32, 32)
    baseline = saved(RGB, "JPEG")
    assert pre(max_scans=1)(baseline).shape == (3, 32, 32)


def test_scans_of_a_thumbnail_do_not_count() -> None:
    data = saved(RGB, "JPEG", progressive=True)
    thumbnail = (
        b"Exif\0\0" + orientation(1) + saved(RGB, "JPEG", progressive=True, quality=5)[:9000]
    )
    with_exif = saved(RGB, "JPEG", progressive=True, exif=thumbnail)
    assert scans_of(with_exif) > scans_of(data)
    assert pre(max_scans=scans_of(data))(with_exif).shape == (3, 32, 32)


@pytest.mark.parametrize("options", [{}, {"truncated": "pad"}, {"exif": True}])
def test_the_attack_by_thousands_of_scans(options: dict) -> None:
    """100 million pixels for each of 20,000 scans of a dozen bytes: hours of work in 200 KB."""
    data = jpeg_with_empty_scans(HELD["JPEG of many scans"][0], (10_000, 10_000), 20_000)
    irregular = data[:2] + b"\xff\xe0\x00\x08JFIF\0\1" + data[2:]  # which would be left to Pillow
    for file in (data, irregular, data[:-2]):
        started = time.thread_time()
        with pytest.raises(clipprep.LimitError, match="max_scans"):
            pre(**options)(file)
        assert time.thread_time() - started < 1


def test_empty_scans_within_the_limit() -> None:
    data = jpeg_with_empty_scans(saved(RGB, "JPEG", progressive=True), (400, 300), 400)
    assert assert_as_pillow_decides(data, pre(), "400 empty scans")


# The object --------------------------------------------------------------------------------------


def test_defaults_and_identity() -> None:
    limits = Limits()
    assert (limits.max_memory, limits.max_scans) == (2 << 30, 500)
    for name in ("max_pixels", "max_bytes", "max_memory", "max_scans"):
        assert name in Limits.__doc__
        other = Limits(**{name: None})
        assert getattr(other, name) is None
        assert other != limits
        assert eval(repr(other)) == other == pickle.loads(pickle.dumps(other))
        assert f"{name}=None" in repr(other)
        with pytest.raises((TypeError, ValueError, OverflowError)):
            Limits(**{name: -1})


# Formats -----------------------------------------------------------------------------------------

FILES = {
    name: saved(RGB.quantize() if name == "GIF" else RGB, name)
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM", "QOI", "TIFF", "TGA", "PCX", "EPS")
}


@pytest.mark.parametrize("name", [name for name in FILES if name != "EPS"])
def test_only_named_formats(name: str) -> None:
    data = FILES[name]
    for formats in ([name], {name.lower()}, ("XBM", name)):
        assert_equal_bits(pre(formats=formats)(data), reference(opened(data), 32), name)
    for truncated in ("error", "pad"):
        with pytest.raises(clipprep.UnsupportedError) as caught:
            pre(formats=["XBM", "PSD"], truncated=truncated)(data)
        if name != "TGA":  # which has no magic to know it by
            assert name in str(caught.value)
        assert pre(formats=[name], truncated=truncated)(data).shape == (3, 32, 32)


def test_a_format_is_what_the_bytes_say(tmp_path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(FILES["PNG"])
    assert pre(formats=["PNG"])(path).shape == (3, 32, 32)
    with pytest.raises(clipprep.UnsupportedError, match="PNG"):
        pre(formats=["JPEG"])(path)


def test_pictures_that_are_programs() -> None:
    """Pillow runs Ghostscript for EPS: only when it is named, and then whatever comes of it."""
    with pytest.raises(clipprep.UnsupportedError, match="EPS"):
        pre()(FILES["EPS"])
    try:
        opened(FILES["EPS"])
    except OSError:
        with pytest.raises((clipprep.ImageError, OSError)) as caught:
            pre(formats=["EPS"])(FILES["EPS"])
        assert "host" in str(caught.value)  # that there is no Ghostscript
    else:
        assert pre(formats=["EPS"])(FILES["EPS"]).shape == (3, 32, 32)


def test_arrays_and_images_have_no_format() -> None:
    only = pre(formats=["PNG"])
    assert only(np.asarray(RGB)).shape == only(RGB).shape == (3, 32, 32)


def test_the_list_as_it_is_kept() -> None:
    one = clipprep.Preprocess(32, formats=["png", "JPEG", "PNG"])
    assert one.formats == ("JPEG", "PNG")
    assert one == clipprep.Preprocess(32, formats={"JPEG", "PNG"})
    assert clipprep.Preprocess(32).formats is None
    for wrong in ([], ["JPG"], ["JPEG", "jpeg2"], [""]):
        with pytest.raises(ValueError, match="formats"):
            clipprep.Preprocess(32, formats=wrong)
    for wrong in ("JPEG", b"JPEG", 3):
        with pytest.raises(TypeError):
            clipprep.Preprocess(32, formats=wrong)


@pytest.mark.parametrize("long", [40, 90, 5000])
def test_the_largest_of_several_headers_inside_an_icon_counts(long: int) -> None:
    """By its pixels, not by its longer side."""
    icon = ico(png_of_two_headers(long, 80))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of the directory's size
        assert clipprep.Preprocess(32)(icon).shape == (3, 32, 32)
    limits = clipprep.Limits(max_memory=16 * 80 * 80 - 1)
    with pytest.raises(clipprep.LimitError, match="may take 102400"):
        clipprep.Preprocess(32, limits=limits)(icon)
