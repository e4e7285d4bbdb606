"""exif=True: the image as `ImageOps.exif_transpose` turns it, and then the transform."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageOps

import clipprep
from support.compare import assert_equal_bits
from support.expect import assert_as_pillow_decides, assert_file, opened
from support.pictures import picture
from support.reference import reference
from support.writers import (
    GREY_ALPHA,
    PALETTE,
    TRUECOLOUR,
    exif,
    jpeg_with,
    orientation,
    png,
    png_chunk,
    saved,
)

PREFIX = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EIGHT = range(1, 9)
SIZES = [(90, 60), (60, 90), (50, 50), (33, 170), (170, 33), (20, 7), (1, 5), (32, 32), (32, 50)]


@pytest.fixture(scope="module")
def turning() -> clipprep.Preprocess:
    return clipprep.Preprocess(32, pillow="installed", exif=True)


def jpeg(data: bytes, *bodies: bytes) -> bytes:
    for body in reversed(bodies):
        data = jpeg_with(data, 0xE1, body)
    return data


def with_chunk(data: bytes, name: bytes, body: bytes, *, after: bool = False) -> bytes:
    """A PNG with one more chunk before its pixels or after them."""
    at = len(data) - 12 if after else 33
    return data[:at] + png_chunk(name, body) + data[at:]


# Where orientations are kept ---------------------------------------------------------------------

NATIVE: dict[str, tuple[str, Callable[[Image.Image, bytes], bytes]]] = {
    "jpeg": ("clipprep", lambda image, block: jpeg(saved(image, "JPEG"), PREFIX + block)),
    "progressive": (
        "clipprep",
        lambda image, block: jpeg(saved(image, "JPEG", progressive=True), PREFIX + block),
    ),
    "png": ("clipprep", lambda image, block: with_chunk(saved(image, "PNG"), b"eXIf", block)),
    "png, after": (
        "clipprep",
        lambda image, block: with_chunk(saved(image, "PNG"), b"eXIf", block, after=True),
    ),
    "webp": ("libwebp", lambda image, block: saved(image, "WEBP", exif=PREFIX + block)),
    "lossless webp": (
        "libwebp",
        lambda image, block: saved(image, "WEBP", lossless=True, exif=block),
    ),
}


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("value", EIGHT)
@pytest.mark.parametrize("kind", NATIVE)
def test_the_eight(turning, small, kind: str, value: int, endian: str) -> None:
    decoder, write = NATIVE[kind]
    for size in SIZES:
        data = write(picture("RGB", *size), orientation(value, endian=endian))
        name = f"{kind} {size} {value} {endian}"
        assert opened(data).getexif()[274] == value
        assert_file(data, turning, decoder, name)
        assert_equal_bits(small(data), reference(opened(data), 32), f"{name}, without the option")


@pytest.mark.parametrize("value", EIGHT)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_modes_of_png(turning, mode: str, value: int) -> None:
    for size in SIZES[:5]:
        data = with_chunk(saved(picture(mode, *size), "PNG"), b"eXIf", orientation(value))
        assert_file(data, turning, "clipprep", f"{mode} {size} {value}", mode)


@pytest.mark.parametrize("value", EIGHT)
def test_other_png(turning, value: int) -> None:
    rng = np.random.default_rng(value)
    for name, file in {
        "interlaced": png(np.asarray(picture("RGB", 50, 70)), TRUECOLOUR, 8, interlaced=True),
        "16 bits": png(rng.integers(0, 65536, (50, 70, 2)), GREY_ALPHA, 16),
        "2 bits": png(rng.integers(0, 4, (50, 70, 1)), PALETTE, 2, palette=bytes(range(12))),
    }.items():
        data = with_chunk(file, b"eXIf", orientation(value))
        assert_file(data, turning, "clipprep", f"{name} {value}")


@pytest.mark.parametrize("value", EIGHT)
def test_grey_and_cmyk_jpeg(turning, value: int) -> None:
    for mode in ("L", "CMYK"):
        for size in SIZES:
            data = jpeg(saved(picture(mode, *size), "JPEG"), PREFIX + orientation(value))
            assert_file(data, turning, "clipprep", f"{mode} {size} {value}", mode)


@pytest.mark.parametrize("value", [0, *EIGHT, 9])
def test_tiff(turning, value: int) -> None:
    """Pillow turns it by itself, whether asked or not."""
    for size in SIZES[:4]:
        for compression in ("raw", "tiff_lzw")[
            : 1 + (value in EIGHT)
        ]:  # libtiff does not write others
            image = picture("RGB", *size)
            data = saved(image, "TIFF", tiffinfo={274: value}, compression=compression)
            assert_as_pillow_decides(data, turning, f"TIFF {compression} {size} {value}")


@pytest.mark.parametrize("profile", ["openai", "hf-pil", "hf-torchvision"])
@pytest.mark.parametrize("pillow", ["12", "13"])
@pytest.mark.parametrize("value", EIGHT)
def test_geometry_is_that_of_the_turned_image(value: int, pillow: str, profile: str) -> None:
    """The order of the passes and the parity of the crop follow the turned size."""
    options = {"pillow": pillow, "profile": profile}
    turned = clipprep.Preprocess(24, exif=True, **options)
    plain = clipprep.Preprocess(24, **options)
    for size in [(3, 400), (400, 3), (101, 61), (61, 101), (25, 24), (300, 310)]:
        image = picture("RGB", *size)
        data = with_chunk(saved(image, "PNG"), b"eXIf", orientation(value))
        upright = ImageOps.exif_transpose(opened(data))
        name = f"{size} {value} {options}"
        assert_equal_bits(turned(data), plain(upright), name)
        assert turned.explain(data)[2:5] == plain.explain(upright)[2:5], name
        assert bool(turned.explain(data).notes) == (value != 1)


@pytest.mark.parametrize("interpolation", ["nearest", "box", "lanczos"])
@pytest.mark.parametrize("value", EIGHT)
def test_filters(value: int, interpolation: str) -> None:
    pre = clipprep.Preprocess(32, pillow="installed", exif=True, interpolation=interpolation)
    data = jpeg(saved(picture("RGB", 71, 123), "JPEG"), PREFIX + orientation(value))
    expected = reference(opened(data, exif=True), 32, interpolation=interpolation)
    assert_equal_bits(pre(data), expected, f"{value} {interpolation}")


# PIL images --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, *EIGHT, 9])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_pil_images(turning, small, mode: str, value: int) -> None:
    for size in SIZES[:5]:
        image = picture(mode, *size)
        image.getexif()[274] = value
        before = image.copy()
        name = f"{mode} {size} {value}"
        assert_equal_bits(turning(image), reference(ImageOps.exif_transpose(image), 32), name)
        assert_equal_bits(small(image), reference(image, 32), f"{name}, without the option")
        assert image == before
        assert image.getexif()[274] == value


def test_pil_images_from_files(turning) -> None:
    for kind, (_, write) in NATIVE.items():
        data = write(picture("RGB", 70, 41), orientation(6))
        assert_equal_bits(turning(Image.open(io.BytesIO(data))), turning(data), kind)


def test_arrays_have_no_orientation(turning, small) -> None:
    array = np.asarray(picture("RGB", 70, 41))
    assert_equal_bits(turning(array), small(array), "an array")
    batch = turning.batch(
        [array, jpeg(saved(picture("RGB", 70, 41), "JPEG"), PREFIX + orientation(8))]
    )
    assert_equal_bits(batch[0], small(array), "an array in a batch")


# Odd EXIF ----------------------------------------------------------------------------------------

SIX = struct.pack("<H", 6)
OTHER = (0x010F, 2, 4, b"abc\0")
ODD = {
    "0": orientation(0),
    "9": orientation(9),
    "65535": orientation(65535),
    "a byte": exif([(274, 1, 1, b"\6")]),
    "a string": exif([(274, 2, 2, b"6\0")]),
    "a long": exif([(274, 4, 1, struct.pack("<I", 6))]),
    "a long, big-endian": exif([(274, 4, 1, struct.pack(">I", 6))], endian=">"),
    "a signed short": exif([(274, 8, 1, SIX)]),
    "a signed long": exif([(274, 9, 1, SIX)]),
    "a float": exif([(274, 11, 1, struct.pack("<f", 6))]),
    "undefined": exif([(274, 7, 2, SIX)]),
    "a rational": exif([(274, 5, 1, struct.pack("<I", 26))], after=struct.pack("<II", 6, 1)),
    "a double": exif([(274, 12, 1, struct.pack("<I", 26))], after=struct.pack("<d", 6)),
    "an unknown type": exif([(274, 99, 1, SIX)]),
    "an IFD": exif([(274, 13, 1, SIX)]),
    "none of them": exif([(274, 3, 0, SIX)]),
    "two of them": exif([(274, 3, 2, SIX + struct.pack("<H", 3))]),
    "three of them, elsewhere": exif(
        [(274, 3, 3, struct.pack("<I", 26))], after=struct.pack("<HHH", 6, 3, 8)
    ),
    "twice": exif([(274, 3, 1, SIX), (274, 3, 1, struct.pack("<H", 3))]),
    "in the other order of bytes": exif([(274, 3, 1, struct.pack(">H", 6))]),
    "after a field out of range": exif(
        [(0x010F, 2, 99, struct.pack("<I", 9999)), (274, 3, 1, SIX)]
    ),
    "before a field out of range": exif([(274, 3, 1, SIX), (0x010F, 2, 99, b"\xff\xff\0\0")]),
    "after an unknown type": exif([(0x010F, 77, 9, b"\xff\xff\0\0"), (274, 3, 1, SIX)]),
    "after a LONG8 out of range": exif([(0x010F, 16, 9, b"\xff\xff\0\0"), (274, 3, 1, SIX)]),
    "after an empty field": exif([(0x010F, 2, 0, b""), (274, 3, 1, SIX)]),
    "unsorted": exif(
        [(0x8769, 4, 1, struct.pack("<I", 26)), OTHER, (274, 3, 1, SIX)], after=bytes(6)
    ),
    "with a broken sub-directory": exif(
        [(274, 3, 1, SIX), (0x8769, 4, 1, struct.pack("<I", 9999))]
    ),
    "in the second directory": exif([OTHER])[:-4] + struct.pack("<I", 26) + orientation(6)[8:],
    "no field": exif([]),
    "an offset of zero": b"II*\0\0\0\0\0" + orientation(6)[8:],
    "an offset out of range": b"II*\0\xff\xff\0\0" + orientation(6)[8:],
    "a header of one kind and another": b"MM*\0" + orientation(6)[4:],
    "a header in the wrong order": b"II\0*" + orientation(6)[4:],
    "BigTIFF": b"II+\0" + orientation(6)[4:],
    "not TIFF": b"JUNK" + orientation(6)[4:],
    "the prefix twice": PREFIX + orientation(6),
    "nothing": b"",
    "two bytes": b"II",
    "cut": orientation(6)[:-6],
    "cut in the field": orientation(6)[:15],
    "without an end": orientation(6)[:-4],
    "junk after": orientation(6) + b"junk" * 50,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_exif(turning, name: str) -> None:
    image = picture("RGB", 70, 41)
    for jfif in (
        False,
        True,
    ):  # Pillow looks for a resolution in EXIF, but not if there is one already
        plain = saved(image, "JPEG", **({"dpi": (72, 72)} if jfif else {}))
        opens = assert_as_pillow_decides(jpeg(plain, PREFIX + ODD[name]), turning, f"JPEG: {name}")
        assert opens in (True, False)
    assert_as_pillow_decides(
        with_chunk(saved(image, "PNG"), b"eXIf", ODD[name]), turning, f"PNG: {name}"
    )
    assert_as_pillow_decides(saved(image, "WEBP", exif=ODD[name]), turning, f"WebP: {name}")


@given(
    at=st.integers(0, 80),
    value=st.integers(0, 255),
    end=st.integers(0, 90),
    endian=st.sampled_from("<>"),
)
@example(at=0, value=0, end=90, endian=">")
def test_changed_exif(turning, at: int, value: int, end: int, endian: str) -> None:
    number = struct.pack(endian + "I", 62)
    entries = [
        (0x0100, 4, 1, number),
        (0x010F, 2, 9, number),
        (274, 3, 1, struct.pack(endian + "H", 6)),
    ]
    block = bytearray(exif([*entries, (0x011A, 5, 1, number)], endian=endian, after=b"abcdefgh\0"))
    block[at % len(block)] = value
    data = jpeg(JPEG, PREFIX + bytes(block[:end]))
    assert_as_pillow_decides(data, turning, f"byte {at} is {value}, cut at {end}")


JPEG = saved(picture("RGB", 50, 31), "JPEG")
PNG = saved(picture("RGB", 50, 31), "PNG")


def test_several_exif_segments_are_joined(turning) -> None:
    block = orientation(6) + bytes(100)
    for cut in (0, 1, 7, 8, 9, 20, 60):
        for order in ((block[:cut], block[cut:]), (block[cut:], block[:cut])):
            data = jpeg(JPEG, *(PREFIX + part for part in order))
            assert_as_pillow_decides(data, turning, f"two segments cut at {cut}")
    data = jpeg(
        JPEG, PREFIX + orientation(6), PREFIX + orientation(3), b"Exif\0\1" + orientation(8)
    )
    assert_as_pillow_decides(data, turning, "three segments")
    assert_as_pillow_decides(JPEG[:-2] + jpeg(JPEG, PREFIX + block)[2:], turning, "after the scan")


# XMP ---------------------------------------------------------------------------------------------

PACKETS = {
    "attribute": b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>',
    "element": b"<x:xmpmeta><tiff:Orientation>8</tiff:Orientation></x:xmpmeta>",
    "the first with a digit": b'tiff:Orientation="x" tiff:Orientation= tiff:Orientation="5" '
    b"tiff:Orientation>3",
    "0": b'tiff:Orientation="0"',
    "9": b'tiff:Orientation="9"',
    "none": b"<x:xmpmeta/>",
    "empty": b"",
    "at the end": b"tiff:Orientation>",
    "not UTF-8": b'\xff\xfe tiff:Orientation="7"',
    "with a zero": b'\0 tiff:Orientation="7"',
}


@pytest.mark.parametrize("name", PACKETS)
def test_xmp(turning, name: str) -> None:
    packet = PACKETS[name]
    text = b"XML:com.adobe.xmp\0\0\0en\0key\0" + packet
    for about, data in {
        "JPEG": jpeg(JPEG, XMP + packet),
        "JPEG, the last": jpeg(JPEG, XMP + b'tiff:Orientation="2"', XMP + packet),
        "JPEG with EXIF of 1": jpeg(JPEG, XMP + packet, PREFIX + orientation(1)),
        "JPEG with other EXIF": jpeg(JPEG, XMP + packet, PREFIX + exif([OTHER])),
        "JPEG with empty EXIF": jpeg(JPEG, XMP + packet, PREFIX),
        "PNG": with_chunk(PNG, b"iTXt", text),
        "PNG, after": with_chunk(PNG, b"iTXt", text, after=True),
        "PNG, twice": with_chunk(with_chunk(PNG, b"iTXt", text), b"iTXt", text.replace(b"6", b"3")),
        "PNG with EXIF": with_chunk(with_chunk(PNG, b"iTXt", text), b"eXIf", orientation(3)),
        "PNG, as plain text": with_chunk(PNG, b"tEXt", b"XML:com.adobe.xmp\0" + packet),
        "PNG, cut": with_chunk(PNG, b"iTXt", text[:24]),
        "WebP": saved(picture("RGB", 50, 31), "WEBP", xmp=packet),
        "WebP with EXIF": saved(picture("RGB", 50, 31), "WEBP", xmp=packet, exif=orientation(4)),
    }.items():
        assert assert_as_pillow_decides(data, turning, f"{about}: {name}")


def test_exif_in_text_of_png(turning) -> None:
    block = PREFIX + orientation(6)
    profile = b"\nexif\n  %d\n" % len(block) + block.hex().encode()
    for kind, body in {
        "raw profile": b"Raw profile type exif\0" + profile,
        "exif as text": b"exif\0" + orientation(6),
        "text called xmp": b'xmp\0tiff:Orientation="6"',
    }.items():
        data = with_chunk(PNG, b"tEXt", body)
        assert_as_pillow_decides(data, turning, kind)
        assert_as_pillow_decides(
            with_chunk(data, b"eXIf", orientation(8)), turning, f"{kind}, eXIf"
        )


@pytest.mark.parametrize("wrong", ["yes", 1.5, [True], "False"])
def test_wrong_values(wrong: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        clipprep.Preprocess(32, exif=wrong)
