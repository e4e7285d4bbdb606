"""Ways to damage a file: every one of the simple kinds, and any number of random ones."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

#: Numbers that length and size fields are seldom tested with.
ODD = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)


def systematic(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file cut at every offset, and with each bit of its first 2 KB flipped; each with a name."""
    for end in range(len(data)):
        yield f"cut-{end}", data[:end]
    for bit in range(8 * min(len(data), 2048)):
        flipped = _flipped(data, bit)
        yield f"bit-{bit // 8}.{bit % 8}", flipped
        if (again := _with_checksums(flipped)) != flipped:
            yield f"bit-{bit // 8}.{bit % 8}-checksums", again


def mutated(rng: random.Random, data: bytes, other: bytes) -> tuple[str, bytes]:
    """The file damaged in one to three random ways; `other` is a relative to take parts from."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        way = rng.choice(WAYS)
        data = way(rng, data, other) or data
        names.append(way.__name__)
    if (again := _with_checksums(data)) != data and rng.random() < 0.75:
        data = again  # or most damage would end at the first check
        names.append("checksums")
    return "+".join(names), data


def _flipped(data: bytes, bit: int) -> bytes:
    at = bit // 8
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def _at(rng: random.Random, data: bytes) -> int:
    """A position, more often than not among the headers."""
    return rng.randrange(min(len(data), rng.choice((64, 256, 1 << 30))) or 1)


def bits(rng: random.Random, data: bytes, other: bytes) -> bytes:
    for _ in range(rng.randint(1, 4)):
        data = _flipped(data, 8 * _at(rng, data) + rng.randrange(8)) if data else data
    return data


def random_bytes(rng: random.Random, data: bytes, other: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if out:
            out[_at(rng, out)] = rng.randrange(256)
    return bytes(out)


def number(rng: random.Random, data: bytes, other: bytes) -> bytes:
    value, order = rng.choice(ODD), rng.choice("<>")
    field = struct.pack(order + "I", value) if value > 0xFFFF else struct.pack(order + "H", value)
    at = _at(rng, data)
    return data[:at] + field + data[at + len(field) :]


def cut(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def drop(rng: random.Random, data: bytes, other: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + data[at + rng.choice((1, 2, 4, rng.randrange(64))) :]


def repeat(rng: random.Random, data: bytes, other: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + data[at : at + rng.randrange(64)] * rng.randint(1, 4) + data[at:]


def insert(rng: random.Random, data: bytes, other: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 40))) + data[at:]


def splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[_at(rng, other) :]


def swap_chunks(rng: random.Random, data: bytes, other: bytes) -> bytes:
    parts = _chunks(data)
    first, second = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[first], parts[second] = parts[second], parts[first]
    return b"".join(parts)


def repeat_chunk(rng: random.Random, data: bytes, other: bytes) -> bytes:
    parts = _chunks(data)
    parts.insert(rng.randrange(len(parts) + 1), rng.choice(rng.choice((parts, _chunks(other)))))
    return b"".join(parts)


def drop_chunk(rng: random.Random, data: bytes, other: bytes) -> bytes:
    parts = _chunks(data)
    del parts[rng.randrange(len(parts))]
    return b"".join(parts)


def recompress(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Of a PNG: damages the compressed data's content, which no checksum protects."""
    out, squeezed = [], b""
    for part in _chunks(data):
        if part[4:8] == b"IDAT":
            squeezed += part[8:-4]
        elif squeezed and data.startswith(b"\x89PNG"):
            try:
                rows = random_bytes(rng, zlib.decompress(squeezed), other)
            except zlib.error:
                return data
            body, squeezed = b"IDAT" + zlib.compress(rows), b""
            out.append(
                struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
            )
        out += [] if part[4:8] == b"IDAT" else [part]
    return b"".join(out)


WAYS = (
    *(bits, bits, random_bytes, number, number, cut, drop, repeat, insert, splice),
    *(swap_chunks, repeat_chunk, drop_chunk, recompress),
)


def _chunks(data: bytes) -> list[bytes]:
    """The pieces that a format is made of, as far as they can be told; never an empty list."""
    if data.startswith(b"\x89PNG"):
        at, field, where, around = 8, ">I", 0, 12
    elif data.startswith(b"RIFF"):
        at, field, where, around = 12, "<I", 4, 8
    elif data.startswith(b"\xff\xd8"):
        at, field, where, around = 2, ">H", 2, 2
    else:
        return [data[at : at + 16] for at in range(0, len(data), 16)] or [b""]
    parts = [data[:at]]
    while len(data) - at >= 8:
        length = around + struct.unpack_from(field, data, at + where)[0]
        if field == "<I":
            length += length % 2
        if data[at : at + 2] == b"\xff\xda":  # the data after a scan's header have no length
            break
        parts.append(data[at : at + length])
        at += length
    return [*parts, data[at:]]


def _with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have correct checksums again; other files unchanged."""
    if not data.startswith(b"\x89PNG"):
        return data
    out, at = data[:8], 8
    while len(data) - at >= 12:
        length = struct.unpack_from(">I", data, at)[0]
        body = data[at + 4 : at + 8 + length]
        out += data[at : at + 4] + body
        at += 8 + length
        if at + 4 <= len(data):
            out += struct.pack(">I", zlib.crc32(body))
            at += 4
    return out + data[at:]
