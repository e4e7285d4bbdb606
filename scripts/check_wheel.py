#!/usr/bin/env python3
"""Check a wheel as its user gets it, in a new environment with NumPy and Pillow alone.

    scripts/check_wheel.py dist/clipprep-*.whl

Fails when the wheel needs anything else, is too large, misses a licence, or is slow to import.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

MAX_BYTES = 3_000_000
MAX_IMPORT_MS = 15
ROUNDS = 20
LICENCES = ("LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-NOTICES")


def import_ms(python: Path, modules: str) -> float:
    code = f"import time; t = time.perf_counter(); import {modules}; print(time.perf_counter() - t)"
    return 1e3 * float(subprocess.run([python, "-c", code], check=True, capture_output=True).stdout)


def main() -> int:
    wheel = Path(sys.argv[1])
    size = wheel.stat().st_size
    with zipfile.ZipFile(wheel) as archive:
        inside = {Path(name).name for name in archive.namelist()}
    missing = [name for name in LICENCES if name not in inside]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", wheel], check=True)
        listed = subprocess.run(
            [*pip, "freeze", "--exclude", "clipprep"], check=True, stdout=-1, text=True
        )
        installed = {line.split("==")[0] for line in listed.stdout.split()}
        subprocess.run([python, "-m", "clipprep", "doctor"], check=True)
        # In turns, so that a busy moment of the machine falls on both.
        base, ours = [], []
        for _ in range(ROUNDS):
            base.append(import_ms(python, "numpy, PIL.Image"))
            ours.append(import_ms(python, "numpy, PIL.Image, clipprep"))
        alone = statistics.median(import_ms(python, "clipprep") for _ in range(ROUNDS))
    extra = statistics.median(ours) - statistics.median(base)

    print(f"{wheel.name}: {size:,} bytes, needs {', '.join(sorted(installed))}")
    print(
        f"import: {extra:.1f} ms above NumPy's and Pillow's {statistics.median(base):.1f} ms, {alone:.1f} ms alone"
    )
    faults = [
        *([f"expected at most {MAX_BYTES:,} bytes, found {size:,}"] if size > MAX_BYTES else []),
        *([f"expected its licences, missing {', '.join(missing)}"] if missing else []),
        *(
            [f"expected numpy and pillow, found {installed}"]
            if installed != {"numpy", "pillow"}
            else []
        ),
        *(
            [f"expected an import of {MAX_IMPORT_MS} ms, found {extra:.1f}"]
            if extra > MAX_IMPORT_MS
            else []
        ),
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
