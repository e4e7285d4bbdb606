"""CLIP image preprocessing, equal to OpenAI's transform to the last bit, without torch."""

from ._core import MEAN, STD, Limits, Preprocess, __version__, available_models, build_info
from .errors import (
    BatchError,
    ClipPrepError,
    DecodeError,
    ImageError,
    LimitError,
    TruncatedError,
    UnsupportedError,
)
from .explanation import Explanation
from .results import BatchResult, StreamBatch

__all__ = [
    "MEAN",
    "STD",
    "BatchError",
    "BatchResult",
    "ClipPrepError",
    "DecodeError",
    "Explanation",
    "ImageError",
    "LimitError",
    "Limits",
    "Preprocess",
    "StreamBatch",
    "TruncatedError",
    "UnsupportedError",
    "__version__",
    "available_models",
    "build_info",
]
