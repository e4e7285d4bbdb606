"""`fallback="never"`: native decoders alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipprep

ONLY_PILLOW = ("AVIF", "JPEG2000", "TGA", "PCX", "SGI", "ICO", "DDS")
NATIVE = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM", "TIFF")


def encoded(name: str, image: Image.Image | None = None) -> bytes:
    file = io.BytesIO()
    image = image or Image.linear_gradient("L").convert("RGB").resize((64, 48))
    image.save(file, name)
    return file.getvalue()


@pytest.fixture
def never() -> clipprep.Preprocess:
    return clipprep.Preprocess(32, fallback="never")


@pytest.fixture
def no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pillow that opens and loads nothing."""
    from PIL import ImageFile

    from clipprep import _pillow

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("Pillow was asked")

    monkeypatch.setattr(_pillow, "decode", fail)
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)


@pytest.mark.usefixtures("no_pillow")
@pytest.mark.parametrize("name", ONLY_PILLOW)
def test_a_file_that_only_pillow_reads_is_refused_with_what_to_do(
    name: str, never: clipprep.Preprocess, tmp_path: Path
) -> None:
    path = tmp_path / "image"
    path.write_bytes(encoded(name))
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        with pytest.raises(clipprep.UnsupportedError, match=r'fallback="never".* or use "process"'):
            never(source)
        assert not never.try_batch([source]).ok[0]


@pytest.mark.usefixtures("no_pillow")
@pytest.mark.parametrize("name", NATIVE)
def test_native_formats_are_read_as_ever(name: str, never: clipprep.Preprocess) -> None:
    data = encoded(name)
    assert np.array_equal(never(data), clipprep.Preprocess(32)(data))


@pytest.mark.usefixtures("no_pillow")
def test_the_class_of_an_error_is_that_of_the_native_decoder(never: clipprep.Preprocess) -> None:
    jpeg = encoded("JPEG")
    with pytest.raises(clipprep.TruncatedError, match="never"):
        never(jpeg[: len(jpeg) // 2])
    with pytest.raises(clipprep.LimitError) as refused:
        clipprep.Preprocess(32, fallback="never", limits=clipprep.Limits(max_pixels=1))(jpeg)
    assert "fallback" not in str(refused.value)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "RGBA", "LAB", "I;16"])
def test_pil_images_in_memory_are_taken(mode: str, never: clipprep.Preprocess) -> None:
    image = Image.new(mode, (40, 30))
    assert np.array_equal(never(image), clipprep.Preprocess(32)(image))


@pytest.mark.parametrize("name", ["JPEG", "AVIF"])
def test_a_pil_image_that_is_not_loaded_is_refused(name: str, never: clipprep.Preprocess) -> None:
    image = Image.open(io.BytesIO(encoded(name)))
    with pytest.raises(clipprep.UnsupportedError, match=r"pass its file, or call load\(\) first"):
        never(image)
    assert image.tile, "it is still not loaded"
    image.load()
    assert np.array_equal(never(image), clipprep.Preprocess(32)(image))
