"""A row that is missing or no image costs a row, in a batch, a stream and a table: it depends on the data, not on the caller."""

from __future__ import annotations

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.pictures import picture
from support.writers import saved

DATA = saved(picture("RGB", 90, 60), "JPEG")


def closed() -> io.BytesIO:
    file = io.BytesIO(DATA)
    file.close()
    return file


ODD = {
    "None": lambda: None,
    "NaN": lambda: float("nan"),
    "a number": lambda: 3,
    "a float array": lambda: np.zeros((5, 5, 3), np.float32),
    "an array of bools": lambda: np.zeros((5, 5), bool),
    "an array of 5 channels": lambda: np.zeros((5, 5, 5), np.uint8),
    "an array of 4 axes": lambda: np.zeros((1, 5, 5, 3), np.uint8),
    "an array of no rows": lambda: np.zeros((0, 5, 3), np.uint8),
    "an array of objects": lambda: np.array([None, 1], object),
    "no bytes": lambda: b"",
    "no name": lambda: "",
    "a name with NUL": lambda: "a\0b",
    "a closed file": closed,
    "an image of no pixels": lambda: Image.new("RGB", (0, 0)),
    "a list": lambda: [DATA],
    "a set": lambda: {DATA},
    "a dict without bytes or path": lambda: {"image": DATA},
    "a dict of None": lambda: {"bytes": None, "path": None},
}


@pytest.mark.parametrize("name", ODD)
def test_try_batch(small, name: str) -> None:
    result = small.try_batch([DATA, ODD[name](), DATA])
    assert list(result.ok) == [True, False, True]
    assert list(result.errors) == [1]
    assert not result.pixels[1].any()
    assert result.pixels[2].any()


@pytest.mark.parametrize("name", ODD)
def test_stream(small, name: str) -> None:
    sources = [*[DATA] * 3, ODD[name](), *[DATA] * 6]
    batches = list(small.stream(sources, batch_size=2))
    assert [bool(ok) for batch in batches for ok in batch.ok] == [True] * 3 + [False] + [True] * 6


@pytest.mark.parametrize("name", ODD)
def test_abatch_and_batch_raise_for_the_row(small, name: str) -> None:
    for call in (
        lambda: small.batch([DATA, ODD[name]()]),
        lambda: asyncio.run(small.abatch([DATA, ODD[name]()])),
    ):
        with pytest.raises(clipprep.BatchError) as caught:
            call()
        assert caught.value.index == 1


def test_a_mistake_of_the_caller_is_one(small) -> None:
    """Mistakes that do not depend on the rows raise, whatever the call."""
    for call in (small.batch, small.try_batch, lambda sources: list(small.stream(sources))):
        for wrong in (None, 3, DATA, "cat.jpg"):
            with pytest.raises(TypeError):
                call(wrong)
    with pytest.raises((TypeError, ValueError), match="out"):
        small.try_batch([DATA], out=np.zeros((1, 3, 31, 32), np.float32))


def test_datasets_dicts_are_images(small, tmp_path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    rows = [
        {"bytes": DATA, "path": None},
        {"bytes": DATA, "path": "elsewhere.jpg"},
        {"bytes": None, "path": str(path)},
    ]
    expected = small(DATA)
    for row in rows:
        assert np.array_equal(small(row), expected)
    assert np.array_equal(small.batch(rows), np.stack([expected] * 3))


def test_arrays_of_names_and_of_bytes_are_batches(small, tmp_path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    expected = np.stack([small(DATA)] * 2)
    for sources in (
        np.array([str(path)] * 2),
        np.array([str(path)] * 2, object),
        np.array([DATA] * 2, object),
        np.array([path] * 2, object),
    ):
        assert np.array_equal(small.batch(sources), expected)


def test_a_buffer_of_several_axes_is_an_array(small) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    assert np.array_equal(small(memoryview(pixels)), small(pixels))
    assert np.array_equal(
        small(memoryview(bytearray(pixels.tobytes())).cast("B", (40, 50, 3))), small(pixels)
    )
