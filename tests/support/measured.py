"""The other side of `programs.run`: a server that forks for each request.

The child reads the request from its stdin, measures each call, and writes a line of JSON for each.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import socket
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

import clipprep

TRAP = """#!/bin/sh
echo "$0" >> "{log}"
exit 1
"""


def set_traps(names: list[str]) -> Path:
    """Puts stand-ins into PATH that note that they were started."""
    folder = Path(tempfile.mkdtemp())
    log = folder / "started"
    log.touch()
    for name in names:
        trap = folder / name
        trap.write_text(TRAP.format(log=log))
        trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return log


def resident(name: str) -> int:
    """A field of /proc/self/status in bytes: VmRSS is the memory in use, VmHWM its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) << 10
    raise LookupError(name)


def warm_up() -> None:
    """Loads everything that first calls load: the pool of threads, the code of each path."""
    pre = clipprep.Preprocess(32)
    pre.try_batch([np.zeros((9, 9, 3), np.uint8), b"II*\0" + bytes(40), b"nothing"], num_threads=2)
    clipprep.Preprocess(32, truncated="pad").try_batch([b"II*\0" + bytes(40)])


def classes(kind: type) -> list[str]:
    return [each.__name__ for each in kind.__mro__]


def call(code: str, names: dict[str, object]) -> dict[str, object]:
    result: object = None
    error: BaseException | None = None
    expression = compile(code, "<call>", "eval")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = resident("VmRSS"), time.process_time()
    try:
        result = eval(expression, names)
    except BaseException as raised:
        error = raised
    seconds, peak = time.process_time() - started, resident("VmHWM")
    found: dict[str, object] = {"seconds": seconds, "growth": max(0, peak - before)}
    if error is not None:
        bases = classes(type(error))
        return {**found, "kind": "error", "type": bases[0], "bases": bases, "text": str(error)}
    shape = getattr(result, "shape", None)
    text = repr(result) if shape is None else str(shape)
    return {**found, "kind": "result", "type": type(result).__name__, "bases": [], "text": text}


def program() -> None:
    """Does what is asked for, in a process of its own."""
    setup, calls, address_space, processor_time, traps, folder = json.loads(
        sys.stdin.buffer.readline()
    )
    data = sys.stdin.buffer.read()
    tempfile.tempdir = os.environ["TMPDIR"] = folder  # which the caller removes
    log = set_traps(traps) if traps else None
    warm_up()
    names: dict[str, object] = {
        "clipprep": clipprep, "data": data, "io": io, "Image": Image, "np": np, "os": os,
    }  # fmt: skip
    exec(compile(setup, "<setup>", "exec"), names)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if address_space is not None:
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    for name, code in calls.items():
        limit = int(time.process_time()) + 1 + processor_time
        with suppress(ValueError):  # a lower hard limit is in force
            resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        found = call(code, names)
        found["children"] = log.read_text().splitlines() if log else []
        if log:
            log.write_text("")
        print(json.dumps({"name": name, **found}), flush=True)
    os._exit(0)  # whatever a hostile object does at the end


def keep(connection: socket.socket, files: list[int]) -> None:
    """Starts a program, tells its id at once and its status at its end. The id is its own until the caller hangs up."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        connection.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, file in enumerate(files):
            os.dup2(file, number)
        program()
    connection.sendall(f"{child}\n".encode())
    end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert end is not None
    status = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
    connection.sendall(f"{status}\n".encode())
    connection.recv(1)
    os.waitpid(child, 0)


def main() -> None:
    """Serves at the socket whose number the command line has, until the other side is closed."""
    Image.init()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other side ends at a Ctrl-C
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no one need wait for children
    with socket.socket(fileno=int(sys.argv[1])) as server:
        while files := socket.recv_fds(server, 16, 4)[1]:
            if os.fork() == 0:
                server.close()
                keep(socket.socket(fileno=files[0]), files[1:])
                os._exit(0)
            for file in files:
                os.close(file)


if __name__ == "__main__":
    main()
