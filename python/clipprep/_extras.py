"""Packages that only some parts need: a missing one names the extra that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(package: str, extra: str, *, by: str) -> Iterator[None]:
    """Imports within it say what to install, where the package is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        message = f"{by} needs {package}: pip install 'clipprep[{extra}]'"
        raise ModuleNotFoundError(message, name=error.name) from error
