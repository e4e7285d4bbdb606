"""The header of a TIFF, checked before Pillow reads it: strips and tiles may be far larger than the image, lie
over each other in the file, and be more than there are pixels."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .headers import scans
from .refusals import RefusedError

if TYPE_CHECKING:
    from .guard import Guard

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES = 256, 257, 258, 259, 277, 284
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_JPEG_OFFSET = 513
_RAW, _JPEG = 1, (6, 7)

#: The types of whole numbers, and the sizes of all types.
_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
_CODES = {"u1": "B", "u2": "H", "u4": "I", "u8": "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}

#: Tiles are decoded whole, also where they reach beyond the image: this many pixels beyond it are let pass.
_SPARE_PIXELS = 1 << 22
#: Each strip takes Pillow some time: this many are let pass, and one more per this many pixels.
_SPARE_PIECES, _PIECE_PIXELS = 1 << 14, 512
#: Bytes of the file that are read more than once and let pass.
_SPARE_BYTES = 1 << 24


class _Directory:
    """The first directory of a file: its fields of whole numbers.

    Of several fields with one tag the first counts, to libtiff and to Pillow from 13 on, or the last.
    """

    def __init__(self, data: memoryview, *, first_counts: bool) -> None:
        self._data = data
        self._first_counts = first_counts
        self.doubled = False
        self._order = ">" if bytes(data[:2]) == b"MM" else "<"
        # As Pillow tells it, which reads a BigTIFF that is big-endian as if it were none.
        self._big = data[2] == 43
        start, size, count = (8, 20, "u8") if self._big else (4, 12, "u2")
        at = self._number(start, "u8" if self._big else "u4")
        entries = min(self._number(at, count), len(data) // size)
        self._fields: dict[int, tuple[int, int, int]] = {}
        copied = 0
        for entry in range(at + np.dtype(count).itemsize, len(data), size)[:entries]:
            if entry + size > len(data):
                break
            copied += self._add(entry)
        # Pillow's versions before 13 copy each field, and many may refer to the same bytes.
        _refuse("bytes in the fields of a TIFF", 2 * len(data) + _SPARE_BYTES, copied)
        # libtiff would read other fields than these.
        if not self._big and data[3] == 43 and self.get(_COMPRESSION, 0) != _RAW:
            raise RefusedError("unsupported", "expected a BigTIFF that is little-endian")

    def _add(self, entry: int) -> int:
        """Notes a field, and returns how many bytes it has."""
        tag, kind = self._number(entry, "u2"), self._number(entry + 2, "u2")
        count = self._number(entry + 4, "u8" if self._big else "u4")
        value = entry + (12 if self._big else 8)
        room = 8 if self._big else 4
        size = count * _SIZES.get(kind, 0)
        if size > room:
            value = self._number(value, "u8" if self._big else "u4")
            size = min(size, max(len(self._data) - value, 0))
        if tag in _RELEVANT:
            doubled = tag in self._fields
            self.doubled |= doubled
            if not (doubled and self._first_counts):
                self._fields[tag] = kind, count, value
        return size

    def _number(self, at: int, kind: str) -> int:
        (number,) = struct.unpack_from(self._order + _CODES[kind], self._data, at)
        return int(number)

    def _read(self, at: int, kind: str, count: int) -> NDArray[np.unsignedinteger]:
        room = max(len(self._data) - at, 0) // np.dtype(kind).itemsize
        if room < 1:  # Pillow skips a field that the file does not have
            return np.zeros(0, np.uint64)
        found: NDArray[np.unsignedinteger] = np.frombuffer(
            self._data, self._order + kind, min(count, room), at
        )
        return found

    def all(self, tag: int) -> NDArray[np.unsignedinteger]:
        """The numbers of a field, as many as the file has; none where there is no such field."""
        kind, count, value = self._fields.get(tag, (4, 0, 0))
        if not count or kind not in _NUMBERS:
            return np.zeros(0, np.uint64)
        return self._read(value, _NUMBERS[kind], count)

    def get(self, tag: int, default: int) -> int:
        """The first number of a field."""
        numbers = self.all(tag)
        return int(numbers[0]) if len(numbers) else default


_RELEVANT = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES, _STRIP_OFFSETS, _STRIP_ROWS}
_RELEVANT |= {_STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _JPEG_OFFSET}


def check(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """Refuses a file whose strips or tiles cost more than its pixels and its bytes may."""
    directory = _Directory(data, first_counts=True)
    _check(data, directory, pixel_bytes, guard)
    if directory.doubled:
        _check(data, _Directory(data, first_counts=False), pixel_bytes, guard)


def _check(data: memoryview, directory: _Directory, pixel_bytes: int, guard: Guard) -> None:
    width, height = directory.get(_WIDTH, 0), directory.get(_HEIGHT, 0)
    guard.pixels(width, height)
    if not width or not height:
        return
    planes = directory.get(_SAMPLES, 1) if directory.get(_PLANES, 1) == 2 else 1
    is_tiled = bool(directory.get(_TILE_WIDTH, 0))
    if is_tiled:
        piece = directory.get(_TILE_WIDTH, 0), directory.get(_TILE_HEIGHT, 0)
    else:
        piece = width, min(directory.get(_STRIP_ROWS, height), height)
    if not piece[1]:
        return
    pieces = -(-width // piece[0]) * -(-height // piece[1]) * planes
    pixels, area = width * height, piece[0] * piece[1]
    _refuse(
        "pixels in the strips or tiles of a TIFF",
        4 * pixels * planes + _SPARE_PIXELS,
        pieces * area,
    )
    compression = directory.get(_COMPRESSION, 1)
    spare_pieces = _SPARE_PIECES + pixels * planes // _PIECE_PIXELS
    # libtiff is asked for each; of raw ones Pillow reads those that there are.
    if compression != _RAW:
        _refuse("strips or tiles in a TIFF", spare_pieces, pieces)
    offsets = directory.all(_TILE_OFFSETS if is_tiled else _STRIP_OFFSETS)
    _refuse("strips or tiles in a TIFF", spare_pieces, len(offsets))
    sizes = directory.all(_TILE_BYTES if is_tiled else _STRIP_BYTES)
    # A strip ends where the file does, whatever it says.
    present = np.minimum(sizes.astype(np.float64), len(data))
    _refuse(
        "bytes in the strips or tiles of a TIFF", 2 * len(data) + _SPARE_BYTES, int(present.sum())
    )
    bits = max((int(bits) for bits in directory.all(_BITS)[:8]), default=1)
    samples = directory.get(_SAMPLES, 1) if planes == 1 else 1
    if compression != _RAW:
        guard.memory(pixel_bytes * pixels * min(samples, 4) // 4 + area * samples * bits // 8)
    if compression in _JPEG:
        for offset, size in zip(offsets.tolist(), sizes.tolist(), strict=False):
            guard.scans(scans(data[offset : offset + size]), pieces * area)
        guard.scans(scans(data[directory.get(_JPEG_OFFSET, len(data)) :]), pieces * area)


def _refuse(about: str, allowed: int, found: int) -> None:
    """Refuses what exceeds a bound that no option sets."""
    if found > allowed:
        raise RefusedError("limit", f"expected at most {allowed} {about}, found {found}")
