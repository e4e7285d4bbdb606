"""PIL images in every mode, made in every way that Pillow has: the bits of live Pillow, whatever lies in unused memory.

Drawing, merging and pasting leave bytes in an image's storage that no decoder leaves there: 1 for white in mode 1, and
second and third bytes of LA that are not L.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

import clipprep
from support.compare import assert_equal_bits
from support.pictures import picture
from support.reference import reference

SIZE = (50, 40)
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16", "I;16B", "I;16L")  # fmt: skip


def base(mode: str, seed: int = 0) -> Image.Image:
    return picture(mode, *SIZE, seed=seed)


def colour(mode: str, level: int = 200) -> object:
    """A colour as Pillow takes it for the mode."""
    bands = Image.new(mode, (1, 1)).getbands()
    if mode == "1":
        return 1
    if len(bands) > 1:
        return tuple((level + 37 * band) % 256 for band in range(len(bands)))
    return float(level) if mode == "F" else level


def drawn(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    draw.rectangle((3, 4, 30, 20), fill=colour(image.mode))
    draw.ellipse((20, 10, 45, 35), fill=colour(image.mode, 90))
    draw.line((0, 0, 49, 39), fill=colour(image.mode), width=3)
    return image


def pasted(image: Image.Image, mask: Image.Image | None = None) -> Image.Image:
    image.paste(base(image.mode, 1).crop((0, 0, 30, 25)), (10, 5), mask)
    return image


def put(image: Image.Image) -> Image.Image:
    for x in range(0, 50, 3):
        image.putpixel((x, x % 40), colour(image.mode))
    return image


def data_put(image: Image.Image) -> Image.Image:
    image.putdata([colour(image.mode, level % 256) for level in range(50 * 40)])
    return image


def alpha_put(image: Image.Image) -> Image.Image:
    image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return image


def from_buffer(image: Image.Image) -> Image.Image:
    pixels = bytearray(image.tobytes())
    return Image.frombuffer(image.mode, SIZE, pixels, "raw", image.mode, 0, 1)


def expanded(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, 5, fill=colour(image.mode))


#: Each takes an image of a mode and returns one that was made in that way. It may raise where Pillow has no such way.
WAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as decoded": lambda image: image,
    "new": lambda image: Image.new(image.mode, SIZE, colour(image.mode)),
    "new, black": lambda image: Image.new(image.mode, SIZE),
    "copy": lambda image: image.copy(),
    "merge": lambda image: Image.merge(image.mode, [picture("L", *SIZE, seed=at) for at, _ in enumerate(image.getbands())]),
    "split and merge": lambda image: Image.merge(image.mode, image.split()),
    "draw": drawn,
    "draw on new": lambda image: drawn(Image.new(image.mode, SIZE)),
    "paste": pasted,
    "paste with a mask": lambda image: pasted(image, Image.linear_gradient("L").resize((30, 25))),
    "paste with a mask of bits": lambda image: pasted(image, picture("1", 30, 25)),
    "paste a colour": lambda image: (image.paste(colour(image.mode), (5, 5, 30, 30)), image)[1],
    "putpixel": put,
    "putdata": data_put,
    "putalpha": alpha_put,
    "point": lambda image: image.point(lambda value: value * 0.5 + 3),
    "point to bits": lambda image: image.convert("L").point(lambda value: value > 100, "1"),
    "transpose": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "rotate": lambda image: image.rotate(33, expand=True),
    "rotate, filled": lambda image: image.rotate(20, fillcolor=colour(image.mode)),
    "transform": lambda image: image.transform(SIZE, Image.Transform.AFFINE, (1, 0.2, -3, 0.1, 0.9, 2)),
    "transform, bilinear": lambda image: image.transform(SIZE, Image.Transform.AFFINE, (1, 0.2, -3, 0.1, 0.9, 2), Image.Resampling.BILINEAR),
    "crop": lambda image: image.crop((5, 5, 44, 37)),
    "crop beyond": lambda image: image.crop((-5, -5, 60, 50)),
    "expand": expanded,
    "resize": lambda image: image.resize((70, 33)),
    "reduce": lambda image: image.reduce(2),
    "thumbnail": lambda image: (image.thumbnail((40, 40)), image)[1],
    "composite": lambda image: Image.composite(image, base(image.mode, 1), picture("1", *SIZE)),
    "blend": lambda image: Image.blend(image, base(image.mode, 1), 0.4),
    "alpha_composite": lambda image: Image.alpha_composite(image, base(image.mode, 1)),
    "frombuffer": from_buffer,
    "frombytes": lambda image: Image.frombytes(image.mode, SIZE, image.tobytes()),
    "fromarray": lambda image: Image.fromarray(np.asarray(image)),
    "effect": lambda image: image.effect_spread(4),
    "filter": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "invert": ImageOps.invert,
    "offset": lambda image: ImageChops.offset(image, 7, 5),
    "logical": lambda image: ImageChops.logical_xor(image, base(image.mode, 1)),
    "quantize": lambda image: image.quantize(17),
    "convert by way of L": lambda image: image.convert("L").convert(image.mode),
    "convert by way of RGBA": lambda image: image.convert("RGBA").convert(image.mode),
    "convert to bits": lambda image: image.convert("1"),
    "convert to LA": lambda image: image.convert("LA"),
    "convert to PA": lambda image: image.convert("PA"),
    "remap": lambda image: image.remap_palette(list(range(255, -1, -1))),
    "palette": lambda image: (image.putpalette([value % 256 for value in range(11, 779)]), image)[1],
    "palette of RGBA": lambda image: (image.putpalette([value * 7 % 256 for value in range(1024)], "RGBA"), image)[1],
    "palette of CMYK": lambda image: (image.putpalette([value * 7 % 256 for value in range(1024)], "CMYK"), image)[1],
    "palette of one colour": lambda image: (image.putpalette([1, 2, 3]), image)[1],
}  # fmt: skip
OPTIONS = ({}, {"profile": "hf-pil"}, {"interpolation": "nearest"}, {"interpolation": "box"})


def made(mode: str, way: str) -> Image.Image | None:
    try:
        return WAYS[way](base(mode))
    except Exception:  # Pillow has no such way for the mode
        return None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_the_bits_are_pillows(mode: str, way: str) -> None:
    image = made(mode, way)
    if image is None:
        pytest.skip("Pillow does not do this")
    for options in OPTIONS:
        for size in (32, 9, 61):
            pre = clipprep.Preprocess(size, pillow="installed", **options)
            name = f"{mode} {way} {options} {size}"
            try:
                expected = reference(image, size, **options)
            except Exception:  # such as La, which Pillow does not convert
                with pytest.raises(clipprep.ImageError):
                    pre(image)
                continue
            assert_equal_bits(pre(image), expected, name)


def test_there_are_enough_combinations() -> None:
    count = sum(made(mode, way) is not None for mode in MODES for way in WAYS)
    assert count * len(OPTIONS) * 3 >= 1000
    assert count >= 450
