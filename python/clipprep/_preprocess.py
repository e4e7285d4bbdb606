"""The class `clipprep.Preprocess`."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import _core
from ._from_config import FromConfig
from .explanation import Explanation
from .results import BatchResult, StreamBatch

if TYPE_CHECKING:  # names of annotations alone
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Resampling

    from ._typing import Source
    from .limits import Limits


class Preprocess(FromConfig):
    """Turns images into the tensors that CLIP models take, bit for bit as the chosen reference does.

    An instance is immutable: it can be shared by threads, compared, hashed, copied and pickled. Each
    option is an attribute, and `size` is that of the output: one number for a square, else
    (height, width).
    """

    __slots__ = ()
    __module__ = "clipprep"

    # [options] scripts/options.py writes this from the core's table
    def __init__(
        self,
        model: str | int | Sequence[int] | object,
        *,
        pretrained: str | None = None,
        profile: Literal[
            "openai", "timm", "hf-pil", "hf-torchvision", "hf-torchvision-floats"
        ] = "openai",
        pillow: Literal["13", "12", "installed"] = "13",
        mean: Sequence[float] | NDArray[Any] | None = None,
        std: Sequence[float] | NDArray[Any] | None = None,
        interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
        | Resampling = "bicubic",
        dtype: Literal["float32", "float16", "bfloat16", "uint8"]
        | type[np.generic]
        | np.dtype[Any] = "float32",
        layout: Literal["NCHW", "NHWC"] = "NCHW",
        input_layout: Literal["auto", "HWC", "CHW"] = "auto",
        precision: Literal["exact", "fast"] = "exact",
        resize_mode: Literal["shortest", "longest", "squash", "none"] = "shortest",
        resize_size: int | Sequence[int] | None = None,
        fill_color: int | Sequence[int] = 0,
        convert_rgb: bool = True,
        over_white: bool = True,
        rescale_factor: float | None = 0.00392156862745098,
        normalize: bool = True,
        limits: Limits | None = None,
        truncated: Literal["error", "pad"] = "error",
        exif: bool = False,
        formats: Iterable[str] | None = None,
    ) -> None:
        """Prepare a model's preprocessing.

        Args:
            model: One of `available_models()`, another name of the Hub, the side of the output in pixels, or its
                (height, width). A name decides the options that are not given, and so does an object: an image
                processor of transformers, a model of open_clip or timm, a `Compose` of torchvision.
            pretrained: The tag of the weights, beside a name of open_clip.
            profile: Whose bits to reproduce.

                - "openai": OpenAI's `clip._transform`, and open_clip's transform for evaluation, on
                  Pillow.
                - "timm": timm's transform for evaluation, on Pillow.
                - "hf-pil": The image processors of transformers with the backend "pil".
                - "hf-torchvision": The image processors of transformers with the backend "torchvision".
                - "hf-torchvision-floats": The same for DINOv3's, which resizes float32 after rescaling.
            pillow: Which Pillow's rule decides the order of the two passes of a resize.

                - "13": Pillow from 13 on: the order that leaves less to do.
                - "12": Pillow up to 12: horizontal first, except for heights over 100 widths.
                - "installed": The rule of the Pillow that is installed.
            mean: Numbers to subtract from the channels R, G, B. None stands for `clipprep.MEAN`,
                CLIP's own.
            std: Numbers above 0 to divide the channels R, G, B by. None stands for `clipprep.STD`,
                CLIP's own.
            interpolation: The resampling filter. In "hf-torchvision" it is torch's filter of that
                name, without "box" and "hamming", and "nearest" is torch's "nearest-exact".
                `PIL.Image.Resampling` works too.

                - "nearest": The nearest source pixel, no antialiasing.
                - "box": Box, support 0.5.
                - "bilinear": Triangle, support 1.
                - "hamming": Hamming-windowed sinc, support 1.
                - "bicubic": Cubic convolution with a = -0.5, support 2.
                - "lanczos": Lanczos-windowed sinc, support 3.
            dtype: The type of number of the tensors. NumPy's types and dtypes and torch's dtypes
                work too.

                - "float32": Single precision.
                - "float16": The float32 values rounded to nearest, ties to even.
                - "bfloat16": The same, as bits in uint16, since NumPy has no such type.
                - "uint8": The pixels before any float arithmetic.
            layout: The order of the axes.

                - "NCHW": Channels, rows, columns: a plane for each channel.
                - "NHWC": Rows, columns, channels: the channels of a pixel side by side.
            input_layout: The order of the axes of arrays of pixels.

                - "auto": As the profile has it: channels last, or first where the "hf-" profiles take
                  them to be first. Tensors of torch have them first.
                - "HWC": Rows, columns, channels.
                - "CHW": Channels, rows, columns.
            precision: Whether every bit counts.

                - "exact": The reference's bits.
                - "fast": JPEG files are decoded by shorter arithmetic, and large ones at a half, a
                  quarter or an eighth of their size, which keeps at least twice the size that they are
                  resized to (docs/benchmarks.md says how far the values are off). Everything else stays
                  exact.
            resize_mode: How to resize before the centre is cropped.

                - "shortest": To cover the size, keeping the aspect ratio.
                - "longest": To fit into the size, keeping the aspect ratio.
                - "squash": To exactly the size, stretching the image.
                - "none": Not at all.
            resize_size: The size in pixels, or (height, width), that `resize_mode` is about. None
                stands for the output's.
            fill_color: The padding where the crop is larger than the image: a level of 0 to 255 for
                every band, or three levels for an image of three bands. It is normalised like the
                image.
            convert_rgb: Whether to convert images of other modes to RGB; False refuses them with
                `UnsupportedError`.
            over_white: Whether to show transparency white where the profile does, as the image
                processors of transformers 5; False drops it, as those of transformers 4.
            rescale_factor: The factor that bytes are multiplied by; None for no factor. "openai"
                and "timm" divide by 255 and take no other.
            normalize: Whether to subtract `mean` and divide by `std`.
            limits: Bounds on the cost of one image. None stands for `Limits()`.
            truncated: How to treat truncated files, whose bytes end before their image does. PIL
                images are loaded as Pillow loads them.

                - "error": Refuse them with `TruncatedError`, as Pillow does.
                - "pad": Fill in the missing pixels as Pillow does with
                  `ImageFile.LOAD_TRUNCATED_IMAGES`, which is neither set nor read.
            exif: Whether to apply the EXIF orientation of an image first, as
                `PIL.ImageOps.exif_transpose` does.
            formats: Pillow's names of the only formats to read, such as `["JPEG", "PNG"]`; others
                raise `UnsupportedError`. None reads all but those that run other programs (EPS, WMF and
                the like), open any file that is inside them (IPTC, ICNS and the like) or cost memory
                out of proportion (FITS), which have to be named: docs/formats.md has all of them.

        Raises:
            TypeError: An option is unknown, or its value is of the wrong type.
            ValueError: A model, a name or a value is unknown, or options do not go together.
            OSError: The config of a model of the Hub is neither in the cache nor can be downloaded.

        Example:
            >>> Preprocess("ViT-L/14@336px").size
            336
            >>> Preprocess("ViT-L-14", pretrained="laion2b_s32b_b82k").mean
            (0.5, 0.5, 0.5)
            >>> Preprocess(224, interpolation="bilinear", dtype="float16")
            Preprocess(224, interpolation='bilinear', dtype='float16')
        """

    # [/options]

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
                or an object that lends such memory of the host (a buffer, DLPack, `__array_interface__`: a
                tensor of torch, pinned or not). After an error its content is unspecified.
            num_threads: A number from 1. One image is the work of one thread.

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
        sources: Iterable[Source] | NDArray[np.uint8],
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
                environment's `CLIPPREP_NUM_THREADS`.

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
        sources: Iterable[Source] | NDArray[np.uint8],
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
        return BatchResult(*self._rows(sources, out=out, num_threads=num_threads))

    def stream(
        self,
        sources: Iterable[Source] | NDArray[np.uint8],
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

        _core.check_threads(num_threads)
        if batch_size < 1:
            raise ValueError(f"expected batch_size= a number from 1, found {batch_size}")
        return _stream.stream(self, _core.iterate(sources), batch_size, num_threads)

    def abatch(
        self,
        sources: Iterable[Source] | NDArray[np.uint8],
        *,
        out: Any = None,
        num_threads: int | None = None,
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
        return _async.abatch(self, list(_core.iterate(sources)), out, num_threads)

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
