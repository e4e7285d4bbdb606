"""Measures the memory that one image of 100 megapixels takes beyond what the process has already.

Each measurement is a process of its own: it decodes a small image first, so that what is loaded once is loaded, then
has the kernel forget its peak (/proc/self/clear_refs) and reads the next one (VmHWM) after the large image.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import corpora
from peers import FAST, OURS, PEERS
from PIL import Image

SMALL = corpora.PHOTOS / "cat.jpg"
FROM_PATHS = (OURS, FAST, "Pillow and NumPy")


def measure(made: Path, size: int) -> list[dict[str, Any]]:
    """Growth of the peak in bytes, for each peer that takes JPEG files."""
    corpus = corpora.made("huge", made)
    (path,) = (made / corpus.name).glob("*.jpg")
    rows = []
    for peer in PEERS:
        for source in ("bytes", "path"):
            if "jpeg" in peer.kinds and (source == "bytes" or peer.name in FROM_PATHS):
                growth = _in_a_process(peer.name, source, path, size)
                if growth is not None:
                    rows.append({"peer": peer.name, "source": source, "bytes": growth})
    return rows


def _in_a_process(name: str, source: str, path: Path, size: int) -> int | None:
    command = [sys.executable, __file__, name, source, str(path), str(size)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"memory: {name} skipped: {done.stderr.strip().splitlines()[-1]}")
        return None
    return int(done.stdout)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field} in /proc/self/status")


def _child(name: str, source: str, path: Path, size: int) -> int:
    (peer,) = (peer for peer in PEERS if peer.name == name)
    if source == "bytes":
        job, small, large = peer.make("jpeg", size, 1), SMALL.read_bytes(), path.read_bytes()
    elif name in (OURS, FAST):
        job, small, large = peer.make("jpeg", size, 1), SMALL, path
    else:
        run = peer.make("pil", size, 1)
        job, small, large = (lambda path: run(Image.open(path))), SMALL, path
    job(small)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    job(large)
    return _status("VmHWM") - before


if __name__ == "__main__":
    print(_child(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
