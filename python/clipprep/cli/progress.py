"""How far it is: a bar on a terminal (with tqdm), lines every now and then elsewhere."""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib.util import find_spec
from time import monotonic
from types import TracebackType
from typing import Any

#: Seconds between two lines.
INTERVAL = 10.0


class Progress:
    """A context in which `advance(count)` says that `count` more images are done."""

    def __init__(self, total: int, done: int = 0, failed: int = 0) -> None:
        self._total = total
        self._first = self._done = done
        self._failed = failed
        self._start = self._shown = monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and find_spec("tqdm"):
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, initial=self._done, unit=" images", smoothing=0.1)
            self._bar.set_postfix(errors=self._failed)
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
            self._bar.set_postfix(errors=self._failed, refresh=False)
            self._bar.update(images)
        elif monotonic() - self._shown > INTERVAL:
            self._shown = monotonic()
            print(self.line(), file=sys.stderr, flush=True)

    def line(self) -> str:
        """Images, rate, time left and errors in words."""
        rate = (self._done - self._first) / max(monotonic() - self._start, 1e-9)
        left = timedelta(seconds=round((self._total - self._done) / rate)) if rate else "?"
        return (
            f"{self._done:,} of {self._total:,} images, {rate:,.0f} images/s,"
            f" {left} left, {self._failed:,} errors"
        )
