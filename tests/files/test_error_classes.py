"""Cut and damaged files of a known format are DecodeError, TruncatedError or LimitError, whoever decodes them."""

from __future__ import annotations

import functools
import random
from contextlib import suppress

import pytest

import clipprep
from support.pictures import picture
from support.writers import saved

RGB = picture("RGB", 200, 150)
FILES: dict[str, tuple[str, dict[str, object]]] = {
    "TIFF": ("RGB", {}),
    "TIFF of LZW": ("RGB", {"compression": "tiff_lzw"}),
    "TIFF of deflate": ("RGB", {"compression": "tiff_adobe_deflate"}),
    "TIFF of JPEG": ("RGB", {"compression": "jpeg"}),
    "JPEG2000": ("RGB", {}),
    "AVIF": ("RGB", {}),
    "ICO": ("RGB", {}),
    "TGA": ("RGB", {}),
    "TGA of runs": ("RGB", {"compression": "tga_rle"}),
    "SGI": ("RGB", {}),
    "DDS": ("RGB", {}),
    "PCX": ("RGB", {}),
    "MSP": ("1", {}),
    "SPIDER": ("F", {}),
    "PNG": ("RGB", {}),
    "JPEG": ("RGB", {}),
    "GIF": ("P", {}),
    "WEBP": ("RGB", {}),
    "BMP": ("RGB", {}),
    "PPM": ("RGB", {}),
    "QOI": ("RGB", {}),
}
NAMED = {"ICNS": ("RGB", {}), "BLP": ("P", {})}
KNOWN = (clipprep.DecodeError, clipprep.TruncatedError, clipprep.LimitError)


@functools.cache
def file(name: str) -> bytes:
    mode, options = {**FILES, **NAMED}[name]
    image = RGB.quantize() if mode == "P" else RGB.convert(mode)
    return saved(image, name.split()[0], **options)


def check(pre: clipprep.Preprocess, data: bytes, what: str) -> None:
    try:
        pre(data)
    except KNOWN:
        pass
    except Exception as error:
        pytest.fail(f"{what}: {type(error).__name__}: {error}")


def preprocess(name: str) -> clipprep.Preprocess:
    return clipprep.Preprocess(32, formats=[name] if name in NAMED else None)


@pytest.mark.parametrize("name", [*FILES, *NAMED])
def test_a_cut_file(name: str) -> None:
    """From the point on where its beginning tells its format."""
    data, pre = file(name), preprocess(name)
    for share in (0.2, 0.3, 0.5, 0.6, 0.8, 0.9, 0.97):
        check(pre, data[: int(len(data) * share)], f"{name} cut at {share}")


@pytest.mark.parametrize("name", [*FILES, *NAMED])
def test_a_damaged_file(name: str) -> None:
    data, pre, rng = file(name), preprocess(name), random.Random(name)
    for _ in range(30):
        damaged = bytearray(data)
        for _ in range(20):
            damaged[rng.randrange(len(data) // 4, len(data))] = rng.randrange(256)
        check(pre, bytes(damaged), name)


@pytest.mark.parametrize("name", [*FILES, *NAMED])
def test_a_damaged_header(name: str) -> None:
    """Only what the format is known by stays."""
    data, pre, rng = file(name), preprocess(name), random.Random(name)
    magic = {"TGA": 3, "PCX": 4, "SPIDER": 108, "DDS": 8, "AVIF": 16, "JPEG2000": 12, "SGI": 4}.get(name.split()[0], 12)  # fmt: skip
    for _ in range(30):
        damaged = bytearray(data)
        for at in rng.sample(range(magic, min(len(data), magic + 60)), 4):
            damaged[at] = rng.randrange(256)
        with suppress(clipprep.ImageError):  # a header may say what is not supported
            pre(bytes(damaged))


def test_what_is_no_image_is_unsupported() -> None:
    for data in (b"<!DOCTYPE html>", b"%PDF-1.4\n", b"PK\3\4" + bytes(90), bytes(100)):
        with pytest.raises(clipprep.UnsupportedError):
            clipprep.Preprocess(32)(data)
