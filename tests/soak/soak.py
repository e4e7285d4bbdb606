"""The soak test: all faults at once, under load. `make soak`, or see --help.

Threads of this process make calls of every kind with good, damaged, huge, vanishing and unreadable sources, and
check every row against what Pillow gives. Meanwhile files change, forks are made, helpers are killed and stopped,
processes are killed, interrupted and run out of memory and disk. At the end no row may be wrong, a helper that was killed
may have cost one row, no process may be left over, and neither memory nor threads nor files may have grown since a first
rest early on.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import platform
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import corpus
import faults
from load import Load

import clipprep
from clipprep._helper import pool
from clipprep.verify import report

#: The name of this report in docs/reliability.md.
NAME = "make reliability: soak"
#: Bytes that the process at rest may have grown by since it came to rest for the first time. It settles within the first
#: quarter of a million rows: memory kept for threads that started late, and pages of the allocator that are partly in use.
GROWTH = 64 << 20
#: Set by SIGTERM, which ends a long run early, with its figures.
ENOUGH = threading.Event()
#: A variable of the environment, by which processes are found that are left over.
MARK = "CLIPPREP_SOAK"


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def at_rest() -> int:
    """The same, after the allocator returned its free pages."""
    gc.collect()
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    return resident()


def running() -> tuple[int, int]:
    """Threads and open files of this process."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def processes() -> list[str]:
    """What this process and its children have started that runs on."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            mark = f"{MARK}={os.getpid()}".encode()
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="at least (default: 120)")
    parser.add_argument(
        "--rows", type=int, default=0, help="run on until this many rows are checked"
    )
    parser.add_argument("--threads", type=int, default=8, help="that make calls (default: 8)")
    parser.add_argument("--damaged", type=int, default=400, help="damaged files (default: 400)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--pause", type=float, default=2, help="seconds between faults of a kind (default: 2)"
    )
    parser.add_argument("--markdown", type=Path, help="write the figures into this file")
    args = parser.parse_args()

    pool.IDLE = 1.0  # so that idle helpers end during the run
    signal.signal(signal.SIGTERM, lambda *_: ENOUGH.set())
    # Not in the environment that the system shows of this process itself.
    os.environ[MARK] = str(os.getpid())
    tally = faults.Tally(args.pause)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = corpus.make(args.damaged, args.seed)
        corpus.write(cases, folder)
        warm = Load(cases, folder, args.seed)
        for _ in range(30):
            warm.step()
        tally.take(warm)
        before = _settled(running())
        seeds = range(args.seed, args.seed + args.threads)
        first, _ = _run(seeds, cases, folder, tally, args.seconds / 5, 0)
        _settled(before)
        rest = at_rest()
        seeds = range(seeds.stop, seeds.stop + args.threads)
        peak, seconds = _run(seeds, cases, folder, tally, args.seconds * 4 / 5, args.rows)
        after = _settled(before)
        rests = (rest, at_rest())

    problems = list(tally.wrong[:20])
    if rests[1] - rests[0] > GROWTH:
        problems.append(f"memory at rest grew from {rests[0] >> 20} to {rests[1] >> 20} MB")
    if tally.lost > tally.what["helpers killed"]:
        problems.append(f"{tally.lost} rows were lost with {tally.what['helpers killed']} helpers")
    if left := processes():
        problems.append(f"processes are left over: {left}")
    if after[0] > before[0]:
        problems.append(f"{after[0] - before[0]} threads are left over")
    if after[1] > before[1]:
        problems.append(f"{after[1] - before[1]} files are left open")
    text = _report(args, cases, tally, seconds, max(first, peak), rests, before, after)
    print(text)
    if args.markdown is not None:
        report.write_markdown(args.markdown, text, NAME)
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _run(
    seeds: range,
    cases: list[corpus.Case],
    folder: Path,
    tally: faults.Tally,
    seconds: float,
    rows: int,
) -> tuple[int, float]:
    """Returns the most memory that was seen, and how long it took."""
    stop = threading.Event()

    def work(seed: int) -> None:
        load = Load(cases, folder, seed, are_helpers_killed=True)
        while not stop.is_set():
            load.step()
            tally.take(load)

    def guarded(target: Callable[..., None], *arguments: object) -> None:
        try:
            target(*arguments)
        except BaseException as error:  # a thread that dies would be missed by no one
            tally.wrong.append(f"{target}: {error!r}")

    threads = [threading.Thread(target=guarded, args=(work, seed)) for seed in seeds]
    threads += [
        threading.Thread(target=guarded, args=(fault, folder, stop, tally)) for fault in faults.ALL
    ]
    start = said = time.monotonic()
    for thread in threads:
        thread.start()
    peak = 0
    while (time.monotonic() - start < seconds or tally.rows < rows) and not ENOUGH.is_set():
        time.sleep(0.5)
        peak = max(peak, resident())
        if tally.wrong:
            break
        if time.monotonic() - said > 30:
            said = time.monotonic()
            print(f"{tally.rows:,} rows, {resident() >> 20} MB", file=sys.stderr, flush=True)
    taken = time.monotonic() - start
    stop.set()
    for thread in threads:
        thread.join()
    return peak, taken


def _settled(before: tuple[int, int]) -> tuple[int, int]:
    """Threads and files when those that are ending have ended, and so have helpers, idle ones and those of killed processes."""
    deadline = time.monotonic() + faults.TIMEOUT
    while True:
        gc.collect()
        after = running()
        are_few = after[0] <= before[0] and after[1] <= before[1]
        have_ended = are_few and not pool.POOL.helpers() and not processes()
        if have_ended or time.monotonic() > deadline:
            return after
        time.sleep(0.1)


def _report(
    args: argparse.Namespace,
    cases: list[corpus.Case],
    tally: faults.Tally,
    seconds: float,
    peak: int,
    rests: tuple[int, int],
    before: tuple[int, int],
    after: tuple[int, int],
) -> str:
    refused = sum(case.row is None for case in cases)
    lines = [
        "| what | figure |",
        "| --- | ---: |",
        f"| rows checked | {tally.rows:,} |",
        f"| rows wrong | {len(tally.wrong):,} |",
        f"| rows lost with a helper that was killed | {tally.lost:,} |",
        f"| rows that were errors, as they had to be | {tally.errors.total():,} |",
        *(f"| ... {name} | {count:,} |" for name, count in sorted(tally.errors.items())),
        *(f"| {name} | {count:,} |" for name, count in sorted(tally.what.items())),
        f"| memory at work, at most | {peak / (1 << 20):.0f} MB |",
        f"| memory at rest, early and at the end | {rests[0] / (1 << 20):.0f}, {rests[1] / (1 << 20):.0f} MB |",
        f"| threads before and after | {before[0]}, {after[0]} |",
        f"| open files before and after | {before[1]}, {after[1]} |",
        f"| time | {seconds:,.0f} s |",
        "",
        f"clipprep {clipprep.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores;"
        f" {args.threads} threads that make calls; {len(cases)} files, of which Pillow refuses {refused}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
