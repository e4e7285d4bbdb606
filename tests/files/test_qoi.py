"""QOI files give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct

import pytest

from support.expect import assert_as_pillow_decides, assert_file, opened
from support.pictures import picture
from support.writers import (
    saved,
)

SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (1, 1), (33, 32))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_qoi(pre, small, mode: str) -> None:
    for size in SIZES:
        data = saved(picture(mode, *size), "QOI")
        assert_file(data, small, "clipprep", f"qoi {mode} {size}", mode)
    assert_file(saved(picture(mode, 301, 240), "QOI"), pre, "clipprep", f"qoi {mode} n=224", mode)
    flat = picture(mode, 90, 61).quantize(3).convert(mode)
    assert_file(saved(flat, "QOI"), small, "clipprep", f"qoi {mode} with runs", mode)


def test_qoi_that_the_reference_decoder_reads_otherwise(small) -> None:
    """Pillow's table of colours holds no runs; any number of channels but three is four."""

    def qoi(width: int, height: int, channels: int, codes: bytes) -> bytes:
        return b"qoif" + struct.pack(">IIBB", width, height, channels, 0) + codes

    black = 3 * 0 + 11 * 255 & 63
    codes = bytes([0xC3, black, 0xFE, 9, 8, 7, black, 0x55, 0xA5, 0x9C, 0xFF, 1, 2, 3, 4, 0xFD])
    for channels in (0, 1, 3, 4, 5, 255):
        for padding in (b"", bytes(7) + b"\1", b"junk"):
            data = qoi(5, 7, channels, codes + padding)
            assert_file(data, small, "clipprep", f"qoi of {channels} channels")
    for name, data in {
        "too few codes": qoi(5, 15, 4, codes),
        "a code cut short": qoi(2, 1, 4, b"\xfe\1\2"),
        "no codes": qoi(2, 1, 4, b""),
        "no pixels": qoi(0, 1, 4, codes),
        "half a header": qoi(5, 7, 4, b"")[:11],
    }.items():
        assert not assert_as_pillow_decides(data, small, f"qoi with {name}")


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(
    "kind", ["RGBA in three channels", "unseen index", "run first", "no end mark", "channels 5"]
)
def test_unusual_structure(small, kind: str, channels: int) -> None:
    head, end = b"qoif" + struct.pack(">IIBB", 20, 20, channels, 0), bytes(7) + b"\1"
    if kind == "RGBA in three channels":
        data = (
            head
            + b"\xff\x10\x20\x30\x40"
            + b"\xfe\x50\x60\x70" * 199
            + b"\xff\x11\x22\x33\x44" * 200
            + end
        )
    elif kind == "unseen index":
        data = head + b"\x2f" + b"\xfe\x21\x53\x12" + b"\x28\x00" * 199 + end
    elif kind == "run first":
        data = head + b"\xc9" + b"\xfe\x10\x20\x30" + b"\x35" * 389 + end
    elif kind == "no end mark":
        data = head + b"\xfe\x10\x20\x30" + b"\x6b" * 399
    else:
        data = head[:12] + b"\5\0" + b"\xfe\x10\x20\x30" + b"\x6b" * 399 + end
    assert opened(data).size == (20, 20)
    assert_as_pillow_decides(data, small, f"qoi of {channels}, {kind}")
