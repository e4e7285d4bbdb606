"""An image for whose weights there is no memory is an error of its own: the process goes on."""

from __future__ import annotations

import sys

import pytest

from support.helped import program

#: Gives each child more memory than the one before, until resizing an array succeeds in one.
TIGHTER = """
import resource
import numpy as np
out = np.zeros((3, *size), np.uint8)
pre = clipprep.Preprocess(size, resize_mode="squash", dtype="uint8", interpolation=interpolation)
array = np.zeros(shape, np.uint8)
ends = set()
for more in range(0, 64 << 20, 1 << 18):
    child = os.fork()
    if child == 0:
        now = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGESIZE")
        resource.setrlimit(resource.RLIMIT_AS, (now + more, now + more))
        try:
            pre(array, out=out)
        except clipprep.LimitError:
            os._exit(1)
        os._exit(0)
    ends.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    if 0 in ends:
        break
assert ends == {0, 1}, ends
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded as Linux does it")
@pytest.mark.parametrize("interpolation", ["lanczos", "bilinear"])
@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((64, 16_384), (200, 30_000, 3)),
        ((64, 16_384), (200, 30_000)),
        ((32, 16_384), (40, 3_000, 3)),
        ((16_384, 64), (30_000, 200, 3)),
    ],
    ids=["RGB", "L", "larger", "rows"],
)
def test_no_memory_for_weights(interpolation: str, size: object, shape: object) -> None:
    done = program(TIGHTER, before=f"{interpolation=}; {size=}; {shape=}\n")
    assert done.returncode == 0, done.stderr
