"""From tensors back to the pixels that the model saw, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._messages import type_error, value_error

if TYPE_CHECKING:  # names of annotations alone
    from . import _core


def unnormalize(preprocess: _core.Preprocess, tensors: Any) -> NDArray[np.uint8]:
    """Bytes (H, W, 3) or (N, H, W, 3) of tensors that `preprocess` made."""
    found = _array(tensors)
    channels_first = preprocess.layout == "NCHW"
    axis = -3 if channels_first else -1
    if found.ndim not in (3, 4) or found.shape[axis] != 3:
        form = "(3, H, W)" if channels_first else "(H, W, 3)"
        raise value_error(f"expected a tensor {form} or a batch of them, found {found.shape}")
    last = np.moveaxis(found, -3, -1) if channels_first else found
    pixels = np.empty(last.shape, np.uint8)
    if preprocess.channel_order == "BGR":
        last = last[..., ::-1]
    for row in np.ndindex(last.shape[:-3]):
        pixels[row] = _bytes(preprocess, last[row])
    return pixels


def _array(tensors: Any) -> NDArray[Any]:
    """The numbers of a result, of an array or of a tensor of torch, wherever that is."""
    tensors = getattr(tensors, "pixels", tensors)
    if hasattr(tensors, "detach"):
        tensors = tensors.detach().cpu()
        if str(tensors.dtype) == "torch.bfloat16":  # which NumPy has not
            tensors = tensors.float()
    found: NDArray[Any] = np.asarray(tensors)
    if found.dtype == np.uint16:  # bfloat16 as clipprep gives it: the upper half of a float32
        return (found.astype(np.uint32) << 16).view(np.float32)
    if found.dtype != np.uint8 and found.dtype.kind != "f":
        raise type_error(f"expected tensors of floats or of uint8, found {found.dtype}")
    return found


def _bytes(preprocess: _core.Preprocess, pixels: NDArray[Any]) -> NDArray[Any]:
    """The nearest bytes of one image in RGB, channels last: each step undone, the last one first."""
    if pixels.dtype == np.uint8:
        return pixels
    values = np.nan_to_num(pixels.astype(np.float64), posinf=1e30, neginf=-1e30)
    if preprocess.std_twice:
        values = values * preprocess.std
    if preprocess.normalize:
        values = values * preprocess.std + preprocess.mean
    if preprocess.rescale_offset:
        values = values + 1
    if preprocess.rescale_factor is not None:
        values = values / preprocess.rescale_factor
    return np.rint(values).clip(0, 255)
