"""Headers that claim large images, with little or nothing after them: Pillow would fill up what is missing."""

from __future__ import annotations

import struct

from PIL import Image

from support import avifs
from support.attacks.attack import Attack
from support.writers import saved

SIDE = 10_000


def dds(kind: bytes) -> bytes:
    head = struct.pack("<4sIIIIIII", b"DDS ", 124, 0x1007, SIDE, SIDE, 0, 0, 0) + bytes(44)
    return (
        head
        + struct.pack("<II4s", 32, 4, kind)
        + bytes(20)
        + struct.pack("<5I", 0x1000, 0, 0, 0, 0)
    )


def tga(kind: int, bits: int, colours: int = 0) -> bytes:
    palette = bool(colours)
    head = struct.pack(
        "<BBBHHBHHHHBB", 0, palette, kind, 0, colours, 24 * palette, 0, 0, SIDE, SIDE, bits, 0
    )
    return head + bytes(3 * colours) + b"\xff\0\0\0" * 1000


def ftex(kind: int) -> bytes:
    return b"FTEX" + struct.pack("<iiiiiiiI", 0, SIDE, SIDE, 1, 1, kind, 36, 1 << 26) + bytes(1000)


def pcx(bits: int, planes: int) -> bytes:
    line = SIDE * bits // 8 // 2 * 2 + 2
    head = struct.pack("<BBBBHHHH", 10, 5, 1, bits, 0, 0, SIDE - 1, SIDE - 1).ljust(65, b"\0")
    return head + struct.pack("<BH", planes, line).ljust(63, b"\0") + b"\xff\0" * 1000


def sgi(bytes_each: int, compression: int) -> bytes:
    head = struct.pack(">hBBHHHHII", 474, compression, bytes_each, 3, SIDE, SIDE, 3, 0, 255)
    return head.ljust(512, b"\0") + bytes(8 * SIDE * 3)


def psd(compression: int) -> bytes:
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, SIDE, SIDE, 8, 3)
    return head + bytes(12) + struct.pack(">H", compression) + bytes(6 * SIDE)


def animated(kind: str, side: int, frames: int) -> bytes:
    mode = "P" if kind == "GIF" else "RGB"
    others = [Image.new(mode, (side, side), 5 * frame + 5) for frame in range(frames - 1)]
    return saved(Image.new(mode, (side, side)), kind, save_all=True, append_images=others)


def boxes(brand: bytes) -> bytes:
    """A file of the boxes of MPEG-4 whose first box is followed by thousands of empty ones."""
    return (
        struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand)
        + struct.pack(">I4s", 8, b"free") * 100_000
    )


FILES = {
    **{f"a DDS of {kind.decode()}": lambda kind=kind: dds(kind) for kind in (b"DXT1", b"DXT5", b"BC4U", b"BC5S")},
    "a TGA of runs": lambda: tga(10, 24),
    "a grey TGA of runs": lambda: tga(11, 8),
    "a TGA of 65,535 colours": lambda: tga(9, 8, 65_535),
    "an FTEX of DXT1": lambda: ftex(0),
    "an FTEX": lambda: ftex(1),
    "a PCX": lambda: pcx(8, 3),
    "a PCX of bits": lambda: pcx(1, 1),
    "an SGI of runs": lambda: sgi(1, 1),
    "an SGI of 16 bits": lambda: sgi(2, 0),
    "a PSD": lambda: psd(0),
    "a PSD of runs": lambda: psd(1),
    "a Sun raster of runs": lambda: struct.pack(">8I", 0x59A66A95, SIDE, SIDE, 8, SIDE * SIDE, 2, 0, 0) + b"\x80\xff\0" * 1000,
    "a GIMP brush": lambda: struct.pack(">5I4sI", 29, 2, SIDE, SIDE, 1, b"GIMP", 1) + b"a" + bytes(1000),
    "an XBM": lambda: b"#define a_width 10000\n#define a_height 10000\nstatic char a_bits[] = {\n" + b"0x00," * 1000,
    "an IM": lambda: b"Image type: RGB image\r\nImage size (x*y): 10000*10000\r\n".ljust(511, b"\0") + b"\x1a" + bytes(1000),
    "a PFM": lambda: b"Pf\n10000 10000\n-1.0\n" + bytes(1000),
    "a PPM of 16 bits": lambda: b"P6\n10000 10000 65535\n" + bytes(1000),
    "a WebP of 4 frames of 12 megapixels": lambda: animated("WEBP", 3500, 4),
    "a GIF of 4 frames of 49 megapixels": lambda: animated("GIF", 7000, 4),
    "a PNG of 4 frames of 12 megapixels": lambda: animated("PNG", 3500, 4),
    "an AVIF of 16 megapixels that says 64 x 64": lambda: avifs.said(4000, 64),
    "an AVIF of 81 cells that say 64 x 64 and have 16 megapixels": lambda: avifs.grid(4000, 9),
    "an AVIF of empty boxes": lambda: boxes(b"avif"),
    "a JPEG 2000 of empty boxes": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">I4s", 8, b"free") * 100_000,
}  # fmt: skip
ATTACKS = tuple(
    Attack(f"{name}{suffix}", file, options)
    for name, file in FILES.items()
    for suffix, options in (("", ""), (" to be padded", "truncated='pad'"))
)
