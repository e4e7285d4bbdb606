"""An image of a listing: its name, and how its bytes are reached when it is its turn."""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import IO, Any, Protocol, TypeVar

from clipprep._sources import Failing
from clipprep.cli.sources import addresses

T = TypeVar("T")
R = TypeVar("R")

#: So many archives are kept open at a time.
_OPEN = 8
_PIECE = 1 << 20


class Item(Protocol):
    """An image. Items are small, can be pickled, and hold nothing open."""

    @property
    def name(self) -> str:
        """Its name in outputs and messages."""

    def source(self, opened: Opened) -> Any:
        """The source for `Preprocess`. Items are asked in the order of the listing; where there is nothing to
        read, it is a file whose reading fails, so that it costs its row."""


class Opened:
    """Archives that are open while their items are read; closed with the block."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self.max_bytes = max_bytes
        self._held: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def use(self, key: Hashable, open_: Callable[[], T], action: Callable[[T], R]) -> R:
        """The result of `action` on the object of this key, which `open_` makes the first time."""
        with self._lock:
            found = self._held.pop(key, None)
            if found is None:
                found = open_()
                while len(self._held) >= _OPEN:
                    self._held.pop(next(iter(self._held))).close()
            self._held[key] = found  # at the end: those not used for longest come first
            return action(found)

    def check(self, size: int, name: str) -> None:
        """Raises OSError for more bytes than `max_bytes`, before they are read."""
        if self.max_bytes is not None and size > self.max_bytes:
            said = f"expected at most max_bytes={self.max_bytes:,}, found {size:,} bytes"
            raise OSError(errno.EFBIG, said, name)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        while self._held:
            self._held.popitem()[1].close()


@dataclass(frozen=True, slots=True)
class File:
    """A file by its path."""

    name: str

    def source(self, opened: Opened) -> Any:
        return self.name


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that cannot be read, which costs a row."""

    name: str
    why: str
    code: int | None = None

    def source(self, opened: Opened) -> Any:
        return Failing(self.name, self.error())

    def error(self) -> OSError:
        """The values of its row."""
        if self.code is None:
            return OSError(self.why)
        return OSError(self.code, self.why, self.name)

    @classmethod
    def because(cls, name: str, error: Exception) -> Refused:
        """The meaning of an error for a row."""
        if isinstance(error, OSError) and error.errno is not None:
            return cls(name, error.strerror or os.strerror(error.errno), error.errno)
        return cls(name, str(error) or type(error).__name__)


@dataclass(frozen=True, slots=True)
class Remote:
    """A file by its address, read when it is its turn."""

    name: str

    def source(self, opened: Opened) -> Any:
        return Lazy(self.name, lambda: addresses.open_stream(self.name))


def named_in_data(name: str, *, remote: bool) -> Item:
    """A file that a list or a column names; an address there is asked for if `remote` allows it."""
    if not addresses.is_remote(name) or os.path.lexists(name):
        return File(name)
    if remote and addresses.may_stand_in_data(name):
        return Remote(name)
    return Refused(name, "expected a path: an address in data is asked for with --remote alone")


class Lazy:
    """A binary file that is opened when it is first read, and closed at its end."""

    def __init__(self, name: str, open_: Callable[[], IO[bytes]]) -> None:
        self.name = name
        self._open = open_
        self._file: IO[bytes] | None = None
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises OSError for whatever befalls them."""
        if self._ended:
            return b""
        try:
            if self._file is None:
                self._file = self._open()
            data = self._file.read(size)
        except Exception as error:
            self._close()
            if isinstance(error, OSError):
                raise
            raise OSError(f"{type(error).__name__}: {error}") from error
        if size < 0 or not data:
            self._close()
        return data

    def _close(self) -> None:
        self._ended = True
        if self._file is not None:
            self._file.close()


class Named(io.BytesIO):
    """Bytes that have a name."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def open_regular(path: str) -> IO[bytes]:
    """A regular file to read, by its path or its address; a pipe is not waited for."""
    if "://" in path:
        return addresses.open_seekable(path)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "expected a regular file", path)
        return open(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read(file: Any, opened: Opened, name: str) -> bytes:
    """All bytes of a file, up to `max_bytes`; raises OSError."""
    pieces, size = [], 0
    while piece := file.read(_PIECE):
        size += len(piece)
        opened.check(size, name)
        pieces.append(piece)
    return b"".join(pieces)
