"""Runs a program in a process of its own, under limits, and reports its end and its cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.paths import FUZZ, TESTS

#: Seconds without any work after which a process is said to hang.
ASLEEP = 10
MEASURED = Path(__file__).with_name("measured.py")


@dataclass(frozen=True)
class Outcome:
    """How one call ended, and its cost beyond the program's own start."""

    kind: str
    """"result", "error", or, where the process did not survive it, "killed" or "hangs"."""
    type: str = ""
    """Class of the result or of the error; name of the signal."""
    bases: tuple[str, ...] = ()
    """Classes that the error is an instance of."""
    text: str = ""
    """The error's text; `repr` of a result's shape or of the result itself."""
    seconds: float = 0.0
    """Processor time of all threads."""
    growth: int = 0
    """Bytes by which the peak of resident memory exceeds the memory in use before the call."""
    children: tuple[str, ...] = field(default=(), repr=False)
    """Programs that the call started, of those that `traps` names."""

    def __str__(self) -> str:
        said = f"{self.type}: {self.text}" if self.kind == "error" else f"{self.kind} {self.type}"
        return f"{said} ({self.seconds:.2f} s, {self.growth >> 20} MB)"


def run(
    setup: str,
    calls: Mapping[str, str],
    *,
    data: bytes = b"",
    address_space: int | None = None,
    processor_time: int = 8,
    timeout: int = 120,
    traps: tuple[str, ...] = (),
) -> dict[str, Outcome]:
    """Runs `setup`, and then each of `calls` (an expression) with its names, and reports each call.

    `clipprep`, `Image`, `np`, `io`, `os`, the modules of `support` and `data` are at hand. `traps` are names of programs:
    stand-ins for them are put into PATH, and a call that starts one reports it. A process that a call kills
    leaves the later ones without an outcome of their own: they are started anew, in another process.

    >>> run("x = 1", {"sum": "x + 1"})["sum"].text
    '2'
    """
    outcomes: dict[str, Outcome] = {}
    left = dict(calls)
    while left:
        said, status = _process(setup, left, data, address_space, processor_time, timeout, traps)
        for line in said.splitlines():
            if not line.startswith("{"):
                continue  # half a line, or the program's own words
            found = json.loads(line)
            name = found.pop("name")
            found["bases"], found["children"] = tuple(found["bases"]), tuple(found["children"])
            outcomes[name] = Outcome(**found)
            del left[name]
        if status == 0 and left:
            raise AssertionError(f"the program ended without a report of {list(left)}:\n{said}")
        if status != 0:
            assert left, f"the program failed after its last call: {status}\n{said}"
            outcomes[next(iter(left))] = _fatal(status)
            del left[next(iter(left))]
    return outcomes


def _fatal(status: int | str) -> Outcome:
    return Outcome("hangs" if status == "timeout" else "killed", type=str(status))


def _ended(process: subprocess.Popen[bytes], timeout: int) -> tuple[bytes | None, bytes]:
    """Output of a process; None where it works for longer than `timeout`, or sleeps for longer than `ASLEEP`.

    Seconds are counted by looking at it, so that one in which this machine itself stood still counts as one.
    """
    worked, asleep = "", 0
    for _ in range(timeout):
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=1)
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        state, spent = fields[0], " ".join(fields[11:13])
        asleep = asleep + 1 if spent == worked and state == "S" else 0
        worked = spent
        if asleep > ASLEEP:
            break
    return None, b""


def _process(
    setup: str,
    calls: Mapping[str, str],
    data: bytes,
    address_space: int | None,
    processor_time: int,
    timeout: int,
    traps: tuple[str, ...],
) -> tuple[str, int | str]:
    request = json.dumps([setup, dict(calls), address_space, processor_time, traps]).encode()
    path = os.pathsep.join([str(TESTS), str(FUZZ)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    pipe = subprocess.PIPE
    command = [sys.executable, "-X", "faulthandler", "-W", "ignore", MEASURED]
    with tempfile.TemporaryFile() as file:
        file.write(request + b"\n" + data)
        file.seek(0)
        with subprocess.Popen(
            command, stdin=file, stdout=pipe, stderr=pipe, env=environment
        ) as process:
            said, errors = _ended(process, timeout)
            if said is None:
                process.kill()
                return process.communicate()[0].decode(), "timeout"
    if process.returncode > 0:
        raise AssertionError(f"the program failed: {errors.decode()[-3000:]}")
    return said.decode(), process.returncode
