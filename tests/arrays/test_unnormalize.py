"""Tensors back to pixels: the bytes that they were made of, for every profile, type of number and layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from clipprep import Preprocess

#: Every byte in every channel.
EVERY = np.arange(16 * 48, dtype=np.uint32).reshape(16, 16, 3).astype(np.uint8)
EVERY_LEVEL = np.stack(
    [np.roll(np.arange(256, dtype=np.uint8), k).reshape(16, 16) for k in range(3)], -1
)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "uint8"])
@pytest.mark.parametrize(
    "profile",
    ["openai", "timm", "hf-pil", "hf-torchvision", "hf-torchvision-floats", "torchvision"],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
        {"mean": (0.0, 0.1, 0.9), "std": (1.0, 0.2, 0.3)},
        {"normalize": False},
        {"rescale_factor": 1 / 127.5},
        {"rescale_factor": None},
        {"rescale_factor": None, "normalize": False},
        {"rescale_factor": 1 / 127.5, "rescale_offset": True},
        {"rescale_factor": 1 / 127.5, "rescale_offset": True, "normalize": False},
        {"std_twice": True},
        {"std_twice": True, "normalize": False},
        {"std_twice": True, "rescale_factor": 1 / 127.5, "rescale_offset": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("channel_order", ["RGB", "BGR"])
def test_the_bytes_come_back(
    layout: Any, dtype: Any, profile: Any, channel_order: Any, options: dict[str, Any]
) -> None:
    if profile in ("openai", "timm") and "rescale_factor" in options:
        pytest.skip("divides by 255")
    options = options | {"channel_order": channel_order, "interpolation": "bilinear"}
    pre = Preprocess(16, layout=layout, dtype=dtype, profile=profile, **options)
    for image in (EVERY, EVERY_LEVEL):
        found = pre.unnormalize(pre(image))
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous
        if dtype == "bfloat16":  # eight bits are too few for all of them
            assert np.abs(found.astype(int) - image).max() <= 1
        else:
            assert np.array_equal(found, image)


def test_batches_and_images() -> None:
    pre = Preprocess((16, 20), resize_mode="squash")
    images = [EVERY, EVERY_LEVEL]
    pixels = pre.unnormalize(pre.batch(images))
    assert pixels.shape == (2, 16, 20, 3)
    for row, image in enumerate(images):
        assert np.array_equal(
            pixels[row],
            Preprocess((16, 20), resize_mode="squash", dtype="uint8", layout="NHWC")(image),
        )
    one, many = pre.to_pil(pre(EVERY)), pre.to_pil(pre.batch(images))
    assert isinstance(one, Image.Image)
    assert isinstance(many, list)
    assert (one.size, one.mode) == ((20, 16), "RGB")
    assert np.array_equal(np.asarray(many[0]), np.asarray(one))
    assert pre.to_pil(pre.batch([])) == []


def test_results() -> None:
    pre = Preprocess(16)
    for result in (pre.try_batch([EVERY, None]), next(pre.stream([EVERY, None]))):
        assert np.array_equal(pre.unnormalize(result)[0], EVERY)
        assert len(pre.to_pil(result)) == 2  # type: ignore[arg-type]


def test_numbers_that_no_image_has() -> None:
    pre = Preprocess(4)
    tensor = np.full((3, 4, 4), np.nan, np.float32)
    tensor[1], tensor[2] = np.inf, -np.inf
    assert pre.unnormalize(tensor)[0, 0].tolist()[1:] == [255, 0]
    assert pre.unnormalize(np.full((3, 4, 4), 1e9)).max() == 255


@pytest.mark.parametrize(
    "shape", [(4, 4), (4, 4, 3), (1, 4, 4), (2, 4, 4, 3), (1, 1, 3, 4, 4), (0,)]
)
def test_shapes_that_are_refused(shape: tuple[int, ...]) -> None:
    for read in (Preprocess(4).unnormalize, Preprocess(4).to_pil):
        with pytest.raises(ValueError, match=r"\(3, H, W\)"):
            read(np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        Preprocess(4, layout="NHWC").unnormalize(np.zeros((3, 4, 4), np.float32))


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.complex64, object])
def test_types_that_are_refused(dtype: Any) -> None:
    with pytest.raises(TypeError, match="floats"):
        Preprocess(4).unnormalize(np.zeros((3, 4, 4), dtype))


def test_tensors_of_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for dtype in ("float32", "float16", "uint8"):
        pre = Preprocess(16, dtype=dtype)
        tensor = torch.from_numpy(pre(EVERY)).requires_grad_(dtype != "uint8")
        assert np.array_equal(pre.unnormalize(tensor), EVERY)
    pre = Preprocess(16, dtype="bfloat16")
    tensor = torch.from_numpy(Preprocess(16)(EVERY)).to(torch.bfloat16)
    assert np.array_equal(pre.unnormalize(tensor), pre.unnormalize(pre(EVERY)))
