"""CLIP image preprocessing, equal to OpenAI's transform to the last bit, without torch."""

from contextlib import suppress

from ._core import MEAN, STD, __version__, build_info
from ._preprocess import Preprocess
from ._typing import Source
from .errors import (
    BatchError,
    ClipPrepError,
    DecodeError,
    HelperError,
    ImageError,
    LimitError,
    SourceError,
    TruncatedError,
    UnsupportedError,
)
from .explanation import Explanation
from .limits import Limits
from .models import available_models
from .results import BatchResult, StreamBatch

__all__ = [
    "MEAN",
    "STD",
    "BatchError",
    "BatchResult",
    "ClipPrepError",
    "DecodeError",
    "Explanation",
    "HelperError",
    "ImageError",
    "LimitError",
    "Limits",
    "Preprocess",
    "Source",
    "SourceError",
    "StreamBatch",
    "TruncatedError",
    "UnsupportedError",
    "__version__",
    "available_models",
    "build_info",
]


def _set_up() -> None:
    """Run one-time initialisation now, so that no fork inherits a held lock."""
    import numpy as np

    from . import _pillow as _pillow
    from . import _sources as _sources
    from . import _stream as _stream

    pre = Preprocess(1, limits=Limits(max_bytes=1))
    pixel = np.zeros((1, 1), np.uint8)
    pre.try_batch([pixel, b"two", ""], out=pre.batch([pixel] * 3, num_threads=1), num_threads=1)
    with suppress(BatchError):
        pre.batch([b"two"], num_threads=1)
    pre(pixel, out=pre(pixel))


_set_up()
