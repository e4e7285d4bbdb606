"""The class `clipprep.Preprocess`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal

from ._calls import Calls
from ._from_config import FromConfig

if TYPE_CHECKING:  # names of annotations alone
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image, Resampling

    from .limits import Limits


class Preprocess(FromConfig, Calls):
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
            "openai",
            "timm",
            "hf-pil",
            "hf-torchvision",
            "hf-torchvision-floats",
            "hf-scipy",
            "torchvision",
            "torchvision-pil",
        ] = "openai",
        pillow: Literal["13", "12", "13-arm", "12-arm", "installed"] = "13",
        mean: Sequence[float] | NDArray[Any] | None = None,
        std: Sequence[float] | NDArray[Any] | None = None,
        interpolation: Literal[
            "nearest", "nearest-floor", "box", "bilinear", "hamming", "bicubic", "lanczos"
        ]
        | Resampling = "bicubic",
        antialias: bool = True,
        dtype: Literal["float32", "float16", "bfloat16", "uint8"]
        | type[np.generic]
        | np.dtype[Any] = "float32",
        layout: Literal["NCHW", "NHWC"] = "NCHW",
        input_layout: Literal["auto", "HWC", "CHW"] = "auto",
        channel_order: Literal["RGB", "BGR"] = "RGB",
        precision: Literal["exact", "fast"] = "exact",
        resize_mode: Literal[
            "shortest",
            "longest",
            "squash",
            "none",
            "bridgetower",
            "janus",
            "tvp",
            "pp-lcnet",
            "perceiver",
            "detr",
            "fit",
            "sam",
            "aria",
            "deepseek-ocr",
            "donut",
        ] = "shortest",
        resize_size: int | Sequence[int] | None = None,
        fill_color: int | Sequence[int] | None = 0,
        position: Literal["centre", "top-left"] = "centre",
        convert_rgb: bool = True,
        over_white: bool = True,
        rescale_factor: float | None = 0.00392156862745098,
        rescale_offset: bool = False,
        normalize: bool = True,
        std_twice: bool = False,
        limits: Limits | None = None,
        truncated: Literal["error", "pad"] = "error",
        exif: bool = False,
        formats: Iterable[str] | None = None,
        fallback: Literal["inline", "process", "never"] = "inline",
    ) -> None:
        """Prepare a model's preprocessing.

        Args:
            model: One of `available_models()`, another name of the Hub, the side of the output in pixels, or its
                (height, width). A name decides the options that are not given, and so does an object: an image
                processor of transformers, a model of open_clip or timm, a `Compose` of torchvision.
            pretrained: The tag of the weights, beside a name of open_clip.
            profile: The implementation to reproduce bit for bit.

                - "openai": OpenAI's `clip._transform`, and open_clip's transform for evaluation, on
                  Pillow.
                - "timm": timm's transform for evaluation, on Pillow.
                - "hf-pil": The image processors of transformers with the backend "pil".
                - "hf-torchvision": The image processors of transformers with the backend "torchvision".
                - "hf-torchvision-floats": The same for DINOv3's, which resizes float32 after rescaling.
                - "hf-scipy": OWLv2's with the backend "pil": black makes the image a square, which
                  SciPy blurs and samples.
                - "torchvision": torchvision's transforms of version 2, which resize the tensors of
                  `ToImage`.
                - "torchvision-pil": torchvision's transforms of version 2, which resize PIL images
                  before `ToImage`.
            pillow: Which build of Pillow to reproduce, where builds differ: in the order of the two
                passes of a resize, and, on 64-bit ARM, in the rounding of samples of 16 and 32 bits.
                The default has the same bits on every machine.

                - "13": Pillow from 13 on: of the two passes of a resize, the order that leaves less to
                  do.
                - "12": Pillow up to 12: horizontal first, except for heights over 100 widths.
                - "13-arm": As "13", as compilers build it for 64-bit ARM: a product and the sum that it
                  is added to are rounded once. This shows in resized images of 16 and 32 bits a sample.
                - "12-arm": As "12", built for 64-bit ARM.
                - "installed": The Pillow that is installed, on this machine.
            mean: Numbers to subtract from the channels R, G, B. None stands for `clipprep.MEAN`,
                CLIP's own.
            std: Numbers above 0 to divide the channels R, G, B by. None stands for `clipprep.STD`,
                CLIP's own.
            interpolation: The resampling filter. In "hf-torchvision" and "torchvision" it is
                torch's filter of that name, without "box" and "hamming"; "nearest" is torch's
                "nearest-exact", and "nearest-floor", which no other profile has, torch's "nearest".
                `PIL.Image.Resampling` works too.

                - "nearest": The nearest source pixel, no antialiasing.
                - "nearest-floor": The source pixel that the left and upper edge of an output pixel lies
                  in: torch's "nearest".
                - "box": Box, support 0.5.
                - "bilinear": Triangle, support 1.
                - "hamming": Hamming-windowed sinc, support 1.
                - "bicubic": Cubic convolution with a = -0.5, support 2.
                - "lanczos": Lanczos-windowed sinc, support 3.
            antialias: Whether every pixel counts where an image shrinks; False takes two neighbours
                on each axis ("bilinear") or four ("bicubic"), as torch does with `antialias=False`. For
                "hf-torchvision".
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
            channel_order: The order of the channels. `mean` and `std` are those of R, G, B all the
                same.

                - "RGB": Red, green, blue.
                - "BGR": Blue, green, red.
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
                - "bridgetower": As "shortest", the longer side at most 1333/800 of the shorter one;
                  both are rounded down to multiples of 32. BridgeTower's.
                - "janus": To fit into the square, each side at least 14 pixels; the padding begins with
                  half of it rounded down. Janus's and DeepSeek-VL's.
                - "tvp": As "longest" into a square, the shorter side rounded down. TVP's.
                - "pp-lcnet": As "shortest", the longer side rounded to the nearest pixel. PP-LCNet's.
                - "perceiver": To the output's size, after the centre is cropped: its sides are to the
                  shorter side of the image what the output's are to `resize_size`. Perceiver's.
                - "detr": As "shortest", to the first number of `resize_size`, the longer side at most
                  the second one. DETR's.
                - "fit": To fit into the size, keeping the aspect ratio, both sides rounded down. What
                  transformers makes of `max_height` and `max_width`.
                - "sam": To fit into the square, both sides rounded to the nearest pixel. SAM's.
                - "aria": To fit into the square, rounded down, each side at least 336 pixels. Aria's.
                - "deepseek-ocr": As "janus", but each side at least 1 pixel. DeepSeek-OCR's.
                - "donut": Twice: as "shortest" to the shorter side of the size, then down to fit into
                  the size, rounded down; the padding begins with half of it rounded down. Donut's.
            resize_size: The size in pixels, or (height, width), that `resize_mode` is about. None
                stands for the output's.
            fill_color: The padding where the crop is larger than the image: a level of 0 to 255 for
                every band, or three levels for an image of three bands. It is normalised like the
                image. None makes the tensor 0 there.
            position: Where an image stands that is smaller than the output after resizing.

                - "centre": In the centre; of a larger image the centre is cropped.
                - "top-left": In the upper left corner; a larger image is refused.
            convert_rgb: Whether to convert images of other modes to RGB; False refuses them with
                `UnsupportedError`.
            over_white: Whether to show transparency white where the profile does, as the image
                processors of transformers 5; False drops it, as those of transformers 4.
            rescale_factor: The factor that bytes are multiplied by; None for no factor. "openai"
                and "timm" divide by 255 and take no other.
            rescale_offset: Whether to subtract 1 after multiplying by `rescale_factor`.
            normalize: Whether to subtract `mean` and divide by `std`.
            std_twice: Whether to divide by `std` once more, as EfficientNet's `include_top` does.
            limits: Bounds on the cost of one image. None stands for `Limits()`.
            truncated: How to treat truncated files, whose bytes end before their image does. A PIL
                image that was opened lazily is treated as its file is, unless the caller has changed
                it.

                - "error": Refuse them with `TruncatedError`, as Pillow does.
                - "pad": Fill in the missing pixels as Pillow does with
                  `ImageFile.LOAD_TRUNCATED_IMAGES`, which is neither set nor read.
            exif: Whether to apply the EXIF orientation of an image first, as
                `PIL.ImageOps.exif_transpose` does.
            formats: Pillow's names of the only formats to read, such as `["JPEG", "PNG"]`; others
                raise `UnsupportedError`. None reads all but those that run other programs (EPS, WMF and
                the like), open any file that is inside them (IPTC, ICNS and the like) or cost memory
                out of proportion (FITS), which have to be named: docs/formats.md has all of them.
            fallback: Where Pillow decodes files that no native decoder reads. PIL images whose
                pixels are in memory are taken in any case.

                - "inline": In this process.
                - "process": In helper processes, as many as there are threads: a crash, a bomb or a
                  hang costs its row alone, and threads do not wait for each other.
                - "never": Nowhere: such files are refused.

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

    def unnormalize(self, tensors: Any) -> NDArray[np.uint8]:
        """Turn tensors of this instance back into pixels, to look at what the model sees.

        Args:
            tensors: An array or a tensor of torch, of the shape and type that this instance makes: one image, or a
                batch. Or what `try_batch` and streams give.

        Returns:
            Levels (height, width, 3) or (N, height, width, 3) of uint8, the channels R, G, B: the nearest to the
            tensors' numbers. They are the pixels that the tensors were made of, as far as `dtype` can tell them
            apart: bfloat16 is off by one level at most.

        Raises:
            TypeError: The numbers are neither floats nor uint8.
            ValueError: The shape is none of those.

        Example:
            >>> import numpy as np
            >>> pre = Preprocess(32)
            >>> pre.unnormalize(pre(np.full((32, 32, 3), 200, np.uint8))).max()
            np.uint8(200)
        """
        from ._unnormalize import unnormalize

        return unnormalize(self, tensors)

    def to_pil(self, tensors: Any) -> Image | list[Image]:
        """Turn tensors of this instance back into PIL images, to look at what the model sees.

        Args:
            tensors: As for `unnormalize`.

        Returns:
            An image in RGB, or a list of them for a batch.

        Raises:
            TypeError: The numbers are neither floats nor uint8.
            ValueError: The shape is none of those.

        Example:
            >>> import numpy as np
            >>> pre = Preprocess(32)
            >>> pre.to_pil(pre(np.zeros((40, 60), np.uint8))).size
            (32, 32)
        """
        from PIL import Image

        pixels = self.unnormalize(tensors)
        return Image.fromarray(pixels) if pixels.ndim == 3 else [*map(Image.fromarray, pixels)]


def _adopt(base: type) -> None:
    """Name methods of a base class as methods of `clipprep.Preprocess`: Python's errors and pickles name them so."""
    for member in vars(base).values():
        function = getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            function.__module__ = Preprocess.__module__
            function.__qualname__ = f"{Preprocess.__qualname__}.{function.__name__}"


_adopt(FromConfig)
_adopt(Calls)
