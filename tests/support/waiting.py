"""Events to wait for, so that no test depends on how fast its machine is, or how busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

#: Seconds after which an event is taken never to come: far more than any machine needs.
NEVER = 300


def wait_for(event: Callable[[], object], name: str) -> None:
    """Returns once `event()` is true; fails where it never is."""
    deadline = time.monotonic() + NEVER
    while not event():
        assert time.monotonic() < deadline, f"{NEVER} seconds without this: {name}"
        time.sleep(0.005)


def children(parent: int) -> set[int]:
    """The processes that a process has started, and nobody has waited for."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:
                continue
            if int(status.rpartition(")")[2].split()[1]) == parent:
                found.add(int(entry.name))
    return found


def is_there(pid: int) -> bool:
    """Whether a process runs, or waits."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
