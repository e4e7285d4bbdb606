"""Files that `clipprep run` writes, batch by batch, so that memory stays bounded and a run can be
taken up again.

An array file has its full size from the start, and rows are written in place through a memory map.
Parquet and Arrow files cannot be continued, so each batch becomes a file of its own in a folder, and
these are joined at the end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.format import header_data_from_array_1_0, write_array_header_1_0
from numpy.typing import NDArray

from clipprep import Preprocess, StreamBatch
from clipprep.cli.sources import Source

#: Endings of the files that have columns.
COLUMNS = (".parquet", ".arrow")
ENDINGS = (".npy", ".safetensors", *COLUMNS)


class Output(Protocol):
    """Where rows go."""

    def open(self, resume: bool) -> None:
        """Makes what rows are written to, or with `resume` takes up what is there."""

    def write(self, sources: Sequence[Source], start: int, batch: StreamBatch) -> None:
        """Writes the rows of some sources, which begin at row `start`."""

    def finish(self, sources: Sequence[Source], errors: Mapping[int, str]) -> None:
        """Puts the finished file in its place."""

    def first(self, rows: int) -> NDArray[Any]:
        """The first rows of the finished file."""


def output(path: Path, preprocess: Preprocess, rows: int, *, folder: bool = False) -> Output:
    """The output that a path's ending asks for; with `folder` a folder of Parquet files.

    Raises ValueError for another ending, ImportError where pyarrow is needed and missing.
    """
    if not folder and path.suffix not in ENDINGS:
        expected = f"a file ending in {', '.join(ENDINGS)}, or a folder ending in /"
        raise ValueError(f"expected {expected}, found {path}")
    if not folder and path.suffix not in COLUMNS:
        return _ArrayFile(path, preprocess, rows)
    try:
        from clipprep.cli.columns import Columns
    except ImportError as error:
        raise ImportError(f"{path} needs pyarrow: pip install 'clipprep[cli]'") from error
    return Columns(path, folder=folder)


class _ArrayFile:
    """A .npy or .safetensors file, and beside it a .jsonl file with a line for each row."""

    def __init__(self, path: Path, preprocess: Preprocess, rows: int) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        empty = preprocess.batch([])
        self._dtype, self._shape = empty.dtype, (rows, *empty.shape[1:])
        header = _npy_header if path.suffix == ".npy" else _safetensors_header
        self._header = header(self._shape, self._dtype, preprocess)

    def open(self, resume: bool) -> None:
        size = len(self._header) + int(np.prod(self._shape)) * self._dtype.itemsize
        if not resume:
            with self._part.open("wb") as opened:
                opened.write(self._header)
                size += 0 if self.path.suffix == ".npy" else self._shape[0]
                opened.truncate(size)
                opened.flush()
                if hasattr(os, "posix_fallocate"):
                    # A disk that is full is an error here; found out in the middle of the map it kills the process.
                    os.posix_fallocate(opened.fileno(), 0, size)

    def write(self, sources: Sequence[Source], start: int, batch: StreamBatch) -> None:
        self._rows(self._part, "r+")[start : start + len(sources)] = batch.pixels

    def finish(self, sources: Sequence[Source], errors: Mapping[int, str]) -> None:
        if self.path.suffix == ".safetensors":
            ok = np.ones(len(sources), np.uint8)
            ok[list(errors)] = 0
            with self._part.open("r+b") as opened:
                opened.seek(-len(ok), os.SEEK_END)
                opened.write(ok.tobytes())
        with self.path.with_suffix(".jsonl").open("w", encoding="utf-8") as index:
            for row, source in enumerate(sources):
                line = {"row": row, "source": str(source), "error": errors.get(row)}
                index.write(json.dumps(line) + "\n")
        os.replace(self._part, self.path)

    def first(self, rows: int) -> NDArray[Any]:
        return np.array(self._rows(self.path, "r")[:rows])

    def _rows(self, path: Path, mode: Any) -> NDArray[Any]:
        return np.memmap(path, self._dtype, mode, len(self._header), self._shape)


def _npy_header(shape: tuple[int, ...], dtype: np.dtype[Any], _: Preprocess) -> bytes:
    header = BytesIO()
    described = header_data_from_array_1_0(np.empty(0, dtype)) | {"shape": shape}
    write_array_header_1_0(header, described)
    return header.getvalue()


#: The format's names of our types; uint16 holds the bits of bfloat16.
_SAFETENSORS = {"float32": "F32", "float16": "F16", "uint16": "BF16", "uint8": "U8"}


def _safetensors_header(
    shape: tuple[int, ...], dtype: np.dtype[Any], preprocess: Preprocess
) -> bytes:
    """The format's own library writes a file whole, out of memory; this is its header.

    https://github.com/huggingface/safetensors#format
    """
    end = int(np.prod(shape)) * dtype.itemsize
    header = {
        "__metadata__": {"preprocess": repr(preprocess)},
        "pixels": {"dtype": _SAFETENSORS[dtype.name], "shape": shape, "data_offsets": [0, end]},
        "ok": {"dtype": "BOOL", "shape": shape[:1], "data_offsets": [end, end + shape[0]]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
