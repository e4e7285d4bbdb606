"""The profile "hf-torchvision" has the bits of torch's kernels for bytes, at any factor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import clipprep
from support import reference_torch
from support.compare import assert_equal_bits
from support.named_configs import pixels
from support.paths import DATA
from support.pictures import CONTENTS, content

GOLDENS = dict(np.load(DATA / "torch_resize.npz"))
CASES = [key for key in GOLDENS if key != "versions"]


def resize(array: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """Stretched to (height, width), without any float part. The array is handed over with channels first: this
    profile would take a height of 1, 3 or 4 for them."""
    pre = clipprep.Preprocess(
        size,
        profile="hf-torchvision",
        interpolation=interpolation,
        resize_mode="squash",
        dtype="uint8",
        layout="NHWC",
    )
    return pre(array.transpose(2, 0, 1))


@pytest.mark.parametrize("case", CASES)
def test_goldens(case: str) -> None:
    interpolation, *numbers = case.split()
    height, width, *size = map(int, numbers)
    source, expected = pixels(width, height, 3), GOLDENS[case]
    if interpolation != "nearest":
        own = reference_torch.resize(source, tuple(size), interpolation)
        assert_equal_bits(own, expected, f"the tests' own torch {case}")
    assert_equal_bits(resize(source, tuple(size), interpolation), expected, f"torch {case}")


def test_the_goldens_reach_far() -> None:
    assert len(CASES) == 64
    factors = [int(case.split()[1]) / int(case.split()[3]) for case in CASES]
    assert max(factors) == 2500
    assert min(factors) < 0.12


sides = st.one_of(st.integers(1, 60), st.integers(61, 600))
outputs = st.one_of(st.integers(1, 8), st.integers(1, 90))


@given(
    height=sides,
    width=sides,
    new_height=outputs,
    new_width=outputs,
    kind=st.sampled_from(CONTENTS),
    interpolation=st.sampled_from(["bicubic", "bicubic", "bilinear", "lanczos"]),
    seed=st.integers(0, 2**32 - 1),
)
@example(600, 1, 1, 90, "extremes", "bicubic", 0)
@example(1, 1, 1, 1, "extremes", "bicubic", 0)
def test_any_array(
    height: int,
    width: int,
    new_height: int,
    new_width: int,
    kind: str,
    interpolation: str,
    seed: int,
) -> None:
    array = content(kind, (height, width, 3), seed)
    size = new_height, new_width
    expected = reference_torch.resize(array, size, interpolation)
    assert_equal_bits(
        resize(array, size, interpolation), expected, f"{array.shape} to {size} {interpolation}"
    )


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "lanczos"])
@pytest.mark.parametrize("size", [(160, 9600), (9600, 160), (700, 641)], ids=str)
def test_a_crop_has_no_say(size: tuple[int, int], interpolation: str) -> None:
    """The precision of the weights is the whole axis's, whatever is cropped."""
    height, width = size
    array = content("random", (height, width, 3), 5)
    for n in (1, 2, 9, 16):
        long = n * max(size) // min(size)
        resized = (n, long) if width > height else (long, n)
        whole = reference_torch.resize(array, resized, interpolation)
        top, left = (resized[0] - n) // 2, (resized[1] - n) // 2
        pre = clipprep.Preprocess(
            n, profile="hf-torchvision", interpolation=interpolation, dtype="uint8", layout="NHWC"
        )
        expected = whole[top : top + n, left : left + n]
        assert_equal_bits(pre(array), expected, f"{size} to {n} {interpolation}")


@pytest.mark.parametrize("interpolation", ["box", "hamming"])
def test_what_torchvision_has_not_is_refused(interpolation: str) -> None:
    with pytest.raises(ValueError, match=interpolation):
        clipprep.Preprocess(32, profile="hf-torchvision", interpolation=interpolation)
