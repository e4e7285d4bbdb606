"""Runs a program in a process of its own, under limits, and reports its end and its cost."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.paths import FUZZ, ROOT, TESTS

#: Seconds after which a process is said to hang: without any work, and in all. On a busy machine what it waits for may
#: take long, and so may what it does: its processor time has a limit of its own.
ASLEEP, IN_ALL = 30, 600
MEASURED = Path(__file__).with_name("measured.py")
#: Of the server: as this process was started, whatever a test has set when it is the first to ask for a program.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(TESTS), str(FUZZ)]),
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",  # a process that has threads is not safe to fork
}


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
        said, status = _process(setup, left, data, address_space, processor_time, traps)
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


def _process(
    setup: str,
    calls: Mapping[str, str],
    data: bytes,
    address_space: int | None,
    processor_time: int,
    traps: tuple[str, ...],
) -> tuple[str, int | str]:
    ours, theirs = socket.socketpair()
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as errors,
        ours as connection,
    ):
        request = [setup, dict(calls), address_space, processor_time, traps, folder]
        asked.write(json.dumps(request).encode() + b"\n" + data)
        asked.seek(0)
        with theirs:
            files = [file.fileno() for file in (theirs, asked, said, errors)]
            socket.send_fds(_server(), [b"run"], files)
        status = _ended(connection)
        said.seek(0)
        errors.seek(0)
        if isinstance(status, int) and status > 0:
            raise AssertionError(f"the program failed: {errors.read().decode()[-3000:]}")
        return said.read().decode(), status


def _ended(connection: socket.socket) -> int | str:
    """Status of a process, or "timeout" where it hangs.

    Seconds are counted by looking at it, so that one in which this machine itself stood still counts as one.
    """
    with connection.makefile("rb", buffering=0) as lines:
        process = int(lines.readline() or b"0")
        assert process, "the server of programs is gone"
        worked, asleep = "", 0
        for _ in range(IN_ALL):
            if select.select([connection], [], [], 1)[0]:
                return int(lines.readline())
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            state, spent = fields[0], " ".join(fields[11:13])
            asleep = asleep + 1 if spent == worked and state == "S" else 0
            worked = spent
            if asleep > ASLEEP:
                break
        os.kill(process, signal.SIGKILL)
        lines.readline()
        return "timeout"


@functools.cache
def _server() -> socket.socket:
    """Where requests go to: a server that has loaded everything, and forks for each, which takes milliseconds."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        number = theirs.fileno()
        command = [sys.executable, "-X", "faulthandler", "-W", "ignore", MEASURED, str(number)]
        process = subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, pass_fds=[number])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
