"""Build a `Preprocess` from a config that was read and the options of the caller."""

from __future__ import annotations

from typing import Any

from .._core import Preprocess

#: What a caller may add to a config: how files are read and results are written, not what is computed.
OPTIONS = frozenset(
    {
        "convert_rgb",
        "dtype",
        "exif",
        "formats",
        "layout",
        "limits",
        "pillow",
        "precision",
        "truncated",
    }
)


def make(size: tuple[int, int], arguments: dict[str, Any], options: dict[str, Any]) -> Preprocess:
    """The `Preprocess` of a config, with what the caller adds to it."""
    decided = sorted(set(options) - OPTIONS)
    if decided:
        raise TypeError(f"expected options of {', '.join(sorted(OPTIONS))}, found {decided[0]!r}")
    if arguments.get("resize_size") == size:
        del arguments["resize_size"]
    return Preprocess(size, **{**arguments, **options})
