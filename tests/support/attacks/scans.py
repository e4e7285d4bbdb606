"""JPEGs of thousands of scans, hidden from whoever counts them by another walk over the markers than libjpeg's."""

from __future__ import annotations

import struct
from functools import cache

from PIL import Image

from support.attacks.attack import Attack
from support.writers import saved

SIDE, COUNT = 6000, 7000
SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def _head(side: int) -> bytes:
    """A grey progressive JPEG up to its first scan, with a table for empty blocks."""
    data = saved(Image.new("L", (8, 8)), "JPEG", progressive=True)
    data = data[: data.index(b"\xff\xda")]
    at = data.index(b"\xff\xc2") + 5
    data = data[:at] + struct.pack(">HH", side, side) + data[at + 4 :]
    table = bytes([0x10, 1, *[0] * 15, 0])
    return data + b"\xff\xc4" + struct.pack(">H", 2 + len(table)) + table


def _scan(start: int, end: int) -> bytes:
    """A scan without a byte of data: each of its blocks is zero, and libjpeg visits each of them."""
    return b"\xff\xda\0\x08\1\1\0" + bytes([start, end, 0])


@cache
def many_scans(count: int = COUNT, side: int = SIDE) -> bytes:
    """Grey and progressive; ten bytes a scan."""
    return _head(side) + _scan(0, 0) + _scan(1, 63) * count + EOI


def _behind_a_marker(marker: int, count: int = COUNT, *, fill: bytes = b"") -> bytes:
    """Scans where a reader that takes `marker` for a segment with a length sees its body."""
    scans = _scan(1, 63) * min(count, 6000)
    body = b"\xff\xff" + scans + b"\xff" * (65535 - 2 - len(scans))
    return _head(SIDE) + _scan(0, 0) + fill + bytes([0xFF, marker]) + body + EOI


def _with_fill_bytes(count: int = COUNT) -> bytes:
    return _head(SIDE) + _scan(0, 0) + (b"\xff" * 3 + _scan(1, 63)) * count + EOI


def _with_restarts(count: int = COUNT) -> bytes:
    return _head(SIDE) + _scan(0, 0) + (b"\xff\xd0\xff\x01" + _scan(1, 63)) * count + EOI


def sequential_scans(count: int = COUNT, side: int = SIDE) -> bytes:
    """Not progressive: the same component again and again."""
    data = saved(Image.new("L", (8, 8)), "JPEG")
    at, start = data.index(b"\xff\xc0") + 5, data.index(b"\xff\xda")
    head = data[:at] + struct.pack(">HH", side, side) + data[at + 4 : start]
    return head + b"\xff\xda\0\x08\1\1\0\0\x3f\0" * count + EOI


FILES = {
    "many scans": many_scans,
    "many scans after TEM": lambda: _behind_a_marker(0x01),
    "many scans after a reserved marker": lambda: _behind_a_marker(0x02),
    "many scans after RST0": lambda: _behind_a_marker(0xD0),
    "many scans after fill bytes and TEM": lambda: _behind_a_marker(0x01, fill=b"\xff" * 5),
    "many scans with fill bytes": _with_fill_bytes,
    "many scans between restart markers": _with_restarts,
    "many scans after tables alone": lambda: SOI + EOI + many_scans(),
    "many scans after twice tables alone": lambda: (SOI + EOI) * 2 + many_scans(),
    "many scans after tables and a comment": lambda: SOI + b"\xff\xfe\0\4ab" + EOI + many_scans(),
    "many scans without an end": lambda: many_scans()[:-2],
    "many scans after an end in the middle": lambda: many_scans(5)[:-2] + EOI + many_scans()[2:],
    "many scans of a sequential file": sequential_scans,
}
ATTACKS = tuple(
    Attack(f"{name}{suffix}", file, options)
    for name, file in FILES.items()
    for suffix, options in (("", ""), (" to be padded", "truncated='pad'"))
)
