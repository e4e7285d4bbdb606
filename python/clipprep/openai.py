"""Stand in for the transform of OpenAI's `clip`. torch is imported when a tensor is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._preprocess import Preprocess
from ._tensor import as_tensor


@dataclass(frozen=True)
class Transform:
    """Turn one source into a tensor, as `clip.load(...)[1]` does.

    Attributes:
        n_px: The side of the output in pixels.
        preprocess: The `Preprocess` that does the work.

    Example:
        >>> from clipprep.openai import Transform
        >>> Transform(224)
        Transform(n_px=224)
    """

    n_px: int
    preprocess: Preprocess = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "preprocess", Preprocess(self.n_px))

    def __call__(self, source: Any) -> Any:
        """Turn one source into a tensor.

        Args:
            source: A PIL image, as `clip` takes it, or whatever else `Preprocess` takes: a path, bytes, an array.

        Returns:
            A `torch.Tensor` of shape (3, n_px, n_px), float32.

        Raises:
            ImportError: torch is not installed.
            ImageError: The image, as for a call of `Preprocess`.
            OSError: The file cannot be read.
        """
        return as_tensor(self.preprocess(source))


def transform(n_px: int) -> Transform:
    """Stand in for `clip._transform(n_px)`.

    Args:
        n_px: The side of the output in pixels, from 1.

    Returns:
        A `Transform`, which compares, hashes and pickles by `n_px`.

    Raises:
        TypeError: `n_px` is no whole number.
        ValueError: `n_px` is below 1.

    Example:
        >>> from clipprep.openai import transform
        >>> transform(336).preprocess.size
        336
    """
    return Transform(n_px)
