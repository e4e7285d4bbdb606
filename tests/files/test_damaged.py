"""Truncated and damaged files: clipprep opens the files that live Pillow opens, with its bits, and refuses the others."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clipprep
from support.compare import assert_equal_bits
from support.expect import assert_as_pillow_decides, opened
from support.reference import reference
from support.samples import FILES, JPEGS, file
from support.writers import bmp, bmp_runs

EOI = b"\xff\xd9"


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_without_its_end_marker_is_truncated(small, name: str) -> None:
    data = file(name)
    assert data.endswith(EOI)
    for cut in (1, 2, 3, 10):
        with pytest.raises(OSError, match="truncated"):
            opened(data[:-cut])
        with pytest.raises(clipprep.TruncatedError):
            small(data[:-cut])


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_cut_in_half_with_an_end_marker_opens(small, name: str) -> None:
    data = file(name)
    for share in (0.3, 0.5, 0.75, 0.95):
        cut = data[: int(len(data) * share)] + EOI
        assert_equal_bits(
            small(cut), reference(opened(cut), 32), f"{name} cut at {share} with an end marker"
        )


@pytest.mark.parametrize(
    "junk", [b"junk" * 4, b"\0" * 64, b"\xff\xd0" * 20, b"\xff" * 50, b"\xff\xd8" * 9, b"x" * 70000]
)
@pytest.mark.parametrize("name", JPEGS)
def test_junk_in_place_of_the_end_marker(small, name: str, junk: bytes) -> None:
    assert_as_pillow_decides(
        file(name)[:-2] + junk,
        small,
        f"{name} with junk {junk[:4]!r} x {len(junk)} for an end marker",
    )


@pytest.mark.parametrize("name", FILES)
def test_cut_anywhere(small, name: str) -> None:
    data = file(name)
    step = max(1, len(data) // 60)
    opens = [
        assert_as_pillow_decides(data[:end], small, f"{name} cut at {end}")
        for end in range(0, len(data), step)
    ]
    assert not opens[0], "an empty file opens"
    assert assert_as_pillow_decides(data, small, name)


@pytest.mark.parametrize("name", FILES)
def test_cut_near_the_end(small, name: str) -> None:
    data = file(name)
    for end in range(max(0, len(data) - 40), len(data)):
        assert_as_pillow_decides(data[:end], small, f"{name} cut at {end} of {len(data)}")


@pytest.mark.parametrize("name", FILES)
def test_bytes_behind_the_end(small, name: str) -> None:
    for junk in (b"\0", b"junk" * 100, file(name)):
        assert_as_pillow_decides(file(name) + junk, small, f"{name} with {len(junk)} bytes after")


@given(
    name=st.sampled_from(JPEGS), where=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255)
)
def test_a_changed_byte_of_a_jpeg(small, name: str, where: float, value: int) -> None:
    data = bytearray(file(name))
    data[int(where * len(data))] = value
    assert_as_pillow_decides(
        bytes(data), small, f"{name}, byte {int(where * len(data))} is {value}"
    )


@given(
    name=st.sampled_from([name for name in FILES if "jpeg" not in name and "webp" not in name]),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
)
def test_a_changed_byte_of_another_file(small, name: str, where: float, value: int) -> None:
    data = bytearray(file(name))
    data[int(where * len(data))] = value
    assert_as_pillow_decides(
        bytes(data), small, f"{name}, byte {int(where * len(data))} is {value}"
    )


@given(
    name=st.sampled_from(sorted(FILES)),
    header=st.integers(0, 60),
    value=st.integers(0, 255),
)
def test_a_changed_byte_of_a_header(small, name: str, header: int, value: int) -> None:
    data = bytearray(file(name))
    data[header] = value
    assert_as_pillow_decides(bytes(data), small, f"{name}, byte {header} is {value}")


@given(
    name=st.sampled_from([name for name in FILES if "webp" in name]),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
)
def test_a_changed_byte_of_a_webp(small, name: str, where: float, value: int) -> None:
    """Most bytes are of the bitstream: it opens with other pixels, or not at all, as for Pillow."""
    data = bytearray(file(name))
    data[int(where * len(data))] = value
    assert_as_pillow_decides(
        bytes(data), small, f"{name}, byte {int(where * len(data))} is {value}"
    )


def test_missing_pieces_of_a_png(small) -> None:
    """No end chunk, no data, a wrong checksum of a needed and of an ancillary chunk."""
    data = file("png")
    body, end = data[:-12], data[-12:]
    at = data.index(b"IDAT")
    for name, damaged in {
        "no IEND": body,
        "wrong IEND checksum": data[:-1] + bytes([data[-1] ^ 1]),
        "wrong IDAT checksum": data[: -12 - 1] + bytes([data[-13] ^ 1]) + end,
        "no IDAT": data[: at - 4] + end,
        "half an IDAT": data[: at + 40] + end,
        "wrong IHDR checksum": data[:29] + bytes([data[29] ^ 1]) + data[30:],
    }.items():
        assert_as_pillow_decides(damaged, small, f"png: {name}")


@pytest.mark.parametrize(
    "data",
    [
        b"P5 13000 13000 255\n",
        b"P2 13000 13000 255\n",
        b"P1 13000 13000\n",
        b"qoif" + struct.pack(">IIBB", 13000, 13000, 3, 0) + bytes(99),
        b"GIF89a" + struct.pack("<HHBBB", 13000, 13000, 0, 0, 0)
        + b"," + struct.pack("<HHHHBB", 0, 0, 13000, 13000, 0, 8) + b"\x04\0\1\2\3\0;",
        bmp_runs(13000, 13000, b"\5\5", bytes(1024), nibbles=False),
        bmp(np.zeros((1, 39000), np.uint8), 24).replace(
            struct.pack("<ii", 13000, 1), struct.pack("<ii", 13000, 13000)
        ),
    ],
    ids=lambda data: repr(data[:4]),
)  # fmt: skip
def test_a_header_that_promises_more_than_the_file_has(small, data: bytes) -> None:
    """Refused for its length, before memory for 169 million pixels is touched."""
    with pytest.raises(clipprep.TruncatedError):
        small(data)
