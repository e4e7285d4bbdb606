"""The machine of a run, and how its threads are pinned."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import clipprep

PACKAGES = (
    "numpy",
    "pillow",
    "torch",
    "torchvision",
    "transformers",
    "hf-processors-rs",
    "simplejpeg",
    "opencv-python-headless",
    "pyvips",
    "pyvips-binary",
)


def describe() -> dict[str, Any]:
    """Processor, cores, kernel, load, the version of every peer, and clipprep's own build."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": list(os.getloadavg()),
        "python": platform.python_version(),
        "versions": versions,
        "clipprep": clipprep.build_info(),
    }


def pin(threads: int) -> None:
    """Every thread of this process, those of the peers' pools too, on the first `threads` processors."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = set(sorted(ALLOWED)[:threads])
    for task in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), cores)
        except ProcessLookupError:  # a thread that has ended meanwhile
            continue


ALLOWED = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
