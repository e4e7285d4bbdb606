"""The progress of a command: a bar on a terminal (with tqdm), a line every now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

from clipprep.cli.names import warn

T = TypeVar("T")

#: Seconds between two lines.
INTERVAL = 10.0


class Progress:
    """A context in which `advance(count)` says that `count` more images are done; `quiet` says nothing."""

    def __init__(self, total: int, done: int = 0, failed: int = 0, *, quiet: bool = False) -> None:
        self._total = total
        self._first = self._done = done
        self._failed = failed
        self._quiet = quiet
        self._start = self._shown = monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if not self._quiet and _is_terminal():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self._total,
                initial=self._done,
                unit=" images",
                smoothing=0.1,
                dynamic_ncols=True,
            )
            self._bar.set_postfix(self._postfix())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, images: int, errors: int) -> None:
        """`images` more are done, `errors` of them bad."""
        self._done += images
        self._failed += errors
        if self._bar is not None:
            self._bar.set_postfix(self._postfix(), refresh=False)
            self._bar.update(images)
        elif not self._quiet and monotonic() - self._shown > INTERVAL:
            self._shown = monotonic()
            warn(self.line())

    def line(self) -> str:
        """Images, rate, memory, time left and errors in words."""
        rate = (self._done - self._first) / max(monotonic() - self._start, 1e-9)
        left = timedelta(seconds=round((self._total - self._done) / rate)) if rate else "?"
        used = memory()
        held = "" if used is None else f" {used >> 20:,} MB of memory,"
        return (
            f"{self._done:,} of {self._total:,} images, {rate:,.0f} images/s,{held}"
            f" {left} left, {self._failed:,} errors"
        )

    def _postfix(self) -> dict[str, object]:
        used = memory()
        held = {} if used is None else {"memory": f"{used >> 20} MB"}
        return {"errors": self._failed, **held}


def counted(items: Iterable[T], *, quiet: bool) -> Iterator[T]:
    """Passes items on, and says every now and then how many were found."""
    if not quiet and _is_terminal():
        from tqdm import tqdm

        # Short searches leave nothing on the screen.
        yield from tqdm(items, unit=" images found", delay=1, leave=False, dynamic_ncols=True)
        return
    shown = monotonic()
    for count, item in enumerate(items, 1):
        yield item
        if not quiet and count % 256 == 0 and monotonic() - shown > INTERVAL:
            shown = monotonic()
            warn(f"{count:,} images found")


def memory() -> int | None:
    """The bytes of memory that this process has; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most << 10
    return pages * resource.getpagesize()


def _is_terminal() -> bool:
    return sys.stderr.isatty() and find_spec("tqdm") is not None
