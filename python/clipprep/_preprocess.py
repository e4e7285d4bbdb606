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
            pillow: The build of Pillow to reproduce. Builds differ in the order of the two passes
                of a resize and, on 64-bit ARM, in the rounding of samples of 16 and 32 bits. The
                default gives the same bits on every machine.

                - "13": Pillow 13 and newer: the two passes of a resize run in the order that takes less
                  work.
                - "12": Pillow up to 12: the horizontal pass runs first, unless the image is more than
                  100 times as high as wide.
                - "13-arm": As "13", built for 64-bit ARM, where a product is not rounded before it is
                  added. Resized images of 16 and 32 bits per sample differ.
                - "12-arm": As "12", built for 64-bit ARM.
                - "installed": The Pillow that is installed, on this machine.
            mean: Three numbers to subtract from the channels R, G, B. None stands for CLIP's,
                `clipprep.MEAN`.
            std: Three numbers above 0 to divide the channels R, G, B by. None stands for CLIP's,
                `clipprep.STD`.
            interpolation: The resampling filter: the name, or a member of `PIL.Image.Resampling` or
                of torchvision's `InterpolationMode`. The profiles "hf-torchvision" and "torchvision"
                use torch's filter of that name; they have no "box" and no "hamming", "nearest" is
                torch's "nearest-exact", and "nearest-floor", which only they have, is torch's
                "nearest".

                - "nearest": The nearest source pixel, without antialiasing.
                - "nearest-floor": The source pixel that holds the top left corner of an output pixel:
                  torch's "nearest".
                - "box": Box, support 0.5.
                - "bilinear": Triangle, support 1.
                - "hamming": Hamming-windowed sinc, support 1.
                - "bicubic": Cubic convolution with a = -0.5, support 2.
                - "lanczos": Lanczos-windowed sinc, support 3.
            antialias: Whether to widen the filter where an image is downscaled, so that every pixel
                counts. False takes two neighbours on each axis ("bilinear") or four ("bicubic"), as
                torch does with `antialias=False`; only "hf-torchvision" takes it.
            dtype: The data type of the tensors: the name, a type or dtype of NumPy, or a dtype of
                torch.

                - "float32": Single-precision floats.
                - "float16": The float32 values, rounded to nearest, ties to even.
                - "bfloat16": The same in bfloat16. NumPy has no such type, so an array holds the bits
                  as uint16.
                - "uint8": The levels of 0 to 255, before they are rescaled and normalised.
            layout: The order of the axes of the tensors.

                - "NCHW": Channels, rows, columns: one plane per channel.
                - "NHWC": Rows, columns, channels: the channels of a pixel are adjacent.
            input_layout: The order of the axes of source arrays.

                - "auto": As the profile's reference: channels last, or first where the "hf-" profiles
                  find them first. Tensors of torch have channels first.
                - "HWC": Rows, columns, channels.
                - "CHW": Channels, rows, columns.
            channel_order: The order of the channels of the tensors. `mean` and `std` stay in the
                order R, G, B.

                - "RGB": Red, green, blue.
                - "BGR": Blue, green, red.
            precision: Whether to reproduce every bit, or to decode JPEG files faster.

                - "exact": The reference's bits.
                - "fast": JPEG files are decoded by shorter arithmetic, and large ones at a half, a
                  quarter or an eighth of their size, which keeps at least twice the size that they are
                  resized to (docs/benchmarks.md says how far the values are off). Everything else stays
                  exact.
            resize_mode: How to resize before the centre is cropped.

                - "shortest": Cover the size, and keep the aspect ratio.
                - "longest": Fit into the size, and keep the aspect ratio.
                - "squash": Stretch to exactly the size.
                - "none": Do not resize.
                - "bridgetower": BridgeTower's: as "shortest", with the longer side at most 1333/800 of
                  the shorter one, and both sides rounded down to multiples of 32.
                - "janus": Janus's and DeepSeek-VL's: fit into the square, with each side at least 14
                  pixels. Of the padding, half, rounded down, comes before the image.
                - "tvp": TVP's: as "longest" into a square, with the shorter side rounded down.
                - "pp-lcnet": PP-LCNet's: as "shortest", with the longer side rounded to the nearest
                  pixel.
                - "perceiver": Perceiver's: crop the centre first, then resize it to the output's size.
                  The sides of the crop have the ratio to the image's shorter side that the output's
                  have to `resize_size`.
                - "detr": DETR's: as "shortest", to the first number of `resize_size`, with the longer
                  side at most the second one.
                - "fit": As "longest", with both sides rounded down: `max_height` and `max_width` of
                  transformers.
                - "sam": SAM's: fit into the square, with both sides rounded to the nearest pixel.
                - "aria": Aria's: fit into the square, rounded down, with each side at least 336 pixels.
                - "deepseek-ocr": DeepSeek-OCR's: as "janus", but with each side at least 1 pixel.
                - "donut": Donut's: resize twice, as "shortest" to the shorter side of the size, then
                  down to fit into the size, rounded down. Of the padding, half, rounded down, comes
                  before the image.
            resize_size: The size that `resize_mode` resizes to: a side in pixels, or (height,
                width). None stands for the output's.
            fill_color: The colour of the padding where the image does not fill the output: one
                level of 0 to 255 for all channels, or three levels for an image of three channels. It
                is normalised like the image. None sets the tensor to 0 there.
            position: Where to place an image that is smaller than the output after resizing.

                - "centre": In the centre. A larger image is cropped to its centre.
                - "top-left": In the top left corner. A larger image is refused.
            convert_rgb: Whether to convert images of other modes to RGB. False refuses them with
                `UnsupportedError`.
            over_white: Whether to lay transparent pixels over white where the profile does, as the
                image processors of transformers 5 do. False drops the alpha channel, as those of
                transformers 4 do.
            rescale_factor: The factor to multiply the levels of 0 to 255 by. None skips the step.
                "openai" and "timm" divide by 255 and take no other factor.
            rescale_offset: Whether to subtract 1 after multiplying by `rescale_factor`.
            normalize: Whether to subtract `mean` and divide by `std`.
            std_twice: Whether to divide by `std` once more, as EfficientNet's `include_top` does.
            limits: Bounds on the cost of one image. None stands for the default bounds, `Limits()`.
            truncated: How to treat truncated files, whose bytes end before their image does. This
                also applies to a PIL image that was opened lazily, unless the caller has changed it.

                - "error": Refuse them with `TruncatedError`, as Pillow does.
                - "pad": Fill in the missing pixels as Pillow does with
                  `ImageFile.LOAD_TRUNCATED_IMAGES`, which is neither set nor read.
            exif: Whether to apply the EXIF orientation first, as `PIL.ImageOps.exif_transpose`
                does.
            formats: The only formats to read, by Pillow's names, such as `["JPEG", "PNG"]`; others
                raise `UnsupportedError`. None reads every format but those that run other programs
                (such as EPS and WMF), open any file inside them (such as IPTC and ICNS) or take memory
                out of proportion (FITS): these have to be named. docs/formats.md lists all of them.
            fallback: Where Pillow decodes files that no native decoder reads. PIL images whose
                pixels are in memory always work.

                - "inline": In this process.
                - "process": In helper processes, one for each thread: a crash, a decompression bomb or
                  a hang costs one row, and threads do not wait for each other.
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
