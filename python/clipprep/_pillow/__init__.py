"""Pillow's work for us: it decodes what the native decoders leave to it, and hands out pixels.

`formats` is the table of what is left to Pillow at all, `headers` checks a file before Pillow opens it,
`opening` opens it, `copies` holds the readers with a switch of their own for truncated files, `refusals`
sorts Pillow's exceptions, and `memory` takes hold of an image's memory.
"""

from __future__ import annotations

from .formats import PROGRAMS, allowed_formats, harmless_formats
from .memory import major_version, orientation, pixels, rgb_of_lab, size
from .opening import open_image

__all__ = [
    "PROGRAMS",
    "allowed_formats",
    "harmless_formats",
    "major_version",
    "open_image",
    "orientation",
    "pixels",
    "rgb_of_lab",
    "size",
]
