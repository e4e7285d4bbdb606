"""The headers of a JPEG 2000 are told from the packets between them, whose bytes may look like headers."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep._pillow import codestream
from support.expect import assert_as_pillow_decides
from support.pictures import picture
from support.writers import saved

#: A coding style of 65,535 layers, as a segment.
STYLE = b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 65_535, 1, 5, 4, 4, 0, 0)


def after_size(data: bytes) -> bytes:
    """The codestream from the segment on that follows the one of the image's size."""
    at = data.index(b"\xff\x4f\xff\x51") + 4
    return data[at + int.from_bytes(data[at : at + 2], "big") :]


def packets(data: bytes) -> int:
    """Where the packets of the first tile begin."""
    return data.index(b"\xff\x93") + 2


@pytest.mark.parametrize("options", [{}, {"tile_size": (64, 64)}, {"no_jp2": True}], ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_the_styles_are_those_of_the_headers(mode: str, options: dict[str, object]) -> None:
    data = saved(picture(mode, 200, 150), "JPEG2000", **options)
    (style,) = (after_size(data)[at:] for at in [after_size(data).index(b"\xff\x52")])
    length = 2 + int.from_bytes(style[2:4], "big")
    for end in (None, -1, -100, packets(after_size(data)) + 5):
        assert codestream.styles(memoryview(after_size(data)[:end])) == style[:length]


def test_packets_that_look_like_headers_are_read(small: clipprep.Preprocess) -> None:
    data = saved(picture("RGB", 200, 150), "JPEG2000")
    at = packets(data)
    for start in range(at, len(data) - 100, len(data) // 20):
        looking = data[:start] + STYLE + data[start + len(STYLE) :]
        assert_as_pillow_decides(looking, small, f"at {start}")


def test_large_files_are_read(small: clipprep.Preprocess) -> None:
    """Among so many bytes some look like any header."""
    rng = np.random.default_rng(3)
    for number in range(3):
        pixels = rng.integers(0, 256, (900, 700 + number, 3), np.uint8)
        data = saved(Image.fromarray(pixels), "JPEG2000")
        assert assert_as_pillow_decides(data, small, str(number))


def hidden(where: str) -> bytes:
    """A codestream that has a style of many layers in a place of that name."""
    data = saved(picture("RGB", 200, 150), "JPEG2000", no_jp2=True)
    sot, sod = data.index(b"\xff\x90"), data.index(b"\xff\x93")
    part = data[sot:sod]

    def sized(size: int) -> bytes:
        return part[:6] + struct.pack(">I", size) + part[10:]

    return {
        "the main header": data[:sot] + STYLE + data[sot:],
        "a tile's header": data[:sot] + sized(len(data) - 2 - sot + len(STYLE)) + STYLE + data[sod:],
        "a segment that is unknown": data[:sot] + b"\xff\x30" + STYLE + data[sot:],
        "a capability": data[:sot] + b"\xff\x50" + struct.pack(">H", 2 + len(STYLE)) + STYLE + data[sot:],
        "a tile that says to be shorter": data[:sot] + sized(sod - sot + 20) + data[sod : sod + 20] + STYLE + data[sod:],
        "a tile of twelve bytes": data[:sot] + sized(12) + STYLE + data[sod:],
        "bytes after the size": data[:sot].replace(b"\xff\x52", b"\x00\x00\xff\x52") + STYLE + data[sot:],
    }[where]  # fmt: skip


@pytest.mark.parametrize(
    "where",
    [
        *("the main header", "a tile's header", "a segment that is unknown", "a capability"),
        *("a tile that says to be shorter", "a tile of twelve bytes", "bytes after the size"),
    ],
)
def test_styles_are_found_in(where: str) -> None:
    assert STYLE in bytes(codestream.styles(memoryview(after_size(hidden(where)))))
