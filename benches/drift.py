"""Whether an output is the reference's, and how far from it where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipprep.verify.reference import levels, normalise

Pixels = NDArray[np.uint8]


def embedding(tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """A stand-in for a model: random projections of 32 x 32 patches, GELU, averaged. Not a CLIP encoder."""
    side = 32 if tensor.shape[1] % 32 == 0 else 14
    rows = tensor.shape[1] // side
    patches = tensor.reshape(3, rows, side, rows, side).transpose(1, 3, 0, 2, 4)
    hidden = patches.reshape(rows * rows, -1) @ _projection(3 * side * side)
    gelu = hidden * 0.5 * (1 + np.tanh(0.79788456 * (hidden + 0.044715 * hidden**3)))
    return np.asarray(gelu.mean(axis=0), np.float64)


@cache
def _projection(length: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(20210226)
    return rng.normal(0, length**-0.5, (length, 512)).astype(np.float32)


def compare(
    outputs: Sequence[Any],
    references: Sequence[Pixels],
    expected: Callable[[Pixels], NDArray[Any]] = normalise,
) -> dict[str, Any]:
    """Outputs against (n, n, 3) reference pixels: `exact`, else the drift in levels of 0 to 255."""
    exact = all(
        np.array_equal(output, expected(pixels))
        for output, pixels in zip(outputs, references, strict=True)
    )
    if exact or np.asarray(outputs[0]).dtype != np.float32:
        return {"exact": exact}
    worst, differing, total, squares, values, cosines = 0.0, 0, 0.0, 0.0, 0, []
    for output, pixels in zip(outputs, references, strict=True):
        tensor = np.asarray(output)
        off = np.abs(levels(tensor) - pixels.transpose(2, 0, 1))
        worst, differing = max(worst, float(off.max())), differing + int((off > 0).sum())
        total, squares = total + float(off.sum()), squares + float((off**2).sum())
        values += off.size
        ours, theirs = embedding(tensor), embedding(normalise(pixels))
        cosines.append(float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)))
    return {
        "exact": False,
        "max": worst,
        "share": differing / values,
        "mean": total / values,
        "psnr": float(10 * np.log10(255**2 * values / squares)) if squares else None,
        "cosine": min(cosines),
    }


def told(check: dict[str, Any] | None) -> str:
    """The same in a few words."""
    if check is None:
        return "not the whole job"
    if check["exact"]:
        return "exact"
    if "max" not in check:
        return "differs"
    if not check["share"]:
        return "exact pixels, other floats"
    levels = "1 level" if check["max"] == 1 else f"{check['max']:.0f} levels"
    return f"up to {levels} off, {100 * check['share']:.2g} % of values"
