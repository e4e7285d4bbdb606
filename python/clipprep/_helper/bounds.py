"""What keeps a helper from doing harm, as far as the system lets an ordinary user ask for it.

Nothing of this is a sandbox: a helper reads the files that its user may read.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

#: The bounds that there may be, in the order of the bits of `Hello.bounds`.
NAMES = (
    "memory",
    "processor time",
    "no core files",
    "ends with its parent",
    "no new privileges",
    "no network",
)
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
#: Of each architecture, the number by which seccomp knows it, and those of `socket` and of `io_uring_setup`.
_CALLS = {"x86_64": (0xC000003E, 41, 425), "aarch64": (0xC00000B7, 198, 425)}
#: Bytes that libraries take besides an image, such as the stacks of threads.
_SPARE = 1 << 26
#: Bytes by which a helper may grow before it is replaced.
_GROWTH = 1 << 26


def confine(parent: int) -> int:
    """Sets the bounds that hold for good, and returns the bits of all there are. `parent` is the process that
    the helper is to end with."""
    found = _limits() | {"no core files": _no_core}
    if sys.platform == "linux":
        found |= {
            "ends with its parent": lambda: _end_with(parent),
            "no new privileges": lambda: _control(_PR_SET_NO_NEW_PRIVS, 1),
            "no network": _no_network,
        }
    bits = 0
    for bit, name in enumerate(NAMES):
        with suppress(Exception):  # the system does not have it, or refuses it
            bits |= bool(name in found and found[name]()) << bit
    return bits


def _limits() -> dict[str, Callable[[], bool]]:
    return {
        "memory": lambda: held() is not None and hasattr(resource, "RLIMIT_AS"),
        "processor time": lambda: hasattr(resource, "RLIMIT_CPU"),
    }


def _no_core() -> bool:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return True


def _end_with(parent: int) -> bool:
    done = _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(0)
    return done


def _control(*arguments: int) -> bool:
    long = [ctypes.c_ulong(argument) for argument in arguments[1:]]
    long += [ctypes.c_ulong(0)] * (4 - len(long))
    return bool(ctypes.CDLL(None).prctl(ctypes.c_int(arguments[0]), *long) == 0)


def _no_network() -> bool:
    """A filter of system calls, since a network of its own would need rights that few systems give."""
    audit, socket, ring = _CALLS[platform.machine()]
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 13, 0x80000000
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    program = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, audit),
        (give, 0, 0, kill),
        (load, 0, 0, 0),  # the number of the call
        (at_least, 2, 0, 0x40000000),  # those of x32
        (equal, 1, 0, socket),
        (equal, 0, 1, ring),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    filters = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(filters)
    return _control(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(pointer))


def held() -> int | None:
    """Bytes of address space that this process holds; None where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def has_grown(ready: int | None) -> bool:
    """Whether this process holds far more than when it was ready."""
    now = held()
    return ready is not None and now is not None and now > ready + _GROWTH


@contextmanager
def of_a_file(memory: int | None, seconds: int | None) -> Iterator[None]:
    """Bounds memory beyond what is held now, and processor time from now on."""
    kinds = []
    now = held()
    if memory is not None and now is not None:
        kinds.append((resource.RLIMIT_AS, now + memory + _SPARE))
    if seconds is not None and resource is not None:
        kinds.append((resource.RLIMIT_CPU, max(math.ceil(time.process_time() + seconds), 1)))
    before = [(kind, resource.getrlimit(kind)) for kind, _ in kinds]
    for (kind, bound), (_, (_, hard)) in zip(kinds, before, strict=True):
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (min(bound, 2**63 - 1), hard))
    try:
        yield
    finally:
        for kind, old in before:
            resource.setrlimit(kind, old)
