"""The calls of `clipprep.Preprocess` that take images."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from . import _core
from .explanation import Explanation
from .results import BatchResult, StreamBatch

if TYPE_CHECKING:  # names of annotations alone
    from numpy.typing import NDArray

    from ._typing import Source, Sources


class Calls(_core.Preprocess):
    """The calls of `Preprocess`: one image, a batch, a stream."""

    __slots__ = ()

    def __call__(
        self, source: Source, *, out: Any = None, num_threads: int | None = None
    ) -> NDArray[Any]:
        """Turn one image into one tensor.

        Args:
            source: Any of these:

                - a path: a str, or an object with `__fspath__`;
                - encoded bytes: `bytes`, or any other contiguous buffer of one axis;
                - a binary file, which is read from its beginning where it can seek and left at its end, or one
                  that is not open yet, of fsspec or in an archive (`zipfile.Path`);
                - a PIL image;
                - pixels: an array of uint8 with any strides, of NumPy or of a library that lends its memory. (H, W)
                  and (H, W, 1) are L, (H, W, 2) is LA, (H, W, 3) RGB, (H, W, 4) RGBA. The `hf-` profiles read
                  (1, H, W), (3, H, W) and (4, H, W) as channels first, as transformers does, also where the
                  last axis could hold the channels;
                - a dict with "bytes" or "path", as `datasets` has it: the path is opened where there are no bytes.
            out: C-contiguous, writeable memory of the shape and dtype of the result, to write to: an array,
                or an object that lends such memory of the host (a buffer, `__array_interface__`, DLPack with
                NumPy 2.3: a tensor of torch, pinned or not). After an error its content is unspecified.
            num_threads: A number from 1, by default 1. With more, a JPEG or PNG of a megapixel or more is worked on in
                two threads, a JPEG that is not progressive in up to eight where there are as many cores, to the
                same bits; anything else is the work of one.

        Returns:
            `out`, or a new array of shape (3, height, width), or (height, width, 3) with `layout="NHWC"`,
            of the type `dtype`; the channels are R, G, B.

        Raises:
            ImageError: The image: DecodeError, TruncatedError, UnsupportedError or LimitError; or SourceError,
                which is a TypeError and a ValueError too: `source` is no source, or an array is no image.
            OSError: The file cannot be read.
            TypeError: `out` lends no such memory.
            ValueError: `out` does not fit.

        Example:
            >>> import numpy as np
            >>> pre = Preprocess(32)
            >>> tensor = pre(np.zeros((48, 64, 3), np.uint8))
            >>> tensor.shape, tensor.dtype
            ((3, 32, 32), dtype('float32'))
        """
        return self._call(source, out, num_threads)

    def batch(
        self,
        sources: Sources,
        *,
        out: Any = None,
        num_threads: int | None = None,
    ) -> NDArray[Any]:
        """Turn many images into one array of tensors. Other Python threads go on meanwhile.

        Args:
            sources: An iterable of sources, each as for a single call; a uint8 array (N, H, W, C); an array or
                series of paths or bytes, or a data frame of one such column.
            out: Memory to write to, as for a single call, of the shape of the result.
            num_threads: The number of threads at most; by default as many as this process may use, or the
                environment's `CLIPPREP_NUM_THREADS`. A batch of one image is worked on as by a single call.

        Returns:
            `out`, or a new array of shape (N, 3, height, width), or (N, height, width, 3) with
            `layout="NHWC"`, of the type `dtype`.

        Raises:
            BatchError: A source fails: the first one by index, with its own error as the cause. An object that is
                no source raises `errors.SourceBatchError` before any work.
            TypeError: `sources` is no iterable of sources, or `out` lends no such memory.
            ValueError: `out` does not fit, or an array is no batch.

        Example:
            >>> import numpy as np
            >>> Preprocess(32).batch(np.zeros((5, 48, 64, 3), np.uint8)).shape
            (5, 3, 32, 32)
        """
        return self._batch(sources, out=out, num_threads=num_threads)

    def try_batch(
        self,
        sources: Sources,
        *,
        out: Any = None,
        num_threads: int | None = None,
    ) -> BatchResult:
        """Turn many images into tensors, where a source that fails costs its own row and no other.

        Args:
            sources: As for `batch`.
            out: As for `batch`.
            num_threads: As for `batch`.

        Returns:
            A tuple of `pixels`, the array that `batch` returns, whose failed rows are zero; `ok`, a bool array
            (N,); and `errors`, a dict from each failed row to its ImageError or OSError.

        Raises:
            TypeError: `sources` is no iterable of sources, or `out` lends no such memory.
            ValueError: `out` does not fit, or an array is no batch.

        Example:
            >>> import numpy as np
            >>> result = Preprocess(32).try_batch([np.zeros((48, 64), np.uint8), b"no image"])
            >>> result.ok, list(result.errors)
            (array([ True, False]), [1])
        """
        return BatchResult.by(self, *self._rows(sources, out=out, num_threads=num_threads))

    def stream(
        self,
        sources: Sources,
        *,
        batch_size: int = 256,
        num_threads: int | None = None,
    ) -> Iterator[StreamBatch]:
        """Turn sources without end into batches of tensors, in bounded memory and in order.

        A thread reads the iterable, at most two batches ahead of the one that is computed; that one is at
        most one ahead of the one that the consumer has. Closing the iterator, or dropping it, stops
        the work.

        Args:
            sources: As for `batch`.
            batch_size: The number of sources per batch, from 1; the last batch may have fewer.
            num_threads: As for `batch`.

        Returns:
            An iterator of `StreamBatch`: `start`, the position of the first row, and `pixels`, `ok` and
            `errors` as of `try_batch`. It raises what the iterable raises, after the rows before it.

        Raises:
            TypeError: `sources` is no iterable of sources.
            ValueError: `batch_size` or `num_threads` is below 1.

        Example:
            >>> import numpy as np
            >>> images = (np.zeros((40, 40), np.uint8) for _ in range(5))
            >>> [(batch.start, len(batch.pixels)) for batch in Preprocess(32).stream(images, batch_size=3)]
            [(0, 3), (3, 2)]
        """
        from . import _stream

        _check_stream(batch_size, num_threads)
        return _stream.stream(self, _core.iterate(sources), batch_size, num_threads)

    def abatch(
        self, sources: Sources, *, out: Any = None, num_threads: int | None = None
    ) -> Awaitable[NDArray[Any]]:
        """Do what `batch` does in a running asyncio loop, which goes on meanwhile.

        Cancelling the task stops the work before the `await` returns, so that `out` is not written to any
        more.

        Args:
            sources: As for `batch`.
            out: As for `batch`.
            num_threads: As for `batch`.

        Returns:
            An awaitable of the array that `batch` returns, which raises what `batch` raises.

        Raises:
            TypeError: `sources` is no iterable of sources.
            ValueError: `num_threads` is below 1.

        Example:
            >>> import asyncio
            >>> import numpy as np
            >>> async def main():
            ...     return await Preprocess(32).abatch([np.zeros((40, 40), np.uint8)])
            >>> asyncio.run(main()).shape
            (1, 3, 32, 32)
        """
        from . import _async

        _core.check_threads(num_threads)
        work = partial(self._batch, list(_core.iterate(sources)), out=out, num_threads=num_threads)
        return _async.run(lambda cancel: work(cancel=cancel))

    def try_abatch(
        self, sources: Sources, *, out: Any = None, num_threads: int | None = None
    ) -> Awaitable[BatchResult]:
        """Do what `try_batch` does in a running asyncio loop, as `abatch` does what `batch` does.

        Args:
            sources: As for `batch`.
            out: As for `batch`.
            num_threads: As for `batch`.

        Returns:
            An awaitable of the `BatchResult` that `try_batch` returns, which raises what `try_batch` raises.

        Raises:
            TypeError: `sources` is no iterable of sources.
            ValueError: `num_threads` is below 1.

        Example:
            >>> import asyncio
            >>> async def main():
            ...     return await Preprocess(32).try_abatch([b"no image"])
            >>> asyncio.run(main()).ok
            array([False])
        """
        from . import _async

        _core.check_threads(num_threads)
        work = partial(self._rows, list(_core.iterate(sources)), out=out, num_threads=num_threads)
        return _async.run(lambda cancel: BatchResult.by(self, *work(cancel=cancel)))

    def astream(
        self,
        sources: Sources | AsyncIterable[Source],
        *,
        batch_size: int = 256,
        num_threads: int | None = None,
    ) -> AsyncIterator[StreamBatch]:
        """Do what `stream` does in a running asyncio loop, which goes on meanwhile.

        The sources of a batch are read while the one before it is computed, and that one is at most one ahead
        of the one that the consumer has. Ending the iteration, or cancelling the task, stops the work.

        Args:
            sources: As for `batch`, or an asynchronous iterable of sources. An iterable that is not asynchronous is
                read in a thread.
            batch_size: The number of sources per batch, from 1; the last batch may have fewer.
            num_threads: As for `batch`.

        Returns:
            An asynchronous iterator of `StreamBatch`, as of `stream`. It raises what the iterable raises, after
            the rows before it.

        Raises:
            TypeError: `sources` is no iterable of sources.
            ValueError: `batch_size` or `num_threads` is below 1.

        Example:
            >>> import asyncio
            >>> async def uploads():
            ...     for _ in range(5):
            ...         yield b"no image"
            >>> async def main():
            ...     stream = Preprocess(32).astream(uploads(), batch_size=3)
            ...     return [(batch.start, len(batch.errors)) async for batch in stream]
            >>> asyncio.run(main())
            [(0, 3), (3, 2)]
        """
        from . import _async

        _check_stream(batch_size, num_threads)
        found = aiter(sources) if isinstance(sources, AsyncIterable) else _core.iterate(sources)
        return _async.stream(self, found, batch_size, num_threads)

    def explain(self, source: Source) -> Explanation:
        """Say how a source is read and resized. The source is run, so that the answer is what happens.

        Args:
            source: As for a single call.

        Returns:
            An `Explanation`: format, mode, sizes, the crop, who decodes, the order of the passes, notes.

        Raises:
            ImageError: What a single call raises.
            OSError: The file cannot be read.

        Example:
            >>> import numpy as np
            >>> Preprocess(32).explain(np.zeros((48, 64, 3), np.uint8)).resized
            (42, 32)
        """
        return Explanation(*self._explain(source))


def _check_stream(batch_size: int, num_threads: int | None) -> None:
    _core.check_threads(num_threads)
    _core.check_batch_size(batch_size)
