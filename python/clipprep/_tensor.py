"""Tensors of torch on the memory of arrays; torch is imported when the first one is made."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_tensor(pixels: NDArray[Any]) -> Any:
    """View an array that clipprep made as a tensor of torch, without a copy.

    Args:
        pixels: An array of any shape. uint16 becomes bfloat16: that is how `dtype="bfloat16"` comes, since NumPy
            has no such type.

    Returns:
        A `torch.Tensor` of the same shape, on the same memory.

    Raises:
        ImportError: torch is not installed.
    """
    try:
        torch = import_module("torch")
    except ImportError:
        raise ImportError(
            "expected torch, which this returns tensors of, found none: pip install 'clipprep[torch]'; "
            "clipprep.Preprocess returns NumPy arrays without it"
        ) from None
    if pixels.dtype == np.uint16:
        return torch.from_numpy(pixels.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(pixels)
