"""Times the peers in turns, so that a machine that changes its pace changes it for all of them.

One round hands each image to every peer, one after the other, in an order that is drawn anew each time: a peer that
leaves cold caches behind leaves them to each of the others as often. What is compared is always a pair: two peers,
the same image, the same moment.

Three clocks are read: the wall's, the processor time of the whole process (a peer's helper threads included), and that
of the calling thread alone. On one thread the second is what counts, for it leaves out what other programs do on the
machine meanwhile. On two threads the wall's counts, and the longer of the two threads' own times is what it comes to
where both have a processor to themselves and neither waits for the other.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Job = Callable[[Any], Any]


#: The names of the clocks in the records.
CLOCKS = ("wall_ns", "processor_ns", "caller_ns")


def once(job: Job, item: Any, repeats: int) -> tuple[float, float, float]:
    """Seconds of one call: by the wall's clock, by the processor's, and of the calling thread."""
    wall, processor, caller = time.perf_counter(), time.process_time(), time.thread_time()
    for _ in range(repeats):
        job(item)
    caller = time.thread_time() - caller
    processor = time.process_time() - processor
    return (time.perf_counter() - wall) / repeats, processor / repeats, caller / repeats


def _repeats(job: Job, item: Any, shortest: float) -> int:
    if isinstance(item, list):  # a batch is long enough
        return 1
    return int(shortest / once(job, item, 1)[1]) + 1


def rounds(
    jobs: dict[str, Job],
    items: Sequence[Any],
    *,
    seconds: float,
    fewest: int,
    most: int,
    shortest: float,
) -> dict[str, NDArray[np.float64]]:
    """Seconds of each call, (clocks, rounds, items) per peer: as many rounds as fit into `seconds`, within bounds.

    Calls of a peer that takes less than `shortest` seconds for the first item are repeated until they do not.
    """
    names, draw = list(jobs), random.Random(0)
    repeats = {name: _repeats(job, items[0], shortest) for name, job in jobs.items()}
    taken: dict[str, list[list[tuple[float, ...]]]] = {name: [] for name in names}
    collecting = gc.isenabled()
    gc.disable()
    started, done = time.perf_counter(), 0
    while done < fewest or (done < most and time.perf_counter() - started < seconds):
        for row in taken.values():
            row.append([])
        for item in items:
            for name in draw.sample(names, len(names)):
                taken[name][-1].append(once(jobs[name], item, repeats[name]))
        gc.collect()
        done += 1
    if collecting:
        gc.enable()
    return {name: np.moveaxis(np.array(rows), -1, 0) for name, rows in taken.items()}


def of(cell: dict[str, Any], name: str) -> NDArray[np.float64] | None:
    """The times of a record that count, in nanoseconds, (rounds, images); None where the peer was left out."""
    peer = cell["peers"].get(name)
    clock = "processor_ns" if cell["threads"] == 1 else "wall_ns"
    return np.array(peer[clock], np.float64) if peer else None


def ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float, float]:
    """Quartiles of the pairs' ratios: (median, lower, upper)."""
    lower, middle, upper = np.percentile(ours / theirs, [25, 50, 75])
    return float(middle), float(lower), float(upper)


def least(taken: NDArray[np.float64]) -> float:
    """The time of all images, each image's shortest round: what is least disturbed."""
    return float(taken.min(axis=0).sum())


def typical(taken: NDArray[np.float64]) -> tuple[float, float]:
    """Seconds for one image, and the spread: each image's median round, averaged; half the range between quartiles."""
    middle = np.median(taken, axis=0)
    lower, upper = np.percentile(taken / middle, [25, 75])
    return float(middle.mean()), float(upper - lower) / 2
