"""Sources of the rarer kinds, as something simpler that the core knows: a path, bytes, an array, an open file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ._columns import value_of
from ._messages import kind, said, shown
from ._out import view
from ._pillow.refusals import RefusedError

#: Something simpler, whether it is a tensor of torch, and what to call when it was read.
Simpler: TypeAlias = tuple[Any, bool, Callable[[], object] | None]

#: How arrays of other libraries lend their memory; the last one is a GPU's, which is refused.
_ARRAYS = ("__dlpack__", "__array_interface__", "__cuda_array_interface__")
_EXPECTED = "expected a path, encoded bytes, a binary file, a PIL image or a uint8 array"


def simpler(source: Any) -> Simpler:
    """A simpler object in place of a source. Raises RefusedError for an object that is none."""
    if hasattr(source, "open") and not hasattr(source, "read"):
        file, close = _opened(source)
        return file, False, close
    if hasattr(source, "as_py"):  # a scalar of pyarrow
        source = value_of(source)
    if isinstance(source, Mapping):
        return _encoded(source), False, None
    if getattr(source, "ndim", None) == 0 and hasattr(source, "item"):
        return _there(source.item()), False, None
    if any(hasattr(source, name) for name in _ARRAYS):
        return _array(source), _is_of_torch(source), None
    return _there(source), False, None


class Failing:
    """A binary file whose reading raises: a row whose fault is known before it is its turn."""

    def __init__(self, name: str, error: Exception) -> None:
        self.name = name
        self._error = error

    def read(self, size: int = -1) -> bytes:
        raise self._error


def _opened(source: Any) -> tuple[Any, Callable[[], object]]:
    """A file that is not open yet: of fsspec, or a path inside an archive."""
    if hasattr(source, "fs") and hasattr(source, "__enter__"):
        return source.open(), source.close
    file = source.open("rb")
    return file, file.close


def _encoded(row: Mapping[Any, Any]) -> Any:
    """The bytes, or else the path, of an image as `datasets` has it."""
    if "bytes" not in row and "path" not in row:
        raise RefusedError("source", f'{_EXPECTED}, found a dict without "bytes" and "path"')
    data, path = row.get("bytes"), row.get("path")
    if not is_missing(data):
        return data
    if not is_missing(path):
        return os.fsdecode(path) if isinstance(path, bytes) else path
    raise RefusedError("source", f"{_EXPECTED}, found a dict whose bytes and path are missing")


def _is_of_torch(source: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.Tensor)


def _array(source: Any) -> Any:
    """The memory of an array of another library."""
    cause = None
    try:
        lent = view(source)
    except Exception as error:
        lent, cause = None, error
    if lent is not None:
        return lent
    dtype, device = str(getattr(source, "dtype", "uint8")), str(getattr(source, "device", "cpu"))
    if dtype.removeprefix("torch.") != "uint8":
        found = dtype
    elif device != "cpu" or hasattr(source, "__cuda_array_interface__"):
        found = f"a {kind(source)} on {device}: copy it to the host's memory"
    else:
        why = f" ({said(cause)})" if cause else ""
        found = f"a {kind(source)} that does not lend its memory{why}"
    raise RefusedError("source", f"expected an array of uint8, found {found}") from cause


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none: None, NaN, or pandas' own."""
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _there(value: Any) -> Any:
    """A value that is not missing."""
    if is_missing(value):
        raise RefusedError("source", f"{_EXPECTED}, found {shown(value)}: the value is missing")
    columns = ("to_list", "to_pylist", "columns")
    if isinstance(value, (list, tuple, set, frozenset)) or any(hasattr(value, n) for n in columns):
        found = f"a {kind(value)}: give several images to batch()"
        raise RefusedError("source", f"{_EXPECTED}, found {found}")
    if hasattr(value, "__array__") and not hasattr(value, "read"):
        found = f"a {kind(value)}, which may have to compute its pixels: pass numpy.asarray of it"
        raise RefusedError("source", f"{_EXPECTED}, found {found}")
    return value
