"""Write docs/formats.md from the tables of formats: the native decoders', and the one of what is left to Pillow.

With --check it only says whether the file would change.
"""

from __future__ import annotations

import sys
from pathlib import Path

import written

from clipprep import _core
from clipprep._pillow.formats import FORMATS, PLUGGED_IN, SOUND, Format

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"

INTRODUCTION = """\
# Formats

<!-- Written by scripts/formats.py from src/decode/mod.rs and python/clipprep/_pillow/formats.py. -->

A file is read by what it begins with, whatever its name says: by a decoder of our own, or by the installed Pillow where the format, or a
variant of it, is left to Pillow. The pixels are Pillow's either way.

## Decoders of our own

| format | decoder |
|---|---|
"""

TABLE = """
## Left to Pillow

Before Pillow opens a file, its row of this table is checked against `Limits`. *Memory* is what decoding a pixel of four bytes takes at most, in
bytes, and counts towards `max_memory`. A format that is read *by name* is refused unless `formats=` names it. What is inside a file is held to
the same limits. Some formats Pillow decodes in Python, pixel by pixel (DDS without compression, XPM, BLP, runs in a DIB): images of
them that would take more than 2 seconds are refused.

| format | read | memory | holds | checked before it is opened |
|---|---|---:|---|---|
"""

REASONS = """
## Read by name

| formats | reason |
|---|---|
"""

PLUGINS = f"""
**Pillow before {SOUND}** has holes in the readers of most of these formats that later versions have not, so with one of them every format of this table is read by name only, JPEG and
PNG too: of files that the decoders above do not read, those that `formats=` names are left to it. PIL images are read as ever: whoever opened them has
trusted their files. clipprep needs Pillow 12.3, from which on images of 16 bits have these bits.

A format that a plug-in has registered with Pillow in this process is read by default, since registering it is naming it; it counts
{PLUGGED_IN.pixel_bytes} bytes a pixel.
"""


def main() -> int:
    """Write the page, or check it."""
    check = written.parser(__doc__).parse_args().check
    return written.write({PAGE: page()}, check=check)


def page() -> str:
    """docs/formats.md."""
    native = "".join(f"| {name} | {decoder} |\n" for name, decoder in _core.native_formats())
    rows = "".join(row(name, found) for name, found in sorted(FORMATS.items()))
    reasons: dict[str, list[str]] = {}
    for name, found in sorted(FORMATS.items()):
        if found.by_name:
            reasons.setdefault(found.by_name, []).append(name)
    because = "".join(f"| {', '.join(names)} | {why} |\n" for why, names in reasons.items())
    return INTRODUCTION + native + TABLE + rows + PLUGINS + REASONS + because


def row(name: str, found: Format) -> str:
    """A row of the table."""
    how = "by name" if found.by_name else "by default"
    return f"| {name} | {how} | {found.pixel_bytes} | {found.opens} | {found.checked} |\n"


if __name__ == "__main__":
    sys.exit(main())
