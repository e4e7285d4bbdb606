"""Columns of Arrow: a column of images in, a column of tensors out. Needs pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clipprep import BatchResult, Preprocess, StreamBatch
from clipprep._extras import needs
from clipprep._messages import shown, type_error

with needs("pyarrow", "cli", by="clipprep.arrow"):
    import pyarrow as pa

if TYPE_CHECKING:  # names of annotations alone
    from typing import Unpack

    from ._typing import Options

__all__ = ["preprocess", "result_columns", "tensor_array"]

T = TypeVar("T", pa.RecordBatch, pa.Table)


def preprocess(
    batch: T,
    column: str,
    model: Preprocess | str | int = "ViT-B/32",
    *,
    num_threads: int | None = None,
    **options: Unpack[Options],
) -> T:
    """A pyarrow RecordBatch or Table with the images of `column` as tensors.

    `column` holds encoded images (binary, read where they lie) or paths (string). The other columns
    stay, and so do paths; encoded images give way to three new columns:

    - `pixels`: the tensors, a FixedShapeTensor column; a bad row is zero.
    - `ok`: whether the row is good, bool.
    - `error`: what befell a row that is not ("DecodeError: ..."), a string; null otherwise.

    `model` and `options` are those of `Preprocess`, or `model` is a `Preprocess`.

    Raises KeyError for a missing column, TypeError for one that holds something else; for no image.
    """
    if not isinstance(model, Preprocess):
        model = Preprocess(model, **options)
    elif options:
        raise type_error(f"expected options beside a model's name or a size, found {shown(model)}")
    values = batch.column(column)
    binary = pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)
    binary = binary or pa.types.is_binary_view(values.type)
    text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if not binary and not text and not pa.types.is_string_view(values.type):
        raise type_error(
            f"expected column {shown(column)} to be binary or string, found {values.type}"
        )
    # A null is an image of no bytes, and so an error of its row.
    sources = [
        (value.as_buffer() if binary else value.as_py()) if value.is_valid else b""
        for value in values
    ]
    columns = result_columns(model.try_batch(sources, num_threads=num_threads))
    kept = {name: batch.column(name) for name in batch.column_names if name != column or not binary}
    return type(batch).from_pydict(kept | columns)


def tensor_array(pixels: NDArray[Any]) -> pa.FixedShapeTensorArray:
    """An array (N, ...) as N tensors, on the same memory."""
    if len(pixels):
        return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pixels))
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(pixels.dtype), pixels.shape[1:])
    return pa.ExtensionArray.from_storage(kind, pa.array([], kind.storage_type))


def result_columns(result: BatchResult | StreamBatch) -> dict[str, pa.Array]:
    """The columns `ok`, `error` and `pixels` of what `try_batch` or `stream` gave."""
    errors: list[str | None] = [None] * len(result.ok)
    for row, error in result.errors.items():
        errors[row] = f"{type(error).__name__}: {error}"
    return {
        "ok": pa.array(result.ok),
        "error": pa.array(errors, pa.string()),
        "pixels": tensor_array(result.pixels),
    }
