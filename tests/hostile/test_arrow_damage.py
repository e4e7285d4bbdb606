"""Columns of Arrow whose values lie outside their memory, as a file may say: an error, where pyarrow ends the process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep import cli
from support.paths import PHOTOS

pa = pytest.importorskip("pyarrow")
arrow = pytest.importorskip("clipprep.arrow")

PRE = clipprep.Preprocess(32)
DATA = (PHOTOS / "cat.jpg").read_bytes()


def column(offsets: list[int], kind: Any = None, data: bytes = DATA) -> Any:
    """A column with these offsets, or views, into some bytes."""
    kind = kind or pa.binary()
    numbers = np.array(offsets, np.int64 if "large" in str(kind) else np.int32)
    count = len(offsets) // 4 if "view" in str(kind) else len(offsets) - 1
    return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(numbers), pa.py_buffer(data)])


def indices(*numbers: int) -> Any:
    buffers = [None, pa.py_buffer(np.array(numbers, np.int32))]
    kind = pa.dictionary(pa.int32(), pa.binary())
    return pa.DictionaryArray.from_buffers(kind, len(numbers), buffers, pa.array([DATA]))


DAMAGED: dict[str, Callable[[], Any]] = {
    "offsets that fall": lambda: column([50, 10, 60]),
    "an offset far away": lambda: column([0, 10**6, 60]),
    "an offset below 0": lambda: column([0, -5, 60]),
    "paths": lambda: column([50, 10, 60], pa.string()),
    "large offsets": lambda: column([0, 2**60, 60], pa.large_binary()),
    "a view of no buffer": lambda: column([100, 0, 5, 0], pa.binary_view()),
    "a view past its buffer": lambda: column([100, 0, 0, 10**8], pa.string_view()),
    "an index past its dictionary": lambda: indices(0, 99),
    "a damaged dictionary": lambda: pa.DictionaryArray.from_arrays([1], column([50, 10, 60])),
    "structs": lambda: pa.StructArray.from_arrays([column([50, 10, 60])], ["bytes"]),
    "a later chunk": lambda: pa.chunked_array([pa.array([DATA]), column([50, 10, 60])]),
}


async def _astream(values: Any) -> None:
    async for _ in PRE.astream(values):
        pass


def _series(values: Any) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.Series(values, dtype=pandas.ArrowDtype(values.type))


CALLS: dict[str, Callable[[Any], Any]] = {
    "a table": lambda values: arrow.preprocess(pa.table({"image": values}), "image", PRE),
    "batch": PRE.batch,
    "try_batch": PRE.try_batch,
    "stream": lambda values: list(PRE.stream(values)),
    "abatch": lambda values: asyncio.run(PRE.abatch(values)),
    "astream": lambda values: asyncio.run(_astream(values)),
    "a table of one column": lambda values: PRE.batch(pa.table({"image": values})),
    "a series of pandas": lambda values: PRE.batch(_series(values)),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", DAMAGED)
def test_values_outside_their_memory_are_refused(name: str, call: str) -> None:
    with pytest.raises(
        ValueError, match="expected a column of Arrow whose values lie in its memory"
    ):
        CALLS[call](DAMAGED[name]())


def test_a_damaged_part_of_a_file_costs_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with pa.ipc.new_file(path, pa.schema({"image": pa.binary()})) as writer:
        for values in (pa.array([DATA]), column([0, 10**6, 60]), pa.array([DATA])):
            writer.write_batch(pa.record_batch({"image": values}))
    out = tmp_path / "o.npy"
    assert cli.main(["run", f"{path}:image", "--out", str(out)]) == 1
    lines = (tmp_path / "o.npy.jsonl").read_text().splitlines()
    good = ['"ok": true' in line for line in lines]
    assert good == [True, False, False, True]
    assert "whose values lie in its memory" in lines[1]


@pytest.mark.skipif(os.name == "nt", reason="names of files are text")
@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "struct", "dictionary"])
def test_a_path_that_is_no_text_costs_nothing(kind: str, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.jpg"
    with open(path, "wb") as file:
        file.write(DATA)
    names = [path, b"\xfe", os.fsencode(PHOTOS / "cat.jpg")]
    view = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}
    values: Any = pa.array(names, view.get(kind, "binary"))
    values = values.view(kind if kind in view else "string")
    if kind == "struct":
        values = pa.StructArray.from_arrays([pa.nulls(3, pa.binary()), values], ["bytes", "path"])
    elif kind == "dictionary":
        values = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), values)
    result = PRE.try_batch(values)
    assert list(result.ok) == [True, False, True]
    assert result.errors[1].filename == os.fsdecode(b"\xfe")
    table = arrow.preprocess(pa.table({"image": values}), "image", PRE, paths=True)
    assert table["ok"].to_pylist() == [True, False, True]
