"""Where the channels of an array stand: first wherever they can in the profiles of transformers, else last."""

from __future__ import annotations

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits

HUGGING_FACE = ["hf-pil", "hf-torchvision"]
#: Shapes that can be read both ways are the square ones and (3, W, 3), (1, W, 4) and so on.
FIRST = [(3, 50, 40), (1, 50, 40), (4, 50, 40), (3, 40, 3), (1, 40, 3), (4, 40, 4), (3, 3, 3)]
FIRST += [(1, 1, 1), (3, 40, 2), (4, 1, 1)]
LAST = [(50, 40, 3), (50, 40, 1), (50, 40, 4), (2, 40, 3), (5, 1, 4)]


def made(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def taller(array: np.ndarray) -> np.ndarray:
    """With rows above and below that a crop removes, and that keep it from being read as channels first."""
    edge = np.zeros((8, *array.shape[1:]), np.uint8)
    return np.concatenate([edge, array, edge])


@pytest.mark.parametrize("profile", HUGGING_FACE)
@pytest.mark.parametrize("shape", FIRST, ids=str)
def test_first_where_transformers_reads_them_first(profile: str, shape: tuple[int, ...]) -> None:
    array = made(shape)
    last = array.transpose(1, 2, 0)
    pre = clipprep.Preprocess(last.shape[:2], profile=profile, resize_mode="none")
    assert_equal_bits(pre(array), pre(taller(last)), f"{profile} {shape}")
    for view in (array[:, ::-1][:, ::-1], np.asfortranarray(array)):
        assert_equal_bits(pre(view), pre(array), "any strides")
    batch = np.stack([array, array])
    assert_equal_bits(pre.batch(batch), np.stack([pre(array)] * 2), "a batch")


@pytest.mark.parametrize("profile", HUGGING_FACE)
@pytest.mark.parametrize("shape", LAST, ids=str)
def test_last_where_they_cannot_be_first(profile: str, shape: tuple[int, ...]) -> None:
    array = made(shape)
    pre = clipprep.Preprocess(20, profile=profile)
    if shape[2] in (1, 3, 4):
        assert_equal_bits(
            pre(array), pre(np.ascontiguousarray(array.transpose(2, 0, 1))), str(shape)
        )


@pytest.mark.parametrize("profile", ["openai", "timm"])
def test_other_profiles_keep_them_last(profile: str) -> None:
    pre = clipprep.Preprocess(20, profile=profile)
    array = made((3, 40, 3))
    exact = clipprep.Preprocess((3, 40), profile=profile, resize_mode="none")
    assert_equal_bits(exact(array), exact(taller(array)), "three rows of RGB")
    with pytest.raises(ValueError, match="channels last"):
        pre(made((3, 50, 40)))


@pytest.mark.parametrize("profile", HUGGING_FACE)
@pytest.mark.parametrize("shape", [(5, 40, 30), (3, 40, 0), (3, 0, 40), (0, 40, 3)], ids=str)
def test_shapes_that_are_no_image_name_both_orders(profile: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(1 or 3 or 4, H, W\) or \(H, W, 1 to 4\)"):
        clipprep.Preprocess(20, profile=profile)(np.zeros(shape, np.uint8))
