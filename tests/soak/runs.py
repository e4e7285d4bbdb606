"""`clipprep run`, killed again and again: the finished files have the bytes of a run without a stop.

python tests/soak/runs.py                       10,000 files, 20 kills, all formats
python tests/soak/runs.py --rows 1000000        one run over so many rows, and the memory it takes
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

ENDINGS = (".npy", ".safetensors", ".parquet", ".arrow", "/")
COMMAND = [sys.executable, "-m", "clipprep", "run"]
OPTIONS = ["--model", "16", "--dtype", "uint8", "--quiet"]
#: More links to one file than this are refused by some file systems.
LINKS = 20_000
IN_A_FOLDER = 5_000


def make_files(folder: Path, count: int) -> None:
    """So many small files, good and bad, in folders; they are few files with many names."""
    rng = np.random.default_rng(0)
    originals: list[Path] = []
    for number in range(count):
        if number % IN_A_FOLDER == 0:
            (folder / f"{number // IN_A_FOLDER:04}").mkdir(parents=True)
        path = (
            folder / f"{number // IN_A_FOLDER:04}" / f"{number:07}.{'jpg' if number % 3 else 'png'}"
        )
        kind = number % 50
        if number // 50 % LINKS == 0:
            if kind == 49:
                path.write_bytes(b"no image")
            else:
                pixels = rng.integers(0, 256, (20 + kind, 24, 3), np.uint8)
                Image.fromarray(pixels).save(path)
            originals[kind:] = [path]
        else:
            os.link(originals[kind], path)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file with its content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def begun(command: list[str], out: str) -> subprocess.Popen[bytes]:
    """A run that has written that it is at work, or has ended."""
    process = subprocess.Popen([*command, out], stderr=subprocess.PIPE)
    progress = Path(out.rstrip("/") + ".progress")
    while process.poll() is None and not progress.exists():
        time.sleep(0.002)
    return process


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a run came to its end, not to ours."""
    stderr = process.communicate()[1]
    if process.returncode not in (-9, 0, 1):
        raise AssertionError(f"status {process.returncode}: {stderr[-500:]!r}")
    return process.returncode != -9


def killed(command: list[str], out: str, kills: int, seconds: float, seed: int) -> int:
    """A run that is killed at random, so often or until it ends, which it does then; gives how often it was killed.
    `seconds` is how long it works."""
    rng = random.Random(seed)
    for done in range(kills):
        process = begun(command, out)
        time.sleep(rng.uniform(0, 1.5 * seconds / kills))
        process.kill()
        if ended(process):
            return done
    if not ended(begun(command, out)):
        raise AssertionError("the last run was killed by another")
    return kills


def check(files: Path, place: Path, kills: int, seed: int = 0) -> Iterator[str]:
    """Each format; raises AssertionError where a byte differs."""
    for ending in ENDINGS:
        straight, stopped = place / "straight", place / "stopped"
        for folder in (straight, stopped):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        command = [*COMMAND, str(files), *OPTIONS, "--batch-size", "16", "--threads", "2", "--out"]
        process = begun(command, f"{straight}/t{ending}")
        start = time.monotonic()
        ended(process)
        seconds = time.monotonic() - start
        times = killed(command, f"{stopped}/t{ending}", kills, seconds, seed)
        left, right = tree(straight), tree(stopped)
        if left != right:
            names = [name for name in {*left, *right} if left.get(name) != right.get(name)]
            raise AssertionError(f"{ending}: other bytes in {names[:5]}")
        size = sum(map(len, left.values()))
        yield f"t{ending}: killed {times} times, {len(left)} files, {size:,} bytes, all the same"


def measure(files: Path, out: str, rows: int) -> str:
    """One run, and the most memory that it took."""
    start = time.monotonic()
    process = subprocess.Popen([*COMMAND, str(files), *OPTIONS, "--out", out])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) != 1:
        raise AssertionError(f"status {status}")
    return (
        f"| {rows:,} rows to {Path(out).suffix} | {usage.ru_maxrss >> 10} MB | {seconds:,.0f} s |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, help="measure one run over so many files instead")
    parser.add_argument("--formats", nargs="+", default=[".npy", ".parquet"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make_files(place / "files", args.rows or args.files)
        if args.rows:
            for ending in args.formats:
                print(measure(place / "files", f"{place}/t{ending}", args.rows), flush=True)
            return
        for line in check(place / "files", place, args.kills):
            print(line, flush=True)


if __name__ == "__main__":
    main()
