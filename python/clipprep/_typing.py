"""Types of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

if TYPE_CHECKING:
    from .limits import Limits


class SupportsBuffer(Protocol):
    """An object that lends its memory as a buffer, such as `bytes`."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


class SupportsRead(Protocol):
    """A binary file."""

    def read(self) -> bytes | bytearray | memoryview: ...


class SupportsOpen(Protocol):
    """A file that is not open yet, such as `zipfile.Path` and the files of `fsspec.open`."""

    @property
    def open(self) -> Any: ...


class SupportsArrayInterface(Protocol):
    """An array of another library in the host's memory."""

    @property
    def __array_interface__(self) -> Any: ...


class SupportsDLPack(Protocol):
    """A tensor of another library in the host's memory."""

    @property
    def __dlpack__(self) -> Any: ...


class SupportsColumns(Protocol):
    """A data frame of one column."""

    @property
    def columns(self) -> Any: ...


class EncodedImage(TypedDict, total=False):
    """An image as `datasets` has it."""

    bytes: SupportsBuffer | None
    path: str | None


Source: TypeAlias = (
    str
    | PathLike[str]
    | PathLike[bytes]
    | SupportsBuffer
    | SupportsRead
    | SupportsOpen
    | SupportsArrayInterface
    | SupportsDLPack
    | Image
    | EncodedImage
)
"""A source of one image: a path, encoded bytes, a file, a PIL image, or pixels."""
#: Sources of a batch.
Sources: TypeAlias = Iterable[Source | None] | SupportsArrayInterface | SupportsColumns


# [options] scripts/options.py writes this from the core's table
class ConfigOptions(TypedDict, total=False):
    """The options of `Preprocess` that a model's config leaves to the caller."""

    pillow: Literal["13", "12", "13-arm", "12-arm", "installed"]
    """The build of Pillow to reproduce."""
    dtype: Literal["float32", "float16", "bfloat16", "uint8"] | type[np.generic] | np.dtype[Any]
    """The data type of the tensors: the name, a type or dtype of NumPy, or a dtype of torch."""
    layout: Literal["NCHW", "NHWC"]
    """The order of the axes of the tensors."""
    input_layout: Literal["auto", "HWC", "CHW"]
    """The order of the axes of source arrays."""
    precision: Literal["exact", "fast"]
    """Whether to reproduce every bit, or to decode JPEG files faster."""
    convert_rgb: bool
    """Whether to convert images of other modes to RGB."""
    over_white: bool
    """Whether to lay transparent pixels over white where the profile does, as the image processors of transformers 5 do."""
    limits: Limits | None
    """Bounds on the cost of one image."""
    truncated: Literal["error", "pad"]
    """How to treat truncated files, whose bytes end before their image does."""
    exif: bool
    """Whether to apply the EXIF orientation first, as `PIL.ImageOps.exif_transpose` does."""
    formats: Iterable[str] | None
    """The only formats to read, by Pillow's names, such as `["JPEG", "PNG"]`; others raise `UnsupportedError`."""
    fallback: Literal["inline", "process", "never"]
    """Where Pillow decodes files that no native decoder reads."""


class Options(ConfigOptions, total=False):
    """All options of `Preprocess`."""

    profile: Literal[
        "openai",
        "timm",
        "hf-pil",
        "hf-torchvision",
        "hf-torchvision-floats",
        "hf-scipy",
        "torchvision",
        "torchvision-pil",
    ]
    """The implementation to reproduce bit for bit."""
    mean: Sequence[float] | NDArray[Any] | None
    """Three numbers to subtract from the channels R, G, B."""
    std: Sequence[float] | NDArray[Any] | None
    """Three numbers above 0 to divide the channels R, G, B by."""
    interpolation: (
        Literal["nearest", "nearest-floor", "box", "bilinear", "hamming", "bicubic", "lanczos"]
        | Resampling
    )
    """The resampling filter: the name, or a member of `PIL.Image.Resampling` or of torchvision's `InterpolationMode`."""
    antialias: bool
    """Whether to widen the filter where an image is downscaled, so that every pixel counts."""
    channel_order: Literal["RGB", "BGR"]
    """The order of the channels of the tensors."""
    resize_mode: Literal[
        "shortest",
        "longest",
        "squash",
        "none",
        "bridgetower",
        "janus",
        "tvp",
        "pp-lcnet",
        "perceiver",
        "detr",
        "fit",
        "sam",
        "aria",
        "deepseek-ocr",
        "donut",
    ]
    """How to resize before the centre is cropped."""
    resize_size: int | Sequence[int] | None
    """The size that `resize_mode` resizes to: a side in pixels, or (height, width)."""
    fill_color: int | Sequence[int] | None
    """The colour of the padding where the image does not fill the output: one level of 0 to 255 for all channels, or three levels for an image of three channels."""
    position: Literal["centre", "top-left"]
    """Where to place an image that is smaller than the output after resizing."""
    rescale_factor: float | None
    """The factor to multiply the levels of 0 to 255 by."""
    rescale_offset: bool
    """Whether to subtract 1 after multiplying by `rescale_factor`."""
    normalize: bool
    """Whether to subtract `mean` and divide by `std`."""
    std_twice: bool
    """Whether to divide by `std` once more, as EfficientNet's `include_top` does."""


# [/options]
