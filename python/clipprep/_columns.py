"""Columns of tables as sources: those of pyarrow, pandas and polars, none of which has to be installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from ._messages import kind, said, shown, type_error, value_error


def is_frame(value: Any) -> bool:
    """Whether an object is a data frame in memory, as those of pandas and polars are, and no query."""
    adds = hasattr(value, "assign") or hasattr(value, "with_columns")
    return adds and not hasattr(value, "collect") and hasattr(value, "columns")


def column(given: Any) -> Iterable[Any]:
    """The sources of a column, or of the only column of a table.

    Raises TypeError for a table of several, and for one whose rows are not there; ValueError for a damaged column.
    """
    values: Iterable[Any] = _only(given) if hasattr(given, "columns") else given
    error = damage(values)
    if error is not None:
        raise error
    return values


def _only(frame: Any) -> Any:
    if not (is_frame(frame) or hasattr(frame, "column_names")):
        found = f"a {kind(frame)}: pass a column of what it gives, in memory"
        raise type_error(f"expected sources or one column of them, found {found}")
    names = list(getattr(frame, "column_names", frame.columns))
    if len(names) != 1:
        found = f"a {kind(frame)} with the columns {shown(names)}: pass one of these"
        raise type_error(f"expected sources or one column of them, found {found}")
    return frame[names[0]]


def damage(values: Any) -> ValueError | None:
    """The error about a column of pyarrow some of whose values lie outside its memory; None for any other.

    A file of Arrow may say anything of its values. pyarrow does not check it, and ends the process that reads one.
    """
    pa = sys.modules.get("pyarrow")
    if pa is None:
        return None
    if (
        type(getattr(values, "dtype", None)).__name__ == "ArrowDtype"
    ):  # pandas holds one of pyarrow's
        values = values.array.__arrow_array__()
    if not isinstance(values, (pa.Array, pa.ChunkedArray)):
        return None
    try:
        for chunk in getattr(values, "chunks", [values]):
            _as_bytes(chunk).validate(full=True)
    except pa.ArrowException as error:
        expected = "expected a column of Arrow whose values lie in its memory"
        return value_error(f"{expected}, found one that is damaged ({said(error)})")
    return None


def _as_bytes(values: Any) -> Any:
    """The same memory without text, whose encoding is the matter of each row."""
    found = _type_as_bytes(values.type)
    return values if found == values.type else values.view(found)


def _type_as_bytes(found: Any) -> Any:
    pa = sys.modules["pyarrow"]
    types = pa.types
    if types.is_struct(found):
        return pa.struct([field.with_type(_type_as_bytes(field.type)) for field in found])
    if types.is_dictionary(found):
        return pa.dictionary(found.index_type, _type_as_bytes(found.value_type), found.ordered)
    if types.is_string(found):
        return pa.binary()
    if types.is_large_string(found):
        return pa.large_binary()
    return pa.binary_view() if types.is_string_view(found) else found


def value_of(scalar: Any) -> Any:
    """What a scalar of pyarrow holds: bytes where they lie, a path that need not be UTF-8, a dict of `bytes` and
    `path`; else as Python has it."""
    pa = sys.modules.get("pyarrow")
    if pa is None or not isinstance(scalar, pa.Scalar):
        return scalar.as_py()
    if not scalar.is_valid:
        return None
    if isinstance(scalar, (pa.DictionaryScalar, pa.ExtensionScalar)):
        return value_of(scalar.value)
    if isinstance(scalar, pa.StructScalar):
        named = ((name, value) for name, value in scalar.items() if name in ("bytes", "path"))
        return {name: value_of(value) for name, value in named}
    if isinstance(scalar, pa.StringScalar):
        return os.fsdecode(bytes(scalar.as_buffer()))
    return scalar.as_buffer() if isinstance(scalar, pa.BinaryScalar) else scalar.as_py()
