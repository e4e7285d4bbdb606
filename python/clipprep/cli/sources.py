"""What the words of a command line stand for: image files, and images inside tars."""

from __future__ import annotations

import glob
import os
import sys
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

#: What a folder or a tar is searched for; a file named on the command line may have any suffix.
IMAGE_SUFFIXES = (
    *(".apng", ".avif", ".bmp", ".dib", ".gif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg"),
    *(".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".tga", ".tif", ".tiff", ".webp"),
)


@dataclass(frozen=True)
class Member:
    """An image in a tar that is not compressed: a binary file to `Preprocess`, read when it is needed."""

    tar: Path
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        """The tar and the place in it, joined as a path."""
        return f"{self.tar}/{self.member}"

    def read(self) -> bytes:
        """The encoded image."""
        with self.tar.open("rb") as opened:
            opened.seek(self.offset)
            return opened.read(self.size)

    def __str__(self) -> str:
        return self.name


Source: TypeAlias = Path | Member


def find(words: Iterable[str | Path]) -> list[Source]:
    """The images that words name, in order.

    A folder stands for its image files, sorted by path, a tar for those inside it, in their order;
    hidden ones are left out. A word with `*`, `?` or `[` that is no file is a pattern (`**` crosses
    folders), and `-` stands for the lines of standard input.

    Raises OSError for a word that names nothing, and for a tar that cannot be read.
    """
    found: list[Source] = []
    for word, is_listed in _words(words):
        path = Path(word)
        if not is_listed and not os.path.lexists(path):
            raise FileNotFoundError(f"no such file or folder: {word}")
        if path.is_dir():
            found += sorted(inside for inside in path.rglob("*") if _is_image(inside, path))
        elif path.suffix.lower() == ".tar" and path.exists():
            found += _members(path)
        else:
            found.append(path)
    return found


def _words(words: Iterable[str | Path]) -> Iterator[tuple[str, bool]]:
    """Each with whether it comes from a list, of which a name that is not there costs a row."""
    for word in map(str, words):
        if word == "-":
            yield from ((os.fsdecode(line), True) for line in map(_stripped, _input()) if line)
        elif glob.has_magic(word) and not os.path.lexists(word):
            matches = sorted(glob.glob(word, recursive=True))
            if not matches:
                raise FileNotFoundError(f"no file matches {word}")
            yield from ((match, False) for match in matches)
        else:
            yield word, False


def _input() -> Iterable[bytes]:
    """The lines of standard input: names are bytes."""
    stream: Iterable[bytes] = getattr(sys.stdin, "buffer", None) or map(os.fsencode, sys.stdin)
    return stream


def _stripped(line: bytes) -> bytes:
    return line.rstrip(b"\r\n")


def _members(path: Path) -> Iterator[Member]:
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isfile() and _has_image_name(Path(member.name)):
                    yield Member(path, member.name, member.offset_data, member.size)
    except tarfile.TarError as error:
        raise OSError(f"{path}: expected a tar without compression, found: {error}") from error


def _is_image(path: Path, folder: Path) -> bool:
    return _has_image_name(path.relative_to(folder)) and path.is_file()


def _has_image_name(path: Path) -> bool:
    hidden = any(part.startswith(".") and part != "." for part in path.parts)
    return not hidden and path.suffix.lower() in IMAGE_SUFFIXES
