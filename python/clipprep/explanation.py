"""The result of `Preprocess.explain`."""

from __future__ import annotations

from typing import NamedTuple


class Explanation(NamedTuple):
    """How one source was read and resized."""

    format: str | None
    """Pillow's name of the file's format; None for arrays and PIL images."""
    mode: str
    """Pillow's name of the mode that the source opens in; RGB where a transparent colour was laid over white."""
    size: tuple[int, int]
    """Width and height of the source."""
    resized: tuple[int, int]
    """Width and height after resizing, before the crop."""
    crop: tuple[int, int, int, int]
    """Left, top, right and bottom of the crop in the resized image; beyond it where the crop is padded."""
    decoder: str
    """The decoder: "clipprep", "libwebp" or "libjpeg" (all native), "pillow", or "none" for pixels."""
    order: str
    """The order of the passes, "horizontal-first" or "vertical-first"; or "nearest", or "none"."""
    notes: tuple[str, ...]
    """Remarks, such as why a file was left to Pillow."""
