"""Batches for a running event loop, which goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from ._core import Preprocess, _Cancel
from .results import StreamBatch

T = TypeVar("T")


async def run(work: Callable[[_Cancel], T]) -> T:
    """The result of `work`, run in a thread. Cancelling the task stops the work before this returns."""
    cancel = _Cancel()
    future = asyncio.get_running_loop().run_in_executor(None, work, cancel)
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


async def stream(
    preprocess: Preprocess,
    sources: Iterator[Any] | AsyncIterator[Any],
    batch_size: int,
    num_threads: int | None,
) -> AsyncIterator[StreamBatch]:
    """The iterator that `Preprocess.astream` returns; the arguments are checked."""
    done: asyncio.Queue[StreamBatch | Exception | None] = asyncio.Queue()
    # One batch is computed, or waits, while the consumer has another.
    room = asyncio.Semaphore(1)
    reader = _Reader(sources, batch_size)
    work = asyncio.ensure_future(_work(preprocess, reader, num_threads, room, done))
    try:
        while isinstance(batch := await done.get(), StreamBatch):
            room.release()
            yield batch
            del batch  # so that the next one is not waited for with this one in memory
        if batch is not None:
            raise batch
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


class _Reader:
    """Reads sources, as many as a batch has at a time."""

    def __init__(self, sources: Iterator[Any] | AsyncIterator[Any], batch_size: int) -> None:
        self._sources = sources
        self._batch_size = batch_size
        self.error: Exception | None = None
        """The exception of the sources, after those that were read."""

    async def read(self) -> list[Any]:
        """The next sources; none at the end, and after an error."""
        if self.error is not None:
            return []
        if isinstance(self._sources, AsyncIterator):
            return await self._awaited(self._sources)
        # An iterator may wait, for a disk or a network.
        return await asyncio.get_running_loop().run_in_executor(None, self._iterated, self._sources)

    async def _awaited(self, sources: AsyncIterator[Any]) -> list[Any]:
        items: list[Any] = []
        try:
            while len(items) < self._batch_size:
                items.append(await anext(sources))
        except StopAsyncIteration:
            pass
        except Exception as error:
            self.error = error
        return items

    def _iterated(self, sources: Iterator[Any]) -> list[Any]:
        items: list[Any] = []
        try:
            items.extend(islice(sources, self._batch_size))
        except Exception as error:
            self.error = error
        return items


async def _work(
    preprocess: Preprocess,
    reader: _Reader,
    num_threads: int | None,
    room: asyncio.Semaphore,
    done: asyncio.Queue[StreamBatch | Exception | None],
) -> None:
    """Puts batches and the end into `done`. Sources are read while those before them are computed."""
    start = 0
    reading = asyncio.ensure_future(reader.read())
    try:
        while sources := await reading:
            reading = asyncio.ensure_future(reader.read())
            await room.acquire()

            def rows(cancel: _Cancel, sources: list[Any] = sources) -> Any:
                return preprocess._rows(sources, num_threads=num_threads, cancel=cancel)

            done.put_nowait(StreamBatch.by(preprocess, start, *await run(rows)))
            start += len(sources)
            del rows, sources
        done.put_nowait(reader.error)
    except Exception as error:
        done.put_nowait(error)
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
