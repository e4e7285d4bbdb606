"""Files whose header drives allocations: costs per pixel, rows as long as an image, and large outputs."""

from __future__ import annotations

import io
import struct
import zlib
from functools import partial

from PIL import Image

from support.attacks.attack import Attack
from support.writers import png_chunk, saved


def png(width: int, height: int, colour: int = 2) -> bytes:
    """Black, row by row, so that its making takes no memory."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    packer, line = zlib.compressobj(9), bytes(1 + channels * width)
    rows = b"".join([*(packer.compress(line) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    palette = png_chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + palette
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def fits(side: int) -> bytes:
    """A compressed table of rows, as astronomers keep pictures."""

    def card(name: str, value: object) -> bytes:
        return f"{name:8}= {value!s:>20}".ljust(80).encode()

    def header(*cards: bytes) -> bytes:
        text = b"".join((*cards, b"END".ljust(80)))
        return text.ljust(-(-len(text) // 2880) * 2880)

    first = header(card("SIMPLE", "T"), card("BITPIX", 8), card("NAXIS", 0))
    rows = zlib.compressobj(9, wbits=31)
    packed = b"".join([*(rows.compress(bytes(4 * side)) for _ in range(side)), rows.flush()])
    second = header(
        b"XTENSION= 'BINTABLE'".ljust(80),
        card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", 8), card("NAXIS2", side),
        card("PCOUNT", len(packed)), card("GCOUNT", 1), card("TFIELDS", 1), card("ZIMAGE", "T"),
        card("ZBITPIX", 8), card("ZNAXIS", 2), card("ZNAXIS1", side), card("ZNAXIS2", side),
        b"ZCMPTYPE= 'GZIP_1  '".ljust(80),
    )  # fmt: skip
    return first + second + bytes(8 * side) + packed


def jpeg2000(side: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, "JPEG2000")
    return file.getvalue()


def of_one_colour(kind: str, side: int, mode: str = "RGB", **options: object) -> bytes:
    return saved(Image.new(mode, (side, side)), kind, **options)


SQUASH = "resize_mode='squash'"
ATTACKS = (
    Attack("FITS of 25 megapixels", partial(fits, 5000), result=False),
    Attack("FITS of 25 megapixels, read by name", partial(fits, 5000), "formats=['FITS']"),
    Attack("JPEG 2000 of 25 megapixels", partial(jpeg2000, 5000)),
    Attack("JPEG 2000 of 25 megapixels with alpha", partial(jpeg2000, 5000, "RGBA")),
    Attack("lossless WebP of 36 megapixels", partial(of_one_colour, "WEBP", 6000, lossless=True)),
    Attack("GIF of 64 megapixels", partial(of_one_colour, "GIF", 8000, "P")),
    Attack("deflated TIFF of 49 megapixels", partial(of_one_colour, "TIFF", 7000, compression="tiff_adobe_deflate")),
    Attack("TGA of 49 megapixels", partial(of_one_colour, "TGA", 7000, compression="tga_rle")),
    Attack("AVIF of 16 megapixels", partial(of_one_colour, "AVIF", 4000, speed=10)),
    Attack(
        "uncompressed TIFF of 147 MB",
        setup="data = io.BytesIO(); Image.new('RGB', (7000, 7000)).save(data, 'TIFF'); data = data.getvalue()",
    ),
    *(
        Attack(f"{name} of one row of {millions} million pixels, {how}", partial(png, millions * 1_000_000, 1, colour), options)
        for name, colour in (("RGB PNG", 2), ("grey PNG", 0), ("palette PNG", 3))
        for how, millions, options in (("squashed", 44, SQUASH), ("cut", 44, ""), ("box", 30, f"{SQUASH}, interpolation='box'"))
    ),
    Attack("PNG of 4 rows of 8 million pixels, squashed", partial(png, 8_000_000, 4), SQUASH),
    Attack("PNG of one column of 1 million pixels, squashed", partial(png, 1, 1_000_000), SQUASH),
    Attack("lanczos over a row of 44 million pixels", partial(png, 44_000_000, 1), f"{SQUASH}, interpolation='lanczos'"),
    Attack("torch's weights for a row of 44 million pixels", partial(png, 44_000_000, 1), f"{SQUASH}, profile='hf-torchvision'"),
    Attack("an output of 16,384 x 16,384", call="pre(np.zeros((32, 32, 3), np.uint8))", size=16_384, result=False),
    Attack("an output of 2 billion x 2 billion", call="clipprep.Preprocess(2_000_000_000)(np.zeros((32, 32, 3), np.uint8))", errors=("ImageError", "ValueError", "OverflowError"), result=False),
    Attack("a batch whose output has 10 GB", call="pre.batch([np.zeros((32, 32, 3), np.uint8)] * 200)", size=2048, errors=("ImageError", "BatchError"), result=False),
)  # fmt: skip
