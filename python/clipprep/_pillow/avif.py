"""The boxes of an AVIF, checked before Pillow reads it: libavif believes the size that a box says, and decodes
whatever size the AV1 data in each cell of a grid has.

Every item and the first sample of every track are read, whichever of them are shown.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .refusals import RefusedError

if TYPE_CHECKING:
    from .guard import Guard

#: The brands of which libavif wants one.
_BRAND = re.compile(rb"avi[fs]|mif3")
#: Types of open bitstream units: the header of a sequence, and two that begin a frame.
_SEQUENCE, _FRAMES = 1, (3, 6)
#: Cells, alpha, layers and thumbnails are decoded besides the image: pixels for each of the image's, and spare ones.
_TIMES, _SPARE_PIXELS = 4, 1 << 24
#: Bytes that a decoded pixel beyond those of the image takes until all cells are there.
_CELL_PIXEL = 6
#: Bytes of the file that are read more than once and let pass, and units and extents that are.
_SPARE_BYTES, _MAX_PARTS = 1 << 24, 1 << 18


def check(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """Refuses a file whose AV1 data are of more pixels than the limits allow, or than its boxes say by far."""
    reader = _Reader(data, guard)
    if not any(_BRAND.search(body) for kind, body in _boxes(data) if kind == b"ftyp"):
        return  # a HEIC, which libavif does not read
    try:
        for kind, body in _boxes(data):
            if kind == b"meta":
                reader.items(body[4:])
            elif kind == b"moov":
                reader.tracks(body)
    except KeyError as error:
        raise RefusedError(
            "decode", f"expected a box {error.args[0].decode()} in an AVIF, found none"
        ) from error
    # Pictures are read out of items or out of tracks.
    decoded = max(reader.item_pixels, reader.track_pixels)
    if not decoded:
        raise RefusedError("decode", "expected AV1 data where the boxes of an AVIF say, found none")
    guard.memory(pixel_bytes * reader.largest + _CELL_PIXEL * (decoded - reader.largest))
    _refuse("pixels in the parts of an AVIF", _TIMES * reader.said + _SPARE_PIXELS, decoded)


class _Reader:
    """Sums of what the boxes of a file refer to."""

    def __init__(self, data: memoryview, guard: Guard) -> None:
        self._data = data
        self._guard = guard
        self._parts = self._bytes = 0
        self.said = self.largest = self.item_pixels = self.track_pixels = 0

    def items(self, meta: memoryview) -> None:
        """Reads the items of a `meta` box."""
        boxes = _by_kind(meta)
        for item in self._located(boxes[b"iloc"], boxes.get(b"idat", meta[:0])):
            self.item_pixels += self._decoded(item)
        for properties in _inside(boxes[b"iprp"], b"ipco"):
            for size in _inside(properties, b"ispe"):
                self._say(*struct.unpack_from(">II", size, 4))

    def tracks(self, movie: memoryview) -> None:
        """Reads the first sample of each track of a `moov` box."""
        for track in _inside(movie, b"trak"):
            for header in _inside(track, b"tkhd"):
                self._say(*(side >> 16 for side in struct.unpack(">II", header[-8:])))
            for media in _inside(track, b"mdia"):
                for information in _inside(media, b"minf"):
                    for table in _inside(information, b"stbl"):
                        self.track_pixels += self._decoded(self._sample(_by_kind(table)))

    def _say(self, width: int, height: int) -> None:
        self._guard.pixels(width, height)
        self.said = max(self.said, width * height)

    def _sample(self, table: dict[bytes, memoryview]) -> memoryview:
        """The first sample: the first bytes of the first chunk."""
        wide = b"stco" not in table
        chunks, sizes = table[b"co64" if wide else b"stco"], table[b"stsz"]
        (start,) = struct.unpack_from(">Q" if wide else ">I", chunks, 8)
        each, count = struct.unpack_from(">II", sizes, 4)
        size = each or (struct.unpack_from(">I", sizes, 12)[0] if count else 0)
        return self._taken(self._data, start, size)

    def _located(self, box: memoryview, stored: memoryview) -> Iterator[memoryview]:
        """The data of each item of an `iloc` box."""
        version, sizes = box[0], (box[4] >> 4, box[4] & 15, box[5] >> 4, box[5] & 15)
        offset_size, length_size, base_size, index_size = sizes
        at = 6

        def number(size: int) -> int:
            nonlocal at
            if at + size > len(box):
                raise struct.error("a box of an AVIF ends too early")
            at += size
            return int.from_bytes(box[at - size : at], "big")

        for _ in range(number(4 if version == 2 else 2)):
            number(4 if version == 2 else 2)
            method = number(2) & 15 if version else 0
            number(2)
            source, base = stored if method == 1 else self._data, number(base_size)
            extents = []
            for _ in range(number(2)):
                number(index_size if version else 0)
                start = base + number(offset_size)
                extents.append(self._taken(source, start, number(length_size)))
            yield extents[0] if len(extents) == 1 else memoryview(b"".join(extents))

    def _taken(self, source: memoryview, start: int, size: int) -> memoryview:
        taken = source[start : start + size] if size else source[start:]
        self._bytes += len(taken)
        _refuse("bytes in the items of an AVIF", 2 * len(self._data) + _SPARE_BYTES, self._bytes)
        self._count()
        return taken

    def _decoded(self, data: memoryview) -> int:
        """The pixels that decoding the AV1 data of an item takes; none where they are something else."""
        largest = at = frames = 0
        while at < len(data):
            self._count()
            head = data[at]
            kind, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
            at += 1 + extended
            size, at = _leb128(data, at) if sized else (len(data) - at, at)
            if head & 128 or at + size > len(data):
                break
            if kind == _SEQUENCE:
                width, height = _sequence_size(data[at : at + size])
                self._guard.pixels(width, height)
                largest = max(largest, width * height)
            frames += kind in _FRAMES
            at += size
        self.largest = max(self.largest, largest)
        return largest * max(frames, 1)

    def _count(self) -> None:
        self._parts += 1
        _refuse("parts in an AVIF", _MAX_PARTS, self._parts)


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The boxes that follow each other in some bytes: their kinds and bodies."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = at + size if size else len(data)
        if end < start:
            raise RefusedError("decode", "expected boxes of at least 8 bytes in an AVIF")
        yield kind, data[start:end]
        at = end


def _by_kind(data: memoryview) -> dict[bytes, memoryview]:
    """The boxes in some bytes, where libavif and this module must mean the same one of each kind."""
    found: dict[bytes, memoryview] = {}
    for kind, body in _boxes(data):
        if kind in _ONCE and kind in found:
            raise RefusedError("decode", f"expected one box {kind.decode()} in an AVIF, found two")
        found[kind] = body
    if b"stco" in found and b"co64" in found:  # both would fill one list
        raise RefusedError("decode", "expected one table of chunks in an AVIF, found two")
    return found


_ONCE = {b"iloc", b"idat", b"iprp", b"stco", b"co64", b"stsz"}


def _inside(data: memoryview, kind: bytes) -> Iterator[memoryview]:
    return (body for found, body in _boxes(data) if found == kind)


def _leb128(data: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    return len(data), at


class _Bits:
    """The bits of a header, the first of each byte the highest; zeros after its end."""

    def __init__(self, data: memoryview) -> None:
        self._value = int.from_bytes(bytes(data[:1024]).ljust(1024, b"\0"), "big")
        self._left = 8 * 1024

    def __call__(self, count: int) -> int:
        self._left -= count
        return self._value >> max(self._left, 0) & (1 << count) - 1

    def skip_uvlc(self) -> None:
        """Passes over a number whose length zeros say."""
        zeros = 0
        while zeros < 32 and not self(1):
            zeros += 1
        self(zeros if zeros < 32 else 0)


def _sequence_size(data: memoryview) -> tuple[int, int]:
    """The size of the largest frame that the header of a sequence allows."""
    bits = _Bits(data)
    bits(4)
    is_reduced = bits(1)
    if is_reduced:
        bits(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits(4) + 1, bits(4) + 1
    width, height = bits(width_bits) + 1, bits(height_bits) + 1
    if not is_reduced:
        # A frame may say another size in as many bits.
        width = width if width.bit_length() >= width_bits else 1 << width_bits
        height = height if height.bit_length() >= height_bits else 1 << height_bits
    return width, height


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits(1):  # timing
        bits(64)
        if bits(1):
            bits.skip_uvlc()
        if bits(1):  # a model of the decoder
            delay_bits = bits(5) + 1
            bits(42)
    has_delays = bits(1)
    for _ in range(bits(5) + 1):
        bits(12)
        if bits(5) > 7:
            bits(1)
        if delay_bits and bits(1):
            bits(2 * delay_bits + 1)
        if has_delays and bits(1):
            bits(4)


def _refuse(about: str, allowed: int, found: int) -> None:
    """Refuses what exceeds a bound that no option sets."""
    if found > allowed:
        raise RefusedError("limit", f"expected at most {allowed} {about}, found {found}")
