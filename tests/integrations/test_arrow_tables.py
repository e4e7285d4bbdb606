"""Arrow tables as they are on the Hub: structs of bytes and path, dictionaries, nulls, columns whose names are taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clipprep
from support.pictures import picture
from support.writers import saved

pa = pytest.importorskip("pyarrow")
from clipprep import arrow  # noqa: E402

DATA = saved(picture("RGB", 90, 60), "JPEG")
PRE = clipprep.Preprocess(32)
EXPECTED = PRE(DATA)
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = tmp_path / "cat.jpg"
    made.write_bytes(DATA)
    return str(made)


def rows(column: pa.Array | pa.ChunkedArray) -> list[bool]:
    result = arrow.preprocess(pa.table({"image": column}), "image", PRE)
    pixels = np.array([row for row in result["pixels"].to_pylist() if row is not None], np.float32)
    for row in pixels:
        if np.any(row):
            assert np.array_equal(row.reshape(3, 32, 32), EXPECTED)
    return result["ok"].to_pylist()


COLUMNS = {
    "binary": lambda: pa.array([DATA, DATA]),
    "large binary": lambda: pa.array([DATA, DATA], pa.large_binary()),
    "views": lambda: pa.array([DATA, DATA], pa.binary_view()),
    "fixed size": lambda: pa.array([DATA, DATA], pa.binary(len(DATA))),
    "dictionary": lambda: pa.array([DATA, DATA]).dictionary_encode(),
    "struct of datasets": lambda: pa.array([{"bytes": DATA, "path": "a.jpg"}] * 2, STRUCT),
    "chunks": lambda: pa.chunked_array([[DATA], [DATA]]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_bytes(name: str) -> None:
    assert rows(COLUMNS[name]()) == [True, True]


def test_nulls_cost_their_rows() -> None:
    assert rows(pa.array([DATA, None], pa.binary())) == [True, False]
    assert rows(pa.nulls(2, pa.binary())) == [False, False]
    assert rows(pa.array([{"bytes": DATA, "path": None}, None], STRUCT)) == [True, False]
    assert rows(pa.array([{"bytes": None, "path": "a.jpg"}], STRUCT)) == [False]


def test_names_cost_their_rows_where_missing(path: str) -> None:
    assert rows(pa.array([path, path + "x", None])) == [True, False, False]
    assert rows(pa.array([path, path]).dictionary_encode()) == [True, True]


@pytest.mark.filterwarnings("ignore:(Determining|Resolving) ")  # of a query of polars
def test_what_is_no_table() -> None:
    """A query has to be collected, and a reader gone through: the error says so."""
    pl = pytest.importorskip("polars")
    table = pa.table({"image": [DATA]})
    lazy = pl.from_arrow(table).lazy()
    for value in (lazy, table.to_reader(), {"image": [DATA]}, table["image"], None):
        with pytest.raises(TypeError, match=rf"found {type(value).__name__} of .*: turn a query"):
            arrow.preprocess(value, "image", PRE)
    with pytest.raises(TypeError, match="found a LazyFrame: pass a column"):
        PRE.batch(lazy)


def test_columns_that_were_there_are_kept(path: str) -> None:
    """None is replaced: a prefix keeps them apart, and without one a name that is taken is refused."""
    table = pa.table({"image": [path] * 2, "ok": ["yes", "no"], "error": [1, 2], "pixels": [3, 4]})
    result = arrow.preprocess(table, "image", PRE, prefix="clip_")
    assert [result[name].to_pylist() for name in ("ok", "error", "pixels")] == [["yes", "no"], [1, 2], [3, 4]]  # fmt: skip


def test_a_name_that_is_taken_is_refused(path: str) -> None:
    for name in ("ok", "error", "pixels"):
        with pytest.raises(ValueError, match=name):
            arrow.preprocess(pa.table({"image": [path], name: [1]}), "image", PRE)


def test_metadata_is_kept(path: str) -> None:
    fields = [
        pa.field("image", pa.string()),
        pa.field("id", pa.int64(), nullable=False, metadata={"unit": "m"}),
    ]
    schema = pa.schema(fields, metadata={"huggingface": "{}"})
    result = arrow.preprocess(pa.table([[path], [1]], schema=schema), "image", PRE)
    assert result.schema.field("id").equals(fields[1], check_metadata=True)
    assert result.schema.metadata[b"huggingface"] == b"{}"


def test_names_that_are_there_twice(path: str) -> None:
    table = pa.table([[path], [1], [2]], names=["image", "x", "x"])
    assert arrow.preprocess(table, "image", PRE).column_names[:3] == ["image", "x", "x"]
    with pytest.raises((KeyError, ValueError), match="img"):
        arrow.preprocess(table, "img", PRE)


def test_an_error_that_names_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    table = pa.table({"image": [str(tmp_path / "none.jpg")]})
    assert "none.jpg" in arrow.preprocess(table, "image", PRE)["error"].to_pylist()[0]


def test_a_path_beside_null_bytes_is_opened_only_where_that_is_asked_for(path: str) -> None:
    table = pa.table({"image": pa.array([{"bytes": None, "path": path}, None], STRUCT)})
    result = arrow.preprocess(table, "image", PRE)
    assert "paths=True" in result["error"].to_pylist()[0]
    result = arrow.preprocess(table, "image", PRE, paths=True)
    assert result["ok"].to_pylist() == [True, False]


@pytest.mark.parametrize("tensors", ["tensor", "fixed_size_list", "list"])
@pytest.mark.parametrize("images", [[DATA, b"no image"], []], ids=["two", "none"])
def test_the_type_of_the_tensors(tensors: str, images: list[bytes]) -> None:
    batch = pa.record_batch({"image": pa.array(images, pa.binary())})
    column = arrow.preprocess(batch, "image", PRE, tensors=tensors)["pixels"]
    flat = pa.list_(pa.float32(), 3 * 32 * 32)
    expected = {"tensor": pa.fixed_shape_tensor(pa.float32(), [3, 32, 32]), "fixed_size_list": flat}
    assert column.type == expected.get(tensors, pa.list_(pa.float32()))
    if images:
        assert column.to_pylist()[0] == EXPECTED.ravel().tolist()


def test_a_wrong_type_is_a_mistake() -> None:
    with pytest.raises(ValueError, match='tensors= one of "tensor"'):
        arrow.preprocess(pa.table({"image": [DATA]}), "image", PRE, tensors="array")
    with pytest.raises(TypeError, match="prefix= a string, found 5"):
        arrow.preprocess(pa.table({"image": [DATA]}), "image", PRE, prefix=5)
    twice = pa.StructArray.from_arrays([pa.array([DATA])] * 2, ["bytes", "bytes"])
    for column in (pa.array([[DATA]]), pa.array([1]), pa.array([{"data": DATA}]), twice):
        with pytest.raises(TypeError, match="to be binary or string"):
            arrow.preprocess(pa.table({"image": column}), "image", PRE)
    pixels = arrow.tensor_array(np.zeros((2, 9, 9, 3), np.uint8))
    with pytest.raises(TypeError, match="keep the images encoded"):
        arrow.preprocess(pa.table({"image": pixels}), "image", PRE)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_frames(library: str, path: str) -> None:
    frames = pytest.importorskip(library)
    for values in (
        [DATA, None, b"no image"],
        [path, None, path + "x"],
        [{"bytes": DATA}, None, {}],
    ):
        frame = frames.DataFrame({"image": values, "ok": [1, 2, 3]})
        with pytest.raises(ValueError, match="ok"):
            arrow.preprocess(frame, "image", PRE)
        result = arrow.preprocess(frame, "image", PRE, prefix="clip_")
        assert type(result) is frames.DataFrame
        assert list(result.columns) == ["image", "ok", "clip_ok", "clip_error", "clip_pixels"]
        assert list(result["clip_ok"]) == [True, False, False]
        assert list(result["ok"]) == [1, 2, 3]
        assert not isinstance(result["clip_error"][0], str)
        assert "Error: " in result["clip_error"][2]
        assert np.array_equal(np.asarray(result["clip_pixels"][0]), EXPECTED)
        assert list(frame.columns) == ["image", "ok"], "the caller's is not changed"


@pytest.mark.parametrize("images", [[DATA, b"no image"], []], ids=["two", "none"])
@pytest.mark.parametrize("tensors", ["tensor", "fixed_size_list", "list"])
def test_the_type_of_the_tensors_in_frames(tensors: str, images: list[bytes]) -> None:
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    flat = 3 * 32 * 32
    kinds = {
        "tensor": pl.Array(pl.Float32, (3, 32, 32)),
        "fixed_size_list": pl.Array(pl.Float32, flat),
        "list": pl.List(pl.Float32),
    }
    frame = pl.DataFrame({"image": images}, schema={"image": pl.Binary})
    pixels = arrow.preprocess(frame, "image", PRE, tensors=tensors)["pixels"]
    assert (pixels.dtype, len(pixels)) == (kinds[tensors], len(images))
    cells = arrow.preprocess(pd.DataFrame({"image": images}), "image", PRE, tensors=tensors)
    shape = (3, 32, 32) if tensors == "tensor" else (flat,)
    assert [cell.shape for cell in cells["pixels"]] == [shape] * len(images)
    for found in (pixels, cells["pixels"]):
        for cell in found[:1]:
            assert np.array_equal(np.asarray(cell), EXPECTED.reshape(shape))


def test_an_error_in_what_is_no_text_is_written() -> None:
    """The exception of an object may name a file that is not UTF-8."""

    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise OSError("caf\udce9.jpg")

    (said,) = arrow.result_columns(PRE.try_batch([Broken()]))["error"].to_pylist()
    assert said.startswith("OSError: ")
    assert "caf" in said
