"""The results of `try_batch` and `stream`: the rows that worked, and an error for each that did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .errors import ImageError

if TYPE_CHECKING:  # importing clipprep does not import NumPy
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from ._core import Preprocess

#: Errors of rows, by row.
Errors: TypeAlias = dict[int, ImageError | OSError]


class _Shown:
    """Rows that show themselves: in two lines as text, as thumbnails in a notebook."""

    pixels: NDArray[Any]
    ok: NDArray[np.bool_]
    errors: Errors

    preprocess: Preprocess | None = None
    """The maker of the rows, so that they can be shown."""

    @classmethod
    def by(cls, preprocess: Preprocess, *fields: Any) -> Self:
        """The rows that an instance of `Preprocess` made."""
        made = cls(*fields)
        made.preprocess = preprocess
        return made

    def __repr__(self) -> str:
        start = getattr(self, "start", None)
        rows = f"{len(self.ok)} rows" + ("" if start is None else f" from {start}")
        pixels = type(self.pixels).__name__
        if hasattr(self.pixels, "dtype") and hasattr(self.pixels, "shape"):
            pixels = f"{self.pixels.dtype} {tuple(self.pixels.shape)}"
        shown = {row: _short(error) for row, error in list(self.errors.items())[:3]}
        more = f" and {len(self.errors) - len(shown)} more" if len(self.errors) > len(shown) else ""
        first = f"{type(self).__name__}: {rows}, {int(self.ok.sum())} ok, pixels {pixels}"
        return f"{first}\nerrors: {shown or 'none'}{more}"

    def _repr_html_(self) -> str:
        """The page that a notebook shows."""
        from . import _html

        return _html.page(repr(self), self.preprocess, self.pixels, self.errors)


def _short(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= 100 else text[:97] + "..."


class _BatchFields(NamedTuple):
    pixels: NDArray[Any]
    """The tensors, (N, 3, n, n) or (N, n, n, 3), or `out`; rows that are not ok are zero."""
    ok: NDArray[np.bool_]
    """Which rows are good, (N,)."""
    errors: Errors
    """The error of each row that is not, in ascending order. An ImageError has its `.source`."""


class BatchResult(_Shown, _BatchFields):
    """The rows of `Preprocess.try_batch`."""


class _StreamFields(NamedTuple):
    start: int
    """The position in the stream of the first row."""
    pixels: NDArray[Any]
    """The tensors, (N, 3, n, n) or (N, n, n, 3), N at least 1; rows that are not ok are zero."""
    ok: NDArray[np.bool_]
    """Which rows are good, (N,)."""
    errors: Errors
    """The error of each row that is not, by the row in this batch."""


class StreamBatch(_Shown, _StreamFields):
    """Some consecutive rows of `Preprocess.stream`."""
