"""The expected outcome and explanation of a source, decided by live Pillow."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

import clipprep
from support.arm import IS_ARM
from support.compare import assert_equal_bits
from support.reference import LIVE, crop_box, load_truncated, pass_order, reference, resized_size


def expected_order(image: Image.Image, n: int, pillow: str = LIVE) -> str:
    """The words of `explain(...).order`."""
    resized = resized_size(*image.size, n)
    if resized == image.size:
        return "none"
    if image.mode in ("1", "P"):
        return "nearest"
    return f"{pass_order(image.size, resized, pillow)}-first"


def assert_explained(
    explained: object, image: Image.Image, n: int, *, decoder: str, format_name: str | None
) -> None:
    """Every field but the notes, in one comparison."""
    resized = resized_size(*image.size, n)
    expected = {
        "format": format_name,
        "mode": image.mode,
        "size": image.size,
        "resized": resized,
        "crop": crop_box(*resized, n),
        "decoder": decoder,
        "order": expected_order(image, n),
    }
    assert {field: getattr(explained, field) for field in expected} == expected
    assert all(isinstance(note, str) for note in explained.notes)


#: As `ImageOps.exif_transpose` has them.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(image: Image.Image) -> Image.Image:
    """`ImageOps.exif_transpose`; where that turns the image but cannot write its EXIF anew, the image it turned."""
    image.load()
    orientation = image.getexif().get(274, 1)
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image.transpose(TURNS[orientation])


def opened(data: bytes, *, exif: bool = False, truncated: str = "error") -> Image.Image:
    """The first frame as Pillow opens it, loaded, with the options of those names."""
    with warnings.catch_warnings(), load_truncated(truncated == "pad"):
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(data))
        image.load()
        return upright(image) if exif else image


def assert_file(
    data: bytes, pre: clipprep.Preprocess, decoder: str, name: str, mode: str | None = None
) -> None:
    """Encoded bytes give the bits of live Pillow by the named decoder; `mode` is the mode that Pillow must open it in."""
    image = opened(data, exif=pre.exif, truncated=pre.truncated)
    assert mode in (None, image.mode), (
        f"{name}: Pillow opens mode {image.mode}, the test wants {mode}"
    )
    actual = pre(data)
    assert_equal_bits(actual, reference(image, actual.shape[1]), name)
    with Image.open(io.BytesIO(data)) as file:
        format_name = file.format
    explained = pre.explain(data)
    if (decoder, explained.decoder) == ("clipprep", "libjpeg"):
        decoder = "libjpeg"  # tests/files/test_jpeg_ways.py says which files are left to it
    assert_explained(explained, image, actual.shape[1], decoder=decoder, format_name=format_name)


#: A damaged header may ask for gigabytes: larger images are not compared.
MAX_PIXELS = 4_000_000


def _decided(data: bytes, n: int, *, exif: bool, truncated: str) -> np.ndarray | Exception | None:
    """The reference of some bytes, or why Pillow refuses them, or None where that would take too much memory."""
    with load_truncated(truncated == "pad"):
        try:
            image = Image.open(io.BytesIO(data))
            resized = resized_size(*image.size, n)
            if max(image.width * image.height, resized[0] * resized[1]) > MAX_PIXELS:
                return None
            return reference(upright(image) if exif else image, n)
        except Exception as error:  # Pillow raises SyntaxError, ValueError, struct.error and more
            return error


def assert_as_pillow_decides(
    data: bytes, pre: clipprep.Preprocess, name: str, n: int = 32
) -> bool | None:
    """Opens with the same bits where Pillow opens, raises where Pillow raises. Says whether it opened.

    The reference follows the options of `pre`. On ARM a JPEG may have other bits (support/arm.py), as this one may be damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of much that it reads
        expected = _decided(data, n, exif=pre.exif, truncated=pre.truncated)
        if expected is None:
            return None
        if isinstance(expected, np.ndarray):
            try:
                actual = pre(data)
            except clipprep.LimitError as error:
                # A second header inside, such as that of JPEG 2000's codes, may ask for gigabytes too.
                if "(max_pixels)" in str(error):
                    return None
                raise
            if IS_ARM and data.startswith(b"\xff\xd8"):
                assert actual.shape == expected.shape, name
            else:
                assert_equal_bits(actual, expected, name)
            return True
        try:
            pre(data)
        except (clipprep.ImageError, OSError):
            return False
    pytest.fail(
        f"{name}: Pillow refuses this ({type(expected).__name__}: {expected}), clipprep opens it"
    )
