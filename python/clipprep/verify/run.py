"""Verdicts over many files, from several processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from time import monotonic

from clipprep import Preprocess
from clipprep.verify.compare import CRASHED, FAILURES, Verdict, check
from clipprep.verify.files import Item
from clipprep.verify.isolated import CrashError, isolated_map
from clipprep.verify.transform import Transform

#: Seconds that one file may take on each side together.
TIMEOUT = 300.0


def verify(
    items: Iterable[Item], preprocess: Preprocess, *, max_pixels: int, jobs: int
) -> Iterator[Verdict]:
    """A verdict for each file, in order, from `jobs` processes, or from this one for 0."""
    one = partial(
        check, preprocess=preprocess, max_pixels=max_pixels, transform=Transform(preprocess)
    )
    if jobs < 1:
        yield from map(one, items)
        return
    for item, verdict in isolated_map(one, items, jobs=jobs, timeout=TIMEOUT):
        if isinstance(verdict, CrashError):
            yield Verdict(item.name, CRASHED, clipprep=f"{verdict} (in clipprep or in Pillow)")
        else:
            yield verdict


def with_progress(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """Passes verdicts on, and says on standard error every now and then how far it is."""
    failures, shown = 0, monotonic()
    for done, verdict in enumerate(verdicts, 1):
        yield verdict
        failures += verdict.outcome in FAILURES
        if monotonic() - shown > 5:
            shown = monotonic()
            text = f"{done:,} files, {failures:,} of them differ or fail, now {verdict.source!r}"
            print(text, file=sys.stderr, flush=True)


def default_jobs() -> int:
    """As many as there are cores for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
