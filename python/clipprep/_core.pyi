from collections.abc import Iterator
from typing import Any, Literal, NotRequired, Self, TypedDict, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from ._typing import Source, Sources
from .limits import Limits
from .results import Errors

__all__ = [
    "MEAN",
    "STD",
    "Exported",
    "Guard",
    "Preprocess",
    "_Cancel",
    "__version__",
    "available_models",
    "build_info",
    "check_batch_size",
    "check_limits",
    "check_threads",
    "describe_limits",
    "describe_options",
    "guard",
    "iterate",
    "kind",
    "message",
    "native_formats",
    "pixel_bytes",
    "said",
    "shown",
]

MEAN: tuple[float, float, float]
"""Channel means of CLIP's training set (openai/CLIP, `clip.py`, `_transform`)."""
STD: tuple[float, float, float]
"""Channel standard deviations of CLIP's training set."""
__version__: str

class _BuildInfo(TypedDict):
    version: str
    target: str
    profile: Literal["debug", "release"]
    simd: str
    simd_supported: list[str]
    jpeg_simd: bool
    threads: int

def available_models() -> list[str]:
    """The names of OpenAI's models, in the order of their publication."""

def build_info() -> _BuildInfo:
    """Versions and abilities of this build, by name."""

def native_formats() -> list[tuple[str, str]]:
    """The formats that are decoded here: Pillow's name of each, and the decoder's."""

class _Row(TypedDict):
    name: str
    doc: str
    kind: str
    annotation: str
    default: Any
    choices: NotRequired[dict[str, str]]
    shown: NotRequired[str]
    beside_config: NotRequired[bool]

def describe_options() -> list[_Row]:
    """The options of `Preprocess`: a row for each, which the command line, the stub and the documentation are made from."""

def describe_limits() -> list[_Row]:
    """The bounds of `Limits`, in rows like those of `describe_options`."""

@final
class Guard:
    """The limits of a call; it keeps the error for which it raises."""
    def pixels(self, width: int, height: int) -> None: ...
    def memory(self, size: int) -> None: ...
    def scans(self, count: int, pixels: int) -> None: ...
    def file(self, data: bytes) -> None: ...
    def exif(self, block: bytes) -> None: ...
    def png(self, data: memoryview) -> tuple[int, int]: ...
    def limits(self) -> dict[str, int | None]:
        """The limits by name."""

    def refused(self) -> tuple[str, str] | None:
        """The kind and the text of the error for which it raised, if it did."""

@final
class Exported:
    """Memory that Pillow exports, of an image or of some rows."""

    def __new__(cls, capsule: Any, mode: str, width: int, height: int) -> Self: ...
    def __len__(self) -> int: ...
    def piece(self, start: int, size: int) -> bytes:
        """Some of the bytes."""

def guard(limits: Limits) -> Guard:
    """What checks files by `limits`, outside of a call."""

def pixel_bytes(mode: str, stored: bool) -> int | None:
    """Bytes of a pixel of a mode, packed or as Pillow stores it; `None` for a mode that is not read."""

def check_limits(limits: Limits) -> None:
    """Raises TypeError or ValueError for bounds that are none."""

def check_batch_size(batch_size: int) -> None:
    """Raises TypeError or ValueError for a size of batches that is none."""

def check_threads(num_threads: int | None) -> None:
    """Raises ValueError for a number of threads that is none."""

def kind(value: object) -> str:
    """The name of a value's type, as a message may have it."""

def message(text: str) -> str:
    """A message as it may be raised: one line of printable characters, not too long."""

def said(error: BaseException) -> str:
    """The text of an exception for a message: without addresses, and not too long."""

def shown(value: object) -> str:
    """A value as Python shows it, as a message may have it: without addresses, and not too long."""

def iterate(sources: Sources) -> Iterator[Any]:
    """An iterator of sources; a single source is a mistake."""

@final
class _Cancel:
    def __new__(cls) -> _Cancel: ...
    def cancel(self) -> None: ...

_Rows = tuple[NDArray[Any], NDArray[np.bool_], Errors]
_Explained = tuple[
    str | None,
    str,
    tuple[int, int],
    tuple[int, int],
    tuple[int, int, int, int],
    str,
    str,
    tuple[str, ...],
]

@disjoint_base
class Preprocess:
    def __new__(cls, model: Any, *, pretrained: str | None = None, **options: Any) -> Self: ...
    def _call(self, source: Source, out: Any, num_threads: int | None) -> NDArray[Any]: ...
    def _batch(
        self,
        sources: Sources,
        *,
        out: Any = None,
        num_threads: int | None = None,
        cancel: _Cancel | None = None,
    ) -> NDArray[Any]: ...
    def _rows(
        self,
        sources: Sources,
        *,
        out: Any = None,
        num_threads: int | None = None,
        cancel: _Cancel | None = None,
    ) -> _Rows: ...
    def _explain(self, source: Source) -> _Explained: ...
    def _outcome(self) -> str: ...
    @property
    def size(self) -> int | tuple[int, int]:
        """Height and width of the output in pixels: one number for a square, else (height, width)."""
    # [options] scripts/options.py writes this from the core's table
    @property
    def profile(
        self,
    ) -> Literal[
        "openai",
        "timm",
        "hf-pil",
        "hf-torchvision",
        "hf-torchvision-floats",
        "hf-scipy",
        "torchvision",
        "torchvision-pil",
    ]:
        """The implementation to reproduce bit for bit."""
    @property
    def pillow(self) -> Literal["13", "12", "13-arm", "12-arm", "installed"]:
        """The build of Pillow to reproduce."""
    @property
    def mean(self) -> tuple[float, float, float]:
        """Three numbers to subtract from the channels R, G, B."""
    @property
    def std(self) -> tuple[float, float, float]:
        """Three numbers above 0 to divide the channels R, G, B by."""
    @property
    def interpolation(
        self,
    ) -> Literal["nearest", "nearest-floor", "box", "bilinear", "hamming", "bicubic", "lanczos"]:
        """The resampling filter: the name, or a member of `PIL.Image.Resampling` or of torchvision's `InterpolationMode`."""
    @property
    def antialias(self) -> bool:
        """Whether to widen the filter where an image is downscaled, so that every pixel counts."""
    @property
    def dtype(self) -> Literal["float32", "float16", "bfloat16", "uint8"]:
        """The data type of the tensors: the name, a type or dtype of NumPy, or a dtype of torch."""
    @property
    def layout(self) -> Literal["NCHW", "NHWC"]:
        """The order of the axes of the tensors."""
    @property
    def input_layout(self) -> Literal["auto", "HWC", "CHW"]:
        """The order of the axes of source arrays."""
    @property
    def channel_order(self) -> Literal["RGB", "BGR"]:
        """The order of the channels of the tensors."""
    @property
    def precision(self) -> Literal["exact", "fast"]:
        """Whether to reproduce every bit, or to decode JPEG files faster."""
    @property
    def resize_mode(
        self,
    ) -> Literal[
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
    ]:
        """How to resize before the centre is cropped."""
    @property
    def resize_size(self) -> int | tuple[int, int]:
        """The size that `resize_mode` resizes to: a side in pixels, or (height, width)."""
    @property
    def fill_color(self) -> int | tuple[int, int, int] | None:
        """The colour of the padding where the image does not fill the output: one level of 0 to 255 for all channels, or three levels for an image of three channels."""
    @property
    def position(self) -> Literal["centre", "top-left"]:
        """Where to place an image that is smaller than the output after resizing."""
    @property
    def convert_rgb(self) -> bool:
        """Whether to convert images of other modes to RGB."""
    @property
    def over_white(self) -> bool:
        """Whether to lay transparent pixels over white where the profile does, as the image processors of transformers 5 do."""
    @property
    def rescale_factor(self) -> float | None:
        """The factor to multiply the levels of 0 to 255 by."""
    @property
    def rescale_offset(self) -> bool:
        """Whether to subtract 1 after multiplying by `rescale_factor`."""
    @property
    def normalize(self) -> bool:
        """Whether to subtract `mean` and divide by `std`."""
    @property
    def std_twice(self) -> bool:
        """Whether to divide by `std` once more, as EfficientNet's `include_top` does."""
    @property
    def limits(self) -> Limits:
        """Bounds on the cost of one image."""
    @property
    def truncated(self) -> Literal["error", "pad"]:
        """How to treat truncated files, whose bytes end before their image does."""
    @property
    def exif(self) -> bool:
        """Whether to apply the EXIF orientation first, as `PIL.ImageOps.exif_transpose` does."""
    @property
    def formats(self) -> tuple[str, ...] | None:
        """The only formats to read, by Pillow's names, such as `["JPEG", "PNG"]`; others raise `UnsupportedError`."""
    @property
    def fallback(self) -> Literal["inline", "process", "never"]:
        """Where Pillow decodes files that no native decoder reads."""
    # [/options]
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str | int | tuple[int, int]], dict[str, Any]]: ...
