"""Turn a column of images of a table into a column of tensors. Needs `clipprep[cli]`, or pyarrow.

Tables are those of pyarrow, and data frames of polars and pandas. Engines that hand over Arrow batches, such as Spark,
DuckDB and Daft, go through the same function (docs/recipes/arrow.md).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from clipprep import BatchResult, Preprocess, StreamBatch
from clipprep._columns import damage, is_frame, value_of
from clipprep._extras import needs
from clipprep._messages import kind, shown, type_error, value_error
from clipprep._pillow.refusals import RefusedError
from clipprep._sources import Failing, is_missing

with needs("pyarrow", "cli", by="clipprep.arrow"):
    import pyarrow as pa

if TYPE_CHECKING:  # names of annotations alone
    from typing import Unpack

    from ._typing import Options

__all__ = ["preprocess", "result_columns", "tensor_array"]

T = TypeVar("T")
#: How the tensors of a column may be laid out.
Tensors = Literal["tensor", "fixed_size_list", "list"]

_ADDED = ("ok", "error", "pixels")


def preprocess(
    table: T,
    column: str,
    model: Preprocess | str | int = "ViT-B/32",
    *,
    prefix: str = "",
    tensors: Tensors = "tensor",
    paths: bool = False,
    num_threads: int | None = None,
    **options: Unpack[Options],
) -> T:
    """Add the tensors of a column of images to a table.

    The other columns stay as they are, with their metadata, and so does a column of paths; one of encoded images is
    left out of the result. Three columns are added, none is replaced:

    - `pixels`: the tensors; a bad row is zero.
    - `ok`: whether the row is good, bool.
    - `error`: why a row is not good ("DecodeError: ..."), a string; null where it is.

    Args:
        table: A RecordBatch or a Table of pyarrow, or a data frame of polars or pandas.
        column: The name of the column of images: encoded images (binary), paths (string), structs of `bytes` and
            `path` as `datasets` has them, or a dictionary of one of these. A null costs its row.
        model: A `Preprocess`, or what makes one: a model's name or a size, with its options.
        prefix: What the names of the three columns begin with.
        tensors: The type of `pixels`.

            - "tensor": A FixedShapeTensor, which knows the shape. In polars an Array of that shape, in pandas arrays
              of NumPy of it.
            - "fixed_size_list": Its values in a row, without their shape. In polars an Array, in pandas arrays of one
              axis.
            - "list": The same in lists of any length, which is what Spark reads. In pandas arrays of one axis, too.
        paths: Whether the `path` of a struct is opened where there are no `bytes`; else such a row is an error,
            since whoever wrote the table would choose which files are read.
        num_threads: The number of threads at most.
        options: Options of `Preprocess`.

    Returns:
        A table of the same kind.

    Raises:
        KeyError: There is no such column.
        TypeError: `table` is none, the column holds something else, or there are options beside a `Preprocess`.
        ValueError: A name of the three is taken: pass another `prefix`. Or the column is damaged.

    Example:
        >>> import pyarrow as pa
        >>> from clipprep import arrow
        >>> table = arrow.preprocess(pa.table({"image": [b"no image"]}), "image", 32)
        >>> table.column_names, table["ok"].to_pylist()
        (['ok', 'error', 'pixels'], [False])
    """
    if not isinstance(model, Preprocess):
        model = Preprocess(model, **options)
    elif options:
        raise type_error(f"expected options beside a model's name or a size, found {shown(model)}")
    if tensors not in ("tensor", "fixed_size_list", "list"):
        expected = 'one of "tensor", "fixed_size_list", "list"'
        raise value_error(f"expected tensors= {expected}, found {shown(tensors)}")
    if not isinstance(prefix, str):
        raise type_error(f"expected prefix= a string, found {shown(prefix)}")
    is_arrow = isinstance(table, (pa.RecordBatch, pa.Table))
    held: Any = table
    if not (is_arrow or is_frame(held)):
        expected = (
            "expected a RecordBatch or a Table of pyarrow, or a data frame of polars or pandas"
        )
        library = type(held).__module__.partition(".")[0]
        hint = "turn a query or a reader into one, or call this for each of its batches"
        raise type_error(f"{expected}, found {kind(held)} of {library}: {hint}")
    names = list(held.column_names if is_arrow else held.columns)
    if names.count(column) != 1:
        found = f"{names.count(column)} of them in {shown(names)}"
        raise KeyError(f"expected one column {shown(column)}, found {found}")
    if taken := [prefix + name for name in _ADDED if prefix + name in names]:
        raise value_error(f"expected prefix= so that no column is replaced, found {shown(taken)}")
    values = held.column(column) if is_arrow else held[column]
    if is_arrow:
        _check_type(column, values.type)
    if error := damage(values):
        raise error
    sources = [_source(value, paths) for value in values]
    result = model.try_batch(sources, num_threads=num_threads)
    del sources
    made: T
    if not is_arrow:
        made = _frame(held, result, prefix, tensors)
        return made
    added = {prefix + name: values for name, values in result_columns(result, tensors).items()}
    kept = [i for i, name in enumerate(names) if name != column or not _is_encoded(values.type)]
    fields = [held.schema.field(i) for i in kept]
    fields += [pa.field(name, array.type) for name, array in added.items()]
    arrays = [held.column(i) for i in kept] + list(added.values())
    schema = pa.schema(fields, metadata=held.schema.metadata)
    made = type(held).from_arrays(arrays, schema=schema)
    return made


def tensor_array(pixels: NDArray[Any]) -> pa.FixedShapeTensorArray:
    """Hold an array (N, ...) as N tensors, on the same memory."""
    if len(pixels):
        return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pixels))
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(pixels.dtype), pixels.shape[1:])
    return pa.ExtensionArray.from_storage(kind, pa.array([], kind.storage_type))


def result_columns(
    result: BatchResult | StreamBatch, tensors: Tensors = "tensor"
) -> dict[str, pa.Array]:
    """Make the columns `ok`, `error` and `pixels` of what `try_batch` or `stream` gave."""
    pixels = tensor_array(result.pixels)
    if tensors != "tensor":
        pixels = pixels.storage
    if tensors == "list":
        pixels = pixels.cast(pa.list_(pixels.type.value_type))
    return {
        "ok": pa.array(result.ok),
        "error": pa.array(_errors(result), pa.string()),
        "pixels": pixels,
    }


def _errors(result: BatchResult | StreamBatch) -> list[str | None]:
    errors: list[str | None] = [None] * len(result.ok)
    for row, error in result.errors.items():
        # An exception of others may name files that are not UTF-8.
        said = f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace")
        errors[row] = said.decode()
    return errors


def _frame(frame: Any, result: BatchResult, prefix: str, tensors: Tensors) -> Any:
    """A data frame with the columns added. The column of images stays: frames share their memory."""
    errors: Any = _errors(result)
    pixels: Any = result.pixels
    if tensors != "tensor":
        pixels = pixels.reshape(len(pixels), math.prod(pixels.shape[1:]))
    if not hasattr(frame, "with_columns"):
        added = zip(_ADDED, (result.ok, errors, list(pixels)), strict=True)
        return frame.assign(**{prefix + name: values for name, values in added})
    import polars as pl

    errors, pixels = pl.Series(errors, dtype=pl.String), pl.Series(pixels)
    if tensors == "list":
        pixels = pixels.arr.to_list()
    added = zip(_ADDED, (result.ok, errors, pixels), strict=True)
    return frame.with_columns(**{prefix + name: pl.Series(values) for name, values in added})


def _source(value: Any, paths: bool) -> Any:
    """The source that a value of a column is, encoded images where they lie."""
    if isinstance(value, pa.Scalar):
        value = value_of(value)
    if isinstance(value, dict):
        path = value.get("path")
        if is_missing(value.get("bytes")) and not is_missing(path) and not paths:
            found = f"no bytes beside the path {shown(path)}: paths=True opens it"
            return Failing("<struct>", RefusedError("source", f"expected bytes, found {found}"))
    return value


def _is_binary(kind: pa.DataType) -> bool:
    types = pa.types
    kinds = (
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
        types.is_fixed_size_binary,
    )
    return any(is_kind(kind) for is_kind in kinds)


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    kinds = (types.is_string, types.is_large_string, types.is_string_view)
    return any(is_kind(kind) for is_kind in kinds)


def _is_encoded(kind: pa.DataType) -> bool:
    """Whether a column holds encoded images."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return _is_binary(kind) or bool(pa.types.is_struct(kind))


def _check_type(column: str, kind: pa.DataType) -> None:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    fields = [field.name for field in plain] if pa.types.is_struct(plain) else []
    is_image = {fields.count(name) for name in ("bytes", "path")} in ({1}, {0, 1})
    if not (_is_binary(plain) or _is_text(plain) or is_image or pa.types.is_null(plain)):
        expected = f"expected column {shown(column)} to be binary or string"
        is_pixels = isinstance(kind, pa.BaseExtensionType) or pa.types.is_nested(kind)
        hint = ": keep the images encoded, or give pixels to Preprocess.batch" if is_pixels else ""
        raise type_error(f"{expected}, found {kind}{hint}")
