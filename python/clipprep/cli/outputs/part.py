"""A file that grows under another name, and what the system says when it cannot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clipprep.cli import place


class Part:
    """A file that is written from its beginning to its end, and put in its place when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = place.beside(path, ".part")
        self._opened: IO[bytes] | None = None

    @property
    def opened(self) -> IO[bytes]:
        """The file, open to write and to read, at its end."""
        assert self._opened is not None, "begin or resume comes first"
        return self._opened

    def begin(self) -> None:
        """Makes it anew."""
        with telling(self.part):
            self.part.unlink(missing_ok=True)  # a link would lead to another's file
            self._opened = self.part.open("x+b", buffering=0)

    def resume(self, end: int) -> None:
        """Takes it up where it was `end` bytes long."""
        with telling(self.part):
            if not self.part.exists():
                raise OSError(
                    "expected the rows of the stopped run, found none: --restart begins anew"
                )
            self._opened = self.part.open("r+b", buffering=0)
            if self._opened.seek(0, os.SEEK_END) < end:
                raise OSError(f"expected {end:,} bytes or more, found fewer: --restart begins anew")
            self._opened.truncate(end)
            self._opened.seek(end)

    def write(self, data: object) -> None:
        """Writes all of a buffer."""
        left = memoryview(data).cast("B")  # type: ignore[arg-type]
        with telling(self.part, left.nbytes):
            while left:
                left = left[self.opened.write(left) :]

    def sync(self) -> None:
        """Has the system write it to the disk."""
        with telling(self.part):
            os.fsync(self.opened.fileno())

    def finish(self) -> None:
        """Puts it in its place, if that is not done yet."""
        self.close()
        if self.part.exists():
            with telling(self.part):
                place.put(self.part, self.path)

    def close(self) -> None:
        """Ends the work, finished or not."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


@contextmanager
def telling(path: Path, needed: int = 0) -> Iterator[None]:
    """Has the errors of a block name the path, what was needed and what is free."""
    try:
        yield
    except OSError as error:
        text = error.strerror or str(error)
        if needed:
            free = shutil.disk_usage(path.parent).free
            text += f" ({size(needed)} were to be written, {size(free)} are free)"
        if error.errno is None:
            raise OSError(f"{path}: {text}") from error
        raise OSError(error.errno, text, str(path)) from error


def size(count: int) -> str:
    """Bytes in words.

    >>> size(1_500_000)
    '1.5 MB'
    """
    for unit, ending in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {ending}"
    return f"{count} bytes"
