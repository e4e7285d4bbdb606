"""The place of an output: one run at a time writes there, and what stands there stays."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clipprep.cli.names import warn

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
#: The errors of a lock that another process has. File systems without locks have others.
_BUSY = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
#: The content of a lock, which tells it from a file of others.
_MARK = b"a run of clipprep is at work\n"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keeps other runs from an output until the end of the block; a killed run's lock is no lock.

    Raises BlockingIOError where another run has it, FileExistsError where its place is taken by a file of others.
    """
    path = beside(out, ".lock")
    handle = _taken(out, path)
    try:
        yield
    finally:
        if os.name == "nt":  # where an open file stays
            os.close(handle)
            with suppress(PermissionError):  # the next run has it already
                path.unlink(missing_ok=True)
        else:
            path.unlink(missing_ok=True)
            os.close(handle)


def _taken(out: Path, path: Path) -> int:
    """The handle of a lock that is ours now."""
    while True:
        try:
            handle = os.open(path, _FLAGS, 0o666)
        except OSError as error:
            said = f"{error.strerror}, so that nothing can be written in {out.parent.resolve()}"
            raise OSError(error.errno, said, str(out)) from None
        try:
            is_regular = stat.S_ISREG(os.fstat(handle).st_mode)
            if not is_regular or os.read(handle, len(_MARK) + 1) not in (b"", _MARK):
                raise FileExistsError(f"{path}: expected the lock of a run, found another file")
            try:
                _lock(handle)
            except OSError as error:
                if error.errno in _BUSY:
                    said = f"{out}: expected no other run to write to it"
                    raise BlockingIOError(said) from None
                warn(f"{out}: two runs at a time are not kept apart here: {error.strerror}")
            if _is_file(handle, path):
                os.lseek(handle, 0, os.SEEK_SET)
                os.write(handle, _MARK)
                return handle
        except OSError as error:
            os.close(handle)
            if error.errno is None:
                raise
            raise OSError(error.errno, error.strerror, str(out)) from None
        os.close(handle)  # the run that had it has just ended, and taken the file away


def beside(out: Path, ending: str) -> Path:
    """A file beside an output, named after it."""
    return out.with_name(out.name + ending)


def standing(paths: Iterable[Path]) -> dict[str, list[int]]:
    """The files at some paths, in a way that tells them from their successors."""
    found = {}
    for path in paths:
        if os.path.lexists(path):
            status = path.lstat()
            found[path.name] = [status.st_size, status.st_mtime_ns]
    return found


def put(part: Path, path: Path) -> None:
    """Puts a finished file in its place, so that a power cut leaves the old one or the new one."""
    with part.open("r+b") as opened:
        os.fsync(opened.fileno())
    os.replace(part, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Has the system write a folder's entries."""
    if os.name != "nt":  # where folders cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
