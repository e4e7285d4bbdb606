"""clipprep.arrow: a column of images in, a column of tensors out."""

from __future__ import annotations

import re

import numpy as np
import pytest

import clipprep
from support.paths import PHOTOS

pa = pytest.importorskip("pyarrow")
arrow = pytest.importorskip("clipprep.arrow")

FILES = sorted(p for p in PHOTOS.iterdir() if p.suffix != ".md")
PRE = clipprep.Preprocess(32)
EXPECTED = PRE.batch(FILES)
BINARY = [pa.binary(), pa.large_binary(), pa.binary_view()]


@pytest.mark.parametrize("kind", BINARY, ids=str)
def test_encoded_images_give_way_to_tensors(kind: pa.DataType) -> None:
    images = pa.array([path.read_bytes() for path in FILES], kind)
    batch = pa.record_batch({"id": pa.array(range(len(FILES))), "image": images})
    result = arrow.preprocess(batch, "image", PRE)
    assert isinstance(result, pa.RecordBatch)
    assert result.column_names == ["id", "ok", "error", "pixels"]
    assert result.schema.field("pixels").type == pa.fixed_shape_tensor(pa.float32(), [3, 32, 32])
    assert np.array_equal(result.column("pixels").to_numpy_ndarray(), EXPECTED)
    assert result.column("ok").to_pylist() == [True] * len(FILES)
    assert result.column("error").null_count == len(FILES)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_paths_stay_and_tables_are_tables(kind: pa.DataType) -> None:
    chunks = [pa.array([str(p)], kind) for p in FILES]
    table = pa.table({"path": pa.chunked_array(chunks)})
    result = arrow.preprocess(table, "path", 32)
    assert isinstance(result, pa.Table)
    assert result.column_names == ["path", "ok", "error", "pixels"]
    assert np.array_equal(result.column("pixels").combine_chunks().to_numpy_ndarray(), EXPECTED)


def test_bad_rows_are_errors() -> None:
    images = [FILES[0].read_bytes(), b"not an image", None]
    result = arrow.preprocess(pa.record_batch({"image": images}), "image", PRE)
    assert result.column("ok").to_pylist() == [True, False, False]
    assert [error and error.split(":")[0] for error in result.column("error").to_pylist()] == [
        None,
        "UnsupportedError",
        "SourceError",
    ]
    pixels = result.column("pixels").to_numpy_ndarray()
    assert np.array_equal(pixels[0], EXPECTED[0])
    assert not pixels[1:].any()


def test_a_slice_of_a_batch_is_read_in_its_place() -> None:
    batch = pa.record_batch({"image": [path.read_bytes() for path in FILES]}).slice(3, 2)
    pixels = arrow.preprocess(batch, "image", PRE).column("pixels")
    assert np.array_equal(pixels.to_numpy_ndarray(), EXPECTED[3:5])
    assert len(arrow.preprocess(batch.slice(0, 0), "image", PRE)) == 0


def test_tensors_share_the_arrays_memory() -> None:
    column = arrow.tensor_array(EXPECTED)
    assert column.storage.flatten().buffers()[1].address == EXPECTED.ctypes.data


def test_a_callers_mistake_raises() -> None:
    batch = pa.record_batch({"image": [1, 2]})
    with pytest.raises(
        TypeError, match=re.escape("expected column 'image' to be binary or string, found int64")
    ):
        arrow.preprocess(batch, "image", PRE)
    with pytest.raises(KeyError):
        arrow.preprocess(batch, "picture", PRE)
    with pytest.raises(TypeError, match="beside a model's name or a size"):
        arrow.preprocess(batch, "image", PRE, exif=True)
