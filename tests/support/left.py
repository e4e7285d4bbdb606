"""State of a process that no file of tests may leave changed: whether the next file runs in the same process depends on
how many cores there are."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time

import numpy as np
from PIL import Image, ImageFile

from support.waiting import NEVER

State = dict[str, object]

#: Libraries that change their process for good when they are used, by threads, handlers and variables of their own. Where
#: one is loaded, nothing is compared: `make test` installs none of them.
LIBRARIES = {
    "torch",
    "transformers",
    "ray",
    "pyspark",
    "daft",
    "datasets",
    "duckdb",
    "lance",
    "zmq",
    "pytest_timeout",
}

#: Threads and finders of libraries, which stay, and variables that libraries and pytest set.
THREADS = ("tqdm_monitor", "fsspecIO")
FINDERS = ("_SixMetaPathImporter",)
FILES = "/proc/self/fd"
VARIABLES = ("PYTEST_CURRENT_TEST", "_RJEM_MALLOC_CONF")


def state() -> State:
    """Each thing that tests have changed somewhere, by name."""
    Image.init()
    found: State = {
        "the working directory": os.getcwd(),
        "sys.path": list(sys.path),
        "sys.meta_path": [each for each in sys.meta_path if type(each).__name__ not in FINDERS],
        "sys.executable": sys.executable,
        "np.geterr()": np.geterr(),
        "gc.isenabled()": gc.isenabled(),
        "objects that gc ignores": gc.get_freeze_count() > 0,
        "the recursion limit": sys.getrecursionlimit(),
        "threads": {each for each in threading.enumerate() if each.name not in THREADS},
        "files that are open": _open_files(),
        "Image.open": Image.open,
    }
    variables = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    handlers = {each: signal.getsignal(each) for each in signal.valid_signals()}
    limits = {
        "Image.MAX_IMAGE_PIXELS": Image.MAX_IMAGE_PIXELS,
        "ImageFile.MAXBLOCK": ImageFile.MAXBLOCK,
        "ImageFile.LOAD_TRUNCATED_IMAGES": ImageFile.LOAD_TRUNCATED_IMAGES,
        "size of Pillow's blocks": Image.core.get_block_size(),
        "number of Pillow's blocks": Image.core.get_blocks_max(),
    }
    for name, table in {
        "os.environ": variables,
        "signal.getsignal": handlers,
        **{f"Image.{each}": getattr(Image, each) for each in ("OPEN", "SAVE", "EXTENSION", "MIME")},
    }.items():
        found |= {f"{name}[{key!r}]": value for key, value in table.items()}
    return found | limits | _of_posix()


def _open_files() -> set[str]:
    """Those of the file system, where the system has a folder of them."""
    found = set()
    for number in os.listdir(FILES) if os.path.isdir(FILES) else ():
        try:
            name = os.readlink(f"{FILES}/{number}")
        except OSError:  # that of the listing
            continue
        if name.startswith("/") and not name.startswith(("/dev/", "/proc/")):
            found.add(name)
    return found


def _of_posix() -> State:
    if sys.platform == "win32":
        return {}
    import resource

    umask = os.umask(0o77)
    os.umask(umask)
    found: State = {
        "the umask": umask,
        "the user": (os.getuid(), os.geteuid()),
        "signals that are blocked": signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "the timer": signal.getitimer(signal.ITIMER_REAL)[1],
    }
    limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return found | {name: resource.getrlimit(getattr(resource, name)) for name in limits}


def changed(before: State) -> list[str]:
    """What is not as it was. What is about to end is given the time for it."""
    if LIBRARIES & sys.modules.keys():
        return []
    deadline = time.monotonic() + NEVER / 10
    while (found := _changed(before)) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.02)
    return found


def _changed(before: State) -> list[str]:
    after, absent = state(), "nothing"
    found = []
    for name in sorted({*before, *after}):
        was, now = before.get(name, absent), after.get(name, absent)
        if isinstance(was, set) and isinstance(now, set):  # some may have ended meanwhile
            was, now = absent, now - was or absent
        if was != now:
            found.append(f"{name}: {was!r} before, {now!r} after")
    return found
