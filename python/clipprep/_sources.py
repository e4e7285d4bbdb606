"""Sources of the rarer kinds, as something simpler that the core knows: a path, bytes, an array, an open file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ._pillow.refusals import RefusedError

#: Something simpler, and what to call when it was read.
Simpler: TypeAlias = tuple[Any, Callable[[], object] | None]

_EXPECTED = "expected a path, encoded bytes, a binary file, a PIL image or a uint8 array"


def simpler(source: Any) -> Simpler:
    """What stands for a source. Raises RefusedError for an object that is none."""
    if hasattr(source, "open") and not hasattr(source, "read"):
        return _opened(source)
    if isinstance(source, Mapping):
        return _encoded(source), None
    if hasattr(source, "as_py"):  # a scalar of pyarrow
        value = source.as_py()
        return (_encoded(value) if isinstance(value, Mapping) else _there(value)), None
    if getattr(source, "ndim", None) == 0 and hasattr(source, "item"):
        return _there(source.item()), None
    if hasattr(source, "__dlpack__") or hasattr(source, "__array_interface__"):
        return _array(source), None
    return _there(source), None


def column(frame: Any) -> Iterable[Any]:
    """The only column of a data frame."""
    names = list(getattr(frame, "column_names", frame.columns))
    if len(names) != 1:
        found = f"a {type(frame).__name__} with the columns {', '.join(map(str, names))}"
        raise TypeError(f"expected sources or one column of them, found {found}: pass one of these")
    values: Iterable[Any] = frame[names[0]]
    return values


def _opened(source: Any) -> Simpler:
    """A file that is not open yet: of fsspec, or a path inside an archive."""
    if hasattr(source, "fs") and hasattr(source, "__enter__"):
        return source.open(), source.close
    file = source.open("rb")
    return file, file.close


def _encoded(row: Mapping[Any, Any]) -> Any:
    """The bytes, or else the path, of an image as `datasets` has it."""
    if "bytes" not in row and "path" not in row:
        raise RefusedError("source", f'{_EXPECTED}, found a dict without "bytes" and "path"')
    for name in ("bytes", "path"):
        if row.get(name) is not None:
            return row[name]
    raise RefusedError("source", f"{_EXPECTED}, found a dict whose bytes and path are missing")


def _array(source: Any) -> Any:
    """The memory of an array of another library."""
    from ._out import view

    try:
        return view(source)
    except Exception as error:
        found = f"a {type(source).__name__} whose memory is not the host's or is no array's"
        raise RefusedError("source", f"{_EXPECTED}, found {found}: copy it to NumPy") from error


def _there(value: Any) -> Any:
    """A value that is not missing."""
    is_nan = isinstance(value, float) and value != value
    if value is None or is_nan or type(value).__name__ in ("NAType", "NaTType"):
        raise RefusedError("source", f"{_EXPECTED}, found {value}: the value is missing")
    if isinstance(value, (list, tuple, set, frozenset)):
        found = f"a {type(value).__name__}: give several images to batch()"
        raise RefusedError("source", f"{_EXPECTED}, found {found}")
    return value
