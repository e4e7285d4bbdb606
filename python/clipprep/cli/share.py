"""The table of ``clipprep bench --share``: fits an issue, and tells what is needed to compare two machines."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import PIL

import clipprep


def markdown(
    preprocess: clipprep.Preprocess,
    images: list[bytes],
    measured: list[dict[str, Any]],
    base: float,
) -> str:
    """The measured rates beside Pillow's, and the machine; no names of files, hosts or users."""
    info = clipprep.build_info()
    decoded_jpeg = "with" if info["jpeg_simd"] else "without"
    mean = sum(map(len, images)) / 1e3 / len(images)
    rows = [
        ("machine", f"{processor()}, {info['threads']} threads, {info['target']}"),
        ("build", f"clipprep {info['version']}, {info['simd']}, libjpeg {decoded_jpeg} SIMD"),
        (
            "Python",
            f"{platform.python_version()}, Pillow {PIL.__version__}, NumPy {np.__version__}",
        ),
        ("images", f"{len(images)} of {mean:,.0f} kB on average"),
        ("options", f"`{preprocess!r}`"),
    ]
    rates = [("Pillow and NumPy, 1 thread", base)]
    rates += [(f"clipprep, {row['threads']} thread{'s' * (row['threads'] > 1)}", row["images_per_second"]) for row in measured]  # fmt: skip
    lines = ["| | |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows), ""]
    lines += ["| | images/s | times Pillow |", "|---|--:|--:|"]
    lines += [f"| {name} | {rate:,.0f} | {rate / base:.1f} |" for name, rate in rates]
    return "\n".join(lines)


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0].replace("|", "/") if names else platform.processor() or platform.machine()
