"""The reference of the whole project: Pillow resizes, crops and converts, NumPy does the float part.

Nothing here imports clipprep. Everything is parametrised as `clipprep.Preprocess` is, so that a test reads
`assert_equal_bits(pre(source), reference(image, n), name)`.
"""

from __future__ import annotations

import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import PIL
from PIL import Image, ImageFile

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

#: The build of Pillow that runs here, as the option `pillow=` names it.
LIVE = "13" if int(PIL.__version__.split(".")[0]) >= 13 else "12"
if platform.machine() in ("aarch64", "arm64") and sys.platform != "win32":
    LIVE += "-arm"

#: No test may make Pillow hold more pixels than this in one resized image.
MAX_RESIZED_PIXELS = 40_000_000


def resized_size(width: int, height: int, n: int) -> tuple[int, int]:
    """torchvision's rule: the shorter side becomes n; a true division, then truncation."""
    if width <= height:
        return n, int(n * height / width)
    return int(n * width / height), n


def crop_box(width: int, height: int, n: int, profile: str = "openai") -> tuple[int, int, int, int]:
    """The centre crop (left, top, right, bottom) of a resized image; the profiles round an odd margin differently."""
    if profile == "openai":
        left, top = round((width - n) / 2), round((height - n) / 2)
    else:
        left, top = (width - n) // 2, (height - n) // 2
    return left, top, left + n, top + n


def pass_order(size: tuple[int, int], resized: tuple[int, int], pillow: str) -> str:
    """Which axis Pillow resamples first, written down from its behaviour: "vertical" or "horizontal"."""
    (width, height), (new_width, new_height) = size, resized
    if pillow.startswith("13"):
        vertical = height > new_height and height - new_height > 2 * (width - new_width)
    else:
        vertical = height > 100 * width and height > new_height
    return "vertical" if vertical else "horizontal"


def resize_as(
    image: Image.Image, resized: tuple[int, int], filter_name: str, pillow: str
) -> Image.Image:
    """`image.resize` with the pass order of another Pillow: two one-axis resizes, for that leaves no choice."""
    if pillow == LIVE:
        return image.resize(resized, FILTERS[filter_name])
    if resized == image.size:
        return image.copy()
    if filter_name == "nearest" or image.mode in ("1", "P"):
        return image.resize(resized, Image.Resampling.NEAREST)
    if image.mode in ("LA", "RGBA"):  # premultiplied once around both passes, not around each
        premultiplied = image.convert({"LA": "La", "RGBA": "RGBa"}[image.mode])
        return resize_as(premultiplied, resized, filter_name, pillow).convert(image.mode)
    (width, height), (new_width, new_height) = image.size, resized
    first = (
        (width, new_height)
        if pass_order(image.size, resized, pillow) == "vertical"
        else (new_width, height)
    )
    assert first[0] * first[1] <= MAX_RESIZED_PIXELS, f"test too large: {image.size} -> {first}"
    return image.resize(first, FILTERS[filter_name]).resize(resized, FILTERS[filter_name])


def normalise(pixels: np.ndarray, profile: str = "openai", mean=MEAN, std=STD) -> np.ndarray:
    """(n, n, 3) uint8 -> (3, n, n) float32."""
    mean32, std32 = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    if profile == "openai":
        value = pixels.astype(np.float32) / np.float32(255)
    else:
        value = (pixels.astype(np.float64) * (1 / 255)).astype(np.float32)
    return np.ascontiguousarray(((value - mean32) / std32).transpose(2, 0, 1))


def rgb_over_white(image: Image.Image) -> Image.Image:
    """transformers' `convert_to_rgb`: transparent pixels show white. Arrays have other arithmetic."""
    has_alpha = "A" in image.getbands() or image.info.get("transparency") is not None
    if not has_alpha:
        return image.convert("RGB")
    image_rgba = image.convert("RGBA")
    if image.info.get("is an array"):
        pixels = np.asarray(image_rgba)
        alpha = pixels[..., 3:] / 255
        return Image.fromarray(
            np.round(alpha * pixels[..., :3] + (1 - alpha) * 255).astype(np.uint8)
        )
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image_rgba).convert("RGB")


def reference(
    image: Image.Image,
    n: int,
    *,
    interpolation: str = "bicubic",
    profile: str = "openai",
    pillow: str = LIVE,
    mean=MEAN,
    std=STD,
) -> np.ndarray:
    """The whole transform of one PIL image: (3, n, n) float32, C contiguous."""
    resized = resized_size(*image.size, n)
    assert resized[0] * resized[1] <= MAX_RESIZED_PIXELS, (
        f"test too large: {image.size} -> {resized}"
    )
    box = crop_box(*resized, n, profile)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Palette images with Transparency")
        if profile == "hf-pil":
            image = rgb_over_white(image)
        cropped = resize_as(image, resized, interpolation, pillow).crop(box).convert("RGB")
    return normalise(np.asarray(cropped), profile, mean, std)


@contextmanager
def load_truncated(wanted: bool) -> Iterator[None]:
    """Pillow's global for the reference alone; clipprep must neither need it nor notice it."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = wanted
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def from_array(array: np.ndarray, profile: str = "openai") -> Image.Image:
    """The PIL image that an array source stands for: 1 channel is L, 2 are LA, 3 RGB, 4 RGBA. Channels are last,
    but in transformers' profiles where they can be first."""
    if profile.startswith("hf-") and array.ndim == 3 and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    image = Image.fromarray(np.ascontiguousarray(array))
    image.info["is an array"] = True
    return image
