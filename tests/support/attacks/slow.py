"""Files that Pillow decodes in Python, pixel by pixel, and images of many scans: time out of proportion to their bytes."""

from __future__ import annotations

import struct
from functools import partial

from support.attacks.attack import Attack
from support.attacks.scans import many_scans, sequential_scans
from support.attacks.tiff import jpeg_strip


def dds(side: int, bits: int) -> bytes:
    """Without compression, each channel where a mask says."""
    head = struct.pack("<4sIIIIIII", b"DDS ", 124, 0x1007, side, side, 0, 0, 0) + bytes(44)
    masks = struct.pack("<5I", bits, 0xE0, 0x1C, 0x03, 0)
    return (
        head
        + struct.pack("<II4s", 32, 0x40, bytes(4))
        + masks
        + struct.pack("<5I", 0x1000, 0, 0, 0, 0)
        + bytes(side * side * bits // 8)
    )


def dib(side: int, compression: int = 1, *, height: int = 1) -> bytes:
    """Rows of two pixels and an end of line, which Pillow fills up byte by byte."""
    head = struct.pack("<IiiHHIIiiII", 40, side, height * side, 1, 8 // compression, compression, 0, 0, 0, 256 // compression**4, 0)  # fmt: skip
    return head + bytes(4 * (256 // compression**4)) + b"\1\2\0\0" * side + b"\0\1"


def icon(inner: bytes, *, cursor: bool = False) -> bytes:
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 8, len(inner), 22)
    return struct.pack("<HHH", 0, 2 if cursor else 1, 1) + entry + inner


def xpm(side: int) -> bytes:
    head = f'/* XPM */\nstatic char*a[]={{\n"{side} {side} 1 1",\n"a c #ffffff",\n'.encode()
    return head + (b'"' + b"a" * side + b'",\n') * side + b"};"


def long_xpm(length: int, colours: int) -> bytes:
    """8 x 8 in a line of one colour, the last of the list."""
    keys = [bytes([key]) for key in range(1, 256) if key not in b'"\n\r\\'][:colours]
    head = b'/* XPM */\nstatic char*a[]={\n"8 8 %d 1",\n' % len(keys)
    lines = (b'"' + key + b' c #%06x",\n' % (7 * at) for at, key in enumerate(keys))
    return head + b"".join(lines) + b'"' + keys[-1] * length + b'",\n};'


def blp(side: int) -> bytes:
    head = b"BLP2" + struct.pack("<IBBBBII", 1, 2, 8, 0, 1, side, side)
    offsets = struct.pack("<32I", 148 + 1024, *[0] * 15, side * side // 2, *[0] * 15)
    return head + offsets + bytes(1024) + bytes(side * side // 2)


LARGE = 10_000
FILES = {
    "an uncompressed DDS of 8 bits, 16 megapixels": lambda: dds(4000, 8),
    "an uncompressed DDS of 24 bits, 4 megapixels": lambda: dds(2000, 24),
    "a DIB of 100 megapixels in runs": lambda: dib(LARGE),
    "a DIB of 100 megapixels in runs of half bytes": lambda: dib(LARGE, 2),
    "an icon of 100 megapixels in runs": lambda: icon(dib(LARGE, height=2)),
    "a cursor of 100 megapixels in runs": lambda: icon(dib(LARGE, height=2), cursor=True),
    "a PPM of 16 megapixels of 7 levels, cut": lambda: b"P6\n4000 4000 7\n" + bytes(40_000_000),
    "a plain PPM of a million comments": lambda: b"P3\n8 8 255\n" + b"#a\n" * 1_000_000 + b"0 " * 192,
    "a plain PBM of a million comments": lambda: b"P1\n8 8\n" + b"#\n" * 1_500_000 + b"0 " * 64,
    "a plain PPM of 100 megapixels, cut": lambda: b"P3\n10000 10000 255\n" + b"0 " * 10_000_000,
    "an XPM of 36 megapixels": lambda: xpm(6000),
    "an XPM of 64 pixels in 1.5 MB of 250 colours": lambda: long_xpm(1_500_000, 250),
    "an XPM of 64 pixels in 20 MB of one colour": lambda: long_xpm(20_000_000, 1),
    "a QOI of 100 megapixels, cut": lambda: b"qoif" + struct.pack(">IIBB", LARGE, LARGE, 3, 0) + b"\xfe\1\2\3" * 2_500_000,
    "500 empty scans of 36 megapixels": partial(many_scans, 490, 6000),
    "400 empty scans of 100 megapixels": partial(many_scans, 400, LARGE),
    "42 empty scans of 100 megapixels": partial(many_scans, 40, LARGE),
    "24 empty scans of 169 megapixels": partial(many_scans, 22, 13_000),
    "400 sequential scans of 100 megapixels": partial(sequential_scans, 400, LARGE),
    "42 sequential scans of 100 megapixels": partial(sequential_scans, 42, LARGE),
    "400 empty scans of 100 megapixels inside TIFF": lambda: jpeg_strip(many_scans(400, LARGE), LARGE),
}  # fmt: skip
ATTACKS = (
    *(
        Attack(f"{name}{suffix}", file, options)
        for name, file in FILES.items()
        for suffix, options in (("", ""), (" to be padded", "truncated='pad'"))
    ),
    Attack("a BLP of 16 megapixels, read by name", partial(blp, 4000), "formats=['BLP']"),
)
