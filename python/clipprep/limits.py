"""Bounds on the cost of one image."""

from __future__ import annotations

from dataclasses import dataclass

from . import _core


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    # [limits] scripts/options.py writes this from the core's table
    """Upper bounds on the cost of one image; None lifts a bound.

    They are checked before the work, as soon as a file's header tells. An image beyond one raises
    `LimitError`.

    Attributes:
        max_pixels: Width times height. The default is where Pillow raises
            `DecompressionBombError`; its own bound holds as well for files that Pillow decodes.
        max_bytes: Length of the encoded file in bytes, 1 GiB.
        max_memory: Bytes that decoding, resizing and the image's row of the output take besides
            the encoded file, by an upper estimate from the header, 2 GiB. A JPEG of one scan and a
            PNG that is not interlaced take a few rows; other files take the whole image, and a JPEG
            of several scans two bytes per sample. A new array for the output of a batch has at most
            as many bytes; `out=` may have more.
        max_scans: Scans of a JPEG. Each costs time for the whole image however short it is, so
            that thousands of empty ones keep a decoder busy for hours; encoders write about ten. Of
            a large image fewer are read: as many as there are in 4.3 billion pixels (42 of an image
            of 100 megapixels), but always 24.
        max_seconds: Whole seconds of processor time that a helper process may take for one
            file, with `fallback="process"`. It bounds nothing else.

    Raises:
        TypeError: A bound is no whole number.
        ValueError: A bound is negative, or too large for 64 bits.

    Example:
        >>> Limits(max_pixels=10_000_000).max_bytes
        1073741824
    """

    max_pixels: int | None = 178_956_970
    max_bytes: int | None = 1_073_741_824
    max_memory: int | None = 2_147_483_648
    max_scans: int | None = 500
    max_seconds: int | None = None
    # [/limits]

    def __post_init__(self) -> None:
        _core.check_limits(self)
