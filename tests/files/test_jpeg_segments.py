"""Segments over which Pillow refuses a JPEG as it opens it, though libjpeg passes over them: live Pillow decides."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clipprep
from support.expect import assert_as_pillow_decides
from support.pictures import picture
from support.writers import exif, jpeg_with, saved

PLAIN = saved(picture("RGB", 7, 5), "JPEG")
WITH_RESOLUTION = saved(picture("RGB", 7, 5), "JPEG", dpi=(72, 72))
RESOLUTION, UNIT = 0x011A, 0x0128
TEXT = {1: "a byte", 2: "text", 7: "undefined"}


@st.composite
def resources(draw: st.DrawFn) -> bytes:
    """One of Photoshop's image resources, whole but for the odd length."""
    name = draw(st.sampled_from([b"\0\0", b"\1a", b"\2ab\0", b"\xff"]))
    data = draw(st.binary(max_size=16))
    length = draw(st.sampled_from([len(data), len(data), 0, 1, 30, 2**31, 2**32 - 1]))
    kind = draw(st.sampled_from([b"\x03\xed", b"\x04\x04"]))
    return b"8BIM" + kind + name + struct.pack(">I", length) + data + bytes(len(data) % 2)


@given(parts=st.lists(resources(), max_size=3), cut=st.integers(0, 60))
def test_photoshop(small: clipprep.Preprocess, parts: list[bytes], cut: int) -> None:
    body = b"".join(parts)
    for end in {cut, len(body)}:
        data = jpeg_with(PLAIN, 0xED, b"Photoshop 3.0\0" + body[:end])
        assert_as_pillow_decides(data, small, f"resources {body!r} up to {end}")


def test_photoshop_is_refused_where_pillow_refuses_it(small: clipprep.Preprocess) -> None:
    data = jpeg_with(PLAIN, 0xED, b"Photoshop 3.0\x008BIM\x04\x04")
    assert assert_as_pillow_decides(data, small, "no length of a name") is False


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize("value", [b"5", b"\0", b"a", b"5\0", b"a\0", b"55", b"555", b""])
@pytest.mark.parametrize("unit", [True, False])
def test_resolutions_that_are_text(
    small: clipprep.Preprocess, kind: int, value: bytes, unit: bool
) -> None:
    entries = [(RESOLUTION, kind, len(value), value)]
    entries += [(UNIT, 3, 1, struct.pack("<H", 2))] if unit else []
    block = b"Exif\0\0" + exif(entries)
    opens = assert_as_pillow_decides(
        jpeg_with(PLAIN, 0xE1, block), small, f"{TEXT[kind]} {value!r}"
    )
    assert opens or unit
    assert assert_as_pillow_decides(
        jpeg_with(WITH_RESOLUTION, 0xE1, block), small, f"{TEXT[kind]} {value!r}, not asked for"
    )


@given(
    entries=st.lists(
        st.tuples(
            st.sampled_from([RESOLUTION, UNIT]),
            st.integers(1, 16),
            st.integers(0, 9),
            st.sampled_from([b"5", b"a", b"55", struct.pack("<I", 38), struct.pack("<I", 999)]),
        ),
        max_size=4,
    ),
    rest=st.binary(max_size=40),
)
def test_resolutions(small: clipprep.Preprocess, entries: list, rest: bytes) -> None:
    data = jpeg_with(PLAIN, 0xE1, b"Exif\0\0" + exif(entries, after=rest))
    assert_as_pillow_decides(data, small, f"{entries} {rest!r}")
