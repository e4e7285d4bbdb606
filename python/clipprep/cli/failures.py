"""The end of a command that cannot go on: one line, and a status."""

from __future__ import annotations

import contextlib
import os
import sys

from clipprep.cli.names import warn


class FailedError(Exception):
    """A command ends here; the message is for people."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def tell(command: str, error: Exception) -> int:
    """Says on one line what happened; gives the exit status."""
    if isinstance(error, BrokenPipeError):  # whoever read the output has enough of it: no news
        _drop_output()
        return 1
    warn(f"{command}: {_words(error)}")
    return error.status if isinstance(error, FailedError) else 2


def flushed(command: str, status: int) -> int:
    """The exit status of a command that ended with `status`, once its output is written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
    except OSError as error:
        _drop_output()
        warn(f"{command}: standard output: {_words(error)}")
        return status or 1
    return status


def _drop_output() -> None:
    """Has the interpreter flush to nowhere at its end, which would fail once more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
