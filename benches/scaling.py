"""Counts what an image of a batch asks of the system, which all threads of a process share: what would stop a batch
from growing with the number of cores. Time cannot tell it on a machine of few cores. Needs strace.

    python benches/scaling.py            # prints the table
    python benches/scaling.py --write    # writes it into docs/architecture.md
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import clipprep

ROOT = Path(__file__).parent.parent
PAGE, BEGIN, END = (
    ROOT / "docs" / "architecture.md",
    "<!-- begin scaling -->\n",
    "<!-- end scaling -->",
)
PHOTOS = sorted((ROOT / "photos").glob("*.jpg"))
IMAGES, MORE = 64, 12
#: Columns of the table, and the system calls that each counts.
CALLS = {
    "memory mapped or given back": {"mmap", "munmap", "mprotect", "madvise", "brk", "mremap"},
    "waits and wake-ups": {"futex", "sched_yield"},
    "files": {"openat", "close", "read", "lseek", "statx", "fstat", "pread64"},
}


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


KINDS: dict[str, Callable[[Image.Image], Any]] = {
    "JPEG": lambda image: _saved(image, "JPEG"),
    "JPEG, progressive": lambda image: _saved(image, "JPEG", progressive=True),
    "PNG": lambda image: _saved(image, "PNG"),
    "WebP": lambda image: _saved(image, "WEBP"),
    "GIF": lambda image: _saved(image, "GIF"),
    "array": np.asarray,
    "array, 224 x 224": lambda image: np.asarray(image.resize((224, 224))),
    "path": lambda image: PHOTOS[image.width % len(PHOTOS)],
}


def _child(kind: str, batches: int) -> None:
    """Runs that many batches after the first ones, in which buffers and threads are made."""
    sources = [KINDS[kind](Image.open(path).convert("RGB")) for path in PHOTOS]
    sources = (sources * IMAGES)[:IMAGES]
    pre, out = clipprep.Preprocess(224), np.empty((IMAGES, 3, 224, 224), np.float32)
    for _ in range(4 + batches):
        pre.batch(sources, out=out, num_threads=2)


def _calls(kind: str, batches: int) -> Counter[str]:
    with tempfile.NamedTemporaryFile() as found:
        child = [sys.executable, __file__, kind, str(batches)]
        subprocess.run(["strace", "-f", "-c", "-o", found.name, *child], check=True)
        lines = [line.split() for line in Path(found.name).read_text().splitlines()]
    numbers = (line for line in lines if line and re.fullmatch(r"\d+\.\d+", line[0]))
    return Counter({line[-1]: int(line[3]) for line in numbers if line[-1] != "total"})


def table() -> str:
    rows = [["an image of a batch of 64, on two threads", *CALLS, "other"]]
    for kind in KINDS:
        calls = _calls(kind, MORE)
        calls.subtract(_calls(kind, 0))
        known = [sum(calls[name] for name in names) for names in CALLS.values()]
        figures = [*known, sum(calls.values()) - sum(known)]
        rows.append([kind, *(f"{max(count, 0) / IMAGES / MORE:.2f}" for count in figures)])
    rows.insert(1, [":--", *["--:"] * (len(CALLS) + 1)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _child(sys.argv[1], int(sys.argv[2]))
    elif sys.argv[1:] == ["--write"]:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
    else:
        print(table(), end="")
