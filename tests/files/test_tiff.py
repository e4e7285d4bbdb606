"""TIFFs in strips and tiles give the bits of live Pillow, decoded natively; odd ones are Pillow's to decide."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.expect import assert_as_pillow_decides, assert_file
from support.pictures import picture
from support.tiffs import (
    ASCII,
    BLACK_IS_ZERO,
    BYTE,
    DEFLATE,
    INDEXED,
    LONG,
    LZW,
    NONE,
    OLD_DEFLATE,
    PACKBITS,
    RATIONAL,
    RGB,
    SHORT,
    UNDEFINED,
    WHITE_IS_ZERO,
    lzw,
    packbits,
    tiff,
)
from support.writers import orientation, saved

#: photometric interpretation, bits, channels, extra samples, the mode that Pillow opens.
KINDS = {
    "1": (BLACK_IS_ZERO, 1, 1, (), "1"),
    "1, inverted": (WHITE_IS_ZERO, 1, 1, (), "1"),
    "L of 2 bits": (BLACK_IS_ZERO, 2, 1, (), "L"),
    "L of 2 bits, inverted": (WHITE_IS_ZERO, 2, 1, (), "L"),
    "L of 4 bits": (BLACK_IS_ZERO, 4, 1, (), "L"),
    "L of 4 bits, inverted": (WHITE_IS_ZERO, 4, 1, (), "L"),
    "L": (BLACK_IS_ZERO, 8, 1, (), "L"),
    "L, inverted": (WHITE_IS_ZERO, 8, 1, (), "L"),
    "LA": (BLACK_IS_ZERO, 8, 2, (2,), "LA"),
    "RGB": (RGB, 8, 3, (), "RGB"),
    "RGB and something": (RGB, 8, 4, (0,), "RGB"),
    "RGBA": (RGB, 8, 4, (2,), "RGBA"),
    "RGBA, not declared": (RGB, 8, 4, (), "RGBA"),
    "RGBA of Corel Draw": (RGB, 8, 4, (999,), "RGBA"),
    "P of 1 bit": (INDEXED, 1, 1, (), "P"),
    "P of 2 bits": (INDEXED, 2, 1, (), "P"),
    "P of 4 bits": (INDEXED, 4, 1, (), "P"),
    "P": (INDEXED, 8, 1, (), "P"),
}
COMPRESSIONS = {
    "raw": NONE,
    "lzw": LZW,
    "deflate": DEFLATE,
    "old deflate": OLD_DEFLATE,
    "packbits": PACKBITS,
}
PARTS = {
    "one strip": {},
    "strips": {"strip": 5},
    "strips of a row": {"strip": 1},
    "tiles": {"tile": (16, 32)},
    "one tile": {"tile": (112, 64)},
}


def pixels(width: int, height: int, channels: int, bits: int, seed: int = 0) -> np.ndarray:
    image = picture("RGBA", width, height, seed=seed)
    return (np.asarray(image)[..., :channels] >> (8 - bits)).reshape(height, width, channels)


def example(name: str, width: int = 61, height: int = 47, **options: object) -> bytes:
    photometric, bits, channels, extra, _ = KINDS[name]
    palette = None
    if photometric == INDEXED:
        palette = np.random.default_rng(bits).integers(0, 1 << 16, (1 << bits, 3))
    samples = pixels(width, height, channels, bits)
    return tiff(samples, photometric, bits, extra=extra, palette=palette, **options)


@pytest.mark.parametrize("order", ["<", ">"], ids=["II", "MM"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(small, kind: str, compression: str, order: str) -> None:
    for name, parts in PARTS.items():
        data = example(kind, compression=COMPRESSIONS[compression], order=order, **parts)
        assert_file(data, small, "clipprep", f"{kind}, {compression}, {name}", KINDS[kind][-1])


@pytest.mark.parametrize("compression", ["lzw", "deflate", "old deflate"])
@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind[1] == 8])
def test_differences(small, kind: str, compression: str) -> None:
    for name, parts in PARTS.items():
        data = example(kind, compression=COMPRESSIONS[compression], predictor=2, **parts)
        assert_file(data, small, "clipprep", f"{kind}, {compression}, {name}", KINDS[kind][-1])


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_sizes_and_windows(pre, small, compression: str) -> None:
    """A crop leaves out rows and columns, and begins and ends inside of strips and tiles."""
    for width, height in ((1, 1), (2, 300), (300, 2), (37, 240), (240, 37), (333, 300)):
        for parts in PARTS.values():
            data = example("RGB", width, height, compression=COMPRESSIONS[compression], **parts)
            name = f"{width} x {height}, {compression}, {parts}"
            assert_file(data, small, "clipprep", name)
            if min(width, height) > 200:
                assert_file(data, pre, "clipprep", f"{name}, n=224")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_as_pillow_writes_them(small, mode: str, compression: str) -> None:
    for size in ((157, 243), (333, 140), (7, 900)):
        data = saved(picture(mode, *size), "TIFF", compression=compression)
        assert_file(data, small, "clipprep", f"{mode} {size} {compression}", mode)
        if mode not in ("1", "P") and compression in ("tiff_lzw", "tiff_adobe_deflate"):
            data = saved(picture(mode, *size), "TIFF", compression=compression, tiffinfo={317: 2})
            assert_file(data, small, "clipprep", f"{mode} {size} {compression}, differences", mode)


def test_pages() -> None:
    first, second = (picture("RGB", 60, 45, seed=seed) for seed in (0, 1))
    data = saved(first, "TIFF", save_all=True, append_images=[second])
    assert_file(data, clipprep.Preprocess(32, pillow="installed"), "clipprep", "two pages", "RGB")


#: Entries that Pillow and libtiff read in ways of their own, or refuse.
ODD = {
    "no width": {256: None},
    "no height": {257: None},
    "a width of 0": {256: (LONG, (0,))},
    "a height of 0": {257: (LONG, (0,))},
    "two widths": {256: (LONG, (61, 61))},
    "a width of bytes": {256: (BYTE, (61,))},
    "another width": {256: (LONG, (60,))},
    "a greater width": {256: (LONG, (62,))},
    "another height": {257: (LONG, (46,))},
    "a greater height": {257: (LONG, (52,))},
    "no bits": {258: None},
    "bits once": {258: (SHORT, (8,))},
    "bits that differ": {258: (SHORT, (8, 8, 4))},
    "16 bits": {258: (SHORT, (16, 16, 16))},
    "bits too often": {258: (SHORT, (8,) * 5)},
    "no compression": {259: None},
    "an unknown compression": {259: (SHORT, (77,))},
    "no photometric": {262: None},
    "YCbCr": {262: (SHORT, (6,))},
    "CIELab": {262: (SHORT, (8,))},
    "inverted RGB": {262: (SHORT, (0,))},
    "fill order 2": {266: (SHORT, (2,))},
    "fill order 1": {266: (SHORT, (1,))},
    "no strips": {273: None},
    "one offset less": {273: (LONG, (8,) * 9)},
    "one offset more": {273: (LONG, (8,) * 11)},
    "offsets at the header": {273: (LONG, (0,) * 10)},
    "offsets beyond the file": {273: (LONG, (1 << 30,) * 10)},
    "offsets of 16 bits": {273: (SHORT, (8,) * 10)},
    "shared strips": {273: (LONG, (8,) * 10)},
    "turned": {274: (SHORT, (6,))},
    "not turned": {274: (SHORT, (1,))},
    "turned by nothing known": {274: (SHORT, (9,))},
    "samples unsaid": {277: None},
    "one sample": {277: (SHORT, (1,))},
    "four samples": {277: (SHORT, (4,))},
    "no rows per strip": {278: None},
    "rows per strip of 0": {278: (LONG, (0,))},
    "all rows in a strip": {278: (LONG, (0xFFFFFFFF,))},
    "more rows than an int": {278: (LONG, (0x80000000,))},
    "no lengths": {279: None},
    "lengths of 0": {279: (LONG, (0,) * 10)},
    "short lengths": {279: (LONG, (9,) * 10)},
    "long lengths": {279: (LONG, (1 << 20,) * 10)},
    "resolution of 0": {282: (RATIONAL, (0, 0))},
    "resolution of text": {282: (ASCII, (65, 0))},
    "planes": {284: (SHORT, (2,))},
    "one plane": {284: (SHORT, (1,))},
    "predictor 2": {317: (SHORT, (2,))},
    "predictor 3": {317: (SHORT, (3,))},
    "predictor 1": {317: (SHORT, (1,))},
    "a palette": {320: (SHORT, (1,) * 768)},
    "tiles as well": {
        322: (SHORT, (16,)),
        323: (SHORT, (16,)),
        324: (LONG, (8,)),
        325: (LONG, (8,)),
    },
    "a tile's width": {322: (SHORT, (16,))},
    "a tile's height": {323: (LONG, (16,))},
    "tiles' offsets": {324: (LONG, (8,))},
    "tiles' lengths": {325: (LONG, (8,) * 10)},
    "inner directories": {330: (LONG, (8,))},
    "an extra sample": {338: (SHORT, (0,))},
    "signed samples": {339: (SHORT, (2, 2, 2))},
    "unsigned samples": {339: (SHORT, (1, 1, 1))},
    "floats": {339: (SHORT, (3,))},
    "XMP": {700: (BYTE, tuple(b"<x:xmpmeta/>"))},
    "XMP as text": {700: (ASCII, tuple(b'<a tiff:Orientation="6"/>'))},
    "XMP against the tag": {
        274: (SHORT, (1,)),
        700: (BYTE, tuple(b'<a tiff:Orientation="6"/>')),
    },
    "EXIF at the header": {34665: (LONG, (0,))},
    "EXIF beyond the file": {34665: (LONG, (1 << 30,))},
    "EXIF as text": {34665: (ASCII, (65, 66, 0))},
    "GPS at the header": {34853: (LONG, (0,))},
    "an ICC profile": {34675: (UNDEFINED, tuple(b"profile"))},
    "a private tag": {65000: (SHORT, (1,))},
    "Windows Media Photo": {0xBC01: (BYTE, (1,))},
    "no values": {270: (ASCII, ())},
    "an unknown type": {270: (BYTE, ())},
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", ODD)
def test_odd_entries(small, name: str, compression: str) -> None:
    for kind in KINDS:
        data = example(kind, compression=COMPRESSIONS[compression], strip=5, tags=ODD[name])
        assert_as_pillow_decides(data, small, f"{name}, {kind}, {compression}")


@pytest.mark.parametrize(
    "tile", [(16, 16), (32, 16), (8, 8), (17, 16), (16, 20), (0, 16), (1 << 15, 16), (16, 1 << 15)]
)
def test_odd_tiles(small, tile: tuple[int, int]) -> None:
    for compression in (NONE, DEFLATE):
        tags = {322: (LONG, (tile[0],)), 323: (LONG, (tile[1],))}
        data = example("RGB", compression=compression, tile=(16, 16), tags=tags)
        assert_as_pillow_decides(data, small, f"tiles of {tile}, {compression}")


@pytest.mark.parametrize("tag", [273, 278, 279])
def test_tags_of_strips_in_a_tiled_file(small, tag: int) -> None:
    data = example("RGB", compression=LZW, tile=(16, 16), tags={tag: (LONG, (8,))})
    assert_as_pillow_decides(data, small, f"tag {tag}")


def test_strips_that_are_not_there(small) -> None:
    """A height beyond the strips that the file has: Pillow reads raw ones for as long as there are any."""
    tags = {257: (LONG, (60_000,))}
    data = example("RGB", strip=2, tags=tags) + bytes(1000)
    assert assert_as_pillow_decides(data, small, "raw") is True
    data = example("RGB", strip=2, tags=tags, compression=LZW)
    with pytest.raises(clipprep.LimitError, match="strips or tiles"):
        small(data)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_big_endian_file_that_calls_itself_a_big_tiff(small, compression: str) -> None:
    data = bytearray(example("RGB", compression=COMPRESSIONS[compression], order=">", strip=5))
    data[3] = 43
    is_read = assert_as_pillow_decides(bytes(data), small, compression)
    assert is_read == (compression == "raw")
    # The first field of a real one lies where Pillow does not look.
    with pytest.raises(clipprep.UnsupportedError, match="BigTIFF that is little-endian"):
        small(b"MM\0\x2b\0\x08\0\0" + bytes(7) + b"\x10" + bytes(1 << 20))


#: Packed data that are not what the compression's own function makes.
PACKED = {
    "LZW without an end": (LZW, lambda data: lzw(data)[:-2]),
    "LZW with more": (LZW, lambda data: lzw(data + b"123456")),
    "LZW with less": (LZW, lambda data: lzw(data[:-1])),
    "LZW and garbage": (LZW, lambda data: lzw(data) + b"garbage"),
    "LZW without a clear code": (LZW, lambda data: lzw(data)[1:]),
    "LZW of the old kind": (LZW, lambda data: b"\0\1" + lzw(data)),
    "LZW that never clears": (LZW, lambda data: b"\x80" + b"\0" * len(data)),
    "deflated without a checksum": (DEFLATE, lambda data: zlib.compress(data)[:-4]),
    "deflated with a wrong checksum": (DEFLATE, lambda data: zlib.compress(data)[:-4] + b"1234"),
    "deflated with more": (DEFLATE, lambda data: zlib.compress(data + b"1")),
    "deflated with less": (DEFLATE, lambda data: zlib.compress(data[:-1])),
    "deflated and garbage": (DEFLATE, lambda data: zlib.compress(data) + b"garbage"),
    "deflated, cut": (DEFLATE, lambda data: zlib.compress(data)[:-9]),
    "PackBits with more": (PACKBITS, lambda data: packbits(data + b"1234")),
    "PackBits with less": (PACKBITS, lambda data: packbits(data[:-1])),
    "PackBits with nothing in between": (PACKBITS, lambda data: b"\x80" * 7 + packbits(data)),
    "PackBits and garbage": (PACKBITS, lambda data: packbits(data) + b"\xff"),
    "PackBits, cut": (PACKBITS, lambda data: packbits(data)[:-1]),
    "PackBits and very much nothing": (PACKBITS, lambda data: b"\x80" * 90_000 + packbits(data)),
}


@pytest.mark.parametrize("name", PACKED)
def test_odd_data(small, name: str) -> None:
    compression, pack = PACKED[name]
    for parts in PARTS.values():
        for kind in ("RGB", "1", "P"):
            data = example(kind, compression=compression, pack=pack, **parts)
            assert_as_pillow_decides(data, small, f"{name}, {kind}, {parts}")


def test_metadata_directories(small) -> None:
    """Pillow reads them as it loads the image."""
    exif = orientation(1)[6:]
    entries = {
        "plain": exif[8:],
        "without values": struct.pack("<HHHII", 1, 36867, 2, 0, 0) + bytes(4),
        "of an unknown type": struct.pack("<HHHII", 1, 36867, 99, 1, 0) + bytes(4),
        "beyond the file": struct.pack("<HHHII", 1, 36867, 2, 99, 1 << 30) + bytes(4),
        "not in order": struct.pack("<HHHIIHHII", 2, 40962, 4, 1, 5, 36867, 2, 1, 0) + bytes(4),
        "cut short": b"\xff\xff",
    }
    for name, before in entries.items():
        for tag in (34665, 34853):
            data = example("RGB", tags={tag: (LONG, (8,))}, before=before)
            assert_as_pillow_decides(data, small, f"{name}, {tag}")


@pytest.mark.filterwarnings("ignore:IM image format")
def test_signs_of_other_formats(small) -> None:
    plain = example("RGB", strip=5)
    assert assert_as_pillow_decides(plain, small, "plain")
    for name, at, sign in (
        ("IM", 8, b":\nImage type: RGB image\n\x1a"),
        ("PhotoCD", 2048, b"PCD_"),
        ("SPIDER", 20, struct.pack(">f", 1)),
    ):
        data = example("RGB", strip=5, before=bytes(2100))
        data = data[:at] + sign + data[at + len(sign) :]
        assert_as_pillow_decides(data, small, name)


def test_damaged_files(small) -> None:
    rng = np.random.default_rng(5)
    for compression in COMPRESSIONS.values():
        for parts in ({"strip": 5}, {"tile": (32, 16)}):
            data = example("RGB", 40, 30, compression=compression, **parts)
            for _ in range(60):
                damaged = bytearray(data)
                for at in rng.integers(0, len(data), rng.integers(1, 4)):
                    damaged[at] = rng.integers(256)
                assert_as_pillow_decides(bytes(damaged), small, f"{compression}, {parts}")
            for end in rng.integers(0, len(data), 20):
                assert_as_pillow_decides(data[:end], small, f"{compression}, {parts}, to {end}")


def test_limits() -> None:
    data = example("RGB", 400, 300, compression=LZW)
    with pytest.raises(clipprep.LimitError, match="max_pixels"):
        clipprep.Preprocess(32, limits=clipprep.Limits(max_pixels=119_999))(data)
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        clipprep.Preprocess(32, limits=clipprep.Limits(max_memory=360_000))(data)
    striped = example("RGB", 400, 300, compression=LZW, strip=8)
    bounded = clipprep.Preprocess(32, limits=clipprep.Limits(max_memory=300_000))
    assert bounded.explain(striped).decoder == "clipprep"


def test_loaded_by_pillow_they_are_the_same(small) -> None:
    data = example("RGBA", compression=LZW, predictor=2, tile=(16, 16))
    with Image.open(io.BytesIO(data)) as image:
        assert (small(image) == small(data)).all()
