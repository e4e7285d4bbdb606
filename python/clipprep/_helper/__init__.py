"""Pillow in processes of our own: for `fallback="process"`.

`pool` keeps the helpers of this process, `process` is the parent's side of one, `job` a file on its way through one.
`start` is the program of a helper, `bounds` what keeps it from harm, `child` its work; `protocol` is how both sides
talk, and `plugins` how they come to the same plug-ins of Pillow's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from PIL import Image

from .. import _core
from .._messages import shown, value_error
from .._pillow import inline
from .._pillow.inline import Answer
from .._pillow.memory import Rgb, size
from .._pillow.opening import reopen
from .._pillow.refusals import RefusedError
from ..limits import Limits
from .bounds import NAMES
from .job import Job, request
from .pool import POOL

__all__ = ["check_available", "decode", "examine", "load", "unavailable", "usual"]

#: Seconds for which a new job is waited for at once.
_FIRST = 0.02


def unavailable() -> str:
    """Why no helper can be started in this process; empty where it can."""
    if getattr(sys, "frozen", False):
        return "a frozen application, which has no interpreter to start"
    name = os.path.basename(sys.executable or "").lower()
    if not name.startswith(("python", "pypy")):
        return f"sys.executable={shown(sys.executable)}, which is no Python: it is embedded"
    if not os.path.exists(sys.executable):
        return f"sys.executable={shown(sys.executable)}, which is not there"
    return ""


def usual() -> str:
    """The value of `fallback` for a program that nobody else's objects depend on, such as the command line."""
    return "inline" if unavailable() else "process"


def examine() -> tuple[list[str], str]:
    """Have a helper answer, and say which bounds hold for it; or none, and why there is no helper."""
    if why := unavailable():
        return [], why
    limits = Limits()
    job = decode(b"", [], False, "last", False, _core.guard(limits), 1)
    try:
        while isinstance(job, Job):
            job = job.poll(_FIRST) or job
    except RefusedError as error:
        return [], error.said
    bounds = max((helper.bounds for helper in POOL.helpers()), default=0)
    return [name for bit, name in enumerate(NAMES) if bounds >> bit & 1], ""


def check_available() -> None:
    """Raise `ValueError` where no helper can be started."""
    if why := unavailable():
        raise value_error(
            f'expected a program that is run by Python for fallback="process", found {why};'
            ' use "inline" or "never"'
        )


def decode(
    data: Any,
    formats: Iterable[str] | None,
    pad: bool,
    rgb: Rgb,
    exif: bool,
    guard: _core.Guard,
    threads: int,
) -> Answer | Job:
    """As `clipprep._pillow.decode`, or a job to poll for it."""
    return _first(Job(data, request(data, formats, pad, rgb, exif, guard.limits()), guard, threads))


def load(
    image: Image.Image,
    pad: bool,
    rgb: Rgb,
    exif: bool,
    guard: _core.Guard,
    threads: int,
) -> Answer | Job:
    """As `clipprep._pillow.load`, or a job to poll for it. An image whose file cannot be read anew is loaded in its
    place, in this process."""
    found = None if size(image)[2] else reopen(image, pad, guard)
    if found is None:
        return inline.in_place(image, rgb, exif, guard)
    name, data, _ = found
    return decode(data, [name], pad, rgb, exif, guard, threads)


def _first(job: Job) -> Answer | Job:
    return job.poll(_FIRST) or job
