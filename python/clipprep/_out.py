"""Objects given as `out` besides NumPy's arrays: any that lends its memory."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def of_out(out: Any) -> NDArray[Any] | None:
    """The same of an object given as `out`: of a tensor of torch's bfloat16, which NumPy has not, its bits."""
    if str(getattr(out, "dtype", "")) == "torch.bfloat16":
        out = out.view(sys.modules["torch"].uint16)
    return view(out)


def view(out: Any) -> NDArray[Any] | None:
    """The memory of `out` as an array; None for an object that does not lend it.

    That is a buffer, an object with `__array_interface__`, or one that speaks DLPack, such as a tensor
    of torch. Raises what the object raises, for example because its memory is a GPU's.
    """
    if hasattr(out, "__dlpack__"):
        shared = np.from_dlpack(out)
        if shared.size and shared.flags.owndata:
            # NumPy allocates where the address is null, as that of a tensor of torch that wraps others or is fake.
            raise BufferError("it has no memory of its own")
        if not shared.flags.writeable and hasattr(out, "__array__"):
            # Before DLPack 1.0 it is not said whether one may write. The object's own array may be a copy.
            own = np.asarray(out)
            if own.__array_interface__["data"][0] == shared.__array_interface__["data"][0]:
                return own
        return shared
    if hasattr(out, "__array_interface__"):
        return np.asarray(out)
    try:
        return np.asarray(memoryview(out))
    except TypeError:
        return None
