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


def layers(count: int) -> bytes:
    """A JPEG 2000 of 128 x 128 pixels in precincts of 2 x 2, each with a packet in each of `count` layers."""
    size = struct.pack(">HHIIIIIIIIH3B", 41, 0, 128, 128, 0, 0, 128, 128, 0, 0, 1, 7, 1, 1)
    style = struct.pack(">HBBHBBBBBB6B", 18, 1, 4, count, 0, 5, 0, 0, 0, 1, *[0x11] * 6)
    steps = struct.pack(">HB16B", 19, 0x40, *[0x40] * 16)
    tile = struct.pack(">HHIBB", 10, 0, 12 + 2 + 1000, 0, 1) + b"\xff\x93" + bytes(1000)
    marked = b"\xff\x51" + size + b"\xff\x52" + style + b"\xff\x5c" + steps + b"\xff\x90" + tile
    return b"\xff\x4f" + marked + b"\xff\xd9"


def progressions(layers: int, changes: int) -> bytes:
    """Small precincts, and an order of packets that changes again and again."""
    file = io.BytesIO()
    Image.new("L", (512, 512)).save(
        file, "JPEG2000", num_resolutions=6, no_jp2=True, precinct_size=(32, 32)
    )
    data = file.getvalue()
    style, quantisation = data.index(b"\xff\x52"), data.index(b"\xff\x5c")
    orders = b"".join(struct.pack(">BBHBBB", 0, 0, layers, 33, 1, k % 5) for k in range(changes))
    marked = b"\xff\x5f" + struct.pack(">H", 2 + len(orders)) + orders
    head = data[: style + 6] + struct.pack(">H", layers) + data[style + 8 : quantisation]
    return head + marked + data[quantisation:]


def fli(side: int, chunks: int) -> bytes:
    """A frame of chunks of 6 bytes, each of which makes the whole picture black."""
    chunk = struct.pack("<IH", 6, 13) * chunks
    frame = struct.pack("<IHH", 16 + len(chunk), 0xF1FA, chunks) + bytes(8) + chunk
    head = struct.pack("<IHHHHHHI", 128 + len(frame), 0xAF11, 1, side, side, 8, 3, 10)
    return head.ljust(128, b"\0") + frame


def msp(width: int, height: int) -> bytes:
    """Rows of no bytes, which are black."""
    head = struct.pack("<4sHH", b"LinS", width, height).ljust(24, b"\0")
    sum_of_words = 0
    for (word,) in struct.iter_unpack("<H", head):
        sum_of_words ^= word
    return head + struct.pack("<H", sum_of_words).ljust(8, b"\0") + bytes(2 * height)


ATTACKS = (
    *(Attack(f"JPEG 2000 of {count:,} layers", partial(layers, count)) for count in (1000, 10_000, 65_535)),
    *(Attack(f"JPEG 2000 of 19,000 layers in {changes} orders", partial(progressions, 19_000, changes)) for changes in (1, 5, 31)),
    Attack("FLI of 800 chunks that each fill 31 megapixels", partial(fli, 5600, 800)),
    Attack("FLI of 60,000 chunks that each fill 64 megapixels", partial(fli, 8000, 60_000)),
    Attack("MSP of 133 megapixels in 4 KB", partial(msp, 65_000, 2050)),
    Attack("FITS of 25 megapixels", partial(fits, 5000), result=False),
    Attack("FITS of 25 megapixels, read by name", partial(fits, 5000), "formats=['FITS']"),
    Attack("JPEG 2000 of 25 megapixels", partial(jpeg2000, 5000)),
    Attack("JPEG 2000 of 25 megapixels with alpha", partial(jpeg2000, 5000, "RGBA")),
    Attack("lossless WebP of 36 megapixels", partial(of_one_colour, "WEBP", 6000, lossless=True)),
    Attack("GIF of 64 megapixels", partial(of_one_colour, "GIF", 8000, "P")),
    Attack("deflated TIFF of 49 megapixels", partial(of_one_colour, "TIFF", 7000, compression="tiff_adobe_deflate")),
    Attack("TGA of 49 megapixels", partial(of_one_colour, "TGA", 7000, compression="tga_rle")),
    *(
        Attack(f"{kind} with a transparent colour of 64 megapixels, over white", partial(of_one_colour, kind, 8000, "P", transparency=0), "profile='hf-pil'")
        for kind in ("GIF", "PNG")
    ),
    *(
        Attack(f"{mode} TIFF of 29 megapixels, {how}", partial(of_one_colour, "TIFF", 5380, mode, compression="tiff_adobe_deflate"), options, size=size)
        for mode in ("LAB", "RGBA")
        for how, options, size in (("as OpenAI", "", 32), ("over white", "profile='hf-pil'", 32), ("as timm", "profile='timm'", 32), ("to a large output", "", 4600))
    ),
    Attack("TGA with alpha of 33 megapixels, to a large output", partial(of_one_colour, "TGA", 5790, "RGBA", compression="tga_rle"), size=4600),
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
