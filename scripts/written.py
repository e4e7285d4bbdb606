"""Files that a script writes from tables: it writes those that would change, or names them with --check."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path


def parser(description: str | None) -> argparse.ArgumentParser:
    """The command line of such a script."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    made.add_argument(
        "--check", action="store_true", help="change nothing; exit status 1 if something would"
    )
    return made


def write(files: Mapping[Path, str], *, check: bool) -> int:
    """Writes each file whose text is another; with `check` says which they are. Returns the exit status."""
    stale = [
        path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    if check and stale:
        names = ", ".join(path.name for path in stale)
        print(f"not as the tables have it: {names}: run {sys.argv[0]}", file=sys.stderr)
        return 1
    for path in stale:
        path.write_text(files[path], "utf-8")
    return 0
