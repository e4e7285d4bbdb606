"""Objects as sources: streams without an end, images that are opened lazily, arrays beyond the limits."""

from __future__ import annotations

from functools import partial

from PIL import Image

from support.attacks.attack import Attack
from support.writers import saved

READER = """
class Reader:
    def __init__(self, read): self.reads, self._read = 0, read
    def read(self, size=-1):
        self.reads += 1
        return self._read(size)
"""
#: Results of `read(size)` of endless sources.
ENDLESS = {
    "gives the size that is asked for": "lambda size: bytes(size if size >= 0 else 1 << 30)",
    "gives 3 GB whatever is asked for": "lambda size: bytes(3 << 30)",
    "gives a byte at a time": "lambda size: b'x'",
    "gives 64 KB at a time": "lambda size: bytes(1 << 16)",
    "gives bytearrays": "lambda size: bytearray(min(size, 1 << 20) if size >= 0 else 1 << 30)",
    "gives views": "lambda size: memoryview(bytes(min(size, 1 << 20) if size >= 0 else 1 << 30))",
    "begins as a PNG": "lambda size: (b'\\x89PNG\\r\\n\\x1a\\n' + bytes(max(size, 1 << 20) if size < 0 else size))[:size if size >= 0 else 1 << 30]",
}  # fmt: skip


def png(side: int) -> bytes:
    return saved(Image.new("RGB", (side, side)), "PNG", compress_level=1)


def jpeg(side: int) -> bytes:
    return saved(Image.new("RGB", (side, side)), "JPEG")


UNPACKED = """
import {kind} as module
packed = module.compress(bytes(200 << 20))
"""
ZIPPED = """
import zipfile
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file: file.writestr("a.jpg", bytes(200 << 20))
archive = zipfile.ZipFile(archive)
"""
BYTES = "max_bytes=1_000_000"
PIXELS = "max_pixels=1_000"
LAZY = "Image.MAX_IMAGE_PIXELS = None\nopened = lambda: Image.open(io.BytesIO(data))"
REFUSED = ("LimitError",)
ATTACKS = (
    *(
        Attack(f"a file object that {name}", setup=READER, call=f"pre(Reader({read}))", limits=BYTES, errors=("LimitError", "ImageError", "TypeError"), result=False)
        for name, read in ENDLESS.items()
    ),
    Attack("/dev/zero as a file object", call="pre(open('/dev/zero', 'rb'))", limits=BYTES, errors=REFUSED, result=False),
    Attack("/dev/zero as a file object, with the default limit", call="pre(open('/dev/zero', 'rb'))", limits="max_bytes=100_000_000", errors=REFUSED, result=False),
    *(
        Attack(f"200 MB in {kind} as a file object", setup=UNPACKED.format(kind=kind), call="pre(module.open(io.BytesIO(packed)))", limits=BYTES, errors=REFUSED, result=False)
        for kind in ("gzip", "bz2", "lzma")
    ),
    Attack("200 MB in a member of a zip", setup=ZIPPED, call="pre(archive.open('a.jpg'))", limits=BYTES, errors=REFUSED, result=False),
    *(
        Attack(f"file objects in {call}", setup=READER, call=f"{call}([Reader(lambda size: bytes(3 << 30))] * 4{more})", limits=BYTES, errors=("LimitError", "BatchError", "ImageError"))
        for call, more in (("pre.batch", ", num_threads=2"), ("pre.try_batch", ", num_threads=2"), ("list", ""))
        if call != "list"
    ),
    Attack("a stream of endless file objects", setup=READER, call="[batch.ok.any() for batch in pre.stream([Reader(lambda size: bytes(3 << 30))] * 4)]", limits=BYTES),
    Attack("an endless file object to explain", setup=READER, call="pre.explain(Reader(lambda size: bytes(3 << 30)))", limits=BYTES, errors=("LimitError", "ImageError", "TypeError")),
    *(
        Attack(f"a lazily opened {kind} of 25 megapixels", partial(make, 5000), setup=LAZY, call="pre(opened())", limits=PIXELS, errors=REFUSED, result=False)
        for kind, make in (("PNG", png), ("JPEG", jpeg))
    ),
    Attack("8 lazily opened PNGs of 25 megapixels", partial(png, 5000), setup=LAZY, call="pre.try_batch([opened() for _ in range(8)], num_threads=2)", limits=PIXELS),
    Attack("16 lazily opened PNGs of 6 megapixels within the limits", partial(png, 2500), setup=LAZY, call="pre.try_batch([opened() for _ in range(16)], num_threads=2)"),
    Attack("an array beyond max_pixels", setup="data = np.zeros((100, 100, 3), np.uint8)", limits=PIXELS, errors=REFUSED, result=False),
    Attack("a grey array beyond max_pixels", setup="data = np.zeros((1, 2000), np.uint8)", limits=PIXELS, errors=REFUSED, result=False),
    Attack("a PIL image beyond max_pixels", setup="data = Image.new('RGB', (100, 100))", limits=PIXELS, errors=REFUSED, result=False),
    Attack("an array of a terabyte without memory", setup="data = np.broadcast_to(np.zeros(3, np.uint8), (1 << 20, 1 << 19, 3))", errors=REFUSED, result=False),
)  # fmt: skip
