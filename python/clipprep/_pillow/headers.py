"""Headers that are checked before Pillow reads a file: what they announce is bounded by the limits.

A check passes over what it does not understand, where Pillow's reader refuses that as well; a file that is
cut short raises `struct.error`, as it does in Pillow.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from . import codestream
from .refusals import RefusedError

if TYPE_CHECKING:
    from .guard import Guard

_PNG = b"\x89PNG\r\n\x1a\n"


def webp(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The canvas, which Pillow allocates as it opens a file."""
    kind = bytes(data[12:16])
    if kind == b"VP8X":
        low, high, low_height, high_height = struct.unpack_from("<HBHB", data, 24)
        width, height = 1 + low + (high << 16), 1 + low_height + (high_height << 16)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    guard.pixels(width, height)
    guard.memory(pixel_bytes * width * height)


def ico(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The picture that Pillow takes, which it decodes as it opens a file: of the largest size, the one with the
    fewest colours, the first."""
    best: tuple[tuple[int, int], int] | None = None
    (count,) = struct.unpack_from("<H", data, 4)
    for entry in struct.iter_unpack("<BBBBHHII", data[6 : 6 + 16 * count]):
        width, height, colours, _, _, bits, _, offset = entry
        depth = bits or (colours and (colours - 1).bit_length()) or 256
        rank = (-(width or 256) * (height or 256), depth)
        if best is None or rank < best[0]:
            best = rank, offset
    if best is None:
        return
    picture = data[best[1] :]
    if picture[:8] == _PNG:
        width, height = guard.png(picture)
    elif struct.unpack_from("<I", picture)[0] == 12:
        width, height = struct.unpack_from("<HH", picture, 4)
    else:
        width, height = map(abs, struct.unpack_from("<ii", picture, 4))
    guard.pixels(width, height)
    guard.memory(pixel_bytes * width * height)
    if picture[:8] != _PNG and struct.unpack_from("<I", picture)[0] >= 40:
        (compression,) = struct.unpack_from("<I", picture, 16)
        check_time(1.4e-7 * width * height * (compression in (1, 2)), width * height)


def check_time(seconds: float, pixels: int) -> None:
    """Refuses an image that Pillow decodes in Python, pixel by pixel, for too long."""
    if seconds > _MAX_SECONDS:
        allowed = int(pixels / seconds * _MAX_SECONDS)
        raise RefusedError(
            "limit", f"expected at most {allowed} pixels in a file of this kind, found {pixels}"
        )


#: Seconds that decoding in Python may take.
_MAX_SECONDS = 2.0


def png(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The checks of our own decoder."""
    del pixel_bytes
    guard.png(data)


def jpeg(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The scans, and the size that each frame's header says."""
    pixels = 0
    frame = rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf](..).(....)(.)"
    for found in re.finditer(frame, data, re.S):
        height, width = struct.unpack(">HH", found[2])
        if int.from_bytes(found[1], "big") == 8 + 3 * found[3][0]:
            guard.pixels(width, height)
            guard.memory(pixel_bytes * width * height)
            pixels = max(pixels, width * height)
    guard.scans(scans(data), pixels)


def ppm(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The comments of a plain file, for each of which Pillow copies a block of the file."""
    del pixel_bytes, guard
    if bytes(data[1:2]) not in (b"1", b"2", b"3"):
        return
    comments = bytes(data).count(b"#")
    copied = comments * min(len(data), _PPM_BLOCK)
    if copied > _MAX_COPIED:
        raise RefusedError(
            "limit",
            f"expected at most {_MAX_COPIED // min(len(data), _PPM_BLOCK)} comments in a plain PNM of this length, "
            f"found {comments}",
        )


#: Bytes that Pillow reads of a plain file at once, and bytes of them that are copied in a second or two.
_PPM_BLOCK, _MAX_COPIED = 1 << 20, 1 << 34


def xpm(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The characters of the file, for each of which Pillow may search a list of all colours; lines may be longer
    than the image."""
    del pixel_bytes, guard
    # As Pillow looks for it, in lines after the first 9 bytes.
    head = re.search(rb'^"[0-9]* [0-9]* ([0-9]*) ([0-9]*)', data[9:], re.M)
    if head is None or not head[1] or not head[2]:
        return
    # Of more colours than these, Pillow makes a table.
    colours = int(head[1]) if int(head[1]) <= 256 else 0
    allowed = int(_MAX_SECONDS / (_XPM_KEY + _XPM_COLOUR * colours)) * max(int(head[2]), 1)
    if len(data) > allowed:
        raise RefusedError(
            "limit",
            f"expected at most {allowed} bytes in an XPM of that many colours, found {len(data)}",
        )


#: Seconds that Pillow takes for a character of the picture, and for each colour among which it is searched.
_XPM_KEY, _XPM_COLOUR = 2.0e-7, 9.0e-9


def fli(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The chunks of the first frame, each of which may fill the whole picture by a few bytes of the file."""
    del pixel_bytes
    if len(data) < 136:
        return
    width, height = struct.unpack_from("<HH", data, 8)
    guard.pixels(width, height)
    at, (size, kind) = 128, struct.unpack_from("<IH", data, 128)
    # A chunk of settings may come before the first frame.
    counts = [data[at + 6 : at + 8], data[at + size + 6 : at + size + 8] if kind == 0xF100 else b""]
    filled = width * height * max(int.from_bytes(count, "little") for count in counts)
    allowed = max(_MAX_FILLED, 16 * width * height)
    if filled > allowed:
        raise RefusedError(
            "limit", f"expected at most {allowed} pixels in the chunks of a FLI, found {filled}"
        )


#: Pixels that the chunks of a FLI fill in a tenth of a second.
_MAX_FILLED = 1 << 30


def fits(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The size of a compressed image, whose pixels Pillow decodes one by one in Python."""
    sides = {b"1": 1, b"2": 1}
    for found in re.finditer(rb"ZNAXIS([12]) *= *(\d{1,12})", data[:_FITS_HEADERS]):
        sides[found[1]] = max(sides[found[1]], int(found[2]))
    width, height = sides.values()
    guard.pixels(width, height)
    guard.memory(pixel_bytes * width * height)
    if width * height > _MAX_FITS_PIXELS:
        raise RefusedError(
            "limit",
            f"expected at most {_MAX_FITS_PIXELS} pixels in a compressed FITS, found {width * height}",
        )


#: Bytes in which the headers of a FITS are looked for, and pixels of a compressed one that take a second or two.
_FITS_HEADERS, _MAX_FITS_PIXELS = 1 << 20, 4_000_000


def icns(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """Every PNG and JPEG 2000 inside, wherever it stands."""
    for found in re.finditer(re.escape(_PNG), data):
        width, height = struct.unpack_from(">II", data, found.start() + 16)
        guard.pixels(width, height)
        guard.memory(pixel_bytes * width * height)
    jpeg2000(data, pixel_bytes, guard)


def scans(data: memoryview) -> int:
    """Markers of scans: no other bytes of a JPEG's scans are the same."""
    return sum(1 for _ in re.finditer(rb"\xff\xda", data))


#: Bytes that OpenJPEG holds for a tile, for a component of one, for a code block and for a precinct.
_TILE, _TILE_COMPONENT, _BLOCK, _PRECINCT = 6_000, 1_200, 700, 400


def jpeg2000(data: memoryview, pixel_bytes: int, guard: Guard) -> None:
    """The memory that OpenJPEG allocates by each codestream's size and by each of its coding styles.

    Codestreams are looked for everywhere, not by a reading of the boxes around them that might differ from
    Pillow's and from OpenJPEG's.
    """
    for found in re.finditer(rb"\xff\x4f\xff\x51", data):
        at = found.start() + 4
        if at + 38 > len(data):
            continue
        length, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, count = (
            struct.unpack_from(">HHIIIIIIIIH", data, at)
        )
        if length != 38 + 3 * count or not tile_width or not tile_height:
            continue
        width, height = max(right - left, 0), max(bottom - top, 0)
        guard.pixels(width, height)
        tiles = -(-max(right - tile_left, 0) // tile_width) * -(
            -max(bottom - tile_top, 0) // tile_height
        )
        if tiles > 65_535:
            continue
        styles = codestream.styles(data[at + length :])
        sample = max(pixel_bytes / 4, _sample_bytes(styles))
        memory = int(width * height * max(count, 1) * sample)
        packets = max(count, 1) * _packets(styles, width, height, tiles)
        guard.memory(memory + tiles * (_TILE + count * _TILE_COMPONENT) + 2 * packets)
        if packets > _MAX_PACKETS:
            raise RefusedError(
                "limit", f"expected at most {_MAX_PACKETS} packets in a JPEG 2000, found {packets}"
            )
        visits = packets * _progressions(styles)
        if visits > _MAX_PACKETS:
            raise RefusedError(
                "limit",
                f"expected at most {_MAX_PACKETS} packets in all progressions of a JPEG 2000, found {visits}",
            )


#: Packets of a JPEG 2000 that take a third of a second, were they all empty.
_MAX_PACKETS = 1 << 25


def _progressions(data: bytes | memoryview) -> int:
    """Changes of the order of packets that are announced, in each of which OpenJPEG may go through all packets."""
    changes = 0
    for found in re.finditer(rb"\xff\x5f(..)", data, re.S):
        # An entry has 7 bytes, or 9 where there are more than 256 components.
        length = int.from_bytes(found[1], "big") - 2
        if length > 0 and (length % 7 == 0 or length % 9 == 0):
            changes += length // 7
    return 1 + changes


def _packets(data: bytes | memoryview, width: int, height: int, tiles: int) -> int:
    """Packets of a component: one for each layer, resolution and precinct, by the most of each that is announced."""
    layers, resolutions, precincts = 1, 1, 0
    for found in re.finditer(
        rb"\xff(?:\x52..([\x00-\x07]).(..).|\x53...([\x00-\x07]))(.)....", data, re.S
    ):
        levels = found[4][0]
        if levels > 32:
            continue
        resolutions = max(resolutions, levels + 1)
        layers = max(layers, int.from_bytes(found[2] or b"", "big"))
        if (found[1] or found[3])[0] & 1:
            sizes = bytes(data[found.end() : found.end() + levels + 1])
            for level, size in enumerate(sizes):
                columns = (width >> levels - level) >> (size & 15)
                rows = (height >> levels - level) >> (size >> 4)
                precincts = max(precincts, (1 + columns) * (1 + rows))
    return layers * resolutions * (tiles + precincts)


def _sample_bytes(data: bytes | memoryview) -> float:
    """Bytes that a sample may cost by the smallest code blocks and precincts that are announced."""
    most = 0.0
    # The default coding style, and that of a component.
    for found in re.finditer(
        rb"\xff(?:\x52..([\x00-\x07])....|\x53...([\x00-\x07]))(.)(.)(.)..", data, re.S
    ):
        precincts = (found[1] or found[2])[0] & 1
        levels, block_width, block_height = found[3][0], found[4][0], found[5][0]
        if levels > 32 or block_width > 8 or block_height > 8 or block_width + block_height > 8:
            continue
        cost = 8 + _BLOCK / (1 << block_width + block_height + 4)
        if precincts:
            sizes = bytes(data[found.end() : found.end() + levels + 1])
            # Each level above the smallest has four times the samples of the one below.
            cost += sum(
                _PRECINCT / (1 << (size & 15) + (size >> 4)) / 4 ** (levels - level)
                for level, size in enumerate(sizes)
            )
        most = max(most, cost)
    return most
