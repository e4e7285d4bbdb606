"""Small files of every kind, to be mutated: made here, so that a run needs nothing else.

    python fuzz/seeds.py FOLDER

writes those of the native decoders, such as tests/data/seeds, for tests that have no Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.pictures import photo, picture
from support.tiffs import DEFLATE, LZW, PACKBITS, tiff
from support.writers import bmp, bmp_runs, gif_with_local_palette, gif_with_offset, png, saved

#: JPEGs that Pillow does not write.
DATA = Path(__file__).resolve().parent.parent / "tests" / "data" / "jpeg"

#: Wide and tall enough that a crop to 16 x 16 leaves out columns and rows that a decoder could skip.
WIDE, TALL, SMALL = (96, 20), (20, 96), (11, 9)


def _jpeg(mode: str, size: tuple[int, int], **options: object) -> Callable[[], bytes]:
    return lambda: saved(picture(mode, *size), "JPEG", quality=30, **options)


def _png(colour: int, depth: int, **options: object) -> Callable[[], bytes]:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]

    def make() -> bytes:
        rng = np.random.default_rng(depth)
        highest = 1 << depth if colour != 3 else 1 << min(depth, 5)
        samples = rng.integers(0, highest, (9, 11, channels))
        palette = rng.bytes(3 * highest) if colour == 3 else None
        return png(samples, colour, depth, palette=palette, **options)

    return make


def _save(
    mode: str, kind: str, size: tuple[int, int] = SMALL, **options: object
) -> Callable[[], bytes]:
    return lambda: saved(picture(mode, *size), kind, **options)


def _rows(bits: int) -> np.ndarray:
    return photo(9, 12 * bits // 8, 1)[..., 0]


def _animation(kind: str) -> Callable[[], bytes]:
    first, second = (picture("RGB", *SMALL, seed=seed).quantize(8) for seed in (0, 1))
    return lambda: saved(first, kind, save_all=True, append_images=[second])


def _gif() -> bytes:
    return saved(picture("P", 16, 18).quantize(16), "GIF")


def _sixteen(kind: str) -> Callable[[], bytes]:
    samples = np.random.default_rng(0).integers(0, 1 << 16, (9, 11), np.uint16)
    return lambda: saved(Image.fromarray(samples), kind)


def _tiff(mode: str, photometric: int, **options: object) -> Callable[[], bytes]:
    samples = np.asarray(picture(mode, 21, 18)).astype(np.uint8)
    return lambda: tiff(samples.reshape(18, 21, -1), photometric, **options)


def _runs(nibbles: bool) -> bytes:
    """Runs, literals, a jump and ends of lines, on 20 x 6 pixels."""
    literals = bytes([0, 6, 0x12, 0x34, 0x56, *([] if nibbles else [1, 2, 3])]) + bytes(nibbles)
    line = bytes([9, 0x23]) + literals + bytes([3, 0x71, 0, 0])
    runs = line + bytes([4, 0x11, 0, 2, 3, 1]) + line * 3 + bytes([20, 0x55, 0, 0, 0, 1])
    palette = np.random.default_rng(0).bytes(4 * (16 if nibbles else 256))
    return bmp_runs(20, 6, runs, palette, nibbles=nibbles)


SEEDS: dict[str, Callable[[], bytes]] = {
    "jpeg-baseline": _jpeg("RGB", WIDE),
    "jpeg-444-tall": _jpeg("RGB", (16, 60), subsampling=0),
    "jpeg-422": _jpeg("RGB", (30, 20), subsampling=1),
    "jpeg-progressive": _jpeg("RGB", WIDE, progressive=True),
    "jpeg-progressive-grey": _jpeg("L", TALL, progressive=True),
    "jpeg-restarts": _jpeg("RGB", WIDE, restart_marker_blocks=2),
    "jpeg-grey": _jpeg("L", WIDE),
    "jpeg-cmyk": _jpeg("CMYK", (60, 16)),
    "jpeg-cmyk-progressive": _jpeg("CMYK", (40, 16), progressive=True),
    "jpeg-arithmetic": (DATA / "arithmetic.jpg").read_bytes,
    "jpeg-arithmetic-progressive": (DATA / "arithmetic-progressive.jpg").read_bytes,
    "jpeg-scans-missing": (DATA / "some-bits.jpg").read_bytes,
    "png-rgb": _png(2, 8),
    "png-rgb-16": _png(2, 16),
    "png-rgb-key": _png(2, 8, transparency=bytes(6)),
    "png-rgba": _png(6, 8),
    "png-rgba-interlaced": _png(6, 8, interlaced=True),
    "png-grey": _png(0, 8, idat=50),
    "png-grey-1": _png(0, 1),
    "png-grey-2": _png(0, 2),
    "png-grey-4-interlaced": _png(0, 4, interlaced=True),
    "png-grey-16": _png(0, 16),
    "png-grey-alpha": _png(4, 8),
    "png-palette": _png(3, 8),
    "png-palette-1": _png(3, 1),
    "png-palette-4-interlaced": _png(3, 4, interlaced=True, transparency=bytes(9)),
    "png-animation": _animation("PNG"),
    "gif": _gif,
    "gif-grey": _save("L", "GIF"),
    "gif-local-palette": lambda: gif_with_local_palette(_gif()),
    "gif-offset": lambda: gif_with_offset(_gif(), (30, 30), 4, 2),
    "gif-animation": _animation("GIF"),
    "webp-lossy": _save("RGB", "WEBP", quality=40),
    "webp-lossless": _save("RGB", "WEBP", lossless=True),
    "webp-alpha": _save("RGBA", "WEBP", quality=40),
    "webp-lossless-alpha": _save("RGBA", "WEBP", lossless=True),
    "webp-animation": _animation("WEBP"),
    "bmp-24": _save("RGB", "BMP"),
    "bmp-32": _save("RGBA", "BMP"),
    "bmp-8": _save("P", "BMP"),
    "bmp-1": _save("1", "BMP"),
    "bmp-24-top-down": lambda: bmp(_rows(24), 24, top_down=True),
    "bmp-565": lambda: bmp(_rows(16), 16, masks=(0xF800, 0x7E0, 0x1F)),
    "bmp-fields": lambda: bmp(_rows(32), 32, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "bmp-runs": lambda: _runs(nibbles=False),
    "bmp-runs-of-nibbles": lambda: _runs(nibbles=True),
    "pnm-rgb": _save("RGB", "PPM"),
    "pnm-grey": _save("L", "PPM"),
    "pnm-bitmap": _save("1", "PPM"),
    "pnm-grey-16": _sixteen("PPM"),
    "pnm-plain": lambda: (
        b"P3\n# plain\n5 4\n255\n" + b" ".join(b"%d" % v for v in range(0, 240, 4))
    ),
    "pnm-plain-bitmap": lambda: b"P1 9 7\n" + b"1 0 0 1 1 0 1 0 1\n" * 7,
    "qoi-rgb": _save("RGB", "QOI"),
    "qoi-rgba": _save("RGBA", "QOI"),
    "tiff-rgb": _save("RGB", "TIFF"),
    "tiff-lzw": _save("P", "TIFF", compression="tiff_lzw"),
    "tiff-strips": _tiff("RGB", 2, strip=5),
    "tiff-tiles": _tiff("RGB", 2, tile=(16, 16), order=">"),
    "tiff-lzw-differences": _tiff("RGBA", 2, compression=LZW, predictor=2, strip=7, extra=(2,)),
    "tiff-deflate-tiles": _tiff("LA", 1, compression=DEFLATE, tile=(16, 16), extra=(2,)),
    "tiff-deflate-1": _tiff("1", 0, bits=1, compression=DEFLATE, order=">"),
    "tiff-packbits": _tiff("L", 1, compression=PACKBITS, strip=4),
    "tga": _save("RGB", "TGA"),
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind, make in SEEDS.items():
        if not kind.startswith("tga"):
            (folder / kind).write_bytes(make())


if __name__ == "__main__":
    main()
