"""Random work for the package, each row of which is checked."""

from __future__ import annotations

import asyncio
import io
import os
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
from corpus import SIZE, Case

import clipprep

SHAPE = (3, SIZE, SIZE)
#: Paths that the system does not read, wherever they are.
UNREADABLE = ("/proc/self/mem", ".", "no/such/file")


#: A file that is cut in place: whatever it is to a reader is right.
CUT = Case("cut", b"", None)


class Load:
    """One worker's stream of calls. `rows` were checked, `wrong` says which were not right."""

    def __init__(
        self, cases: list[Case], folder: Path, seed: int, *, are_helpers_killed: bool = False
    ) -> None:
        self.rng = random.Random(seed)
        fallback = self.rng.choice(("inline", "process"))
        self.pre = clipprep.Preprocess(SIZE, pillow="installed", fallback=fallback)
        self.are_helpers_killed = are_helpers_killed
        self.cases = cases
        self.folder = folder
        self.vanishing = [case for case in cases if case.row is not None][:20]
        self.rows = 0
        self.lost = 0
        self.wrong: list[str] = []
        self.errors: Counter[str] = Counter()
        self.calls: tuple[Callable[[int], None], ...] = (
            *(self.one, self.batch, self.try_batch, self.try_batch, self.try_batch, self.stream),
            *(self.stream_closed_early, self.abatch, self.cancelled),
        )

    def step(self) -> None:
        """One call of a random kind."""
        self.rng.choice(self.calls)(self.rng.choice((1, 2, 7, 30, 64)))

    def taken(self) -> dict[str, Any]:
        """The counts, which begin again."""
        counts = {
            "rows": self.rows,
            "lost": self.lost,
            "wrong": self.wrong,
            "errors": dict(self.errors),
        }
        self.rows, self.lost, self.wrong = 0, 0, []
        self.errors.clear()
        return counts

    # Sources --------------------------------------------------------------------------------------

    def source(self) -> tuple[Any, Case | None, bool]:
        """A source, its case, and whether an error is right in any case."""
        rng = self.rng
        case = rng.choice(self.cases)
        while case.name.startswith("large") and rng.random() < 0.9:
            case = rng.choice(self.cases)
        way = rng.randrange(12)
        if way == 0:
            return rng.choice(UNREADABLE), None, True
        if way == 1:
            case = rng.choice(self.vanishing)
            if rng.random() < 0.3:
                return self.folder / f"cut-{case.name}", CUT, True
            return self.folder / f"vanishing-{case.name}", case, True
        if way == 2:
            file = (self.folder / case.name).open("rb")
            if rng.random() < 0.3:
                file.close()
                return file, None, True
            os.close(os.dup(file.fileno()))
            return _ClosedWhenRead(file), case, False
        if way == 3 and case.array is not None:
            return case.array, case, False
        if way == 4:
            return io.BytesIO(case.data), case, False
        if way == 5:
            return bytearray(case.data), case, False
        if way in (6, 7, 8):
            return case.data, case, False
        return str(self.folder / case.name), case, False

    def sources(self, count: int) -> tuple[list[Any], list[tuple[Case | None, bool]]]:
        made = [self.source() for _ in range(count)]
        return [each[0] for each in made], [each[1:] for each in made]

    # Checks ---------------------------------------------------------------------------------------

    def check(
        self, pixels: np.ndarray | None, error: BaseException | None, want: tuple[Case | None, bool]
    ) -> None:
        case, may_fail = want
        self.rows += 1
        if error is not None:
            self.errors[type(error).__name__] += 1
            if self._is_of_a_kill(error):
                self.lost += 1
                right = True
            else:
                right = may_fail or case is None or case.row is None
                right = right and not isinstance(error, clipprep.HelperError)
            right = right and isinstance(error, (clipprep.ImageError, OSError))
            right = right and (pixels is None or not pixels.any())
        elif case is CUT:
            right = pixels is not None and bool(np.isfinite(pixels).all())
        else:
            right = pixels is not None and case is not None and pixels.tobytes() == case.row
        if not right:
            self.wrong.append(f"{case.name if case else 'unreadable'}: {error!r}")

    def _is_of_a_kill(self, error: BaseException | None) -> bool:
        """Whether it was a helper's that a fault killed at this row."""
        return (
            self.are_helpers_killed
            and isinstance(error, clipprep.HelperError)
            and "SIGKILL" in str(error)
        )

    def check_batch(self, good: list[Case], batch: Callable[[], Any]) -> None:
        """A batch of good files is right, or fails by a helper that was killed."""
        try:
            pixels = batch()
        except clipprep.BatchError as error:
            self.check(None, error.__cause__, (good[error.index], False))
            return
        if pixels is None:  # it was cancelled
            return
        for case, row in zip(good, pixels, strict=True):
            self.check(row, None, (case, False))

    def check_all(self, result: Any, wanted: list[tuple[Case | None, bool]]) -> None:
        if len(result.ok) != len(wanted) or set(result.errors) != set(np.flatnonzero(~result.ok)):
            self.wrong.append("a result whose parts do not agree")
        for row, want in enumerate(wanted):
            self.check(result.pixels[row], result.errors.get(row), want)

    # Calls ----------------------------------------------------------------------------------------

    def threads(self) -> int | None:
        return self.rng.choice((None, 1, 2, 3))

    def one(self, count: int) -> None:
        for _ in range(min(count, 8)):
            source, *want = self.source()
            try:
                self.check(self.pre(source), None, (want[0], want[1]))
            except (clipprep.ImageError, OSError) as error:
                self.check(None, error, (want[0], want[1]))

    def batch(self, count: int) -> None:
        good = [case for case in self.rng.choices(self.cases, k=count) if case.row is not None]
        data = [case.data for case in good]
        self.check_batch(good, lambda: self.pre.batch(data, num_threads=self.threads()))

    def try_batch(self, count: int) -> None:
        sources, wanted = self.sources(count)
        out = np.full((count, *SHAPE), np.nan, np.float32) if self.rng.random() < 0.5 else None
        self.check_all(self.pre.try_batch(sources, out=out, num_threads=self.threads()), wanted)

    def stream(self, count: int) -> None:
        sources, wanted = self.sources(count)
        for batch in self.pre.stream(iter(sources), batch_size=self.rng.choice((1, 5, 16))):
            self.check_all(batch, wanted[batch.start : batch.start + len(batch.ok)])

    def stream_closed_early(self, count: int) -> None:
        sources, wanted = self.sources(count)
        for batch in self.pre.stream(sources, batch_size=5):
            self.check_all(batch, wanted[batch.start : batch.start + len(batch.ok)])
            if self.rng.random() < 0.5:
                break

    def abatch(self, count: int) -> None:
        good = [case for case in self.rng.choices(self.cases, k=count) if case.row is not None]
        data = [case.data for case in good]

        async def main() -> Any:
            task = asyncio.create_task(self.pre.abatch(data))  # type: ignore[arg-type]
            if self.rng.random() < 0.3:
                await asyncio.sleep(self.rng.random() / 100)
                task.cancel()
            try:
                return await task
            except asyncio.CancelledError:
                return None

        self.check_batch(good, lambda: asyncio.run(main()))

    def cancelled(self, count: int) -> None:
        cancel = clipprep._core._Cancel()
        cancel.cancel()
        try:
            self.pre._rows([b""] * count, cancel=cancel)
        except CancelledError:
            return
        self.wrong.append("a cancelled batch that goes on")


class _ClosedWhenRead:
    """A file that is closed as soon as it has been read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file

    def read(self) -> bytes:
        with self.file:
            return self.file.read()
