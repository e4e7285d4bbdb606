"""Images in a column of Parquet and Arrow files: `photos.parquet:image`. Needs pyarrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from clipprep._columns import damage
from clipprep._pillow.refusals import RefusedError
from clipprep._sources import Failing
from clipprep.cli.failures import FailedError
from clipprep.cli.names import shown
from clipprep.cli.sources.items import (
    Item,
    Named,
    Opened,
    Refused,
    named_in_data,
    open_regular,
)

SUFFIXES = (".parquet", ".arrow", ".feather")
_WORD = re.compile(r"(?P<file>.+(?:\.parquet|\.arrow|\.feather)):(?P<column>[^/\\]+)")
#: Rows that are held at a time.
_ROWS = 64


def split(word: str) -> tuple[str, str] | None:
    """The file and the column that a word names, if it does."""
    found = _WORD.fullmatch(word)
    return (found["file"], found["column"]) if found else None


@dataclass(frozen=True, slots=True)
class Cell:
    """An image in a row of a column."""

    file: str
    column: str
    row: int
    remote: bool

    @property
    def name(self) -> str:
        """The file, the column and the row."""
        return f"{self.file}:{self.column}[{self.row}]"

    def source(self, opened: Opened) -> Any:
        try:
            value = opened.use(
                ("table", self.file, self.column),
                lambda: _Column(self.file, self.column, opened.max_bytes),
                lambda column: column.value(self.row),
            )
            if isinstance(value, dict):
                if value.get("bytes") is None and value.get("path") is not None:
                    raise RefusedError(
                        "source",
                        "expected an encoded image in bytes, found null beside the path"
                        f" {shown(value['path'])[:200]}, which is not opened: give the column of paths",
                    )
                value = value.get("bytes")
            if isinstance(value, str):
                return named_in_data(value, remote=self.remote).source(opened)
            if not isinstance(value, bytes):
                found = f"expected an encoded image or a path, found {shown(value)}"
                raise RefusedError("source", found[:200])
            opened.check(len(value), self.name)
        except RefusedError as error:
            return Failing(self.name, error)
        except Exception as error:
            return Refused.because(self.name, error).source(opened)
        return Named(value, self.name)


def cells(file: str, column: str, *, remote: bool, max_bytes: int | None) -> Iterator[Item]:
    """A row each. Raises FailedError for a column that is not there."""
    try:
        opened = _Column(file, column, max_bytes)
    except (KeyboardInterrupt, FailedError):
        raise
    except Exception as error:
        yield Refused.because(file, error)
        return
    try:
        for row in range(opened.rows):
            yield Cell(file, column, row, remote)
    finally:
        opened.close()


def columns(file: str) -> list[str]:
    """The columns of a file."""
    _, schema, opened = _open(file, None)
    opened.close()
    return list(schema.names)


class _Column:
    """A column that is read from its beginning to its end."""

    def __init__(self, file: str, column: str, max_bytes: int | None) -> None:
        self._reader, schema, self._file = _open(file, max_bytes)
        if column not in schema.names:
            self._file.close()
            found = ", ".join(schema.names)
            raise FailedError(f"{file}: expected a column {column!r}, found {found}")
        self._is_parquet = hasattr(self._reader, "iter_batches")
        self._column = column
        self._start = 0
        self._values: Any = []
        self._damage: Exception | None = None
        self._batches = self._pieces()

    @property
    def rows(self) -> int:
        if self._is_parquet:
            rows: int = self._reader.metadata.num_rows
            return rows
        return sum(
            self._reader.get_batch(i).num_rows for i in range(self._reader.num_record_batches)
        )

    def value(self, row: int) -> Any:
        if row < self._start:
            self._start, self._values, self._batches = 0, [], self._pieces()
        while row >= self._start + len(self._values):
            self._start += len(self._values)
            self._values = next(self._batches)
            self._damage = damage(self._values)
        if self._damage is not None:
            raise self._damage
        return self._values[row - self._start].as_py()

    def close(self) -> None:
        self._file.close()

    def _pieces(self) -> Iterator[Any]:
        if self._is_parquet:
            for batch in self._reader.iter_batches(_ROWS, columns=[self._column]):
                yield batch.column(0)
        else:
            for number in range(self._reader.num_record_batches):
                yield self._reader.get_batch(number).column(self._column)


def _open(file: str, max_bytes: int | None) -> tuple[Any, Any, IO[bytes]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise FailedError(f"{file} needs pyarrow: pip install 'clipprep[cli]'") from error
    opened = open_regular(file)
    try:
        opened.seek(0, 2)
        size = opened.tell()
        opened.seek(max(0, size - 8))
        footer = int.from_bytes(opened.read(4), "little")
        opened.seek(0)
        if max_bytes is not None and footer > max_bytes and file.endswith(".parquet"):
            raise OSError(f"expected a footer of at most max_bytes={max_bytes:,}, found {footer:,}")
        if file.endswith(".parquet"):
            reader = pq.ParquetFile(opened)
            return reader, reader.schema_arrow, opened
        reader = pa.ipc.open_file(opened)
        return reader, reader.schema, opened
    except BaseException:
        opened.close()
        raise
