"""transformers' profiles composite transparent images over white; the others drop alpha."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.pictures import picture
from support.reference import LIVE, reference, rgb_over_white

#: Every value under every alpha.
VALUES, ALPHAS = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
EVERY = np.stack([VALUES, 255 - VALUES, VALUES // 2, ALPHAS], -1)


def bytes_of(array_or_image: object, profile: str) -> np.ndarray:
    """The pixels before the float part, (256, 256, 3)."""
    pre = clipprep.Preprocess(256, profile=profile, dtype="uint8", layout="NHWC")
    return pre(array_or_image)


@pytest.mark.parametrize("profile", ["hf-pil", "hf-torchvision"])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_every_value_under_every_alpha(mode: str, profile: str) -> None:
    image = Image.fromarray(EVERY)
    if mode == "LA":
        image = Image.fromarray(np.ascontiguousarray(EVERY[..., [0, 3]]))
    if mode == "PA":
        image = Image.frombytes("PA", (256, 256), EVERY[..., [0, 3]].tobytes())
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    expected = np.asarray(rgb_over_white(image))
    assert_equal_bits(bytes_of(image, profile), expected, f"{mode} {profile}")


def test_arrays_have_each_backends_own_arithmetic() -> None:
    colours, alpha = EVERY[..., :3], EVERY[..., 3:]
    share = alpha / 255
    numpy = np.round(share * colours + (1 - share) * 255).astype(np.uint8)
    assert_equal_bits(bytes_of(EVERY, "hf-pil"), numpy, "NumPy's")
    part = np.float32(1 / 255)
    share, light = alpha.astype(np.float32) * part, colours.astype(np.float32) * part
    torch = ((light * share + (1 - share)) * np.float32(255.999)).astype(np.uint8)
    assert_equal_bits(bytes_of(EVERY, "hf-torchvision"), torch, "torch's")
    assert (numpy != torch).any()


def saved(image: Image.Image, format_name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


FILES = {
    "PNG P": lambda: saved(picture("P", 90, 61), "PNG", transparency=bytes(range(0, 256, 3))),
    "PNG L": lambda: saved(picture("L", 90, 61), "PNG", transparency=7),
    "PNG RGB": lambda: saved(picture("RGB", 90, 61), "PNG", transparency=(1, 2, 3)),
    "PNG 1": lambda: saved(picture("1", 90, 61), "PNG", transparency=0),
    "PNG RGBA": lambda: saved(picture("RGBA", 90, 61), "PNG"),
    "PNG LA": lambda: saved(picture("LA", 90, 61), "PNG"),
    "GIF": lambda: saved(picture("P", 90, 61), "GIF", transparency=9),
    "WEBP": lambda: saved(picture("RGBA", 90, 61), "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str) -> None:
    data = FILES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(data))
        image.load()
        for profile in ("openai", "hf-pil"):
            pre = clipprep.Preprocess(32, profile=profile, pillow=LIVE)
            expected = reference(image, 32, profile=profile)
            assert_equal_bits(pre(data), expected, f"{name} {profile}, file")
            assert_equal_bits(pre(image), expected, f"{name} {profile}, image")
        timm = clipprep.Preprocess(32, profile="timm", pillow=LIVE)
        rgb = image.convert("RGB")
    assert_equal_bits(timm(data), reference(rgb, 32), f"{name} timm")
    torch = clipprep.Preprocess(32, profile="hf-torchvision")
    assert_equal_bits(torch(data), torch(rgb_over_white(image)), f"{name} hf-torchvision")


def test_transparency_that_is_left_to_pillow() -> None:
    for name in ("PNG P", "GIF"):
        over, dropped = (clipprep.Preprocess(32, profile=of) for of in ("hf-pil", "openai"))
        assert over.explain(FILES[name]()).decoder == "pillow"
        assert dropped.explain(FILES[name]()).decoder != "pillow"


def test_what_is_not_converted_is_not_composited() -> None:
    data = FILES["PNG RGB"]()
    kept = clipprep.Preprocess(32, profile="hf-pil", convert_rgb=False, pillow=LIVE)
    image = Image.open(io.BytesIO(data))
    plain = Image.fromarray(np.asarray(image))
    assert_equal_bits(kept(data), reference(plain, 32, profile="hf-pil"), "RGB with tRNS")
