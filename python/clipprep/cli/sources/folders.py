"""Images in a folder and its subfolders, sorted by path."""

from __future__ import annotations

import os
from collections.abc import Iterator

from clipprep.cli.sources import archives, kinds
from clipprep.cli.sources.items import File, Item, Refused
from clipprep.cli.sources.leftout import LeftOut

# The kind of an entry of a folder, in one character after its name.
_FILE, _FOLDER, _LINKED_FOLDER, _DEAD, _OTHER = "fdlxo"


def walk(folder: str, left_out: LeftOut, *, follow: bool, max_bytes: int | None) -> Iterator[Item]:
    """The images of a folder, those in its archives included. `follow` enters links to folders."""
    stack: list[tuple[str, Iterator[str]]] = []
    entered: list[tuple[int, int]] = []

    def enter(path: str) -> Item | None:
        try:
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino)
            if identity in entered:
                left_out.add("links to a folder that they are in", path)
                return None
            entries = _entries(path)
        except OSError as error:
            return Refused.because(path, error)
        entered.append(identity)
        stack.append((path, iter(entries)))
        return None

    if (refused := enter(folder)) is not None:
        yield refused
    while stack:
        inside, entries = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
            entered.pop()
            continue
        name, _, kind = entry.partition("\0")
        path = name if inside == "." else os.path.join(inside, name)
        if kinds.is_hidden(name):
            left_out.add("hidden", path)
        elif kind == _FOLDER or (kind == _LINKED_FOLDER and follow):
            if (refused := enter(path)) is not None:
                yield refused
        elif kind == _LINKED_FOLDER:
            left_out.add("links to folders (--follow enters them)", path)
        elif kind == _DEAD:
            left_out.add("links that lead nowhere", path)
        elif kind == _OTHER:
            left_out.add("pipes, sockets and devices", path)
        elif archives.is_archive(name):
            yield from archives.members(path, left_out, max_bytes=max_bytes)
        elif (reason := kinds.why_no_image(name)) is not None:
            left_out.add(reason, path)
        else:
            yield File(path)


def _entries(folder: str) -> list[str]:
    """Sorted names, each with a zero byte, which sorts first, and its kind: a million of them are small as strings."""
    with os.scandir(folder) as entries:
        return sorted(f"{entry.name}\0{_kind(entry)}" for entry in entries)


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        is_link = entry.is_symlink()
        if entry.is_dir():
            return _LINKED_FOLDER if is_link else _FOLDER
        if entry.is_file():
            return _FILE
        return _DEAD if is_link and not os.path.exists(entry.path) else _OTHER
    except OSError:  # a loop of links
        return _DEAD
