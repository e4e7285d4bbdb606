"""PNG files with something wrong or unusual in their structure: live Pillow decides whether they open, and as what."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from clipprep import DecodeError, Preprocess
from support.expect import assert_as_pillow_decides
from support.writers import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    TRUECOLOUR,
    png,
    png_chunk,
)

HEAD = b"\x89PNG\r\n\x1a\n"
END = png_chunk(b"IEND", b"")


def ihdr(colour: int = TRUECOLOUR, depth: int = 8, last: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", 51, 40, depth, colour, *last))


def parts(colour: int = TRUECOLOUR, depth: int = 8) -> bytes:
    """The zlib stream of a 51 x 40 image."""
    channels = {GREY: 1, TRUECOLOUR: 3, PALETTE: 1, GREY_ALPHA: 2}[colour]
    samples = np.random.default_rng(2).integers(0, 1 << depth, (40, 51, channels))
    file = png(
        samples, colour, depth, palette=bytes(768) if colour == PALETTE else None, idat=1 << 20
    )
    at = file.index(b"IDAT")
    return file[at + 4 : at + 4 + int.from_bytes(file[at - 4 : at], "big")]


def wrong_checksum(chunk: bytes) -> bytes:
    return chunk[:-1] + bytes([chunk[-1] ^ 1])


def frame_control(
    sequence: int, width: int, height: int, left: int = 0, ways: bytes = b"\0\0"
) -> bytes:
    body = struct.pack(">IIIIIHH", sequence, width, height, left, 0, 1, 10)
    return png_chunk(b"fcTL", body + ways)


def pngs() -> Iterator[tuple[str, bytes]]:
    data = parts()
    raw = zlib.decompress(data)
    idat = png_chunk(b"IDAT", data)
    bomb = zlib.compress(bytes(5_000_000))
    plain = HEAD + ihdr()
    yield "nothing odd", plain + idat + END
    yield "bytes after the zlib stream", plain + png_chunk(b"IDAT", data + b"junk") + END
    yield "too many rows", plain + png_chunk(b"IDAT", zlib.compress(raw + bytes(900))) + END
    yield "too few rows", plain + png_chunk(b"IDAT", zlib.compress(raw[:-500])) + END
    yield "wrong adler", plain + png_chunk(b"IDAT", wrong_checksum(data)) + END
    yield "no adler", plain + png_chunk(b"IDAT", data[:-4]) + END
    yield "empty data chunk", plain + png_chunk(b"IDAT", b"") + idat + END
    yield (
        "text between data",
        plain
        + png_chunk(b"IDAT", data[:50])
        + png_chunk(b"tEXt", b"a\0b")
        + png_chunk(b"IDAT", data[50:])
        + END,
    )
    yield "row filter 5", plain + png_chunk(b"IDAT", zlib.compress(b"\5" + raw[1:])) + END
    yield "wrong data checksum", plain + wrong_checksum(idat) + END
    yield "wrong header checksum", HEAD + wrong_checksum(ihdr()) + idat + END
    yield "wrong end checksum", plain + idat + wrong_checksum(END)
    yield "wrong text checksum", plain + wrong_checksum(png_chunk(b"tEXt", b"a\0b")) + idat + END
    yield "wrong gamma checksum", plain + wrong_checksum(png_chunk(b"gAMA", bytes(4))) + idat + END
    yield "two headers", plain + ihdr() + idat + END
    yield "header not first", HEAD + png_chunk(b"tEXt", b"a\0b") + ihdr() + idat + END
    yield "unknown critical chunk", plain + png_chunk(b"ABCD", b"x") + idat + END
    yield "chunk name of no letters", plain + png_chunk(b"\1\2\3\4", b"x") + idat + END
    yield "compression method 1", HEAD + ihdr(last=(1, 0, 0)) + idat + END
    yield "filter method 1", HEAD + ihdr(last=(0, 1, 0)) + idat + END
    yield "interlace method 2", HEAD + ihdr(last=(0, 0, 2)) + idat + END
    for name in (b"gAMA", b"cHRM", b"pHYs", b"sRGB", b"acTL", b"fcTL"):
        yield f"short {name.decode()}", plain + png_chunk(name, b"") + idat + END
    yield "profile of garbage", plain + png_chunk(b"iCCP", b"name\0\0garbage") + idat + END
    yield "profile method 1", plain + png_chunk(b"iCCP", b"name\0\1garbage") + idat + END
    yield "profile bomb", plain + png_chunk(b"iCCP", b"name\0\0" + bomb) + idat + END
    yield "text bomb", plain + png_chunk(b"zTXt", b"name\0\0" + bomb) + idat + END
    yield "text bomb after the data", plain + idat + png_chunk(b"zTXt", b"name\0\0" + bomb) + END
    yield "text method 1", plain + png_chunk(b"zTXt", b"name\0\1garbage") + idat + END
    yield "too much text", plain + png_chunk(b"tEXt", b"n\0" + bytes(1_000_000)) * 70 + idat + END
    for colour, depth in ((GREY, 1), (GREY, 8), (TRUECOLOUR, 8), (GREY_ALPHA, 8)):
        for value in (b"", b"\0", b"\0\1", b"\1\x2c", b"\0\1\0\2\0\3\0\4"):
            start = HEAD + ihdr(colour, depth) + png_chunk(b"tRNS", value)
            yield (
                f"tRNS {value.hex()} of {colour}/{depth}",
                start + png_chunk(b"IDAT", parts(colour, depth)) + END,
            )
    indexed, start = png_chunk(b"IDAT", parts(PALETTE)), HEAD + ihdr(PALETTE)
    for entries in (b"", b"1234", bytes(769)):
        yield (
            f"palette of {len(entries)} bytes",
            start + png_chunk(b"PLTE", entries) + indexed + END,
        )
    palette, other = (
        png_chunk(b"PLTE", bytes(range(256)) * 3),
        png_chunk(b"PLTE", bytes(range(255, -1, -1)) * 3),
    )
    clear = png_chunk(b"tRNS", b"\0\1")
    yield "no palette", start + indexed + END
    yield "two palettes", start + palette + other + indexed + END
    yield "palette after the data", start + indexed + palette + END
    yield "tRNS before the palette", start + clear + palette + indexed + END
    yield "tRNS after the data", start + palette + indexed + clear + END
    yield "tRNS of 300", start + palette + png_chunk(b"tRNS", bytes(300)) + indexed + END
    animated = plain + png_chunk(b"acTL", struct.pack(">II", 2, 0))
    yield "smaller first frame", animated + frame_control(0, 30, 20) + idat + END
    yield "first frame beyond the edge", animated + frame_control(0, 51, 40, left=5) + idat + END
    yield "wrong sequence number", animated + frame_control(5, 51, 40) + idat + END
    yield "first frame disposed of", animated + frame_control(0, 51, 40, ways=b"\1\1") + idat + END
    yield (
        "unknown ways to blend",
        animated + frame_control(0, 51, 40, ways=b"\x09\x09") + idat + END,
    )


@pytest.mark.parametrize(("name", "data"), [pytest.param(*case, id=case[0]) for case in pngs()])
def test_png(small, name: str, data: bytes) -> None:
    assert_as_pillow_decides(data, small, f"png, {name}")


@pytest.mark.filterwarnings("ignore:Palette images")
@pytest.mark.parametrize("transparent", [b"", b"\0", b"\xff\0\xff", b"\x80\x80"])
@pytest.mark.parametrize("fallback", ["inline", "process"])
@pytest.mark.parametrize(
    "options", [{}, {"profile": "timm"}, {"profile": "timm", "exif": True}], ids=str
)
def test_transparent_colour_without_a_palette(transparent, fallback, options) -> None:
    """Pillow asserts that there is one where it converts what it read, not where it turned or resized that before."""
    idat = png_chunk(b"IDAT", parts(PALETTE))
    data = HEAD + ihdr(PALETTE) + png_chunk(b"tRNS", transparent) + idat + END
    pre = Preprocess(16, fallback=fallback, **options)
    image = Image.open(io.BytesIO(data))
    image.load()
    for source in data, Image.open(io.BytesIO(data)), image:
        try:
            if options == {"profile": "timm"}:
                Image.open(io.BytesIO(data)).convert("RGB")
        except AssertionError:
            with pytest.raises(DecodeError, match="a palette for the transparent colour"):
                pre(source)
        else:
            black = np.zeros((8, 8, 3), np.uint8)
            assert np.array_equal(pre(source), pre(black)), "no palette: all colours are black"
