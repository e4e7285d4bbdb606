"""The other side of `programs.run`: reads a request from stdin, measures each call, writes a line of JSON for each."""

from __future__ import annotations

import io
import json
import os
import resource
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
    """Loads everything that first calls load: Pillow's plugins, the pool of threads, the code of each path."""
    Image.init()
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


def main() -> None:
    setup, calls, address_space, processor_time, traps = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
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


if __name__ == "__main__":
    main()
