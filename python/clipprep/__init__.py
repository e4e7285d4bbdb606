"""CLIP image preprocessing, equal to OpenAI's transform to the last bit, without torch."""

# Imported here, so that no thread does it later, while another one forks.
from . import _pillow as _pillow
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
