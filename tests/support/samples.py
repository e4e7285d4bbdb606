"""A small file of each format, to be damaged."""

from __future__ import annotations

from functools import cache

from support.pictures import picture
from support.writers import saved

FILES = {
    "jpeg": lambda: saved(picture("RGB", 120, 90), "JPEG"),
    "grey jpeg": lambda: saved(picture("L", 120, 90), "JPEG"),
    "cmyk jpeg": lambda: saved(picture("CMYK", 80, 60), "JPEG"),
    "progressive jpeg": lambda: saved(picture("RGB", 120, 90), "JPEG", progressive=True),
    "jpeg with restarts": lambda: saved(picture("RGB", 120, 90), "JPEG", restart_marker_rows=1),
    "wide jpeg": lambda: saved(picture("RGB", 700, 33), "JPEG"),
    "tall jpeg": lambda: saved(picture("RGB", 33, 700), "JPEG"),
    "png": lambda: saved(picture("RGB", 60, 45), "PNG"),
    "palette png": lambda: saved(picture("P", 60, 45), "PNG"),
    "gif": lambda: saved(picture("P", 60, 45), "GIF"),
    "bmp": lambda: saved(picture("RGB", 30, 22), "BMP"),
    "webp": lambda: saved(picture("RGB", 60, 45), "WEBP"),
    "lossless webp": lambda: saved(picture("RGBA", 30, 45), "WEBP", lossless=True),
    "webp with alpha": lambda: saved(picture("RGBA", 30, 45), "WEBP"),
    "pnm": lambda: saved(picture("RGB", 30, 22), "PPM"),
    "qoi": lambda: saved(picture("RGB", 30, 22), "QOI"),
    "tiff": lambda: saved(picture("RGB", 30, 22), "TIFF"),
    "tga": lambda: saved(picture("RGB", 30, 22), "TGA"),
}
JPEGS = [name for name in FILES if "jpeg" in name]


@cache
def file(name: str) -> bytes:
    return FILES[name]()
