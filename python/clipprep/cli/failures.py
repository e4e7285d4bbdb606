"""How a command says that it cannot go on: one line, and a status."""

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
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has enough of it: that is no news. Nothing is left to be flushed at the end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    warn(f"{command}: {_words(error)}")
    return error.status if isinstance(error, FailedError) else 2


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
