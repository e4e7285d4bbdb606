"""Orientations in EXIF blocks drawn at random: live Pillow decides, in every format that keeps EXIF."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clipprep
from support.expect import assert_as_pillow_decides
from support.pictures import picture
from support.writers import exif, jpeg_with, orientation, png_chunk, saved

PREFIX = b"Exif\0\0"
ORIENTATION = 274
#: Types of EXIF, and some that are none.
TYPES = st.one_of(st.just(3), st.integers(0, 18), st.just(99))
COUNTS = st.one_of(st.just(1), st.sampled_from([0, 2, 3, 4, 5, 9, 17, 30, 10**6, 2**32 - 1]))
TAGS = st.one_of(st.just(ORIENTATION), st.sampled_from([0x100, 0x10F, 0x132, 0x8769]))
IMAGE = picture("RGB", 7, 5)
JPEG = saved(IMAGE, "JPEG", dpi=(72, 72))
PNG = saved(IMAGE, "PNG")


@st.composite
def fields(draw: st.DrawFn, endian: str) -> tuple[int, int, int, bytes]:
    value = st.one_of(
        st.integers(0, 9).map(lambda number: struct.pack(endian + "HH", number, 3)),
        st.integers(0, 9).map(lambda number: struct.pack(endian + "I", number)),
        st.integers(0, 160).map(lambda place: struct.pack(endian + "I", place)),
        st.binary(min_size=4, max_size=4),
    )
    return draw(TAGS), draw(TYPES), draw(COUNTS), draw(value)


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """A block of a few fields, well made but for the odd header, place, end or byte."""
    endian = draw(st.sampled_from("<>"))
    number = st.integers(0, 9)
    item = st.one_of(
        st.tuples(number, number).map(
            lambda pair: struct.pack(endian + "II", 6 * pair[0], pair[1])
        ),
        number.map(lambda value: struct.pack(endian + "d", value)),
        number.map(lambda value: struct.pack(endian + "ii", -value, -1)),
    )
    rest = b"".join(draw(st.lists(item, max_size=6)))
    block = exif(draw(st.lists(fields(endian), max_size=6)), endian=endian, after=rest)
    odd = draw(st.integers(0, 9))
    if odd == 0:
        headers = [b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"MM\0+", b"II+\0", b"JUNK", b"Exif"]
        block = draw(st.sampled_from(headers)) + block[4:]
    elif odd == 1:
        block = block[: draw(st.integers(0, len(block)))]
    elif odd == 2:
        at = draw(st.integers(0, len(block) - 1))
        block = block[:at] + bytes([draw(st.integers(0, 255))]) + block[at + 1 :]
    return draw(st.sampled_from([b"", b"", PREFIX, 2 * PREFIX])) + block


@pytest.fixture(scope="module")
def turning() -> clipprep.Preprocess:
    return clipprep.Preprocess(32, pillow="installed", exif=True)


@given(block=blocks())
def test_jpeg(turning: clipprep.Preprocess, block: bytes) -> None:
    # With a resolution of its own, so that Pillow asks EXIF for none as it opens the file.
    data = jpeg_with(JPEG, 0xE1, PREFIX + block)
    assert_as_pillow_decides(data, turning, repr(block))


@given(block=blocks())
def test_png(turning: clipprep.Preprocess, block: bytes) -> None:
    data = PNG[:33] + png_chunk(b"eXIf", block) + PNG[33:]
    assert_as_pillow_decides(data, turning, repr(block))


@given(block=blocks())
def test_webp(turning: clipprep.Preprocess, block: bytes) -> None:
    data = saved(IMAGE, "WEBP", lossless=True, exif=block)
    assert_as_pillow_decides(data, turning, repr(block))


@given(
    block=blocks(),
    packed=st.booleans(),
    junk=st.one_of(st.just(b""), st.just(b""), st.sampled_from([b" ", b"\n", b"x", b"0", b"\xb2"])),
    place=st.integers(0, 200),
)
def test_profiles_in_png(
    turning: clipprep.Preprocess, block: bytes, packed: bool, junk: bytes, place: int
) -> None:
    """As ImageMagick writes EXIF: in hexadecimal digits."""
    digits = (PREFIX + block).hex().encode()
    lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    profile = b"\nexif\n%8d\n" % (len(digits) // 2) + lines + b"\n"
    profile = profile[:place] + junk + profile[place:]
    body = b"Raw profile type exif\0" + (b"\0" + zlib.compress(profile) if packed else profile)
    data = PNG[:33] + png_chunk(b"zTXt" if packed else b"tEXt", body) + PNG[33:]
    assert_as_pillow_decides(data, turning, repr(body))


def test_profiles_in_png_need_no_pillow(turning: clipprep.Preprocess) -> None:
    profile = b"\nexif\n%8d\n%s\n" % (32, (PREFIX + orientation(6)).hex().encode())
    for name, text in {b"tEXt": profile, b"zTXt": b"\0" + zlib.compress(profile)}.items():
        data = PNG[:33] + png_chunk(name, b"Raw profile type exif\0" + text) + PNG[33:]
        assert assert_as_pillow_decides(data, turning, f"{name!r}")
        explained = turning.explain(data)
        assert explained.size == (5, 7)
        assert explained.decoder != "pillow"
