"""A writer of TIFFs of every kind: strips and tiles, byte orders, compressions, predictors."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, INDEXED = 0, 1, 2, 3
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
_FORMATS = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", RATIONAL: "I", UNDEFINED: "B"}


def lzw(data: bytes) -> bytes:
    """Codes of 9 to 12 bits, highest first, wider one code early."""
    out = bytearray()
    bits, count = 0, 0
    table: dict[bytes, int] = {}
    width = 9

    def put(code: int) -> None:
        nonlocal bits, count
        bits, count = bits << width | code, count + width
        whole, count = divmod(count, 8)
        out.extend((bits >> count).to_bytes(whole, "big"))
        bits &= (1 << count) - 1

    def reset() -> None:
        nonlocal table, width
        put(256)
        table, width = {bytes([value]): value for value in range(256)}, 9

    reset()
    string = b""
    for value in data:
        longer = string + bytes([value])
        if longer in table:
            string = longer
            continue
        put(table[string])
        table[longer] = len(table) + 2
        if len(table) + 2 == (1 << width):
            width += 1
        if len(table) + 2 == 4095:
            reset()
        string = longer[-1:]
    if string:
        put(table[string])
        if len(table) + 3 == (1 << width):
            width += 1
    put(257)
    return bytes(out) + (bits << 8 - count).to_bytes(1, "big") * (count > 0)


def packbits(data: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(data):
        run = 1
        while run < 128 and data[at : at + run + 1] == data[at : at + 1] * (run + 1):
            run += 1
        if run > 1:
            out += bytes([257 - run]) + data[at : at + 1]
            at += run
        else:
            literal = data[at : at + min(5, len(data) - at)]
            out += bytes([len(literal) - 1]) + literal
            at += len(literal)
    return bytes(out)


_PACK: dict[int, Callable[[bytes], bytes]] = {
    NONE: bytes,
    LZW: lzw,
    DEFLATE: zlib.compress,
    OLD_DEFLATE: zlib.compress,
    PACKBITS: packbits,
}


def _rows(samples: np.ndarray, bits: int) -> np.ndarray:
    """(H, W, C) samples -> (H, bytes per row)."""
    flat = samples.reshape(samples.shape[0], -1)
    if bits == 8:
        return flat.astype(np.uint8)
    planes = (flat[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(planes.reshape(len(flat), -1).astype(np.uint8), axis=1)


def _parts(samples: np.ndarray, strip: int, tile: tuple[int, int] | None) -> list[np.ndarray]:
    height, width = samples.shape[:2]
    if tile is None:
        return [samples[y : y + strip] for y in range(0, height, strip)]
    across, down = tile
    padded = np.pad(samples, ((0, -height % down), (0, -width % across), (0, 0)), mode="edge")
    return [
        padded[y : y + down, x : x + across]
        for y in range(0, padded.shape[0], down)
        for x in range(0, padded.shape[1], across)
    ]


def tiff(
    samples: np.ndarray,
    photometric: int,
    bits: int = 8,
    *,
    compression: int = NONE,
    predictor: int = 1,
    order: str = "<",
    strip: int | None = None,
    tile: tuple[int, int] | None = None,
    palette: np.ndarray | None = None,
    extra: tuple[int, ...] = (),
    tags: dict[int, tuple[int, tuple[int, ...]] | None] | None = None,
    pack: Callable[[bytes], bytes] | None = None,
    before: bytes = b"",
) -> bytes:
    """A file of (H, W, C) samples; `tags` replace entries (type, values), or leave them out where None.

    `pack` packs parts instead of the compression's own function; `before` stands before them.
    """
    height, width, channels = samples.shape
    strip = strip or height
    packed = []
    for part in _parts(samples, strip, tile):
        if predictor == 2:
            part = np.diff(part.astype(np.int64), axis=1, prepend=0) % 256
        packed.append((pack or _PACK[compression])(_rows(part, bits).tobytes()))
    offsets, data = [], bytearray(before)
    for body in packed:
        offsets.append(8 + len(data))
        data += body + bytes(len(body) % 2)
    lengths = [len(body) for body in packed]
    entries: dict[int, tuple[int, tuple[int, ...]] | None] = {
        256: (LONG, (width,)),
        257: (LONG, (height,)),
        258: (SHORT, (bits,) * channels),
        259: (SHORT, (compression,)),
        262: (SHORT, (photometric,)),
        277: (SHORT, (channels,)),
        282: (RATIONAL, (72, 1)),
        305: (ASCII, tuple(b"clipprep\0")),
    }
    if tile:
        entries |= {322: (SHORT, (tile[0],)), 323: (SHORT, (tile[1],))}
    else:
        entries |= {278: (SHORT, (strip,))}
    first = 324 if tile else 273
    entries |= {first: (LONG, tuple(offsets)), (325 if tile else 279): (LONG, tuple(lengths))}
    if predictor != 1:
        entries[317] = (SHORT, (predictor,))
    if palette is not None:
        entries[320] = (SHORT, tuple(int(value) for value in palette.T.ravel()))
    if extra:
        entries[338] = (SHORT, extra)
    entries |= tags or {}
    at = 8 + len(data)
    known = {tag: entry for tag, entry in sorted(entries.items()) if entry is not None}
    apart = at + 2 + 12 * len(known) + 4
    directory, values = struct.pack(order + "H", len(known)), bytearray()
    for tag, (kind, numbers) in known.items():
        body = struct.pack(f"{order}{len(numbers)}{_FORMATS[kind]}", *numbers)
        count = len(numbers) // 2 if kind == RATIONAL else len(numbers)
        if len(body) <= 4:
            field = body.ljust(4, b"\0")
        else:
            field = struct.pack(order + "I", apart + len(values))
            values += body + bytes(len(body) % 2)
        directory += struct.pack(order + "HHI", tag, kind, count) + field
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", at) + bytes(data) + directory + bytes(4) + bytes(values)
