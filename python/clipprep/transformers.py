"""Stands in for an image processor of transformers."""

from __future__ import annotations

import base64
import io
import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image, ImageOps

from ._messages import message, shown, value_error
from ._preprocess import Preprocess
from ._tensor import as_tensor
from .errors import BatchError

if TYPE_CHECKING:  # names of annotations alone
    from typing import Unpack

    from ._typing import ConfigOptions


class Features(dict[str, Any]):
    """A mapping whose entries are attributes too, as transformers' `BatchFeature`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to(self, *args: Any, **kwargs: Any) -> Features:
        """Calls `to` of the tensors: a device, a dtype."""
        return Features(
            {
                name: value.to(*args, **kwargs) if hasattr(value, "to") else value
                for name, value in self.items()
            }
        )


class ClipPrepImageProcessor:
    """Called as `processor(images=..., return_tensors="pt")`, gives `pixel_values`.

    What an image is decides how it is read, as in transformers:

    - a PIL image, or an array of uint8 whose channels are first or last, is taken as it is;
    - a `str` is the path of a file, a `data:image/` URI, or base64 text. The file is turned as its EXIF
      orientation says, and its alpha is dropped before it is resized. (With the backend "pil", one transparent
      colour, as a GIF has it, shows white: Pillow hands it on to the processor.);
    - a `pathlib.Path`, encoded bytes and a binary file, which transformers does not take, are read as the
      file of a path is.

    >>> from clipprep.transformers import ClipPrepImageProcessor
    >>> processor = ClipPrepImageProcessor.from_pretrained(
    ...     {"image_processor_type": "CLIPImageProcessor"}
    ... )
    >>> import numpy as np
    >>> processor(np.zeros((3, 40, 30), np.uint8), return_tensors="np").pixel_values.shape
    (1, 3, 224, 224)
    """

    model_input_names = ("pixel_values",)

    def __init__(self, preprocess: Preprocess, files: Preprocess | None = None) -> None:
        """`preprocess` does what is done to PIL images and arrays, `files` what is done to files (default: the
        same)."""
        self.preprocessor = preprocess
        self.of_files = preprocess if files is None else files

    @classmethod
    def from_pretrained(
        cls,
        config: Any,
        *,
        backend: Literal["torchvision", "pil"] = "torchvision",
        **options: Unpack[ConfigOptions],
    ) -> ClipPrepImageProcessor:
        """Takes what `Preprocess.from_hf` takes: a folder, a `preprocessor_config.json`, a dict."""
        of_files: ConfigOptions = {"exif": True, "over_white": False, "convert_rgb": True}
        of_files.update(options)
        return cls(
            Preprocess.from_hf(config, backend=backend, **options),
            Preprocess.from_hf(config, backend=backend, **of_files),
        )

    def __call__(
        self, images: Any, *, return_tensors: str | None = None, num_threads: int | None = None
    ) -> Features:
        """`pixel_values` of shape (N, 3, height, width): a tensor for "pt", an array for "np", a list of
        arrays for None. With `dtype="bfloat16"` the tensor is of `torch.bfloat16`; NumPy has no such type, so
        that the array holds its bits as uint16.

        Raises BatchError for an image that fails, ValueError for a `str` that is no image, ImportError for "pt"
        without torch.
        """
        if return_tensors not in ("pt", "np", None):
            raise value_error(
                f'expected return_tensors= one of "pt", "np" and None, found {shown(return_tensors)}'
            )
        ndim = getattr(images, "ndim", None)
        one = ndim in (1, 2, 3) if ndim is not None else not isinstance(images, (list, tuple))
        pixels: Any = self._pixels([images] if one else images, num_threads)
        if return_tensors == "pt":
            pixels = as_tensor(pixels)
        return Features(pixel_values=list(pixels) if return_tensors is None else pixels)

    preprocess = __call__

    def _source(self, image: Any) -> Any:
        """An image as it is read: a text that holds a file is that file, and a file with a transparent colour is
        opened where the processor, to which Pillow hands that colour on, shows it white."""
        if isinstance(image, str):
            image = _file(image)
        over_white = self.preprocessor.profile == "hf-pil" and self.preprocessor.convert_rgb
        if over_white and self.of_files is not self.preprocessor and _is_file(image):
            return _with_transparent_colour(image, self.of_files) or image
        return image

    def _pixels(self, images: Any, num_threads: int | None) -> Any:
        """The tensors of all images."""
        sources = [self._source(image) for image in images]
        files = [_is_file(source) for source in sources]
        if all(files) and files:
            return self.of_files.batch(sources, num_threads=num_threads)
        if not any(files):
            return self.preprocessor.batch(sources, num_threads=num_threads)
        rows = {
            kind: [row for row, file in enumerate(files) if file == kind] for kind in (True, False)
        }
        results = {
            kind: preprocess.try_batch(
                [sources[row] for row in rows[kind]], num_threads=num_threads
            )
            for kind, preprocess in ((True, self.of_files), (False, self.preprocessor))
        }
        errors = {
            rows[kind][row]: error
            for kind, result in results.items()
            for row, error in result.errors.items()
        }
        if errors:
            first = min(errors)
            text = message(f"source {first}: {errors[first]}")
            raise BatchError(text, first, images[first]) from errors[first]
        of_files = results[True].pixels
        pixels = np.empty((len(sources), *of_files.shape[1:]), of_files.dtype)
        for kind, result in results.items():
            pixels[rows[kind]] = result.pixels
        return pixels

    def __repr__(self) -> str:
        return f"ClipPrepImageProcessor({self.preprocessor!r})"


def _is_file(image: Any) -> bool:
    """Whether an image is read as the file of a path is: it is no PIL image, and no array of pixels."""
    return not (isinstance(image, Image.Image) or getattr(image, "ndim", 1) > 1)


def _file(text: str) -> str | bytes:
    """The path, or the file that the text holds in base64, as transformers tells them apart."""
    if text.startswith(("http://", "https://")):
        raise value_error(
            f"expected a path, found a URL, which has to be downloaded first: {shown(text)}"
        )
    if os.path.isfile(text):
        return text
    try:
        encoded = text.partition(",")[2] if text.startswith("data:image/") else text
        return base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        return text  # a path, then: it is not there


def _with_transparent_colour(file: Any, preprocess: Preprocess) -> Image.Image | None:
    """The image of a PNG or GIF file in which one colour is transparent, as transformers loads it."""
    if isinstance(file, (str, os.PathLike)):
        try:
            with open(file, "rb") as opened:
                return _with_transparent_colour(opened, preprocess)
        except OSError:
            return None
    data: Any = file if hasattr(file, "read") else io.BytesIO(file)
    try:
        start = data.tell()
    except Exception:  # no file that can be read twice
        return None
    try:
        if data.read(3) not in (b"\x89PN", b"GIF"):
            return None
        data.seek(start)
        with Image.open(data, formats=("PNG", "GIF")) as image:
            limit = preprocess.limits.max_pixels
            within = limit is None or image.width * image.height <= limit
            if within and isinstance(image.info.get("transparency"), (int, tuple)):
                return (ImageOps.exif_transpose(image) if preprocess.exif else image).convert("RGB")
    except Exception:  # reading it as a file says what is wrong
        return None
    finally:
        data.seek(start)
    return None
