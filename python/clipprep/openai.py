"""Stands in for the transform of OpenAI's `clip`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._preprocess import Preprocess
from ._tensor import as_tensor


@dataclass(frozen=True)
class Transform:
    """Turns one source into a tensor of shape (3, n, n), float32, as `clip.load(...)[1]` does.

    A source is whatever `Preprocess` takes: a PIL image as `clip` has it, or a path, bytes, an array.
    """

    n_px: int
    preprocess: Preprocess = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "preprocess", Preprocess(self.n_px))

    def __call__(self, source: Any) -> Any:
        """A `torch.Tensor`. Raises ImportError without torch, and what calling a `Preprocess` raises."""
        return as_tensor(self.preprocess(source))


def transform(n_px: int) -> Transform:
    """A callable that stands in for `clip._transform(n_px)`; torch is imported when it is called."""
    return Transform(n_px)
