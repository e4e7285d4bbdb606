from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, final

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from typing_extensions import Buffer

from .explanation import Explanation
from .results import BatchResult, Errors, StreamBatch

__all__ = [
    "MEAN",
    "STD",
    "Limits",
    "Preprocess",
    "_Cancel",
    "__version__",
    "available_models",
    "build_info",
]

MEAN: tuple[float, float, float]
"""Channel means of CLIP's training set (openai/CLIP, `clip.py`, `_transform`)."""
STD: tuple[float, float, float]
"""Channel standard deviations of CLIP's training set."""
__version__: str

class _Readable(Protocol):
    def read(self) -> bytes: ...

_Source: TypeAlias = str | PathLike[str] | Buffer | _Readable | Image | NDArray[np.uint8]

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

@final
class Limits:
    def __new__(
        cls,
        *,
        max_pixels: int | None = 178_956_970,
        max_bytes: int | None = 1_073_741_824,
        max_memory: int | None = 2_147_483_648,
        max_scans: int | None = 500,
    ) -> Limits: ...
    @property
    def max_pixels(self) -> int | None: ...
    @property
    def max_bytes(self) -> int | None: ...
    @property
    def max_memory(self) -> int | None: ...
    @property
    def max_scans(self) -> int | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...

@final
class _Cancel:
    def __new__(cls) -> _Cancel: ...
    def cancel(self) -> None: ...

@final
class Preprocess:
    def __new__(
        cls,
        model: str | int | Sequence[int],
        *,
        profile: Literal["openai", "timm", "hf-pil", "hf-torchvision"] = "openai",
        pillow: Literal["13", "12", "installed"] = "13",
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        interpolation: Literal[
            "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"
        ] = "bicubic",
        dtype: Literal["float32", "float16", "bfloat16", "uint8"] = "float32",
        layout: Literal["NCHW", "NHWC"] = "NCHW",
        precision: Literal["exact", "fast"] = "exact",
        resize_mode: Literal["shortest", "longest", "squash", "none"] = "shortest",
        resize_size: int | Sequence[int] | None = None,
        fill_color: int | Sequence[int] = 0,
        convert_rgb: bool = True,
        rescale_factor: float | None = 0.00392156862745098,
        normalize: bool = True,
        limits: Limits | None = None,
        truncated: Literal["error", "pad"] = "error",
        exif: bool = False,
        formats: Iterable[str] | None = None,
    ) -> Preprocess: ...
    @classmethod
    def from_hf(
        cls,
        config: str | PathLike[str] | Mapping[str, Any],
        *,
        backend: str = "torchvision",
        **options: Any,
    ) -> Preprocess: ...
    @classmethod
    def from_open_clip(
        cls, config: str | PathLike[str] | Mapping[str, Any] | object, **options: Any
    ) -> Preprocess: ...
    @classmethod
    def from_timm(
        cls, config: str | PathLike[str] | Mapping[str, Any], **options: Any
    ) -> Preprocess: ...
    def __call__(
        self,
        source: _Source,
        *,
        out: Any = None,
        num_threads: int | None = None,
    ) -> NDArray[Any]:
        """One source to one array of shape (3, n, n), or (n, n, 3) with `layout="NHWC"`, of the type `dtype`.

        A source is a path, encoded bytes (any contiguous buffer, or a 1-D uint8 array), a binary
        file, a PIL image, or a uint8 array (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4): L,
        L, LA, RGB, RGBA, any strides. The `hf-` profiles read (1, H, W), (3, H, W) and (4, H, W) as
        channels first, as transformers does, also where the last axis could hold the channels. `out` is memory of that shape and type to write to: an array,
        or what else lends such memory, such as a tensor of torch; it is what is returned.

        Raises ImageError (DecodeError, TruncatedError, UnsupportedError, LimitError) or OSError for
        the image, TypeError or ValueError for what is no source or does not fit as `out`.
        """
    def batch(
        self,
        sources: Iterable[_Source] | NDArray[np.uint8],
        *,
        out: Any = None,
        num_threads: int | None = None,
    ) -> NDArray[Any]: ...
    def try_batch(
        self,
        sources: Iterable[_Source] | NDArray[np.uint8],
        *,
        out: Any = None,
        num_threads: int | None = None,
    ) -> BatchResult: ...
    def stream(
        self,
        sources: Iterable[_Source] | NDArray[np.uint8],
        *,
        batch_size: int = 256,
        num_threads: int | None = None,
    ) -> Iterator[StreamBatch]: ...
    def abatch(
        self,
        sources: Iterable[_Source] | NDArray[np.uint8],
        *,
        out: Any = None,
        num_threads: int | None = None,
    ) -> Awaitable[NDArray[Any]]: ...
    def _batch(
        self,
        sources: Iterable[_Source],
        *,
        out: Any = None,
        num_threads: int | None = None,
        cancel: _Cancel,
    ) -> NDArray[Any]: ...
    def _rows(
        self,
        sources: Iterable[_Source],
        *,
        num_threads: int | None = None,
        cancel: _Cancel,
        partial: bool = False,
    ) -> tuple[tuple[NDArray[Any], NDArray[np.bool_], Errors], Exception | None]: ...
    def explain(self, source: _Source) -> Explanation: ...
    @property
    def size(self) -> Any: ...  # an int, or (height, width) where they differ
    @property
    def profile(self) -> str: ...
    @property
    def pillow(self) -> str: ...
    @property
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def std(self) -> tuple[float, float, float]: ...
    @property
    def interpolation(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def resize_mode(self) -> str: ...
    @property
    def resize_size(self) -> int | tuple[int, int]: ...
    @property
    def fill_color(self) -> int | tuple[int, int, int]: ...
    @property
    def convert_rgb(self) -> bool: ...
    @property
    def rescale_factor(self) -> float | None: ...
    @property
    def normalize(self) -> bool: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def truncated(self) -> str: ...
    @property
    def exif(self) -> bool: ...
    @property
    def formats(self) -> tuple[str, ...] | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str | int | tuple[int, int]], dict[str, Any]]: ...
