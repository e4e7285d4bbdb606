"""AVIF files box by box, whose boxes say another size than the AV1 data in them have."""

from __future__ import annotations

import struct

from PIL import Image

from support.writers import saved


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]) + body)


def black(side: int) -> bytes:
    """A valid file."""
    return saved(Image.new("RGB", (side, side)), "AVIF", speed=10)


def said(side: int, other: int) -> bytes:
    """A picture of `side` x `side` of which the box says `other` x `other`."""
    data, size = black(side), struct.pack(">II", side, side)
    at = data.index(b"ispe") + 8
    assert data[at : at + 8] == size
    return data[:at] + struct.pack(">II", other, other) + data[at + 8 :]


def grid(side: int, across: int, cell: int = 64) -> bytes:
    """Cells of `cell` x `cell` that share the AV1 data of one picture of `side` x `side`."""
    data = black(side)

    def found(kind: bytes) -> bytes:
        at = data.index(kind) - 4
        return data[at : at + int.from_bytes(data[at : at + 4], "big")]

    pixels, cells = data[data.index(b"mdat") + 4 :], range(2, 2 + across**2)
    shape = struct.pack(">BBBBHH", 0, 0, across - 1, across - 1, cell * across, cell * across)

    def meta(at: int) -> bytes:
        places = struct.pack(">BBHHHHHII", 0x44, 0, len(cells) + 1, 1, 1, 0, 1, 0, len(shape))
        places += b"".join(struct.pack(">HHHHII", i, 0, 0, 1, at, len(pixels)) for i in cells)
        kinds = full(b"infe", struct.pack(">HH4sx", 1, 0, b"grid"), 2)
        kinds += b"".join(full(b"infe", struct.pack(">HH4sx", i, 0, b"av01"), 2) for i in cells)
        parts = struct.pack(">HH", 1, len(cells)) + b"".join(struct.pack(">H", i) for i in cells)
        sizes = [full(b"ispe", struct.pack(">II", s, s)) for s in (cell * across, cell)]
        uses = struct.pack(">IHBBB", len(cells) + 1, 1, 2, 1, 3)
        uses += b"".join(struct.pack(">HBBBB", i, 3, 2, 3, 0x84) for i in cells)
        return full(
            b"meta",
            full(b"hdlr", bytes(4) + b"pict" + bytes(13))
            + full(b"pitm", struct.pack(">H", 1))
            + full(b"iloc", places, 1)
            + full(b"iinf", struct.pack(">H", len(cells) + 1) + kinds)
            + full(b"iref", box(b"dimg", parts))
            + box(
                b"iprp",
                box(b"ipco", b"".join([*sizes, found(b"pixi"), found(b"av1C")]))
                + full(b"ipma", uses),
            )
            + box(b"idat", shape),
        )

    kind = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    return kind + meta(len(kind) + len(meta(0)) + 8) + box(b"mdat", pixels)
