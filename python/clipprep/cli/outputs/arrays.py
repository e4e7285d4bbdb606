"""Files of one array, .npy and .safetensors, and the index beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import header_data_from_array_1_0, write_array_header_1_0

from clipprep import Preprocess, StreamBatch
from clipprep.cli import place
from clipprep.cli.names import clean
from clipprep.cli.outputs.part import Part, telling


class ArrayFile:
    """An array of all rows, and beside it a .jsonl file with a line for each row."""

    def __init__(self, path: Path, preprocess: Preprocess, run: Mapping[str, Any]) -> None:
        empty = preprocess.batch([])
        self._run = dict(run)
        self._rows: int = run["rows"]
        shape = (self._rows, *empty.shape[1:])
        self._row_bytes = empty.dtype.itemsize * int(np.prod(empty.shape[1:]))
        self._is_npy = path.suffix == ".npy"
        header = _npy_header if self._is_npy else _safetensors_header
        self._header = header(shape, empty.dtype, preprocess)
        self._tensors = Part(path)
        self._index = Part(place.beside(path, ".jsonl"))

    @property
    def parts(self) -> list[Path]:
        return [self._tensors.part, self._index.part]

    @property
    def places(self) -> list[Path]:
        return [self._tensors.path, self._index.path]

    def standing(self) -> Mapping[str, Any]:
        return place.standing(self.places)

    def made_by(self) -> Mapping[str, Any] | None:
        try:
            with self._index.path.open(encoding="utf-8") as index:
                first = json.loads(index.readline())
            with self._tensors.path.open("rb") as tensors:
                header = tensors.read(len(self._header))
                size = tensors.seek(0, os.SEEK_END)
        except (OSError, ValueError):
            return None
        run = first.get("run") if isinstance(first, dict) else None
        is_whole = header == self._header and size == self._size
        return run if isinstance(run, dict) and (is_whole or run != self._run) else None

    def begin(self) -> None:
        self._tensors.begin()
        self._tensors.write(self._header)
        with telling(self._tensors.part, self._size):
            self._tensors.opened.truncate(self._size)
            if hasattr(os, "posix_fallocate"):  # a disk that is too small is known at once
                os.posix_fallocate(self._tensors.opened.fileno(), 0, self._size)
        self._index.begin()

    def resume(self, rows: int, states: Sequence[Any]) -> None:
        if not states:
            self.begin()
            return
        self._tensors.resume(self._size)
        self._index.resume(states[-1])

    def append(self, names: Sequence[str], start: int, batch: StreamBatch) -> Any:
        self._tensors.opened.seek(len(self._header) + start * self._row_bytes)
        self._tensors.write(batch.pixels)
        if not self._is_npy:
            self._tensors.opened.seek(self._size - self._rows + start)
            self._tensors.write(batch.ok.astype(np.uint8))
        lines = []
        for row, name in enumerate(names):
            error = batch.errors.get(row)
            line = {
                "row": start + row,
                "source": name,
                "ok": error is None,
                "error": None if error is None else str(error),
            }
            if start + row == 0:
                line["run"] = self._run
            lines.append(json.dumps(clean(line), ensure_ascii=False) + "\n")
        self._index.write("".join(lines).encode())
        return self._index.opened.tell()

    def sync(self) -> None:
        self._tensors.sync()
        self._index.sync()

    def finish(self) -> None:
        self._tensors.finish()
        self._index.finish()

    def close(self) -> None:
        self._tensors.close()
        self._index.close()

    @property
    def _size(self) -> int:
        size = len(self._header) + self._rows * self._row_bytes
        return size if self._is_npy else size + self._rows


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
        "__metadata__": {"preprocess": preprocess._outcome()},
        "pixels": {"dtype": _SAFETENSORS[dtype.name], "shape": shape, "data_offsets": [0, end]},
        "ok": {"dtype": "BOOL", "shape": shape[:1], "data_offsets": [end, end + shape[0]]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
