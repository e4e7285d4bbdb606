"""Parquet and Arrow files with the columns id, ok, error and pixels; needs pyarrow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clipprep import StreamBatch
from clipprep.arrow import result_columns
from clipprep.cli.sources import Source


class Columns:
    """A file, or with `folder` a folder of the Parquet files that its batches became."""

    def __init__(self, path: Path, *, folder: bool) -> None:
        self.path = path
        self._parts = path if folder else path.with_name(path.name + ".parts")
        # Parts that are joined are Arrow files, which cost next to nothing to write and to read.
        self._suffix = ".parquet" if folder else ".arrow"

    def open(self, resume: bool) -> None:
        self._parts.mkdir(parents=True, exist_ok=True)
        for stale in self._files() if not resume else []:
            stale.unlink()

    def write(self, sources: Sequence[Source], start: int, batch: StreamBatch) -> None:
        columns = {"id": pa.array(map(str, sources), pa.string()), **result_columns(batch)}
        rows = pa.record_batch(columns)
        # Named by its first row: a batch that was interrupted is written anew in the same place.
        part = self._parts / f"part-{start:010}{self._suffix}"
        whole = part.with_name(part.name + ".tmp")
        with _writer(whole, rows.schema, part.suffix) as writer:
            writer.write_batch(rows)
        os.replace(whole, part)

    def finish(self, sources: Sequence[Source], errors: Mapping[int, str]) -> None:
        if self._parts == self.path:
            return
        whole = self.path.with_name(self.path.name + ".part")
        files = self._files()
        rows = 0
        with _writer(whole, next(_batches(files[0])).schema, self.path.suffix) as writer:
            for file in files:
                for batch in _batches(file):
                    writer.write_batch(batch)
                    rows += len(batch)
        if rows != len(sources):
            raise OSError(f"expected {len(sources)} rows in {self._parts}, found {rows}: --restart")
        os.replace(whole, self.path)
        for file in files:
            file.unlink()
        self._parts.rmdir()

    def first(self, rows: int) -> NDArray[Any]:
        found: list[NDArray[Any]] = []
        for file in self._files() if self._parts == self.path else [self.path]:
            for batch in _batches(file):
                found.append(batch.column("pixels").to_numpy_ndarray())
                if sum(map(len, found)) >= rows:
                    return np.concatenate(found)[:rows]
        return np.concatenate(found)

    def _files(self) -> list[Path]:
        return sorted(self._parts.glob(f"part-*{self._suffix}"))


def _writer(path: Path, schema: pa.Schema, suffix: str) -> Any:
    # The floats are 768 different ones, so that Parquet's dictionary and zstd leave a quarter of the bytes.
    if suffix == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd")
    return pa.ipc.new_file(path, schema)


def _batches(path: Path) -> Any:
    if path.suffix == ".parquet":
        with pq.ParquetFile(path, memory_map=True) as opened:
            for group in range(opened.num_row_groups):
                yield from opened.read_row_group(group).to_batches()
    else:
        with pa.memory_map(str(path)) as opened:
            reader = pa.ipc.open_file(opened)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)
