"""`Preprocess.stream`: one thread reads the iterable ahead and one computes, while the consumer consumes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from queue import SimpleQueue
from typing import Any, TypeAlias

from ._core import Preprocess, _Cancel
from .results import StreamBatch

#: How a stream ends: by an exception, or not.
_End: TypeAlias = BaseException | None


def stream(
    preprocess: Preprocess, sources: Iterator[Any], batch_size: int, num_threads: int | None
) -> Iterator[StreamBatch]:
    """The iterator that `Preprocess.stream` returns; the arguments are checked."""
    state = _State()
    # At the interpreter's end the modules' names may be gone before the stream is.
    getpid, is_finalizing = os.getpid, sys.is_finalizing
    process = getpid()
    for target, *arguments in (
        (_read, sources, batch_size, state),
        (_compute, preprocess, num_threads, state),
    ):
        name = f"clipprep-stream{target.__name__}"
        thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
        thread.start()
    del sources, arguments
    try:
        while True:
            if getpid() != process:
                raise RuntimeError("expected the process that began the stream, found a fork of it")
            batch = state.done.get()
            if not isinstance(batch, StreamBatch):
                break
            state.room.release()
            yield batch
            del batch  # so that the next one is not waited for with this one in memory
        if batch is not None:
            raise batch
    finally:
        if getpid() == process:  # in a fork, locks are as they were
            state.close()
            if not is_finalizing():
                thread.join(1)  # an image that Pillow decodes is finished first


class _State:
    """State that the threads of a stream share. None of them refers to the stream, so that it ends when dropped."""

    def __init__(self) -> None:
        self.cancel = _Cancel()
        self.closed = False
        #: Lists of sources with the position of their first one, and the end.
        self.read: SimpleQueue[tuple[int, list[Any]] | _End] = SimpleQueue()
        #: Batches, and the end.
        self.done: SimpleQueue[StreamBatch | _End] = SimpleQueue()
        #: One list is read ahead of the one that is computed.
        self.ahead = threading.Semaphore(1)
        #: One batch is computed, or waits, while the consumer has another.
        self.room = threading.Semaphore(1)

    def close(self) -> None:
        """Stops the threads: at once, or when the iterable gives its next item."""
        self.closed = True
        self.cancel.cancel()
        self.ahead.release()
        self.room.release()
        self.read.put(None)


def _read(sources: Iterator[Any], batch_size: int, state: _State) -> None:
    start, end = 0, False
    while not end:
        state.ahead.acquire()
        items: list[Any] = []
        error: _End = None
        try:
            while len(items) < batch_size and not state.closed:
                items.append(next(sources))
        except StopIteration:
            end = True
        except BaseException as raised:
            error, end = raised, True
        if state.closed:
            return
        if items:
            state.read.put((start, items))
            start += len(items)
        del items
    state.read.put(error)


def _compute(preprocess: Preprocess, num_threads: int | None, state: _State) -> None:
    end: _End
    try:
        while isinstance(found := state.read.get(), tuple):
            state.ahead.release()
            start, sources = found
            state.room.acquire()
            rows = preprocess._rows(sources, num_threads=num_threads, cancel=state.cancel)
            state.done.put(StreamBatch.by(preprocess, start, *rows))
            del found, sources, rows
        end = found
    except CancelledError:
        return
    except BaseException as raised:
        end = raised
    state.done.put(end)
