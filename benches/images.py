"""Images of all sizes and modes, and photos, to compare configs on."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

#: The modes that images are made in; the others of Pillow are checked by the project's tests.
MODES = ("RGB", "RGB", "RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "I;16", "PA", "transparent P")


def made(count: int) -> Iterator[tuple[str, Any]]:
    """Images of many sizes, shapes and modes; every second one that PNG can hold is encoded."""
    rng = np.random.default_rng(20)
    for i in range(count):
        mode = MODES[i % len(MODES)]
        width, height = size(i, rng)
        image = picture(mode, width, height, rng)
        source: Any = image
        if i % 2 and mode not in ("CMYK", "PA"):
            file = io.BytesIO()
            image.save(file, "PNG")
            source = file.getvalue()
        yield f"{mode} {width} x {height}", source


def size(i: int, rng: np.random.Generator) -> tuple[int, int]:
    """From a pixel to a thousand, some thin, and the sides around which processors change what they do."""
    kind = i % 7
    if kind == 0:
        return int(rng.integers(1, 60)), int(rng.integers(1, 60))
    if kind == 1:
        return int(rng.integers(8, 40)), int(rng.integers(300, 1200))
    if kind == 2:
        return int(rng.integers(300, 1200)), int(rng.integers(8, 40))
    if kind == 3:
        return random.Random(i).choices((223, 224, 225, 255, 256, 384, 768), k=2)  # type: ignore[return-value]
    return int(rng.integers(60, 1000)), int(rng.integers(60, 1000))


def picture(mode: str, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Noise, extremes, or waves, which are smooth."""
    kind = rng.integers(3)
    shape = (height, width, 4)
    if kind == 0:
        pixels = rng.integers(0, 256, shape)
    elif kind == 1:
        pixels = rng.integers(0, 2, shape) * 255
    else:
        y, x, c = np.ogrid[:height, :width, :4]
        pixels = 127.5 + 127.5 * np.sin(x / (3 + c) + y / 17 + c)
    image = Image.fromarray(pixels.astype(np.uint8), "RGBA")
    if mode == "transparent P":
        image = image.convert("RGB").quantize(64)
        image.info["transparency"] = bytes(rng.integers(0, 256, 64, dtype=np.uint8))
        return image
    if mode == "I;16":
        return Image.frombytes("I;16", (width, height), pixels[..., 0].astype("<u2").tobytes())
    if mode == "P":
        return image.convert("RGB").quantize(64)
    if mode == "PA":
        return image.convert("RGB").quantize(64).convert("PA")
    return (
        image
        if mode == "RGBA"
        else image.convert("RGB").convert(mode)
        if mode != "LA"
        else image.convert("LA")
    )


def photos(folders: list[Path]) -> Iterator[tuple[str, Any]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".gif"):
                yield path.name, str(path)


def opened(source: Any) -> Image.Image:
    """A source as the peers take it."""
    if not isinstance(source, Image.Image):
        source = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    source.load()
    return source
