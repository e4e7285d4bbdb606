"""Write docs/formats.md from the tables of formats: of the native decoders, and of those that Pillow decodes.

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

The first bytes of a file decide its format; its name does not count. A native decoder reads the common formats. The installed Pillow decodes the others, and rare variants
of the common ones. The pixels are Pillow's either way.

## Native decoders

| format | decoder |
|---|---|
"""

TABLE = """
## Decoded by Pillow

Before Pillow opens a file, clipprep checks what the last column names against `Limits`; before Pillow decodes it, the pixels and the memory. *Memory* is the most that decoding
takes for one pixel of four bytes, in bytes. A format that is read *by name* is refused unless `formats=` names it. Files inside a file are held to
the same limits. Pillow decodes some formats in Python, pixel by pixel (uncompressed DDS, XPM, BLP, DIB with run lengths): their images are refused if decoding would take
more than 2 seconds.

| format | read | memory | may hold | checked first |
|---|---|---:|---|---|
"""

REASONS = """
## Why some formats are read by name

| formats | reason |
|---|---|
"""

PLUGINS = f"""
**Pillow before {SOUND}** has security holes in its readers of most of these formats. With such a Pillow, every format of this table is read by name only, even JPEG and PNG: files
that no native decoder reads go to Pillow only if `formats=` names their format. PIL images are read as before, since whoever opened them has
trusted their files. clipprep needs Pillow 12.3 or newer; older versions give other bits for images of 16 bits.

A format that a plug-in has registered with Pillow in this process is read by default, since registering it names it. It counts as
{PLUGGED_IN.pixel_bytes} bytes per pixel.
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
