"""Writers for files that Pillow reads but does not write, and knives for those that it writes."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

# PNG ---------------------------------------------------------------------------------------------

GREY, TRUECOLOUR, PALETTE, GREY_ALPHA, TRUECOLOUR_ALPHA = 0, 2, 3, 4, 6
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pack(samples: np.ndarray, depth: int) -> np.ndarray:
    """(H, W, C) samples -> (H, bytes per row) as PNG packs them."""
    height = samples.shape[0]
    flat = samples.reshape(height, -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8).reshape(height, -1)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = (flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)


def _filter(rows: np.ndarray, pixel_bytes: int) -> bytes:
    """Each row by another one of PNG's five filters."""
    out = bytearray()
    above = np.zeros(rows.shape[1], np.int64)
    for y, row in enumerate(rows.astype(np.int64)):
        left, corner = np.zeros_like(row), np.zeros_like(row)
        left[pixel_bytes:], corner[pixel_bytes:] = row[:-pixel_bytes], above[:-pixel_bytes]
        estimate = left + above - corner
        distances = np.abs(np.stack([left, above, corner]) - estimate)
        paeth = np.choose(distances.argmin(axis=0), [left, above, corner])
        predictor = (np.zeros_like(row), left, above, (left + above) // 2, paeth)[y % 5]
        out += bytes([y % 5]) + ((row - predictor) % 256).astype(np.uint8).tobytes()
        above = row
    return bytes(out)


def png(
    samples: np.ndarray,
    colour: int,
    depth: int,
    *,
    interlaced: bool = False,
    palette: bytes | None = None,
    transparency: bytes | None = None,
    extra: bytes = b"",
    idat: int = 8192,
) -> bytes:
    """A PNG file of (H, W, C) samples; `idat` is the largest length of a data chunk."""
    height, width, channels = samples.shape
    pixel_bytes = max(1, channels * depth // 8)
    raw = b""
    for x0, y0, dx, dy in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = samples[y0::dy, x0::dx]
        if part.size:
            raw += _filter(_pack(part, depth), pixel_bytes)
    data = zlib.compress(raw)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    file = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra
    if palette is not None:
        file += png_chunk(b"PLTE", palette)
    if transparency is not None:
        file += png_chunk(b"tRNS", transparency)
    for start in range(0, len(data), idat):
        file += png_chunk(b"IDAT", data[start : start + idat])
    return file + png_chunk(b"IEND", b"")


# BMP ---------------------------------------------------------------------------------------------


def bmp(
    rows: np.ndarray, bits: int, *, top_down: bool = False, palette: bytes = b"", masks: tuple = ()
) -> bytes:
    """A BMP file from packed rows (H, bytes per row, before padding), with bit fields if there are masks."""
    height = rows.shape[0]
    width = rows.shape[1] * 8 // bits
    padded = np.zeros((height, (rows.shape[1] + 3) // 4 * 4), np.uint8)
    padded[:, : rows.shape[1]] = rows if top_down else rows[::-1]
    fields = struct.pack(f"<{len(masks)}I", *masks)
    header_size = 108 if len(masks) == 4 else 40
    header = struct.pack(
        "<IiiHHIIiiII",
        header_size,
        width,
        -height if top_down else height,
        1,
        bits,
        3 if masks else 0,
        padded.size,
        2835,
        2835,
        len(palette) // 4,
        0,
    )
    header += (fields + b"BGRs" + bytes(48)) if header_size == 108 else fields
    offset = 14 + len(header) + len(palette)
    head = b"BM" + struct.pack("<IHHI", offset + padded.size, 0, 0, offset)
    return head + header + palette + padded.tobytes()


def bmp_runs(width: int, height: int, runs: bytes, palette: bytes, *, nibbles: bool) -> bytes:
    """A BMP file of run lengths, of bytes or of nibbles."""
    bits = 4 if nibbles else 8
    header = struct.pack(
        "<IiiHHIIiiII",
        40,
        width,
        height,
        1,
        bits,
        2 if nibbles else 1,
        len(runs),
        0,
        0,
        len(palette) // 4,
        0,
    )
    offset = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset) + header + palette + runs


def bmp_of_os2(rows: np.ndarray, bits: int, palette: bytes = b"") -> bytes:
    """A BMP file with the short header of OS/2, and three bytes for a colour."""
    body = bmp(rows, bits)[54:]
    height, width = rows.shape[0], rows.shape[1] * 8 // bits
    offset = 14 + 12 + len(palette)
    head = b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset)
    return head + struct.pack("<IHHHH", 12, width, height, 1, bits) + palette + body


# GIF ---------------------------------------------------------------------------------------------


def _gif_parts(data: bytes) -> tuple[bytes, bytes, bytes, int]:
    """(screen, global palette, blocks before the image, offset of the first image descriptor)."""
    start = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    at = start
    while data[at : at + 1] == b"!":
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    assert data[at : at + 1] == b","
    return data[:13], data[13:start], data[start:at], at


def gif_with_local_palette(data: bytes, global_palette: bytes | None = None) -> bytes:
    """Moves the palette into the first image; `global_palette` (768 bytes) takes its old place."""
    screen, palette, before, at = _gif_parts(data)
    assert palette
    assert not data[at + 9] & 0x80
    local = screen[10] & 7
    flags = (screen[10] & 0x78) | (0x87 if global_palette else 0)
    descriptor = data[at : at + 9] + bytes([data[at + 9] | 0x80 | local])
    screen = screen[:10] + bytes([flags]) + screen[11:]
    return screen + (global_palette or b"") + before + descriptor + palette + data[at + 10 :]


def gif_with_offset(data: bytes, screen_size: tuple[int, int], left: int, top: int) -> bytes:
    """Puts the first image somewhere on a screen of another size."""
    _, _, _, at = _gif_parts(data)
    data = data[:6] + struct.pack("<HH", *screen_size) + data[10:]
    return data[: at + 1] + struct.pack("<HH", left, top) + data[at + 5 :]


# JPEG --------------------------------------------------------------------------------------------

SOF = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment up to and including the first start of scan."""
    at = 2
    while True:
        assert data[at] == 0xFF
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length


def jpeg_without(data: bytes, marker: int) -> bytes:
    """Drops every segment of one kind, such as 0xEE, Adobe's."""
    for found, start, end in reversed(list(jpeg_segments(data))):
        if found == marker:
            data = data[:start] + data[end:]
    return data


def jpeg_with(data: bytes, marker: int, body: bytes) -> bytes:
    """Inserts a segment right after the start of the image."""
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]


def jpeg_as_ycck(data: bytes) -> bytes:
    """Tells Adobe's marker of a CMYK file that the first three components are YCbCr."""
    for marker, start, end in jpeg_segments(data):
        if marker == 0xEE and data[start + 4 : start + 9] == b"Adobe":
            return data[: end - 1] + b"\x02" + data[end:]
    raise AssertionError("no Adobe marker")


def jpeg_resampled(
    data: bytes, sampling: tuple[tuple[int, int], ...], size: tuple[int, int]
) -> bytes:
    """Rewrites the sampling factors and the size in the frame header.

    The picture is scrambled but whole when a unit of the new grid has as many blocks per component as one of the
    old grid, and the grid as many units: so come the factors that Pillow does not write (4:4:0, 4:1:1 and the like).
    """
    for marker, start, _ in jpeg_segments(data):
        if marker in SOF:
            out = bytearray(data)
            assert out[start + 9] == len(sampling)
            out[start + 5 : start + 9] = struct.pack(">HH", size[1], size[0])
            for i, (across, down) in enumerate(sampling):
                out[start + 11 + 3 * i] = across << 4 | down
            return bytes(out)
    raise AssertionError("no frame header")


def jpeg_lossless(samples: np.ndarray) -> bytes:
    """(H, W, C) uint8 as a lossless JPEG (SOF3) with the predictor "left" and Huffman codes of five bits."""
    height, width, channels = samples.shape

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    frame = struct.pack(">BHHB", 8, height, width, channels)
    frame += b"".join(bytes([i + 1, 0x11, 0]) for i in range(channels))
    codes = bytes([0, 0, 0, 0, 0, 17, *[0] * 11, *range(17)])
    scan = bytes([channels]) + b"".join(bytes([i + 1, 0]) for i in range(channels)) + b"\x01\0\0"
    before = np.full_like(samples, 128, dtype=np.int64)
    before[:, 1:] = samples[:, :-1]
    before[1:, 0] = samples[:-1, 0]
    bits = ""
    for difference in (samples - before).reshape(-1).tolist():
        length = abs(difference).bit_length()
        bits += format(length, "05b")
        if length:
            bits += format(
                difference if difference > 0 else difference + (1 << length) - 1, f"0{length}b"
            )
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    head = b"\xff\xd8" + segment(0xC3, frame) + segment(0xC4, codes) + segment(0xDA, scan)
    return head + data + b"\xff\xd9"


def jpeg_with_empty_scans(data: bytes, size: tuple[int, int], scans: int) -> bytes:
    """A progressive file that claims another size, and has its second scan many times over, without its data."""
    out = bytearray(data)
    at = data.index(b"\xff\xc2")
    out[at + 5 : at + 9] = struct.pack(">HH", size[1], size[0])
    start = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    scan = data[start : start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")]
    return bytes(out[:start]) + scan * scans + b"\xff\xd9"


# EXIF --------------------------------------------------------------------------------------------


def exif(
    entries: list[tuple[int, int, int, bytes]], *, endian: str = "<", after: bytes = b""
) -> bytes:
    """One directory of (tag, type, count, value or offset), with bytes after it; without the prefix "Exif"."""
    head = (b"II*\0" if endian == "<" else b"MM\0*") + struct.pack(endian + "I", 8)
    body = b"".join(
        struct.pack(endian + "HHI", tag, kind, count) + value.ljust(4, b"\0")
        for tag, kind, count, value in entries
    )
    return head + struct.pack(endian + "H", len(entries)) + body + bytes(4) + after


def orientation(value: int, *, endian: str = "<") -> bytes:
    return exif([(274, 3, 1, struct.pack(endian + "H", value))], endian=endian)


# Any ---------------------------------------------------------------------------------------------


# Pillow keeps the options of a save on the image, where another thread's save of the same image finds them.
_SAVING = threading.Lock()


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes that `image.save` writes; threads may share the image."""
    buffer = io.BytesIO()
    with _SAVING:
        image.save(buffer, kind, **options)
    return buffer.getvalue()
