"""Pillow's globals belong to the caller's program: they change nothing here, whatever other libraries do to them."""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageFile

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import picture
from support.reference import load_truncated, reference
from support.writers import saved

RGB = picture("RGB", 200, 150)
FILES = {
    "JPEG": {}, "PNG": {}, "GIF": {}, "WEBP": {}, "BMP": {}, "PPM": {}, "QOI": {}, "TIFF": {}, "TGA": {},
    "deflated TIFF": {"compression": "tiff_adobe_deflate"}, "progressive JPEG": {"progressive": True},
}  # fmt: skip


@functools.cache
def file(name: str) -> bytes:
    kind = name.split()[-1]
    return saved(RGB.quantize() if kind == "GIF" else RGB, kind, **FILES[name])


def said(call: Callable[[], object]) -> str:
    """The class of the error, or nothing."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return ""


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", FILES)
def test_load_truncated_images_is_not_read(small, name: str, share: float) -> None:
    """Many programs set it when they start; `truncated=` alone decides."""
    cut = file(name)[: int(len(file(name)) * share)]
    padded = clipprep.Preprocess(32, pillow="installed", truncated="pad")
    calls = {
        "one": lambda: small(cut),
        "batch": lambda: small.batch([cut]),
        "explain": lambda: small.explain(cut),
        "padded": lambda: padded(cut),
    }
    without = {how: said(call) for how, call in calls.items()}
    with load_truncated(True):
        assert {how: said(call) for how, call in calls.items()} == without
        assert list(small.try_batch([cut]).ok) == [not without["one"]]


def wrapped(**names: object) -> Callable[[object], object]:
    """`Image.open` as a tracer, a profiler or a patching library leaves it."""
    real = Image.open

    @functools.wraps(real)
    def traced(*args, **kwargs):
        return real(*args, **kwargs)

    return traced


class Tracer:
    """A wrapper that is no function."""

    def __init__(self, real: Callable[..., Image.Image]) -> None:
        self.__wrapped__ = real

    def __call__(self, *args: object, **kwargs: object) -> Image.Image:
        return self.__wrapped__(*args, **kwargs)


WRAPPERS = {
    "a function that says what it wraps": wrapped,
    "a function of another name": lambda: (lambda real: lambda fp, mode="r", formats=None: real(fp, mode, formats))(Image.open),
    "a partial": lambda: functools.partial(Image.open, mode="r"),
    "an object": lambda: Tracer(Image.open),
}  # fmt: skip


@pytest.mark.parametrize("truncated", ["error", "pad"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_open_changes_nothing(monkeypatch, wrapper: str, truncated: str) -> None:
    pre = clipprep.Preprocess(32, pillow="installed", truncated=truncated)
    expected = {name: reference(opened(file(name)), 32) for name in FILES}
    monkeypatch.setattr(Image, "open", WRAPPERS[wrapper]())
    for name in FILES:
        assert_equal_bits(pre(file(name)), expected[name], f"{name}, {wrapper}")


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_open_pads_as_before(monkeypatch, wrapper: str) -> None:
    pre = clipprep.Preprocess(32, pillow="installed", truncated="pad")
    cut = {name: file(name)[: int(len(file(name)) * 0.8)] for name in ("TIFF", "TGA")}
    expected = {name: reference(opened(data, truncated="pad"), 32) for name, data in cut.items()}
    monkeypatch.setattr(Image, "open", WRAPPERS[wrapper]())
    for name, data in cut.items():
        assert_equal_bits(pre(data), expected[name], f"{name}, {wrapper}")


@pytest.fixture
def strict_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("strict_warnings")
@pytest.mark.parametrize("options", [{}, {"profile": "hf-pil"}, {"exif": True}, {"truncated": "pad"}], ids=str)  # fmt: skip
def test_no_warning_reaches_the_caller(options: dict[str, object]) -> None:
    """Programs run with warnings as errors."""
    pre = clipprep.Preprocess(32, **options)
    for name in FILES:
        assert pre(file(name)).shape == (3, 32, 32), name
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "LA", "PA", "RGBX", "I;16"):  # fmt: skip
        assert pre(picture(mode, 60, 50)).shape == (3, 32, 32), mode
    clear = RGB.quantize(20)
    clear.info["transparency"] = bytes(range(20))
    assert pre(clear).shape == (3, 32, 32)


@pytest.mark.parametrize("name", ["TIFF", "TGA", "deflated TIFF", "PNG", "JPEG"])
def test_a_bomb_warning_made_an_error_is_a_limit_error(monkeypatch, name: str) -> None:
    """Where Pillow is asked at all: it warns from its limit on, and raises from twice that on."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)  # of 30,000
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        error = said(lambda: clipprep.Preprocess(32)(file(name)))
    assert error in (("LimitError",) if name == "TGA" else ("", "LimitError"))


def test_the_globals_are_left_alone() -> None:
    before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, Image.open, list(Image.ID))
    for truncated in ("error", "pad"):
        pre = clipprep.Preprocess(32, truncated=truncated)
        pre.try_batch([file("TIFF"), file("TIFF")[:3000], file("JPEG")[:900], b"nothing"])
    after = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, Image.open, list(Image.ID))
    assert after == before


def test_a_loaded_image_of_the_caller_is_no_file(small) -> None:
    with load_truncated(True):
        image = Image.open(io.BytesIO(file("TIFF")))
        assert np.array_equal(small(image), small(file("TIFF")))
