"""A long run of damaged files leaks no memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.paths import FUZZ

CHILD = """
import ctypes, gc, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import clipprep
from mutate import inputs
from seeds import SEEDS

kinds = [kind for kind in SEEDS if kind.startswith(tuple(sys.argv[2].split(",")))]
files = [item.source for item in inputs(kinds, 7, 600)]
files += [SEEDS[kind]() for kind in kinds]
both = [clipprep.Preprocess(16, truncated=how) for how in ("error", "pad")]
kept = []

def resident():
    gc.collect()
    getattr(ctypes.CDLL(None), "malloc_trim", int)(0)  # what is free does not count
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

for turn in range(5):
    for data in files:
        for pre in both:
            try: pre(data)
            except (clipprep.ImageError, OSError): pass
        if sys.argv[3] == "leaking": kept.append(bytearray(3000))
    print(resident())
"""


def growth(formats: str, how: str) -> int:
    """Bytes by which a process grows while it reads some 600 files six times more."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(FUZZ), formats, how],
        capture_output=True,
        check=True,
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )
    resident = [int(line) for line in done.stdout.split()]
    return resident[-1] - resident[1]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("formats", ["jpeg", "webp", "png", "gif,bmp,pnm,qoi"])
def test_damaged_files_leave_nothing_behind(formats: str) -> None:
    """3,600 files; 300 bytes lost with each would show."""
    assert growth(formats, "sound") < 1_200_000


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_a_leak_would_be_seen() -> None:
    assert growth("qoi", "leaking") > 5_000_000
