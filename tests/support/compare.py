"""One comparison for the whole suite: two arrays are equal when every bit of them is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from support.paths import TESTS

FAILURES = Path(os.environ.get("CLIPPREP_TEST_FAILURES") or TESTS / "failures")


def assert_equal_bits(actual: np.ndarray, expected: np.ndarray, name: str) -> None:
    """Compares dtype, shape and every bit; a difference is saved as `failures/<name>.npz` and described."""
    assert isinstance(actual, np.ndarray), f"{name}: got {type(actual).__name__}, not an array"
    assert actual.dtype == expected.dtype, (
        f"{name}: dtype {actual.dtype}, expected {expected.dtype}"
    )
    assert actual.shape == expected.shape, (
        f"{name}: shape {actual.shape}, expected {expected.shape}"
    )
    # +0.0 and -0.0 differ here, as they should, and a NaN in either array differs from a number.
    different = _bits(actual) != _bits(expected)
    if not different.any():
        return
    FAILURES.mkdir(parents=True, exist_ok=True)
    saved = FAILURES / (re.sub(r"[^A-Za-z0-9.=-]+", "_", name)[:150] + ".npz")
    np.savez_compressed(saved, actual=actual, expected=expected)
    first = tuple(int(axis[0]) for axis in np.nonzero(different))
    largest = np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max()
    raise AssertionError(
        f"{name}: {int(different.sum())} of {different.size} values differ, by at most {largest:.9g}; "
        f"the first at {first}: {actual[first]!r}, expected {expected[first]!r}; both arrays are in {saved}"
    )


def _bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(
        {1: np.uint8, 2: np.uint16, 4: np.uint32}[array.dtype.itemsize]
    )
