"""The reference of any `Preprocess`: its options, step by step, on the live Pillow, NumPy and torchvision."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageOps

from clipprep import Preprocess
from clipprep.verify import reference
from clipprep.verify.sizes import LESS_BEFORE, OF_MODELS, Size

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
#: Profiles whose resizing is torchvision's, and those that crop as transformers does.
_TORCH = ("hf-torchvision", "hf-torchvision-floats", "torchvision")
_HF = ("hf-pil", "hf-scipy", "hf-torchvision", "hf-torchvision-floats")
#: Profiles that multiply bytes by the rescale factor in float32, where nothing is folded.
_IN_FLOAT32 = (*_TORCH, "torchvision-pil")
#: Which order of passes the Pillow that runs has.
_LIVE = "13" if int(PIL.__version__.split(".")[0]) >= 13 else "12"
if Preprocess(1, pillow="installed").pillow.endswith("-arm"):
    _LIVE += "-arm"


class Transform:
    """The transform that a `Preprocess` stands for."""

    def __init__(self, preprocess: Preprocess) -> None:
        """Raises ValueError where there is nothing to compare with."""
        if preprocess.precision != "exact":
            raise ValueError('expected precision="exact": other bits have no reference')
        self.preprocess = preprocess
        size = preprocess.size
        self._height, self._width = (size, size) if isinstance(size, int) else size
        if preprocess.profile in _TORCH:
            _needs("torchvision", preprocess.profile)
        if preprocess.profile == "hf-scipy":
            _needs("scipy", preprocess.profile)

    @property
    def name(self) -> str:
        """The library whose bits they are, with its version."""
        name = f"Pillow {PIL.__version__}"
        if self.preprocess.profile in _TORCH:
            name = f"torchvision {import_module('torchvision').__version__} with {name}"
        return name

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height of an image of that size after resizing, in its last step."""
        pre, (width, height) = self.preprocess, size
        to = pre.resize_size
        to_height, to_width = (to, to) if isinstance(to, int) else to
        if pre.resize_mode == "squash":
            return to_width, to_height
        if pre.resize_mode == "none":
            return width, height
        if pre.resize_mode in OF_MODELS:
            return OF_MODELS[pre.resize_mode]((to_height, to_width), width, height)
        if pre.resize_mode == "shortest" and to_width == to_height:
            return reference.resized_size(width, height, to_width)
        ratios = height / to_height, width / to_width
        ratio = min(ratios) if pre.resize_mode == "shortest" else max(ratios)
        return round(width / ratio), round(height / ratio)

    def __call__(self, image: Image.Image) -> NDArray[Any]:
        """The tensor of an image that is turned already."""
        if self._is_openai:
            pixels = reference.pixels(image, self._width)
            return self._stored(pixels, reference.normalise(pixels).transpose(1, 2, 0))
        pre = self.preprocess
        if not pre.convert_rgb and image.mode != "RGB":
            raise ValueError(f"expected an RGB image, found one of mode {image.mode}")
        if pre.profile != "openai":
            image = (
                _over_white(image)
                if pre.profile in _HF and pre.over_white
                else image.convert("RGB")
            )
        if pre.resize_mode == "donut":
            image = self._first_step(image)
        if pre.resize_mode == "perceiver":
            image = self._centre(image)
            to = self._width, self._height
        else:
            to = self.resized(image.size)
        if 0 in to:
            raise ValueError(f"expected a pixel per side, found a size of {to}")
        if pre.profile in ("hf-torchvision-floats", "hf-scipy"):
            return self._of_floats(image, to)
        if to != image.size:
            image = self._resize(image, to)
        pixels = np.array(self._crop(image).convert("RGB"))
        floats = self._floats(pixels)
        if pre.fill_color is None:
            outside = self._outside(image.size)
            pixels[outside], floats[outside] = 0, 0
        return self._stored(pixels, floats)

    def levels(self, found: NDArray[Any], wanted: NDArray[Any]) -> int:
        """The largest difference, in levels of 0 to 255, as far as floats of any value tell."""
        pre = self.preprocess
        one = _as_floats(found, pre.dtype), _as_floats(wanted, pre.dtype)
        distance = np.nan_to_num(np.abs(one[0] - one[1]), nan=1e6)
        if pre.dtype != "uint8":
            axis = (1, 1, 3) if pre.layout == "NHWC" else (3, 1, 1)
            std = np.reshape(pre.std[::-1] if pre.channel_order == "BGR" else pre.std, axis)
            distance = distance * std ** (pre.normalize + pre.std_twice)
            distance = distance / (1 if pre.rescale_factor is None else pre.rescale_factor)
        return int(np.rint(distance).clip(0, 1000).max())

    @cached_property
    def _is_openai(self) -> bool:
        """Whether it is OpenAI's own transform, which `reference` has on a page."""
        pre, plain = self.preprocess, Preprocess(self.preprocess.size)
        if self._height != self._width or pre.pillow not in ("installed", _LIVE):
            return False
        names = ("profile", "mean", "std", "interpolation", "resize_mode", "resize_size", "convert_rgb",
                 "rescale_factor", "rescale_offset", "normalize", "std_twice", "channel_order",
                 "position", "fill_color")  # fmt: skip
        return all(getattr(pre, name) == getattr(plain, name) for name in names)

    def _resize(self, image: Image.Image, to: tuple[int, int]) -> Image.Image:
        pre = self.preprocess
        if pre.profile in _TORCH:
            return Image.fromarray(self._by_torch(np.asarray(image), to))
        if pre.pillow in ("installed", _LIVE):
            return image.resize(to, FILTERS[pre.interpolation])
        return _in_order(image, to, pre.interpolation, pre.pillow)

    def _by_torch(self, pixels: NDArray[Any], to: tuple[int, int]) -> NDArray[Any]:
        torch = import_module("torch")
        functional = import_module("torchvision.transforms.v2.functional")
        name = self.preprocess.interpolation
        mode = {"nearest": "nearest-exact", "nearest-floor": "nearest"}.get(name, name)
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        resized = functional.resize(
            tensor,
            list(to[::-1]),
            functional.InterpolationMode(mode),
            antialias=self.preprocess.antialias,
        )
        found: NDArray[Any] = resized.numpy().transpose(1, 2, 0)
        return np.ascontiguousarray(found)

    def _first_step(self, image: Image.Image) -> Image.Image:
        """What Donut resizes to the shorter side of the size."""
        of = self.preprocess.resize_size
        to = reference.resized_size(*image.size, of if isinstance(of, int) else min(of))
        if 0 in to:
            raise ValueError(f"expected a pixel per side, found a size of {to}")
        return image if to == image.size else self._resize(image, to)

    def _centre(self, image: Image.Image) -> Image.Image:
        """What Perceiver cuts out before it resizes."""
        of = self.preprocess.resize_size
        of_height, of_width = (of, of) if isinstance(of, int) else of
        shorter = min(image.size)
        width = int((self._width / of_width) * shorter)
        height = int((self._height / of_height) * shorter)
        if 0 in (width, height):
            raise ValueError(f"expected a pixel per side, found a centre of {width} x {height}")
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))

    def _crop(self, image: Image.Image) -> Image.Image:
        """The centre, padded where the image is smaller."""
        pre = self.preprocess
        before, after, starts = self._margins(image.size)
        if any(before) or any(after):
            fill = pre.fill_color or 0
            fills = (fill,) * len(image.getbands()) if isinstance(fill, int) else fill
            if len(fills) != len(image.getbands()):
                raise ValueError(f"expected an image of three bands, found mode {image.mode}")
            palette = image.getpalette() if image.mode == "P" else None
            levels: Any = fills if len(fills) > 1 else fills[0]
            image = ImageOps.expand(image, (*before, *after), fill=levels)
            if palette is not None:
                image.putpalette(palette)
        left, top = starts
        return image.crop((left, top, left + self._width, top + self._height))

    def _margins(self, size: tuple[int, int]) -> tuple[list[int], list[int], list[int]]:
        """Padding before and after, and where the crop begins, by axis."""
        profile = self.preprocess.profile
        before, after, starts = [], [], []
        for side, n in zip(size, (self._width, self._height), strict=True):
            lacking, margin = max(n - side, 0), max(side - n, 0)
            if self.preprocess.position == "top-left":
                if margin:
                    raise ValueError(f"expected an image that fits, found a size of {size}")
                before.append(0)
            elif profile == "hf-pil" and self.preprocess.resize_mode not in LESS_BEFORE:
                before.append((lacking + 1) // 2)
            else:
                before.append(lacking // 2)
            after.append(lacking - before[-1])
            starts.append(margin // 2 if profile in _HF else round(margin / 2))
        return before, after, starts

    def _outside(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Where an image of that size after resizing leaves padding."""
        before, after, _ = self._margins(size)
        outside = np.ones((self._height, self._width), np.bool_)
        outside[before[1] : self._height - after[1], before[0] : self._width - after[0]] = False
        return outside

    def _floats(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        pre, value = self.preprocess, pixels.astype(np.float32)
        mean, std = np.array(pre.mean, np.float32), np.array(pre.std, np.float32)
        factor = pre.rescale_factor
        folds = pre.profile in _HF[1:] and pre.normalize and not pre.rescale_offset
        if factor is not None and folds:  # into mean and std
            inverse = np.float32(1 / factor)
            value = (value - mean * inverse) / (std * inverse)
            return np.asarray(value / std if pre.std_twice else value)
        if factor is not None:
            if pre.profile in _IN_FLOAT32:
                value = value * np.float32(factor)
            elif pre.profile in _HF:
                value = (pixels.astype(np.float64) * factor).astype(np.float32)
            else:
                value = value / np.float32(255)
        return self._after_rescaling(value)

    def _after_rescaling(self, value: NDArray[Any]) -> NDArray[Any]:
        pre = self.preprocess
        mean, std = np.array(pre.mean, np.float32), np.array(pre.std, np.float32)
        if pre.rescale_offset:
            value = value - np.float32(1)
        if pre.normalize:
            value = (value - mean) / std
        return np.asarray(value / std if pre.std_twice else value)

    def _of_floats(self, image: Image.Image, to: tuple[int, int]) -> NDArray[Any]:
        """Rescaled before it is resized, as DINOv3's and OWLv2's."""
        pre = self.preprocess
        if pre.dtype == "uint8":
            raise ValueError(f"expected floats: profile={pre.profile!r} has no bytes")
        factor = 1.0 if pre.rescale_factor is None else pre.rescale_factor
        value: NDArray[Any] = np.asarray(image).astype(np.float32)
        if pre.profile == "hf-scipy":
            value = _by_scipy((value.astype(np.float64) * factor).astype(np.float32), to)
        else:
            value = value * np.float32(factor)
            if to != image.size:
                value = self._by_torch(value, to)
        before, after, (left, top) = self._margins(to)
        if any(before) or any(after):
            raise ValueError(
                "expected an image that covers the crop: padding has no reference here"
            )
        value = value[top : top + self._height, left : left + self._width]
        return self._stored(None, self._after_rescaling(value))

    def _stored(self, pixels: NDArray[Any] | None, floats: NDArray[Any]) -> NDArray[Any]:
        """In the type of number and the layout that are asked for, of (height, width, 3)."""
        pre = self.preprocess
        value: NDArray[Any] = floats
        if pre.dtype == "uint8":
            assert pixels is not None, "checked before"
            value = pixels
        elif pre.dtype == "float16":
            value = floats.astype(np.float16)
        elif pre.dtype == "bfloat16":  # rounded to nearest, ties to even
            bits = floats.astype(np.float32).view(np.uint32)
            value = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
        if pre.channel_order == "BGR":
            value = value[..., ::-1]
        return np.ascontiguousarray(value if pre.layout == "NHWC" else value.transpose(2, 0, 1))


def _needs(package: str, profile: str) -> None:
    try:
        import_module(package)
    except ImportError:
        raise ValueError(
            f"expected {package}, whose bits profile={profile!r} has: pip install {package}"
        ) from None


def _by_scipy(value: NDArray[Any], to: Size) -> NDArray[Any]:
    """OWLv2's resize of (height, width, 3): a square with black, blurred and zoomed."""
    ndimage = import_module("scipy.ndimage")
    side = max(value.shape[:2])
    square = np.zeros((side, side, 3), np.float32)
    square[: value.shape[0], : value.shape[1]] = value
    factors = np.divide((side, side, 3), (*to[::-1], 3))
    blurred = ndimage.gaussian_filter(square, np.maximum(0, (factors - 1) / 2), mode="mirror")
    zoomed = ndimage.zoom(blurred, 1 / factors, order=1, mode="mirror", grid_mode=True)
    return np.asarray(np.clip(zoomed, square.min(), square.max()))


def _as_floats(tensor: NDArray[Any], dtype: str) -> NDArray[np.float64]:
    if dtype == "bfloat16":
        tensor = (tensor.astype(np.uint32) << 16).view(np.float32)
    return tensor.astype(np.float64)


def _over_white(image: Image.Image) -> Image.Image:
    """transformers' `convert_to_rgb`: transparent pixels show white."""
    if "A" not in image.getbands() and image.info.get("transparency") is None:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def _in_order(image: Image.Image, to: tuple[int, int], name: str, pillow: str) -> Image.Image:
    """`image.resize` with the order of the passes of another Pillow: two resizes of one axis each."""
    if name == "nearest" or image.mode in ("1", "P"):
        return image.resize(to, Image.Resampling.NEAREST)
    if image.mode in ("LA", "RGBA"):  # multiplied once around both passes
        multiplied = image.convert({"LA": "La", "RGBA": "RGBa"}[image.mode])
        return _in_order(multiplied, to, name, pillow).convert(image.mode)
    (width, height), (to_width, to_height) = image.size, to
    if pillow.startswith("13"):
        vertical = height > to_height and height - to_height > 2 * (width - to_width)
    else:
        vertical = height > 100 * width and height > to_height
    first = (width, to_height) if vertical else (to_width, height)
    return image.resize(first, FILTERS[name]).resize(to, FILTERS[name])
