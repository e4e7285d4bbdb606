"""`Preprocess.abatch`: a batch for a running event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from numpy.typing import NDArray

from ._core import Preprocess, _Cancel


async def abatch(
    preprocess: Preprocess, sources: list[Any], out: Any, num_threads: int | None
) -> NDArray[Any]:
    """What `Preprocess.abatch` documents."""
    cancel = _Cancel()
    call = partial(preprocess._batch, sources, out=out, num_threads=num_threads, cancel=cancel)
    future = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        cancel.cancel()
        while not future.done():  # or `out` would still be written to
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()  # it was retrieved: no one needs to be told
        raise
