"""The end of a command that cannot go on: one line, and a status."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

from clipprep.cli.names import UnprintedError, warn


class FailedError(Exception):
    """A command ends here; the message is for people."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def tell(command: str, error: Exception) -> int:
    """Says on one line what happened; gives the exit status."""
    if isinstance(error, BrokenPipeError):  # whoever read the output has enough of it: no news
        _drop(sys.stdout)
        return 1
    warn(f"{command}: {_words(error)}")
    if isinstance(error, UnprintedError):  # the work is done, only the answer is lost
        _drop(sys.stdout)
        return 1
    return error.status if isinstance(error, FailedError) else 2


def flushed(command: str, status: int) -> int:
    """The exit status of a command that ended with `status`, once its output is written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
    except OSError as error:
        _drop(sys.stdout)
        warn(f"{command}: standard output: {_words(error)}")
        return status or 1
    return status


def open_missing() -> None:
    """Open standard output and error where the caller has closed them: what is said there goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def drop_what_cannot_be_said() -> None:
    """Empty standard error at the end of a command, where it is full or nobody reads it."""
    try:
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Has the interpreter flush to nowhere at its end, which would fail once more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
