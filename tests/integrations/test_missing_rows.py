"""A row without an image is a SourceError, by whatever way it comes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep.cli.sources import find
from clipprep.cli.sources.words import Asked
from support.pictures import picture
from support.writers import saved

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pq = pytest.importorskip("pyarrow.parquet")
from clipprep import arrow  # noqa: E402

DATA = saved(picture("RGB", 90, 60), "JPEG")
PRE = clipprep.Preprocess(32)
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
#: What a missing image is: in a list, a series or a column.
MISSING = {
    "None": None,
    "NaN": float("nan"),
    "pandas' NA": pd.NA,
    "pandas' NaT": pd.NaT,
    "NumPy's NaN": np.float32("nan"),
    "NumPy's NaT": np.datetime64("NaT", "s"),
    "an array of None": np.array(None),
    "a null of Arrow": pa.scalar(None, pa.binary()),
    "a null struct of Arrow": pa.scalar(None, STRUCT),
    "a dict of nothing": {"bytes": None, "path": None},
    "an empty dict": {},
}


async def _of_astream(sources: list[Any]) -> list[clipprep.StreamBatch]:
    return [batch async for batch in PRE.astream(sources, batch_size=2)]


#: The error of row 1 of two sources.
CALLS: dict[str, Callable[[list[Any]], Exception]] = {
    "try_batch": lambda sources: PRE.try_batch(sources).errors[1],
    "stream": lambda sources: next(PRE.stream(sources, batch_size=2)).errors[1],
    "astream": lambda sources: asyncio.run(_of_astream(sources))[0].errors[1],
    "try_abatch": lambda sources: asyncio.run(PRE.try_abatch(sources)).errors[1],
    "a series of pandas": lambda sources: PRE.try_batch(pd.Series(sources, dtype=object)).errors[1],
    "an array of objects": lambda sources: PRE.try_batch(_objects(sources)).errors[1],
}


def _objects(sources: list[Any]) -> np.ndarray:
    made = np.empty(len(sources), object)
    made[:] = sources
    return made


@pytest.mark.parametrize(("missing", "call"), [*itertools.product(MISSING, CALLS)])
def test_in_a_list(missing: str, call: str) -> None:
    error = CALLS[call]([DATA, MISSING[missing]])
    assert type(error) is clipprep.SourceError
    assert "expected a path, encoded bytes" in str(error)


@pytest.mark.parametrize("kind", ["uint8", "int64", "float16", "bool", "V4", "M8[s]"])
def test_scalars_of_numpy_are_numbers_and_no_bytes(kind: str) -> None:
    error = PRE.try_batch([np.zeros((), kind)[()]]).errors[0]
    assert type(error) is (clipprep.UnsupportedError if kind == "V4" else clipprep.SourceError)
    assert np.array_equal(PRE(np.bytes_(DATA)), PRE(DATA))


COLUMNS = {
    "binary": lambda: pa.array([DATA, None], pa.binary()),
    "string": lambda: pa.array([str(__file__), None]),
    "nothing but nulls": lambda: pa.nulls(2),
    "a dictionary": lambda: pa.array([DATA, None]).dictionary_encode(),
    "a null struct": lambda: pa.array([{"bytes": DATA, "path": None}, None], STRUCT),
    "a struct of nulls": lambda: pa.array([{"bytes": None, "path": None}] * 2, STRUCT),
    "a path without bytes": lambda: pa.array([{"bytes": None, "path": "cat.jpg"}] * 2, STRUCT),
}
TABLES: dict[str, Callable[[pa.Array], Any]] = {
    "a table": lambda column: pa.table({"image": column}),
    "a batch": lambda column: pa.record_batch({"image": column}),
    "pandas": lambda column: pa.table({"image": column}).to_pandas(),
    "polars": lambda column: pl.from_arrow(pa.table({"image": column})),
}


def test_a_null_of_a_dictionary() -> None:
    """The null is a value of the dictionary, not of the row: neither pandas nor Parquet has it."""
    column = pa.DictionaryArray.from_arrays([0, 1], pa.array([DATA, None]))
    for kind in (pa.table, pa.record_batch):
        error = arrow.preprocess(kind({"image": column}), "image", PRE)["error"][1].as_py()
        assert error.startswith("SourceError: ")


@pytest.mark.parametrize(("column", "table"), [*itertools.product(COLUMNS, TABLES)])
def test_in_a_column(column: str, table: str) -> None:
    made = arrow.preprocess(TABLES[table](COLUMNS[column]()), "image", PRE)
    errors = made["error"].to_pylist() if hasattr(made["error"], "to_pylist") else made["error"]
    assert str(errors[1]).startswith("SourceError: ")


@pytest.mark.parametrize("column", COLUMNS)
def test_on_the_command_line(column: str, tmp_path: Path) -> None:
    path = tmp_path / "photos.parquet"
    pq.write_table(pa.table({"image": COLUMNS[column]()}), path)
    with find([f"{path}:image"], Asked()) as listing:
        error = PRE.try_batch(listing.sources()).errors[1]
        assert type(error) is clipprep.SourceError
        assert str(error).startswith(f"{path}:image[1]: ")
        assert isinstance(list(listing.first(2))[1][1], Exception)
