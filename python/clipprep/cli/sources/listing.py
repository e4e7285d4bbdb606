"""The items that a command works on, in a file of the system's while it works: a million of them are no list."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from clipprep._pillow.refusals import RefusedError
from clipprep.cli.sources.items import Item, Opened, read
from clipprep.cli.sources.leftout import LeftOut

#: Items that are stored and read together.
_CHUNK = 1024
#: Bytes of items that stay in memory.
_IN_MEMORY = 8 << 20


class Listing:
    """Items in order, which can be gone through more than once and from several threads."""

    def __init__(
        self, items: Iterable[Item], left_out: LeftOut, *, max_bytes: int | None = None
    ) -> None:
        self.left_out = left_out
        self._max_bytes = max_bytes
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._chunks: list[int] = []
        self._count = 0
        self._lock = threading.Lock()
        digest = hashlib.sha256()
        items = iter(items)
        while chunk := list(islice(items, _CHUNK)):
            self._chunks.append(self._file.tell())
            pickle.dump(chunk, self._file, protocol=5)
            self._count += len(chunk)
            for item in chunk:
                digest.update(item.name.encode("utf-8", "surrogatepass") + b"\0")
        self.digest = digest.hexdigest()
        """The same for the same names in the same order."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        return self.items()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The items from a position on."""
        for number in range(start // _CHUNK, len(self._chunks)):
            with self._lock:
                self._file.seek(self._chunks[number])
                chunk = pickle.load(self._file)  # our own, from a file that no one else can open
            yield from chunk[start - number * _CHUNK if start > number * _CHUNK else 0 :]

    def sources(self, start: int = 0) -> Iterator[Any]:
        """The source for `Preprocess` of each of them, from a position on."""
        with Opened(self._max_bytes) as opened:
            for item in self.items(start):
                yield item.source(opened)

    def first(self, count: int) -> Iterator[tuple[str, str | bytes | Exception]]:
        """Names of the first ones, each with a path or bytes that can be read more than once, or why not."""
        with Opened(self._max_bytes) as opened:
            for item in islice(self.items(), count):
                source = item.source(opened)
                if not isinstance(source, str):
                    try:
                        source = read(source, opened, item.name)
                    except (OSError, RefusedError) as error:
                        source = error
                yield item.name, source

    def close(self) -> None:
        """Frees what it holds."""
        self._file.close()

    def __enter__(self) -> Listing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
