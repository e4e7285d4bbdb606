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

__all__ = [
    "MEAN",
    "STD",
    "BatchError",
    "ClipPrepError",
    "DecodeError",
    "Explanation",
    "ImageError",
    "LimitError",
    "Limits",
    "Preprocess",
    "TruncatedError",
    "UnsupportedError",
    "__version__",
    "available_models",
    "build_info",
]
