"""The table of ``clipprep bench --share``: fits an issue, and tells what is needed to compare two machines."""

from __future__ import annotations

import platform
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import PIL
from PIL import Image

import clipprep
from clipprep.verify import reference


def pillow(images: list[bytes], size: int, seconds: float) -> float:
    """Images a second of OpenAI's transform on Pillow and NumPy, on one thread."""
    done, begin = 0, perf_counter()
    while perf_counter() - begin < seconds:
        with Image.open(BytesIO(images[done % len(images)])) as image:
            reference.normalise(reference.pixels(image, size))
        done += 1
    return done / (perf_counter() - begin)


def markdown(
    preprocess: clipprep.Preprocess,
    images: list[bytes],
    measured: list[dict[str, Any]],
    base: float,
) -> str:
    """The measured rates beside Pillow's, and the machine; no names of files, hosts or users."""
    info = clipprep.build_info()
    decoded_jpeg = "with" if info["jpeg_simd"] else "without"
    rows = [
        ("machine", f"{processor()}, {info['threads']} threads, {info['target']}"),
        ("build", f"clipprep {info['version']}, {info['simd']}, libjpeg {decoded_jpeg} SIMD"),
        (
            "Python",
            f"{platform.python_version()}, Pillow {PIL.__version__}, NumPy {np.__version__}",
        ),
        ("images", f"{len(images)} of {sum(map(len, images)) / 1e3 / len(images):,.0f} kB each"),
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
