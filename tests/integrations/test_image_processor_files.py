"""The stand-in for an image processor reads a file as transformers reads a path: turned, and without alpha."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import clipprep
from clipprep.transformers import ClipPrepImageProcessor
from support.compare import assert_equal_bits
from support.pictures import picture

CONFIG = {
    "image_processor_type": "CLIPImageProcessor",
    "size": {"shortest_edge": 32},
    "crop_size": 30,
}
GREY_ONLY = CONFIG | {"do_convert_rgb": False}


def turned(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = number
    return exif


def saved(mode: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture(mode, 61, 40).save(file, kind, **options)
    return file.getvalue()


#: A colour of the picture.
PIXEL = picture("RGB", 61, 40).getpixel((30, 20))
FILES = {
    "JPEG": saved("RGB", "JPEG"),
    "turned JPEG": saved("RGB", "JPEG", exif=turned(6)),
    "mirrored JPEG": saved("RGB", "JPEG", exif=turned(5)),
    "grey JPEG": saved("L", "JPEG"),
    "CMYK JPEG": saved("CMYK", "JPEG"),
    "progressive JPEG": saved("RGB", "JPEG", progressive=True),
    "RGBA PNG": saved("RGBA", "PNG"),
    "turned RGBA PNG": saved("RGBA", "PNG", exif=turned(8)),
    "LA PNG": saved("LA", "PNG"),
    "P PNG": saved("P", "PNG"),
    "P PNG with transparent colours": saved("P", "PNG", transparency=bytes(range(0, 240, 8))),
    "RGB PNG with a transparent colour": saved("RGB", "PNG", transparency=PIXEL),
    "grey PNG with a transparent level": saved("L", "PNG", transparency=100),
    "PNG of a bit": saved("1", "PNG"),
    "RGBA WebP": saved("RGBA", "WEBP", lossless=True),
    "turned WebP": saved("RGB", "WEBP", exif=turned(3).tobytes()),
    "GIF": saved("P", "GIF"),
    "GIF with a transparent colour": saved("P", "GIF", transparency=3),
    "BMP": saved("RGB", "BMP"),
    "TIFF": saved("RGBA", "TIFF"),
}


def as_transformers(data: bytes) -> Image.Image:
    """`transformers.image_utils.load_image`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Palette images with Transparency")
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


@pytest.mark.parametrize("backend", ["torchvision", "pil"])
@pytest.mark.parametrize("config", [CONFIG, GREY_ONLY], ids=["RGB", "no conversion"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_in_every_form(name: str, config: dict, backend: str, tmp_path: Path) -> None:
    data = FILES[name]
    path = tmp_path / "file"
    path.write_bytes(data)
    processor = ClipPrepImageProcessor.from_pretrained(config, backend=backend)
    image = as_transformers(data)
    if backend == "torchvision":
        image.info.pop("transparency", None)  # torchvision's decoders give a tensor
    expected = clipprep.Preprocess.from_hf(config, backend=backend)(image)
    text = base64.encodebytes(data).decode()
    for file in (str(path), path, data, io.BytesIO(data), text, f"data:image/x;base64,{text}"):
        one = processor(images=file, return_tensors="np").pixel_values
        assert_equal_bits(one, expected[None], f"{backend} {name} {type(file).__name__}")
    with path.open("rb") as opened:
        assert_equal_bits(
            processor([opened], return_tensors="np").pixel_values[0], expected, "opened"
        )


@pytest.mark.parametrize("backend", ["torchvision", "pil"])
def test_files_and_images_in_one_list(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    path.write_bytes(FILES["turned RGBA PNG"])
    image = picture("RGBA", 33, 50)
    array = np.asarray(picture("RGB", 33, 50)).transpose(2, 0, 1)
    processor = ClipPrepImageProcessor.from_pretrained(CONFIG, backend=backend)
    mixed = [image, str(path), array, path, image]
    expected = [processor(one, return_tensors="np").pixel_values[0] for one in mixed]
    for images in (mixed, tuple(mixed)):
        pixels = processor(images, return_tensors="np").pixel_values
        assert_equal_bits(pixels, np.stack(expected), "a list")
    # An image that is open already is neither turned nor stripped of its alpha.
    with Image.open(path) as file:
        opened = processor(file, return_tensors="np").pixel_values[0]
    assert (opened != expected[1]).any()


def test_errors_name_the_image(tmp_path: Path) -> None:
    processor = ClipPrepImageProcessor.from_pretrained(CONFIG)
    image = picture("RGB", 9, 9)
    missing = str(tmp_path / "none.jpg")
    for images in ([image, b"no image", image], [image, missing], [missing, image]):
        with pytest.raises(clipprep.BatchError) as caught:
            processor(images)
        assert images[caught.value.index] is not image
        assert str(caught.value).startswith(f"source {caught.value.index}: ")
        assert caught.value.source is images[caught.value.index]
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(ValueError, match="URL"):
        processor("https://example.com/cat.jpg")


def test_lists_in_lists() -> None:
    """A list that holds itself ends the call, not the stack."""
    processor = ClipPrepImageProcessor.from_pretrained(
        {"image_processor_type": "CLIPImageProcessor"}
    )
    image = picture("RGB", 40, 30)
    deep: list[object] = [image]
    for _ in range(12):
        deep = [image, deep]
    assert processor(deep, return_tensors="np").pixel_values.shape == (13, 3, 224, 224)
    deep.append(deep)
    with pytest.raises(ValueError, match="expected lists of images at most 16 deep"):
        processor(deep)


def test_options_apply_to_files_too(tmp_path: Path) -> None:
    data = FILES["turned JPEG"]
    processor = ClipPrepImageProcessor.from_pretrained(CONFIG, exif=False, dtype="float16")
    expected = clipprep.Preprocess.from_hf(CONFIG, dtype="float16")(
        Image.open(io.BytesIO(data)).convert("RGB")
    )
    assert_equal_bits(processor(data, return_tensors="np").pixel_values[0], expected, "not turned")


def test_bfloat16_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    processor = ClipPrepImageProcessor.from_pretrained(CONFIG, dtype="bfloat16")
    pixels = processor(picture("RGB", 40, 50), return_tensors="pt").to("cpu").pixel_values
    assert pixels.dtype == torch.bfloat16
    exact = ClipPrepImageProcessor.from_pretrained(CONFIG)
    expected = exact(picture("RGB", 40, 50), return_tensors="pt").pixel_values
    assert torch.equal(pixels, expected.to(torch.bfloat16))
