from collections.abc import Iterable, Iterator
from typing import Any, Literal, NotRequired, Self, TypedDict, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from ._typing import Source
from .limits import Limits
from .results import Errors

__all__ = [
    "MEAN",
    "STD",
    "Preprocess",
    "_Cancel",
    "__version__",
    "available_models",
    "build_info",
    "check_limits",
    "check_threads",
    "describe_limits",
    "describe_options",
    "iterate",
    "native_formats",
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

def available_models() -> list[str]: ...
def build_info() -> _BuildInfo: ...
def native_formats() -> list[tuple[str, str]]: ...

class _Row(TypedDict):
    name: str
    doc: str
    kind: str
    annotation: str
    default: Any
    choices: NotRequired[dict[str, str]]
    shown: NotRequired[str]
    beside_config: NotRequired[bool]

def describe_options() -> list[_Row]: ...
def describe_limits() -> list[_Row]: ...
def check_limits(limits: Limits) -> None: ...
def check_threads(num_threads: int | None) -> None: ...
def iterate(sources: Iterable[Source] | NDArray[np.uint8]) -> Iterator[Any]: ...

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
    def __new__(cls, model: Any, **options: Any) -> Self: ...
    def _call(self, source: Source, out: Any, num_threads: int | None) -> NDArray[Any]: ...
    def _batch(
        self,
        sources: Iterable[Source] | NDArray[np.uint8],
        *,
        out: Any = None,
        num_threads: int | None = None,
        cancel: _Cancel | None = None,
    ) -> NDArray[Any]: ...
    def _rows(
        self,
        sources: Iterable[Source] | NDArray[np.uint8],
        *,
        out: Any = None,
        num_threads: int | None = None,
        cancel: _Cancel | None = None,
    ) -> _Rows: ...
    def _explain(self, source: Source) -> _Explained: ...
    @property
    def size(self) -> int | tuple[int, int]: ...
    # [options] scripts/options.py writes this from the core's table
    @property
    def profile(
        self,
    ) -> Literal["openai", "timm", "hf-pil", "hf-torchvision", "hf-torchvision-floats"]: ...
    @property
    def pillow(self) -> Literal["13", "12", "installed"]: ...
    @property
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def std(self) -> tuple[float, float, float]: ...
    @property
    def interpolation(
        self,
    ) -> Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]: ...
    @property
    def dtype(self) -> Literal["float32", "float16", "bfloat16", "uint8"]: ...
    @property
    def layout(self) -> Literal["NCHW", "NHWC"]: ...
    @property
    def precision(self) -> Literal["exact", "fast"]: ...
    @property
    def resize_mode(self) -> Literal["shortest", "longest", "squash", "none"]: ...
    @property
    def resize_size(self) -> int | tuple[int, int]: ...
    @property
    def fill_color(self) -> int | tuple[int, int, int]: ...
    @property
    def convert_rgb(self) -> bool: ...
    @property
    def over_white(self) -> bool: ...
    @property
    def rescale_factor(self) -> float | None: ...
    @property
    def normalize(self) -> bool: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def truncated(self) -> Literal["error", "pad"]: ...
    @property
    def exif(self) -> bool: ...
    @property
    def formats(self) -> tuple[str, ...] | None: ...
    # [/options]
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str | int | tuple[int, int]], dict[str, Any]]: ...
