"""Faults made during the soak test: files that change, processes that die, memory and disks that run out."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import corpus
from load import Load

from clipprep._helper.pool import POOL

HERE = Path(__file__).resolve().parent
#: Seconds after which a process is taken for one that hangs.
TIMEOUT = 300


class Tally:
    """Counts of many loads; `what` counts the faults that were made, with pauses of some seconds."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.rows = 0
        self.lost = 0
        self.wrong: list[str] = []
        self.errors: Counter[str] = Counter()
        self.what: Counter[str] = Counter()
        self.lock = threading.Lock()

    def add(self, rows: int, lost: int, wrong: list[str], errors: dict[str, int]) -> None:
        with self.lock:
            self.rows += rows
            self.lost += lost
            self.wrong += wrong
            self.errors.update(errors)

    def take(self, load: Load) -> None:
        """The counts of `load`, which begins again."""
        self.add(**load.taken())


def vanish(folder: Path, stop: threading.Event, tally: Tally) -> None:
    """Files that are removed, replaced and cut short while others read them.

    One that is cut in place shows zeros after the cut to a concurrent reader, and is another picture then.
    """
    rng = random.Random(1)
    cases = [case for case in corpus.read(folder) if case.row is not None][:20]
    while not stop.wait(0.0005):
        case = rng.choice(cases)
        path = folder / f"vanishing-{case.name}"
        in_place = folder / f"cut-{case.name}"
        other = folder / "other"
        way = rng.randrange(5)
        if way == 0:
            path.unlink(missing_ok=True)
        elif way == 1 and in_place.exists():
            os.truncate(in_place, rng.randrange(in_place.stat().st_size + 1))
        elif way == 2:
            other.write_bytes(case.data[: rng.randrange(len(case.data))])
            other.replace(path)
        else:
            other.write_bytes(case.data)
            other.replace(rng.choice((path, in_place)))
        tally.what["files removed, cut or replaced"] += 1


def kill_helpers(_: Path, stop: threading.Event, tally: Tally) -> None:
    """Helpers of this very process, at work or not, that are killed, or stopped for a while."""
    rng = random.Random(3)
    while not stop.wait(rng.uniform(0, 2 * tally.pause)):
        helpers = [helper for helper in POOL.helpers() if helper.started.is_set()]
        if not helpers:
            continue
        helper = rng.choice(helpers)
        with suppress(ProcessLookupError, AssertionError):  # it ended, or was not started
            if rng.random() < 0.5:
                os.kill(helper.pid, signal.SIGKILL)
                tally.what["helpers killed"] += 1
            else:
                os.kill(helper.pid, signal.SIGSTOP)
                stop.wait(rng.uniform(0, 0.2))
                os.kill(helper.pid, signal.SIGCONT)
                tally.what["helpers stopped for a while"] += 1


def _worker(role: str, folder: Path, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, role, str(folder), str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _collect(text: str, tally: Tally) -> None:
    for line in text.splitlines():
        if line.endswith("}"):  # a killed worker's last line may be half a line
            tally.add(**json.loads(line))


def kill(folder: Path, stop: threading.Event, tally: Tally) -> None:
    """Processes at work that are killed."""
    rng = random.Random(2)
    while not stop.is_set():
        worker = _worker("work", folder, rng.randrange(1 << 30))
        stop.wait(rng.uniform(0.7, 3))
        worker.kill()
        _collect(worker.communicate()[0], tally)
        tally.what["processes killed at work"] += 1
        stop.wait(tally.pause)


def _ends_well(role: str, what: str) -> Callable[[Path, threading.Event, Tally], None]:
    def run(folder: Path, stop: threading.Event, tally: Tally) -> None:
        rng = random.Random(role)
        while not stop.is_set():
            worker = _worker(role, folder, rng.randrange(1 << 30))
            out, err = worker.communicate(timeout=TIMEOUT)
            _collect(out, tally)
            tally.what[what] += 1
            if worker.returncode:
                tally.wrong.append(f"{role}: status {worker.returncode}: {err[-500:]}")
            stop.wait(tally.pause)

    return run


#: Processes whose address space is all but used up; ones interrupted by signals; ones that end at once.
limit_memory = _ends_well("limited", "processes with an address-space limit")
interrupt = _ends_well("interrupted", "processes interrupted again and again")
leave = _ends_well("leaving", "processes that ended with work in flight")


def fork(folder: Path, stop: threading.Event, tally: Tally) -> None:
    """Forks of this very process, with the pool at work."""
    warnings.simplefilter("ignore", DeprecationWarning)
    cases = corpus.read(folder)
    while not stop.wait(tally.pause / 10):
        child = os.fork()
        if child == 0:
            signal.alarm(TIMEOUT)
            try:
                load = Load(cases, folder, os.getpid())
                load.try_batch(20)
                os._exit(len(load.wrong) > 0)
            finally:
                os._exit(2)
        status = os.waitpid(child, 0)[1]
        tally.what["forks at work"] += 1
        if status:
            tally.wrong.append(f"a forked child: status {status}")


def fill_disk(folder: Path, stop: threading.Event, tally: Tally) -> None:
    """The command line's output on a file system that is full; needs the right to mount one."""
    with tempfile.TemporaryDirectory() as place:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place]
        if subprocess.run(mount, capture_output=True).returncode:
            return
        try:
            while not stop.is_set():
                out = Path(place) / "tensors.npy"
                command = ["-m", "clipprep", "run", str(folder), "--model", "64", "--out", str(out)]
                done = subprocess.run(
                    [sys.executable, *command], capture_output=True, text=True, timeout=TIMEOUT
                )
                tally.what["runs onto a full disk"] += 1
                if done.returncode not in (1, 2) or "No space left" not in done.stderr:
                    tally.wrong.append(
                        f"a full disk: status {done.returncode}: {done.stderr[-300:]}"
                    )
                stop.wait(tally.pause)
        finally:
            subprocess.run(["umount", place], check=True)


ALL = (vanish, kill, kill_helpers, limit_memory, interrupt, leave, fork, fill_disk)


# In the processes ----------------------------------------------------------------------------------


def _say(load: Load) -> None:
    print(json.dumps(load.taken()), flush=True)


def _work(load: Load) -> None:
    while True:
        load.step()
        _say(load)


def _limited(load: Load) -> None:
    for _ in range(3):
        load.try_batch(30)
    large = next(case for case in load.cases if case.name == "large.jpg")
    huge = (load.folder / corpus.HUGE).read_bytes()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + load.rng.randrange(4 << 20, 200 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for _ in range(6):
        try:
            result = load.pre.try_batch([huge, large.data, huge, large.data], num_threads=2)
        except MemoryError:  # for the rows themselves
            continue
        for row in (1, 3):
            load.check(result.pixels[row], result.errors.get(row), (large, True))
    _say(load)


def _interrupted(load: Load) -> None:
    armed = False

    def press(*_: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    large = next(case for case in load.cases if case.name == "large.jpg")
    signal.signal(signal.SIGALRM, press)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        signal.setitimer(signal.ITIMER_REAL, load.rng.uniform(0.002, 0.1))
        try:
            armed = True
            load.pre.try_batch([large.data] * 40, num_threads=load.threads())
            armed = False
        except KeyboardInterrupt:
            pass
    for _ in range(5):
        load.try_batch(30)
    _say(load)


def _leaving(load: Load) -> None:
    def forever() -> None:
        mine = Load(load.cases, load.folder, load.rng.randrange(1 << 30))
        while True:
            mine.step()

    for _ in range(4):
        threading.Thread(target=forever, daemon=True).start()
    time.sleep(load.rng.random())


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    globals()[f"_{sys.argv[1]}"](Load(corpus.read(folder), folder, int(sys.argv[3])))
