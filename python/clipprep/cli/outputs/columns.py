"""Parquet and Arrow files with the columns id, ok, error and pixels; needs pyarrow."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping, Sequence
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clipprep import Preprocess, StreamBatch
from clipprep.arrow import result_columns, tensor_array
from clipprep.cli import place
from clipprep.cli.names import written
from clipprep.cli.outputs.part import Part, telling

#: The floats are 768 different ones, so that Parquet's dictionary and zstd leave a quarter of the bytes.
_COMPRESSION = "zstd"
_MAGIC = b"PAR1"
#: Where a schema's metadata says which run made the file.
_RUN = b"clipprep run"


class _Columns:
    """The common part of the files of columns: the schema, and a batch in it."""

    def __init__(self, path: Path, preprocess: Preprocess, run: Mapping[str, Any]) -> None:
        self._run = dict(run)
        metadata = {_RUN: json.dumps(self._run).encode()}
        pixels = tensor_array(preprocess.batch([])).type
        fields = {"id": pa.string(), "ok": pa.bool_(), "error": pa.string(), "pixels": pixels}
        self._schema = pa.schema(fields, metadata)
        self._path = path

    def _rows(self, names: Sequence[str], batch: StreamBatch) -> pa.RecordBatch:
        columns = {"id": pa.array(map(written, names), pa.string()), **result_columns(batch)}
        return pa.record_batch(columns, self._schema)


class _OneFile(_Columns):
    """The common part of the formats of one file, which grows as a part."""

    def __init__(self, path: Path, preprocess: Preprocess, run: Mapping[str, Any]) -> None:
        super().__init__(path, preprocess, run)
        self._part = Part(path)

    @property
    def parts(self) -> list[Path]:
        return [self._part.part]

    @property
    def places(self) -> list[Path]:
        return [self._path]

    def standing(self) -> Mapping[str, Any]:
        return place.standing(self.places)

    def sync(self) -> None:
        self._part.sync()

    def finish(self) -> None:
        self._part.finish()

    def close(self) -> None:
        self._part.close()


class ParquetFile(_OneFile):
    """A row group for each batch.

    Parquet's writer cannot go on with a file, so each batch is written as a file of one row group whose
    positions count from the beginning of the whole. Its own footer stays after it and is not used by
    readers; a run that goes on reads the row groups from these, and the last footer has all of them.
    """

    def __init__(self, path: Path, preprocess: Preprocess, run: Mapping[str, Any]) -> None:
        super().__init__(path, preprocess, run)
        self._footers = _Footers()

    def made_by(self) -> Mapping[str, Any] | None:
        try:
            schema = pq.read_schema(self._path)
        except (OSError, pa.ArrowInvalid):
            return None
        return _run_of(schema)

    def begin(self) -> None:
        self._part.begin()
        self._part.write(_MAGIC)

    def resume(self, rows: int, states: Sequence[Any]) -> None:
        if not states:
            self.begin()
            return
        self._part.resume(states[-1])
        file = self._part.opened
        for end in states:
            file.seek(end - 8)
            length = int.from_bytes(file.read(4), "little")
            file.seek(end - 8 - length)
            self._footers.add(pq.read_metadata(pa.BufferReader(_MAGIC + file.read(length + 8))))
        if self._footers.rows != rows:
            raise OSError(f"expected {rows:,} rows in {self._part.part}, found others: --restart")

    def append(self, names: Sequence[str], start: int, batch: StreamBatch) -> Any:
        rows = self._rows(names, batch)
        base = self._part.opened.tell()
        with telling(self._part.part, batch.pixels.nbytes):
            sink = _Sink(self._part.opened, skip=base)
            output = pa.PythonFile(sink, "w")
            with pq.ParquetWriter(output, self._schema, compression=_COMPRESSION) as writer:
                while (left := base - output.tell()) > 0:
                    output.write(memoryview(_NOTHING)[:left])
                writer.write_batch(rows)
        self._footers.add(writer.writer.metadata)
        return self._part.opened.tell()

    def finish(self) -> None:
        if self._footers.rows and self._part.part.exists():
            self._part.write(self._footers.joined()[len(_MAGIC) :])
        super().finish()


class _Footers:
    """The footers of row groups, joined as they come: neighbours of the same size, so that no one is copied often."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self.rows = 0
        """The number of rows in all of them."""

    def add(self, footer: Any) -> None:
        """One more."""
        self.rows += footer.num_rows
        stack = self._stack
        stack.append(footer)
        while len(stack) > 1 and stack[-2].num_row_groups == stack[-1].num_row_groups:
            last = stack.pop()
            stack[-1].append_row_groups(last)

    def joined(self) -> memoryview:
        """A Parquet file of no bytes but the footer of all."""
        while len(self._stack) > 1:
            last = self._stack.pop()
            self._stack[-1].append_row_groups(last)
        file = BytesIO()
        self._stack[0].write_metadata_file(file)
        return file.getbuffer()


#: Bytes that a writer counts and no one reads: the system has no memory for them.
_NOTHING = mmap.mmap(-1, 1 << 30)


class ArrowFile(_OneFile):
    """A record batch for each batch. Goes on by having the writer write once more, to nowhere, what is there."""

    def __init__(self, path: Path, preprocess: Preprocess, run: Mapping[str, Any]) -> None:
        super().__init__(path, preprocess, run)
        self._sink: _Sink | None = None
        self._writer: Any = None

    def made_by(self) -> Mapping[str, Any] | None:
        try:
            with pa.memory_map(str(self._path)) as opened:
                return _run_of(pa.ipc.open_file(opened).schema)
        except (OSError, pa.ArrowInvalid):
            return None

    def begin(self) -> None:
        self._part.begin()
        self._open(0)

    def resume(self, rows: int, states: Sequence[Any]) -> None:
        if not states:
            self.begin()
            return
        self._part.resume(states[-1])
        self._open(states[-1])
        with pa.memory_map(str(self._part.part)) as opened:
            opened.seek(8)  # after its first bytes an Arrow file is an Arrow stream
            reader = pa.ipc.open_stream(opened)
            for _ in states:
                batch = reader.read_next_batch()
                rows -= len(batch)
                self._writer.write_batch(batch)
        assert self._sink is not None
        if rows or self._sink.written != states[-1]:
            raise OSError(f"expected other rows in {self._part.part}: --restart begins anew")

    def append(self, names: Sequence[str], start: int, batch: StreamBatch) -> Any:
        with telling(self._part.part, batch.pixels.nbytes):
            self._writer.write_batch(self._rows(names, batch))
        assert self._sink is not None
        return self._sink.written

    def finish(self) -> None:
        if self._writer is not None:
            with telling(self._part.part):
                self._writer.close()
            self._writer = None
        super().finish()

    def close(self) -> None:
        self._writer = None
        super().close()

    def _open(self, skip: int) -> None:
        with telling(self._part.part):
            self._sink = _Sink(self._part.opened, skip)
            self._writer = pa.ipc.new_file(pa.PythonFile(self._sink, "w"), self._schema)


class Folder(_Columns):
    """A folder of Parquet files, one for each batch, which readers take as one data set."""

    @property
    def parts(self) -> list[Path]:
        return []

    @property
    def places(self) -> list[Path]:
        return sorted(self._path.iterdir()) if self._path.is_dir() else []

    def standing(self) -> Mapping[str, Any]:
        return {}  # a run's own parts stand in the folder while it goes on

    def made_by(self) -> Mapping[str, Any] | None:
        runs, rows = [], 0
        for path in self.places:
            try:
                footer = pq.read_metadata(path)
            except (OSError, pa.ArrowInvalid):
                return None
            rows += footer.num_rows
            runs.append(_run_of(footer.schema.to_arrow_schema()))
        if not runs or any(run != runs[0] for run in runs):
            return None
        return runs[0] if runs[0] != self._run or rows == self._run["rows"] else None

    def begin(self) -> None:
        with telling(self._path):
            self._path.mkdir(parents=True, exist_ok=True)
            self._remove_from(0)

    def resume(self, rows: int, states: Sequence[Any]) -> None:
        if not states:
            self.begin()
            return
        self._remove_from(rows)
        found = sum(pq.read_metadata(path).num_rows for path in self._path.glob("part-*.parquet"))
        if found != rows:
            raise OSError(f"expected {rows:,} rows in {self._path}, found {found:,}: --restart")

    def append(self, names: Sequence[str], start: int, batch: StreamBatch) -> Any:
        # Named by its first row: a batch that was interrupted is written anew in the same place.
        path = self._path / f"part-{start:010}.parquet"
        part = place.beside(path, ".tmp")
        with telling(path, batch.pixels.nbytes):
            with pq.ParquetWriter(part, self._schema, compression=_COMPRESSION) as writer:
                writer.write_batch(self._rows(names, batch))
            place.put(part, path)
        return None

    def sync(self) -> None:
        with telling(self._path):
            place.sync_folder(self._path)

    def finish(self) -> None:
        self.sync()

    def close(self) -> None:
        pass

    def _remove_from(self, row: int) -> None:
        for path in self._path.glob("part-*.parquet*"):
            if path.suffix == ".tmp" or int(path.stem.removeprefix("part-")) >= row:
                path.unlink()


class _Sink(RawIOBase):
    """The file that a writer of pyarrow writes to, less the first `skip` bytes, which it has."""

    def __init__(self, file: Any, skip: int) -> None:
        super().__init__()
        self._file = file
        self._skip = skip
        self.written = 0
        """The number of bytes that it was given."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        left = view[max(0, min(self._skip - self.written, view.nbytes)) :]
        while left:
            left = left[self._file.write(left) :]
        self.written += view.nbytes
        return view.nbytes


def _run_of(schema: Any) -> Mapping[str, Any] | None:
    try:
        found = json.loads((schema.metadata or {})[_RUN])
    except (KeyError, ValueError):
        return None
    return found if isinstance(found, dict) else None
