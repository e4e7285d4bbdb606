"""Pillow's work for us: it decodes what the native decoders leave to it, and hands out pixels.

`formats` is the table of what is left to Pillow at all, `headers`, `tiff` and `avif` check a file before Pillow
opens it, `opening` opens it, `originals` looks at images that the caller opened, `copies` holds the readers with a
switch of their own for truncated files, `refusals` sorts Pillow's exceptions, `memory` takes hold of an image's
memory, `inline` puts both together, and `storage` says how large that is.
"""

from __future__ import annotations

from .formats import PROGRAMS, allowed_formats, harmless_formats
from .inline import decode, load
from .memory import major_version, pixels, rgb_of_lab, size, strip

__all__ = [
    "PROGRAMS",
    "allowed_formats",
    "decode",
    "harmless_formats",
    "load",
    "major_version",
    "pixels",
    "rgb_of_lab",
    "size",
    "strip",
]
