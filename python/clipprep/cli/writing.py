"""Rows into an output: begun, resumed or finished already, and nothing of others is replaced."""

from __future__ import annotations

import enum
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from time import monotonic
from typing import Any

from clipprep import Preprocess
from clipprep.cli.failures import FailedError
from clipprep.cli.journal import Journal
from clipprep.cli.names import warn
from clipprep.cli.outputs import Output
from clipprep.cli.progress import Progress
from clipprep.cli.sources import Listing

#: Seconds after which the system is told to have the rows on the disk, for a power cut.
SYNC_INTERVAL = 60.0


class State(enum.Enum):
    """The file or folder at the place of an output."""

    BEGUN = "begun"
    RESUMED = "resumed"
    FINISHED = "finished"


def prepare(output: Output, journal: Journal, *, restart: bool, overwrite: bool) -> State:
    """Takes up the run that stopped there, or begins one. A finished one of the same kind stays as it is.

    Raises FileExistsError for anything else that stands there, unless `overwrite`; with `restart`, what a
    run has left there unfinished may go.
    """
    if not (restart or overwrite) and journal.load():
        if not journal.finishing and output.standing() != journal.replaces:
            raise FileExistsError(
                f"{output.places[0]}: expected it to be as it was when the run began, found it changed;"
                " --overwrite begins anew"
            )
        if not journal.finishing or all(part.exists() for part in output.parts):
            output.resume(journal.done, journal.states)
        return State.RESUMED
    if not overwrite:
        made_by = output.made_by()
        if made_by == journal.run:
            return State.FINISHED
        for path in output.places + ([] if restart else output.parts):
            if path.exists() or path.is_symlink():
                raise FileExistsError(
                    f"{path}: expected nothing there or the output of this very run, found"
                    f" {_described(made_by, journal.run)}; --overwrite replaces it"
                )
    journal.start(output.standing())
    try:
        output.begin()
    except OSError:
        _discard(output, journal)
        raise
    return State.BEGUN


@contextmanager
def terminable() -> Iterator[None]:
    """Has SIGTERM, which schedulers send before they kill, stop the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _described(found: Mapping[str, Any] | None, run: Mapping[str, Any]) -> str:
    """The output that stands in the place of a run's."""
    if found is None:
        return "a file that no run has finished"
    rows = f"{found.get('rows'):,} rows" if isinstance(found.get("rows"), int) else "rows"
    if found.get("preprocess") == run["preprocess"]:
        return f"{rows} of other sources"
    return f"{rows} by {found.get('preprocess')}"


def write(
    preprocess: Preprocess,
    listing: Listing,
    output: Output,
    journal: Journal,
    *,
    batch_size: int,
    threads: int | None,
    quiet: bool = False,
) -> None:
    """Writes what is not written yet, and puts the output in its place.

    Raises FailedError where the system does not let it; what is written until then is kept.
    """
    done = journal.done
    synced = monotonic()
    names = (item.name for item in listing.items(done))
    try:
        with Progress(len(listing), done, journal.failed, quiet=quiet) as progress:
            sources = listing.sources(done)
            for batch in preprocess.stream(sources, batch_size=batch_size, num_threads=threads):
                row, rows = done + batch.start, len(batch.pixels)
                state = output.append(list(islice(names, rows)), row, batch)
                errors = {row + i: str(error) for i, error in batch.errors.items()}
                journal.add(rows, errors, state)
                if monotonic() - synced > SYNC_INTERVAL:
                    output.sync()
                    journal.sync()
                    synced = monotonic()
                progress.advance(rows, len(errors))
        if not journal.finishing:
            output.sync()
            journal.finish()
        output.finish()
        journal.remove()
    except KeyboardInterrupt:
        warn(f"{journal.done:,} rows are kept: the same command goes on")
        raise
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        if not journal.done:
            _discard(output, journal)
            raise FailedError(where) from error
        kept = f"{journal.done:,} of {len(listing):,} rows are kept: the same command goes on"
        raise FailedError(f"{where}; {kept}", status=1) from error
    finally:
        output.close()


def _discard(output: Output, journal: Journal) -> None:
    """Takes away what was begun and holds no row."""
    output.close()
    for path in output.parts:
        path.unlink(missing_ok=True)
    journal.remove()
