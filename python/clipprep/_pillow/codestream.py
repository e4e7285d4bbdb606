"""The headers of a JPEG 2000's codestream, without the packets between them, whose bytes may look like any header."""

from __future__ import annotations

import struct

_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
#: Segments that say how the image is coded, by COD, COC and POC, and one that older OpenJPEG does not know and looks
#: for others in.
_STYLES = {0xFF52, 0xFF53, 0xFF5F, 0xFF50}
#: Others that OpenJPEG passes over by their length.
_OTHERS = {
    *(0xFF55, 0xFF57, 0xFF58, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF60, 0xFF61, 0xFF63, 0xFF64),
    *(0xFF74, 0xFF75, 0xFF77, 0xFF78),
}
#: Markers that are gone through in a tenth of a second.
_MAX_MARKERS = 100_000


def styles(data: memoryview) -> bytes | memoryview:
    """The segments of a codestream's headers that say how the image is coded; `data` begins after that of the image's
    size. All of `data` where its structure is not plain, and so OpenJPEG may find others in it.
    """
    found: list[bytes] = []
    at, end, is_main, is_part = 0, 0, True, False
    for _ in range(_MAX_MARKERS):
        kind, length = _read(data, at)
        if kind is None or (kind == _EOC and not is_part):
            return b"".join(found)
        if kind == _SOT and not is_part:
            size = int.from_bytes(data[at + 6 : at + 10], "big")
            end = at + size if size else len(data)
            if length != 10 or 0 < size < 14:
                break
            at, is_main, is_part = at + 12, False, True
        elif kind == _SOD and is_part:
            if end < at + 2:
                break
            at, is_part = end, False
        elif (is_main or is_part) and length >= 2 and (kind in _STYLES or kind in _OTHERS):
            if kind in _STYLES:
                found.append(bytes(data[at : at + 2 + length]))
            at += 2 + length
        else:
            break
    return data


def _read(data: memoryview, at: int) -> tuple[int | None, int]:
    """The marker there and the length that follows it; no marker at the end of the data."""
    if at + 2 > len(data):
        return None, 0
    kind, length = struct.unpack(">HH", bytes(data[at : at + 4]).ljust(4, b"\0"))
    return kind, length
