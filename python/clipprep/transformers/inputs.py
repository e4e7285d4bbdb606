"""The images that image processors of transformers take, and how each is read."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from .._messages import message, shown, value_error
from .._preprocess import Preprocess
from ..errors import BatchError


@dataclass(frozen=True)
class Readers:
    """The preprocessing of PIL images and arrays, and that of files."""

    images: Preprocess
    files: Preprocess

    def pixels(self, images: Sequence[Any], num_threads: int | None) -> NDArray[Any]:
        """The tensors of all images. Raises BatchError for one that fails."""
        sources = [self._source(image) for image in images]
        files = [is_file(source) for source in sources]
        if all(files) and files:
            return self.files.batch(sources, num_threads=num_threads)
        if not any(files):
            return self.images.batch(sources, num_threads=num_threads)
        rows = {
            kind: [row for row, file in enumerate(files) if file == kind] for kind in (True, False)
        }
        results = {
            kind: preprocess.try_batch(
                [sources[row] for row in rows[kind]], num_threads=num_threads
            )
            for kind, preprocess in ((True, self.files), (False, self.images))
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

    def _source(self, image: Any) -> Any:
        """An image as it is read: a text that holds a file is that file, and a file with a transparent colour is
        opened where the processor, to which Pillow hands that colour on, shows it white."""
        if isinstance(image, str):
            image = file(image)
        over_white = self.images.profile == "hf-pil" and self.images.convert_rgb
        if over_white and self.files is not self.images and is_file(image):
            return _with_transparent_colour(image, self.files) or image
        return image


#: More lists within lists than anybody nests; a list may hold itself.
_DEEPEST = 16


def flat(images: Any, depth: int = 0) -> Iterator[Any]:
    """The images of one, of a list, of lists in lists, or of an array of several.

    Raises ValueError for lists that are nested too deeply.
    """
    if isinstance(images, (list, tuple)):
        if depth == _DEEPEST:
            raise value_error(f"expected lists of images at most {_DEEPEST} deep, found more")
        for image in images:
            yield from flat(image, depth + 1)
    elif getattr(images, "ndim", None) == 4:
        yield from images
    else:
        yield images


def is_file(image: Any) -> bool:
    """Whether an image is read as the file of a path is: it is no PIL image, and no array of pixels."""
    return not (isinstance(image, Image.Image) or getattr(image, "ndim", 1) > 1)


def file(text: str) -> str | bytes:
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
