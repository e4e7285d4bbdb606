"""The images: JPEG files of somebody's, or a set made from this repository's photos.

    python benches/corpora.py FOLDER     # writes the made set, to look at it

The made set stands for three sources that CLIP is fed from, and for one extreme: `web` (0.3 megapixels, every
quality, chroma subsampling and some progressive files), `hd` (2.5), `camera` (11), `huge` (101, one scan). The
photos are small, so the larger images are mosaics of them, a little enlarged and with grain, without which they
would be easier to decode than photos are.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from kinds import KINDS
from PIL import Image

Image.MAX_IMAGE_PIXELS = None  # the largest is of our own making
PHOTOS = Path(__file__).parent.parent / "photos"
SIZES = {"hd": (1920, 1280), "camera": (4032, 2700), "huge": (11600, 8700)}

# As the web has them; Pillow's names of the chroma subsamplings are 0: 4:4:4, 1: 4:2:2, 2: 4:2:0.
WEB = (
    {"quality": 75, "subsampling": 2},
    {"quality": 85, "subsampling": 2},
    {"quality": 90, "subsampling": 0},
    {"quality": 80, "subsampling": 1},
    {"quality": 95, "subsampling": 0},
    {"quality": 85, "subsampling": 2, "progressive": True},
)
LARGE = (
    {"quality": 90, "subsampling": 2},
    {"quality": 92, "subsampling": 1},
    {"quality": 95, "subsampling": 0},
)


@dataclass(frozen=True)
class Corpus:
    name: str
    files: list[bytes]

    @property
    def megapixels(self) -> float:
        sizes = [Image.open(io.BytesIO(data)).size for data in self.files]
        return float(np.mean([width * height for width, height in sizes])) / 1e6

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "images": len(self.files),
            "megapixels": round(self.megapixels, 2),
            "bits_per_pixel": round(
                8 * sum(map(len, self.files)) / len(self.files) / self.megapixels / 1e6, 2
            ),
        }

    def sources(self, kind: str) -> list[Any]:
        """The same images as "jpeg" or "png" bytes, "array" (H, W, 3) or "pil" images, or a kind of `KINDS`."""
        if kind == "jpeg":
            return list(self.files)
        images = [Image.open(io.BytesIO(data)).convert("RGB") for data in self.files]
        if kind == "pil":
            return images
        if kind == "array":
            return [np.array(image) for image in images]
        if kind in KINDS:
            return [KINDS[kind](image) for image in images]
        assert kind == "png"
        return [_encoded(image, "PNG", compress_level=3) for image in images]


def given(spec: str) -> Corpus:
    """A folder of JPEG files, or NAME=GLOB."""
    name, _, pattern = spec.rpartition("=")
    if name:
        paths = sorted(Path("/").glob(str(Path(pattern).absolute())[1:]))
    else:
        name = Path(spec).name
        paths = sorted(path for end in ("jpg", "jpeg") for path in Path(spec).glob(f"*.{end}"))
    if not paths:
        sys.exit(f"no JPEG file in {pattern}")
    return Corpus(name, [path.read_bytes() for path in paths])


def made(name: str, folder: Path) -> Corpus:
    """One corpus of the made set; it is written to `folder` once and read from there again."""
    folder = folder / name
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        folder.mkdir(parents=True, exist_ok=True)
        for i, data in enumerate(_web() if name == "web" else _large(name)):
            paths.append(folder / f"{i:03}.jpg")
            paths[-1].write_bytes(data)
    return Corpus(name, [path.read_bytes() for path in paths])


def fixed_name(n: int) -> str:
    return f"{n} x {n}"


def fixed(n: int) -> Corpus:
    """One image that has the model's size already: only the fixed cost of a call remains."""
    return Corpus(fixed_name(n), [_encoded(_mosaic((n, n), 0), "JPEG", quality=90)])


def _web() -> list[bytes]:
    files = []
    photos = _photos()
    for i in range(4 * len(WEB)):
        photo = photos[i % len(photos)]
        scale = (300_000 / (photo.width * photo.height)) ** 0.5
        resized = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        files.append(_encoded(resized, "JPEG", **WEB[i // 4]))
    return files


def _large(name: str) -> list[bytes]:
    ways = LARGE[:1] if name == "huge" else LARGE
    return [_encoded(_mosaic(SIZES[name], i), "JPEG", **way) for i, way in enumerate(ways)]


def _photos() -> list[Image.Image]:
    paths = sorted(path for path in PHOTOS.iterdir() if path.suffix in (".jpg", ".png", ".webp"))
    return [Image.open(path).convert("RGB") for path in paths]


def _mosaic(size: tuple[int, int], seed: int) -> Image.Image:
    """Rows of photos at 600 pixels height until the canvas is full, and grain over it."""
    rng = np.random.default_rng(seed)
    canvas, photos = Image.new("RGB", size), _photos()
    for top in range(0, size[1], 600):
        left = -int(rng.integers(0, 300))
        while left < size[0]:
            photo = photos[rng.integers(len(photos))]
            tile = photo.resize((round(photo.width * 600 / photo.height), 600))
            canvas.paste(tile, (left, top))
            left += tile.width
    pixels = np.array(canvas)
    grain = rng.normal(0, 3, (601, 997, 1)).round().astype(np.int16)
    for top in range(0, size[1], 601):  # in bands, for the memory of the largest
        band = pixels[top : top + 601]
        noise = np.tile(grain, (1, size[0] // 997 + 1, 1))[: len(band), : size[0]]
        band[:] = np.clip(band + noise, 0, 255)
    return Image.fromarray(pixels)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


if __name__ == "__main__":
    for corpus_name in ("web", *SIZES):
        print(made(corpus_name, Path(sys.argv[1])).describe())
