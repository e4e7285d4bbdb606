"""What `try_batch` and `stream` give: the rows that worked, and an error for each that did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .errors import ImageError

if TYPE_CHECKING:  # importing clipprep does not import NumPy
    import numpy as np
    from numpy.typing import NDArray

#: Errors of rows, by row.
Errors: TypeAlias = dict[int, ImageError | OSError]


class BatchResult(NamedTuple):
    """The rows of `Preprocess.try_batch`."""

    pixels: NDArray[Any]
    """The tensors, (N, 3, n, n) or (N, n, n, 3), or `out`; rows that are not ok are zero."""
    ok: NDArray[np.bool_]
    """Which rows are good, (N,)."""
    errors: Errors
    """What befell each row that is not, in ascending order. An ImageError has its `.source`."""


class StreamBatch(NamedTuple):
    """Some consecutive rows of `Preprocess.stream`."""

    start: int
    """The position in the stream of the first row."""
    pixels: NDArray[Any]
    """The tensors, (N, 3, n, n) or (N, n, n, 3), N at least 1; rows that are not ok are zero."""
    ok: NDArray[np.bool_]
    """Which rows are good, (N,)."""
    errors: Errors
    """What befell each row that is not, by the row in this batch."""
