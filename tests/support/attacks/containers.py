"""Formats that open other formats: the file inside must meet the same list of formats and the same limits."""

from __future__ import annotations

import io
import struct
from functools import partial

from PIL import Image

from support.attacks.attack import Attack
from support.attacks.scans import many_scans
from support.writers import png_chunk, saved

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\n(hello) print\n%%EOF\n"


def iptc(inner: bytes, compression: int = 5, size: tuple[int, int] = (8, 8)) -> bytes:
    """An IPTC container: records of up to 30,000 bytes with another file in them."""

    def record(major: int, minor: int, body: bytes) -> bytes:
        return bytes([0x1C, major, minor]) + struct.pack(">H", len(body)) + body

    head = record(3, 60, b"\1\0") + b"".join(
        record(3, minor, struct.pack(">H", side))
        for minor, side in zip((20, 30), size, strict=True)
    )
    parts = [record(8, 10, inner[at : at + 30_000]) for at in range(0, len(inner), 30_000)]
    return head + record(3, 120, bytes([compression])) + b"".join(parts) + record(9, 10, b"")


def ico(inner: bytes, *, cursor: bool = False) -> bytes:
    """One picture, said to be of 16 x 16."""
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    return struct.pack("<HHH", 0, 2 if cursor else 1, 1) + entry + inner


def png_of_two_headers(long: int, side: int) -> bytes:
    """A PNG of `side` x `side` whose first header says one row of `long`: the last one counts to Pillow."""
    data = saved(Image.new("RGBA", (side, side)), "PNG")
    return data[:8] + png_chunk(b"IHDR", struct.pack(">II", long, 1) + data[24:29]) + data[8:]


def icns(inner: bytes, kind: bytes = b"ic07") -> bytes:
    return (
        b"icns"
        + struct.pack(">I", len(inner) + 16)
        + kind
        + struct.pack(">I", len(inner) + 8)
        + inner
    )


def blp(inner: bytes) -> bytes:
    """BLP1 with JPEG data: the header of the JPEG stands apart, and may be empty."""
    head = b"BLP1" + struct.pack("<IIIIII", 0, 0, 64, 64, 5, 0)
    offsets = struct.pack("<16I", len(head) + 128 + 4, *[0] * 15)
    lengths = struct.pack("<16I", len(inner), *[0] * 15)
    return head + offsets + lengths + struct.pack("<I", 0) + inner


def mpo(first: bytes) -> bytes:
    """A JPEG that says of itself that another follows."""
    small = Image.new("RGB", (16, 16))
    both = saved(small, "MPO", save_all=True, append_images=[small])
    at = both.index(b"\xff\xe2")
    segment = both[at : at + 2 + int.from_bytes(both[at + 2 : at + 4])]
    return first[:2] + segment + first[2:] + saved(small, "JPEG")


def dcx(inner: bytes) -> bytes:
    return struct.pack("<II", 0x3ADE68B1, 12) + bytes(4) + inner


def large(kind: str, side: int = 4000) -> bytes:
    """16 megapixels of nothing in a small file."""
    return saved(Image.new("L", (side, side)), kind)


def large_jpeg2000(side: int = 5000) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "JPEG2000")
    return file.getvalue()


PIXELS = "max_pixels=10_000"
ATTACKS = (
    Attack("EPS", lambda: EPS, result=False),
    Attack("EPS to be padded", lambda: EPS, "truncated='pad'", result=False),
    Attack("EPS inside IPTC", lambda: iptc(EPS), result=False),
    Attack("EPS inside IPTC to be padded", lambda: iptc(EPS), "truncated='pad'", result=False),
    Attack("EPS inside IPTC, read by name", lambda: iptc(EPS), "formats=['IPTC']", result=False),
    Attack("EPS inside IPTC, other names", lambda: iptc(EPS), "formats=['JPEG', 'PNG']", result=False),
    Attack("EPS inside IPTC inside IPTC", lambda: iptc(iptc(EPS)), "formats=['IPTC']", result=False),
    Attack("EPS inside an icon", lambda: ico(EPS), result=False),
    Attack("EPS inside an Apple icon", lambda: icns(EPS), "formats=['ICNS']", result=False),
    Attack("large PNG inside IPTC", lambda: iptc(large("PNG")), limits=PIXELS, result=False),
    Attack("large PNG inside IPTC, read by name", lambda: iptc(large("PNG")), "formats=['IPTC']", PIXELS, result=False),
    Attack("large PNG inside an icon", lambda: ico(large("PNG")), limits=PIXELS, result=False),
    Attack("large PNG inside a cursor", lambda: ico(large("PNG"), cursor=True), limits=PIXELS, result=False),
    Attack("large JPEG inside BLP, read by name", lambda: blp(large("JPEG")), "formats=['BLP']", PIXELS, result=False),
    Attack("large JPEG inside MPO", lambda: mpo(large("JPEG")), limits=PIXELS, result=False),
    Attack("a PNG of two headers inside an icon", lambda: ico(png_of_two_headers(20_000, 5000))),
    Attack("large PCX inside DCX", lambda: dcx(large("PCX")), limits=PIXELS, result=False),
    Attack("JPEG 2000 inside an Apple icon, read by name", lambda: icns(large_jpeg2000(), b"ic10"), "formats=['ICNS']"),
    Attack("JPEG 2000 inside an Apple icon", lambda: icns(large_jpeg2000(), b"ic10"), result=False),
    *(
        Attack(f"many scans inside {name}", partial(lambda wrap: wrap(many_scans()), wrap), f"formats={formats}", result=False)
        for name, wrap, formats in (
            ("MPO", mpo, None), ("BLP", blp, ["BLP"]), ("IPTC", iptc, ["IPTC"]), ("ICO", ico, None),
        )
    ),
)  # fmt: skip
