"""Files that announce or unpack to far more than their size: their cost in memory and time."""

from __future__ import annotations

import struct
import sys
import time
import warnings
import zlib
from contextlib import suppress

import pytest
from PIL import Image

import clipprep
from support.pictures import picture
from support.programs import Outcome, run
from support.writers import (
    bmp_runs,
    jpeg_with_empty_scans,
    png_chunk,
    saved,
)

RGB = picture("RGB", 40, 30)
SIDE = 60_000  # 3.6 gigapixels


def png_of(width: int, height: int, packed: bytes, *, before: bytes = b"", interlaced=0) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlaced))
    body = header + before + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def patched(data: bytes, mark: bytes, offset: int, field: bytes) -> bytes:
    """`field` written `offset` bytes after the first `mark`."""
    at = data.index(mark) + offset
    return data[:at] + field + data[at + len(field) :]


def tiff_entry(tag: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, 4, 1, value)


def ico(side: int, png: bytes) -> bytes:
    """Its directory says `side`, whatever the PNG in it says."""
    entry = struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(png), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


def icns(png: bytes) -> bytes:
    """Its directory says 128."""
    picture = b"ic07" + struct.pack(">I", len(png) + 8) + png
    return b"icns" + struct.pack(">I", len(picture) + 8) + picture


BIG = struct.pack(">HH", SIDE, SIDE)
#: Headers that ask for more than `max_pixels`, followed by almost nothing.
HUGE = {
    "PNG": png_of(SIDE, SIDE, b"x"),
    "interlaced PNG": png_of(SIDE, SIDE, b"x", interlaced=1),
    "JPEG": patched(saved(RGB, "JPEG"), b"\xff\xc0", 5, BIG),
    "progressive JPEG": patched(saved(RGB, "JPEG", progressive=True), b"\xff\xc2", 5, BIG),
    "GIF": patched(saved(RGB.quantize(), "GIF"), b"GIF", 6, struct.pack("<HH", SIDE, SIDE)),
    "WebP": patched(saved(RGB, "WEBP"), b"\x9d\x01\x2a", 3, struct.pack("<HH", 16383, 16383)),
    "BMP": patched(saved(RGB, "BMP"), b"BM", 18, struct.pack("<ii", SIDE, SIDE)),
    "BMP of runs": bmp_runs(SIDE, SIDE, b"\0\1", bytes(range(255, -1, -1)) * 4, nibbles=False),
    "PPM": b"P6 %d %d 255\n" % (SIDE, SIDE),
    "plain PPM": b"P3 %d %d 255\n1 1 1" % (SIDE, SIDE),
    "QOI": b"qoif" + struct.pack(">IIBB", SIDE, SIDE, 3, 0),
    "TIFF": saved(RGB, "TIFF")
    .replace(tiff_entry(256, 40), tiff_entry(256, SIDE))
    .replace(tiff_entry(257, 30), tiff_entry(257, SIDE)),
    "TGA": patched(saved(RGB, "TGA"), b"", 12, struct.pack("<HH", SIDE, SIDE)),
    "ICO": ico(16, png_of(SIDE, SIDE, b"x")),
    "ICNS": icns(png_of(SIDE, SIDE, b"x")),
    "PCX": patched(saved(RGB, "PCX"), b"", 8, struct.pack("<HH", SIDE, SIDE)),
}


def formats(name: str) -> list[str] | None:
    """The option for a file of that name: some formats are read by name only."""
    return ["ICNS"] if name == "ICNS" else None


def cost(
    data: bytes,
    *,
    pillow_limit: int | None = None,
    formats: list[str] | None = None,
    **limits: int,
) -> Outcome:
    """The outcome of a file in a process of its own, where Pillow has another limit of pixels."""
    setup = f"""
Image.MAX_IMAGE_PIXELS = {pillow_limit!r}
pre = clipprep.Preprocess(32, limits=clipprep.Limits(**{limits!r}), formats={formats!r})
"""
    return run(setup, {"call": "pre(data)"}, data=data)["call"]


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured as Linux tells it")
@pytest.mark.parametrize("name", HUGE)
def test_a_header_beyond_the_limit_takes_no_memory(name: str) -> None:
    """The file is not refused by Pillow's own limit, which is lifted here."""
    outcome = cost(HUGE[name], formats=formats(name))
    assert outcome.type == "LimitError", outcome
    assert "(max_pixels)" in outcome.text
    assert outcome.growth <= 8 << 20, outcome


@pytest.mark.parametrize("name", HUGE)
def test_pillows_own_limit_makes_no_difference_in_kind(name: str) -> None:
    with pytest.raises(clipprep.LimitError):
        clipprep.Preprocess(32, formats=formats(name))(HUGE[name])


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured as Linux tells it")
def test_max_memory_is_checked_before_the_memory_is_taken() -> None:
    side = 5000  # 25 megapixels: 75 MB as bytes
    rows = zlib.compress(bytes((3 * side + 1) * side), 1)
    black = Image.new("RGB", (side, side))
    files = {
        "interlaced PNG": png_of(side, side, rows, interlaced=1),
        "GIF": saved(Image.new("P", (side, side)), "GIF"),
        "TGA": saved(black, "TGA", compression="tga_rle"),
        "QOI": b"qoif" + struct.pack(">IIBB", side, side, 3, 0) + b"\xfd" * (side * side // 62 + 9),
        "progressive JPEG": jpeg_with_empty_scans(
            saved(RGB, "JPEG", progressive=True), (side, side), 3
        ),
    }
    for name, data in files.items():
        outcome = cost(data, max_memory=20_000_000)
        assert outcome.type == "LimitError", (name, outcome)
        assert "(max_memory)" in outcome.text, (name, outcome)
        assert outcome.growth <= 16 << 20, (name, outcome)


@pytest.mark.parametrize(
    ("wrap", "width", "height"),
    [(lambda png: ico(16, png), 300, 200), (icns, 128, 128)],
    ids=["ICO", "ICNS"],
)
def test_what_is_inside_an_icon_counts(monkeypatch, wrap, width: int, height: int) -> None:
    """Whatever an ICO's directory says: Pillow believes what it finds, and warns."""
    icon = wrap(saved(picture("RGBA", width, height), "PNG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert clipprep.Preprocess(32, formats=["ICO", "ICNS"])(icon).shape == (3, 32, 32)
    limits = clipprep.Limits(max_pixels=width * height - 1)
    limited = clipprep.Preprocess(32, limits=limits, formats=["ICO", "ICNS"])
    with pytest.raises(clipprep.LimitError, match=f"{width} x {height}"):
        limited(icon)


def seconds(pre: clipprep.Preprocess, data: bytes) -> float:
    """Processor time of this thread, the best of three, for a file that is refused or read."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        with suppress(clipprep.ImageError):
            pre(data)
        times.append(time.thread_time() - start)
    return min(times)


def scans(side: int) -> bytes:
    return jpeg_with_empty_scans(saved(RGB, "JPEG", progressive=True), (side, side), 300)


def stretched(kind: str, side: int) -> bytes:
    """A file of `side` x `side` pixels that is as small as its format can make it."""
    if kind == "JPEG of 300 scans":
        return scans(side)
    if kind == "JPEG of one block":
        return patched(saved(RGB, "JPEG"), b"\xff\xc0", 5, struct.pack(">HH", side, side))
    if kind == "QOI":
        return b"qoif" + struct.pack(">IIBB", side, side, 3, 0) + b"\xfd" * (side * side // 62 + 9)
    if kind == "BMP of runs":
        jumps = bytes([0, 2, 255, 255]) * (side // 255 + 1) + b"\0\1"
        return bmp_runs(side, side, jumps, bytes(range(255, -1, -1)) * 4, nibbles=False)
    return saved(Image.new("P" if kind == "GIF" else "RGB", (side, side)), kind)


@pytest.mark.parametrize(
    "kind",
    ["JPEG of 300 scans", "JPEG of one block", "PNG", "GIF", "WEBP", "QOI", "BMP of runs", "TIFF"],
)
def test_time_is_proportional_to_the_pixels(small, kind: str) -> None:
    """Sixteen times the pixels take at most four times that longer, and no file takes long."""
    few, many = (seconds(small, stretched(kind, side)) for side in (500, 2000))
    assert many < 4 * 16 * few + 0.05, f"{few:.4f} s, then {many:.4f} s"
    assert many < 5


def deflated(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


ROWS = deflated((3 * 40 + 1) * 30)
SPLIT = saved(RGB, "JPEG", exif=b"Exif\0\0" + bytes(40))
GIF = saved(RGB.quantize(), "GIF")
#: Much that is no pixel, which Pillow works on for seconds, or would if its own limits were not met.
BESIDE = {
    "a PNG's text that unpacks to 300 MB": png_of(
        40, 30, ROWS, before=png_chunk(b"zTXt", b"a\0\0" + deflated(300_000_000))
    ),
    "a PNG's profile that unpacks to 300 MB": png_of(
        40, 30, ROWS, before=png_chunk(b"iCCP", b"a\0\0" + deflated(300_000_000))
    ),
    "a PNG's 1,000 profiles": png_of(
        40, 30, ROWS, before=png_chunk(b"iCCP", b"a\0\0" + deflated(1_000_000)) * 1000
    ),
    "a PNG's 500 texts": png_of(
        40, 30, ROWS, before=png_chunk(b"zTXt", b"a\0\0" + deflated(100_000)) * 500
    ),
    "a PNG's data after its pixels": png_of(40, 30, deflated((3 * 40 + 1) * 30 + 300_000_000)),
    "a JPEG's 600 pieces of EXIF": SPLIT[:2]
    + (b"\xff\xe1\xff\xffExif\0\0" + bytes(65535 - 8)) * 600
    + SPLIT[2:],
    "a GIF's comments": GIF[:-1] + b"!\xfe\1a\0" * 200_000 + b";",
    "a GIF's comments in front": GIF[:781] + b"!\xfe\1a\0" * 200_000 + GIF[781:],
    "a plain PPM's spaces": b"P3 4 4 255\n" + b"1 " * 47 + b" " * 20_000_000 + b"1",
    "a plain PPM's samples after its pixels": b"P3 4 4 255\n" + b"1 " * 10_000_000,
    "a plain PPM's comments": b"P3 4 4 255\n" + b"# a\n" * 200_000 + b"1 " * 48,
    "a PPM's comment": b"P6 #" + b"a" * 20_000_000 + b"\n4 4 255\n" + bytes(48),
    "an animation of 500 frames": saved(
        RGB.quantize(8),
        "GIF",
        save_all=True,
        append_images=[picture("RGB", 40, 30, seed=at % 3).quantize(8) for at in range(500)],
    ),
}


@pytest.mark.parametrize("options", [{}, {"exif": True}, {"truncated": "pad"}], ids=str)
@pytest.mark.parametrize("name", BESIDE)
def test_what_is_beside_the_pixels_takes_little_time(name: str, options: dict) -> None:
    data = BESIDE[name]
    assert seconds(clipprep.Preprocess(32, **options), data) < 2, f"{len(data)} bytes"


def test_ancillary_limits_say_what_they_found() -> None:
    with pytest.raises(clipprep.LimitError, match="64 colour profiles in a PNG, found 1000"):
        clipprep.Preprocess(32)(BESIDE["a PNG's 1,000 profiles"])
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        clipprep.Preprocess(32)(BESIDE["a JPEG's 600 pieces of EXIF"])
    few = SPLIT[:2] + (b"\xff\xe1\xff\xffExif\0\0" + bytes(65535 - 8)) * 20 + SPLIT[2:]
    assert clipprep.Preprocess(32)(few).shape == (3, 32, 32)
