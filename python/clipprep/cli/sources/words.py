"""From the words of a command line to items: files, folders, patterns, lists, columns, addresses."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clipprep.cli.failures import FailedError
from clipprep.cli.sources import addresses, archives, folders, remote, tables
from clipprep.cli.sources.items import File, Item, Refused, named_in_data
from clipprep.cli.sources.leftout import LeftOut
from clipprep.cli.sources.listing import Listing

#: A part of a word in braces: a range of numbers, or words with commas.
_BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}")
#: More words than this in one pair of braces are a slip.
_MAX_BRACES = 10_000_000


@dataclass(frozen=True)
class Asked:
    """The options of reading words."""

    follow: bool = False
    """Whether links to folders are entered."""
    null: bool = False
    """Whether lists on standard input end each name with a zero byte, as `find -print0` does."""
    remote: bool = False
    """Whether addresses in lists and columns are asked for, too."""
    max_bytes: int | None = None
    """The most bytes of a member of an archive, and of an archive's headers."""


def find(
    words: Iterable[str | Path],
    asked: Asked | None = None,
    watch: Callable[[Iterator[Item]], Iterable[Item]] = iter,
) -> Listing:
    """The images that words name, in order.

    A folder stands for its image files, sorted by path, an archive for those inside it, in their order;
    hidden ones are left out. A word with `*`, `?` or `[` that is no file is a pattern (`**` crosses
    folders), `{000..010}` and `{a,b}` are several words, `FILE.parquet:COLUMN` is a column, and `-`
    stands for the names on standard input.

    Raises FileNotFoundError for a word that names nothing, FailedError for one that cannot be understood.
    In lists, folders and archives a bad thing costs its row. `watch` may look at what is found.
    """
    asked = asked or Asked()
    left_out = LeftOut()
    found = (item for word in words for item in _word(str(word), left_out, asked))
    listing = Listing(watch(found), left_out, max_bytes=asked.max_bytes)
    if not len(listing):
        named = ", ".join(map(str, words))
        raise FileNotFoundError("; ".join([f"no image files in {named}", *left_out.lines()]))
    return listing


def expand(word: str) -> Iterator[str]:
    """The words that a word with braces stands for.

    >>> list(expand("{08..10}.tar"))
    ['08.tar', '09.tar', '10.tar']
    """
    found = _BRACES.search(word)
    if found is None:
        yield word
        return
    before, after = word[: found.start()], word[found.end() :]
    if found[3] is not None:
        middles: Iterable[str] = found[3].split(",")
    else:
        first, last = int(found[1]), int(found[2])
        if abs(last - first) >= _MAX_BRACES:
            raise FailedError(f"{word}: expected fewer than {_MAX_BRACES:,} names")
        width = max(map(len, found.group(1, 2))) if "0" in (found[1][0], found[2][0]) else 0
        step = 1 if last >= first else -1
        middles = (f"{number:0{width}}" for number in range(first, last + step, step))
    for middle in middles:
        for rest in expand(after):
            yield before + middle + rest


def _word(word: str, left_out: LeftOut, asked: Asked) -> Iterator[Item]:
    if word == "-":
        for name in _input(asked.null):
            yield from _listed(name, left_out, asked)
    elif os.path.lexists(word):
        yield from _path(word, left_out, asked)
    elif addresses.is_remote(word):
        for address in expand(word):
            yield from _address(address, left_out, asked)
    else:
        for one in expand(word):
            yield from _one(one, left_out, asked)


def _address(word: str, left_out: LeftOut, asked: Asked) -> Iterator[Item]:
    if (column := tables.split(word)) is not None:
        return tables.cells(*column, remote=asked.remote, max_bytes=asked.max_bytes)
    return remote.find(word, left_out, max_bytes=asked.max_bytes)


def _one(word: str, left_out: LeftOut, asked: Asked) -> Iterator[Item]:
    """A word of a command line without braces."""
    path, column = tables.split(word) or (word, None)
    if os.path.lexists(word):
        path, column = word, None
    if os.path.lexists(path):
        matches = [path]
    elif glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            raise FileNotFoundError(f"no file matches {path}")
    else:
        raise FileNotFoundError(f"no such file or folder: {path}")
    for match in matches:
        if column is not None:
            yield from tables.cells(match, column, remote=asked.remote, max_bytes=asked.max_bytes)
        else:
            yield from _path(match, left_out, asked)


def _path(word: str, left_out: LeftOut, asked: Asked) -> Iterator[Item]:
    """A path that is there."""
    path = str(Path(word))
    if os.path.isdir(path):
        yield from folders.walk(path, left_out, follow=asked.follow, max_bytes=asked.max_bytes)
    elif archives.is_archive(path):
        yield from archives.members(path, left_out, max_bytes=asked.max_bytes)
    elif path.lower().endswith(tables.SUFFIXES) and os.path.isfile(path):
        columns = ", ".join(tables.columns(path))
        raise FailedError(f"{path}: expected {path}:COLUMN, of the columns {columns}")
    else:
        yield File(path)


def _listed(name: str, left_out: LeftOut, asked: Asked) -> Iterator[Item]:
    """A name in a list: what is wrong with it costs a row."""
    if "\0" in name:
        yield Refused(name.replace("\0", "\\0"), "expected a name, found zero bytes in it: -0?")
    elif os.path.isdir(name) or (archives.is_archive(name) and os.path.exists(name)):
        yield from _path(name, left_out, asked)
    else:
        yield named_in_data(name, remote=asked.remote)


def _input(null: bool) -> Iterator[str]:
    """The names on standard input, which are bytes."""
    stream = getattr(sys.stdin, "buffer", None)
    lines = (
        map(os.fsencode, sys.stdin)
        if stream is None
        else _split(stream, b"\0"[: int(null)] or b"\n")
    )
    for number, line in enumerate(lines):
        if number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        line = line.rstrip(b"\0" if null else b"\r\n")
        if line:
            yield os.fsdecode(line)


def _split(stream: object, end: bytes) -> Iterator[bytes]:
    rest = b""
    while piece := stream.read1(1 << 16):  # type: ignore[attr-defined]
        *lines, rest = (rest + piece).split(end)
        if len(rest) > 1 << 20:
            raise FailedError("expected a list of names on standard input, found something else")
        yield from lines
    yield rest
