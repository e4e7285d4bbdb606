"""The kinds of files, each made from the same photos: what a format's every variety costs.

`bench.py` measures them as a section of its own, after the checks that each peer's output gets; `chart.py` draws it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image

Encode = Callable[[Image.Image], bytes]


def _saved(name: str, **options: Any) -> Encode:
    def encode(image: Image.Image) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, name, **options)
        return buffer.getvalue()

    return encode


def _of(mode: str, encode: Encode) -> Encode:
    return lambda image: encode(image.convert(mode))


def _transparent(encode: Encode) -> Encode:
    """With the photo's lightness as its alpha."""

    def encode_it(image: Image.Image) -> bytes:
        alpha = image.convert("L")
        image = image.convert("RGBA")
        image.putalpha(alpha)
        return encode(image)

    return encode_it


def _flat(encode: Encode) -> Encode:
    """In areas of one colour, as screenshots and drawings have them."""
    return lambda image: encode(image.quantize(16, dither=Image.Dither.NONE).convert("RGB"))


def _jpeg(**options: Any) -> Encode:
    return _saved("JPEG", quality=85, **options)


#: By the name that tables and the chart have.
KINDS: dict[str, Encode] = {
    "JPEG 4:2:0": _jpeg(subsampling=2),
    "JPEG 4:2:2": _jpeg(subsampling=1),
    "JPEG 4:4:4": _jpeg(subsampling=0),
    "JPEG, progressive": _jpeg(subsampling=2, progressive=True),
    "JPEG, grey": _of("L", _jpeg()),
    "JPEG, CMYK": _of("CMYK", _jpeg()),
    "PNG RGB": _saved("PNG"),
    "PNG RGBA": _transparent(_saved("PNG")),
    "PNG, grey": _of("L", _saved("PNG")),
    "PNG, palette": lambda image: _saved("PNG")(image.quantize()),
    "PNG, flat": _flat(_saved("PNG")),
    "GIF": _saved("GIF"),
    "TIFF, uncompressed": _saved("TIFF"),
    "TIFF, LZW": _saved("TIFF", compression="tiff_lzw"),
    "TIFF, deflate": _saved("TIFF", compression="tiff_adobe_deflate"),
    "WebP": _saved("WEBP", quality=80),
    "WebP, lossless": _saved("WEBP", lossless=True, method=1),
}

#: The corpora that they are made from: the larger ones say the same again.
CORPORA = ("web", "hd")

#: The corpus of large pictures, and the kinds of which one call can use two threads.
LARGE = "camera"
SHARED = ("jpeg", "JPEG, progressive", "png")
