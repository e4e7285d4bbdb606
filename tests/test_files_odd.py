"""Files with something wrong or unusual in their structure: live Pillow decides whether they open, and as what.

A file that Pillow refuses and clipprep opens gives embeddings that the reference never gave; one that Pillow opens
and clipprep refuses is a lost image.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from expect import assert_as_pillow_decides, opened
from pictures import photo, picture
from writers import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    TRUECOLOUR,
    bmp,
    jpeg_segments,
    jpeg_with,
    jpeg_without,
    png,
    png_chunk,
    saved,
)

# PNG ---------------------------------------------------------------------------------------------

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
    yield "bytes behind the zlib stream", plain + png_chunk(b"IDAT", data + b"junk") + END
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
    yield "text bomb behind the data", plain + idat + png_chunk(b"zTXt", b"name\0\0" + bomb) + END
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
    yield "palette behind the data", start + indexed + palette + END
    yield "tRNS before the palette", start + clear + palette + indexed + END
    yield "tRNS behind the data", start + palette + indexed + clear + END
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


# JPEG --------------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def patched(data: bytes, marker: int, offset: int, value: bytes) -> bytes:
    """Overwrites some bytes of the first segment of a kind."""
    start = next(start for found, start, _ in jpeg_segments(data) if found == marker)
    return data[: start + offset] + value + data[start + offset + len(value) :]


def jpegs() -> Iterator[tuple[str, bytes]]:
    data = saved(picture("RGB", 157, 90), "JPEG")
    found = {marker: (start, end) for marker, start, end in jpeg_segments(data)}
    sof, sos = data[slice(*found[0xC0])], data[slice(*found[0xDA])]
    for name, marker in (("Huffman", 0xC4), ("quantisation", 0xDB), ("JFIF", 0xE0)):
        yield f"no {name} segment", jpeg_without(data, marker)
    for name, marker, body in (
        ("short JFIF", 0xE0, b"JFIF\0"),
        ("short Adobe", 0xEE, b"Adobe"),
        ("Adobe transform 9", 0xEE, b"Adobe\0d\0\0\0\0\x09"),
        ("Exif of garbage", 0xE1, b"Exif\0\0garbage"),
        ("profile of garbage", 0xE2, b"ICC_PROFILE\0\1\2garbage"),
        ("MPF of garbage", 0xE2, b"MPF\0garbage"),
        ("Photoshop of garbage", 0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10"),
        ("empty comment", 0xFE, b""),
        ("JPG0", 0xF0, b"xx"),
        ("JPG", 0xC8, b"xx"),
        ("DNL before the frame", 0xDC, b"\0\x5a"),
        ("arithmetic conditioning", 0xCC, b"\0\x10"),
        ("reserved marker", 0x02, b"xx"),
    ):
        yield name, jpeg_with(data, marker, body)
    for name, junk in (
        ("TEM", b"\xff\x01"),
        ("RST", b"\xff\xd0"),
        ("zeros", b"\0\0"),
        ("FF00", b"\xff\0"),
        ("SOI", b"\xff\xd8"),
    ):
        yield f"{name} before the first segment", data[:2] + junk + data[2:]
        yield f"{name} behind the first segment", data[:20] + junk + data[20:]
    for name, offset, value in (
        ("12 bits", 4, b"\x0c"),
        ("0 bits", 4, b"\0"),
        ("2 components", 9, b"\2"),
        ("4 components", 9, b"\4"),
        ("no component", 9, b"\0"),
        ("no height", 5, b"\0\0"),
        ("no width", 7, b"\0\0"),
    ):
        yield name, patched(data, 0xC0, offset, value)
    for component in (0, 1):
        for factors in (0x00, 0x10, 0x51, 0x41, 0x14, 0x44, 0x31, 0x13, 0x33, 0x12, 0x24):
            changed = patched(data, 0xC0, 11 + 3 * component, bytes([factors]))
            yield f"factors {factors:02x} of component {component}", changed
    yield "two frame headers", data[: found[0xC0][1]] + sof + data[found[0xC0][1] :]
    yield "scan of two components", patched(data, 0xDA, 4, b"\2")
    yield "scan with a missing table", patched(data, 0xDA, 6, b"\x22")
    yield "empty scan", data[: found[0xDA][1]] + b"\xff\xd9"
    middle = (found[0xDA][1] + len(data)) // 2
    while 0xFF in data[middle - 1 : middle + 1]:
        middle += 1
    for name, marker_bytes in (
        ("SOI", b"\xff\xd8"),
        ("SOS", sos),
        ("SOF", sof),
        ("EOI", b"\xff\xd9"),
        ("RST3", b"\xff\xd3"),
        ("TEM", b"\xff\x01"),
        ("reserved", b"\xff\x02"),
        ("comment", segment(0xFE, b"hello")),
        ("cut segment", b"\xff\xe1\x10\0abc"),
        ("bad Huffman table", segment(0xC4, b"\0" + b"\xff" * 16)),
        ("fill bytes", b"\xff" * 7),
    ):
        yield f"{name} inside the scan", data[:middle] + marker_bytes + data[middle:]
        yield f"{name} before the end", data[:-2] + marker_bytes + data[-2:]
        yield f"{name} for an end", data[:-2] + marker_bytes
    restarts = saved(picture("RGB", 157, 90), "JPEG", restart_marker_rows=1)
    at = [
        i
        for i in range(len(restarts) - 1)
        if restarts[i] == 0xFF and 0xD0 <= restarts[i + 1] <= 0xD7
    ]
    for step in (1, 4, 7):
        marker = bytes([0xFF, 0xD0 + (restarts[at[2] + 1] - 0xD0 + step) % 8])
        yield f"restart marker {step} ahead", restarts[: at[2]] + marker + restarts[at[2] + 2 :]
    yield "restart marker missing", restarts[: at[2]] + restarts[at[2] + 2 :]
    yield (
        "restart marker twice",
        restarts[: at[2]] + restarts[at[2] : at[2] + 2] + restarts[at[2] :],
    )
    yield "restart interval missing", restarts[: at[1]] + restarts[at[2] :]


@pytest.mark.parametrize(("name", "data"), [pytest.param(*case, id=case[0]) for case in jpegs()])
def test_jpeg(small, name: str, data: bytes) -> None:
    assert_as_pillow_decides(data, small, f"jpeg, {name}")


@pytest.mark.parametrize("size", [(157, 90), (700, 33), (33, 700)], ids=str)
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_progressive_jpeg_with_scans_missing(small, sampling: str, size: tuple[int, int]) -> None:
    """What is missing is smoothed over: with neighbours of 5 x 5 blocks since libjpeg-turbo 2.1."""
    data = saved(picture("RGB", *size), "JPEG", progressive=True, subsampling=sampling)
    scans = [i for i in range(len(data) - 1) if data[i : i + 2] == b"\xff\xda"]
    assert len(scans) == 10
    for scan, (start, end) in enumerate(zip(scans, [*scans[1:], len(data) - 2], strict=True)):
        for cut in (start, (start + end) // 2)[scan == 0 :]:
            assert assert_as_pillow_decides(
                data[:cut] + b"\xff\xd9",
                small,
                f"jpeg {size} {sampling} cut in scan {scan} at {cut}",
            )
        without = data[:start] + data[end:]
        assert_as_pillow_decides(without, small, f"jpeg {size} {sampling} without scan {scan}")


# The rest ----------------------------------------------------------------------------------------


def bmps() -> Iterator[tuple[str, bytes]]:
    data = bmp(photo(40, 61, 3).reshape(40, -1), 24)

    def put(offset: int, kind: str, value: int) -> bytes:
        return data[:offset] + struct.pack(kind, value) + data[offset + struct.calcsize(kind) :]

    for offset in (0, 1, 14, 53, 55, 100, 2**31):
        yield f"data at {offset}", put(10, "<I", offset)
    yield "a gap before the data", put(10, "<I", 74)[:54] + bytes(20) + data[54:]
    for compression in (1, 2, 3, 4, 5, 99):
        yield f"compression {compression}", put(30, "<I", compression)
    for colours in (1, 256, 2**31):
        yield f"{colours} colours used", put(46, "<I", colours)
    for field, offset in (("width", 18), ("height", 22)):
        for value in (0, -1, -61, -(2**31)):
            yield f"{field} {value}", put(offset, "<i", value)
    yield "no planes", put(26, "<H", 0)
    yield "a row short", data[:-184]
    yield "a byte short", data[:-1]


@pytest.mark.parametrize(("name", "data"), [pytest.param(*case, id=case[0]) for case in bmps()])
def test_bmp(small, name: str, data: bytes) -> None:
    assert_as_pillow_decides(data, small, f"bmp, {name}")


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(
    "kind", ["RGBA in three channels", "unseen index", "run first", "no end mark", "channels 5"]
)
def test_qoi(small, kind: str, channels: int) -> None:
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


@pytest.mark.parametrize("cut", [1, 2, 3, 8])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_shorter_or_longer_than_it_says(small, lossless: bool, cut: int) -> None:
    data = saved(picture("RGB", 61, 40), "WEBP", lossless=lossless)
    assert_as_pillow_decides(data[:-cut], small, f"webp less {cut}")
    assert_as_pillow_decides(data + bytes(cut), small, f"webp plus {cut}")
    size = int.from_bytes(data[4:8], "little")
    for said in (size - cut, size + cut):
        changed = data[:4] + struct.pack("<I", said) + data[8:]
        assert_as_pillow_decides(changed, small, f"webp of {size} that says {said}")
