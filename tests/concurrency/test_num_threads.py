"""The default number of threads: the process's affinity, its container's quota, or the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import clipprep

PROGRAM = "import clipprep; print(clipprep.build_info()['threads'])"


def threads(environment: dict[str, str] | None = None, before: str = "") -> int:
    done = subprocess.run(
        [sys.executable, "-c", before + PROGRAM],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_the_environment_decides() -> None:
    for count in (1, 2, 13):
        assert threads({"CLIPPREP_NUM_THREADS": str(count)}) == count
    assert threads({"CLIPPREP_NUM_THREADS": ""}) == threads()


def test_it_is_read_by_each_call(monkeypatch, small) -> None:
    monkeypatch.setenv("CLIPPREP_NUM_THREADS", "3")
    assert clipprep.build_info()["threads"] == 3
    for wrong in ("0", "-2", "two", "1.5"):
        monkeypatch.setenv("CLIPPREP_NUM_THREADS", wrong)
        for call in (
            lambda: small.batch([]),
            lambda: small.try_batch([]),
            lambda: small.stream([]),
        ):
            with pytest.raises(ValueError, match="CLIPPREP_NUM_THREADS") as caught:
                call()
            assert wrong in str(caught.value)
        small.batch([], num_threads=1)


STARTED = """
import asyncio, sys, threading, time, numpy as np, clipprep
pre, images, most = clipprep.Preprocess(8), [np.zeros((9, 9), np.uint8)] * int(sys.argv[1]), 0
for call in (
    lambda n: pre.batch(images, num_threads=n),
    lambda n: pre.try_batch(images, num_threads=n),
    lambda n: list(pre.stream(images, num_threads=n)),
    lambda n: asyncio.run(pre.abatch(images, num_threads=n)),
):
    for asked in (5_000, 100_000, 1 << 70):
        call(asked)
names = [open(f"/proc/self/task/{task}/comm").read() for task in __import__("os").listdir("/proc/self/task")]
print(sum(name.startswith("clipprep-") and name[9:].strip().isdecimal() for name in names))
"""


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="this system does not list threads"
)
@pytest.mark.parametrize("images", [3, 400])
def test_there_are_no_more_than_are_of_use(images: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED, str(images)], capture_output=True, text=True, check=True
    )
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    assert 1 < int(done.stdout) <= min(images, 4 * cores)


def test_numbers_that_are_none(small) -> None:
    for wrong in (0, -1, -(1 << 70)):
        with pytest.raises(ValueError, match="num_threads= a number from 1"):
            small.batch([], num_threads=wrong)
    for odd in ("2", 1.5):
        with pytest.raises(TypeError, match="num_threads= a number from 1, or None, found"):
            small.try_batch([], num_threads=odd)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_affinity() -> None:
    one = min(os.sched_getaffinity(0))
    before = f"import os; os.sched_setaffinity(0, [{one}]); "
    assert threads({"CLIPPREP_NUM_THREADS": ""}, before) == 1


def _group(version: int) -> tuple[Path, dict[str, str], str]:
    """A place for a control group of ours, what to write for a quota of one core, and the file for processes."""
    name = f"clipprep-test-{os.getpid()}"
    root = Path("/sys/fs/cgroup")
    if version == 2:
        return root / name, {"cpu.max": "100000 100000"}, "cgroup.procs"
    quota = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "100000"}
    return root / "cpu" / name, quota, "cgroup.procs"


@pytest.mark.parametrize("version", [1, 2])
def test_a_containers_quota(version: int) -> None:
    """Where this process may make control groups; a machine has the one version or the other."""
    if len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0]) < 2:
        pytest.skip("one core shows no quota")
    group, quota, processes = _group(version)
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group of version {version}: {error}")
    try:
        if not all((group / name).exists() for name in quota):
            pytest.skip(f"no quota of version {version}")
        for name, value in quota.items():
            (group / name).write_text(value)
        join = f"open({str(group / processes)!r}, 'w').write('0'); "
        assert threads({"CLIPPREP_NUM_THREADS": ""}, join) == 1
    finally:
        group.rmdir()
