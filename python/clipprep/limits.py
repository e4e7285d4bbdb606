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
        max_pixels: Width times height. The default is the bound above which Pillow raises
            `DecompressionBombError`. For files that Pillow decodes, Pillow's own bound holds as
            well.
        max_bytes: Length of the encoded file in bytes; 1 GiB by default.
        max_memory: Bytes of memory for decoding, resizing and the image's row of the output,
            besides the encoded file; 2 GiB by default. They are estimated from the header, never
            too low. A JPEG of one scan and a PNG that is not interlaced take a few rows; other
            files take the whole image, a JPEG of several scans with two bytes per sample. A new
            output array of a batch may not be larger than this, either; an array given as `out=`
            may.
        max_scans: Scans of a JPEG. Each takes time for the whole image, however short it is, so
            that thousands of empty scans would keep a decoder busy for hours; encoders write about
            ten. A large image may have fewer: its scans times its pixels may be 4.3 billion (42
            scans for 100 megapixels), but 24 scans are always read.
        max_seconds: Seconds of processor time, a whole number, that a helper process may take
            for one file with `fallback="process"`. Nothing else is bounded by it.

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
