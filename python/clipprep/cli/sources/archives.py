"""Images inside tars, compressed or not, and zips: listed without unpacking, read in place."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from clipprep._sources import Failing
from clipprep.cli.sources import kinds
from clipprep.cli.sources.items import (
    Item,
    Lazy,
    Named,
    Opened,
    Refused,
    open_regular,
)
from clipprep.cli.sources.leftout import LeftOut

#: A header of an archive, such as a long name, may have so many bytes.
_MAX_HEADER = 1 << 20
#: A member of a compressed tar waits for its turn in memory up to this size.
_IN_MEMORY = 4 << 20
_BLOCK = tarfile.BLOCKSIZE
_DECOMPRESSORS: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive."""
    return kinds.is_tar(name) or kinds.is_zip(name)


def members(path: str, left_out: LeftOut, *, max_bytes: int | None) -> Iterator[Item]:
    """The images in an archive, in its order. What ends it before its end costs a row."""
    try:
        if kinds.is_zip(path):
            yield from _zip_members(path, left_out, max_bytes)
        else:
            yield from _tar_members(path, left_out, max_bytes)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except Exception as error:  # of a library that reads what strangers wrote
        yield Refused.because(path, error)


# Tars ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _InTar:
    """An image in a tar."""

    tar: str
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        """The tar and the place in it, joined as a path."""
        return f"{self.tar}/{self.member}"


class Member(_InTar):
    """An image in a tar that is not compressed, read where it lies."""

    __slots__ = ()

    def source(self, opened: Opened) -> Any:
        try:
            opened.check(self.size, self.name)
        except OSError as error:
            return Failing(self.name, error)
        return Lazy(self.name, self._open)

    def _open(self) -> IO[bytes]:
        file = open_regular(self.tar)
        return _Piece(file, self.offset, self.size)  # type: ignore[return-value]


class Packed(_InTar):
    """An image in a compressed tar: its bytes begin `offset` bytes after the beginning, unpacked."""

    __slots__ = ()

    def source(self, opened: Opened) -> Any:
        try:
            opened.check(self.size, self.name)
            return opened.use(("tar", self.tar), lambda: _decompressed(self.tar), self._taken)
        except Exception as error:
            return Refused.because(self.name, error).source(opened)

    def _taken(self, file: IO[bytes]) -> Named | Lazy:
        """The bytes, which have to be read now; many of them wait in a file for their turn."""
        file.seek(self.offset)  # forward, as items are asked in order
        if self.size <= _IN_MEMORY:
            return Named(file.read(self.size), self.name)
        copy = tempfile.TemporaryFile()  # noqa: SIM115, for it is closed where it is read
        left = self.size
        while left and (piece := file.read(min(left, _IN_MEMORY))):
            copy.write(piece)
            left -= len(piece)
        copy.seek(0)
        return Lazy(self.name, lambda: copy)


class _Piece:
    """A part of a file, as a file that is read once."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file = file
        self._left = size
        file.seek(offset)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


class _Bounded:
    """An archive as a library reads it, which may not have it read more than `most` bytes at a time."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise OSError(f"expected headers of at most {self._most:,} bytes, found {size:,}")
        data = self._file.read(size if size >= 0 else self._most + 1)
        if len(data) > self._most:
            raise OSError(f"expected headers of at most {self._most:,} bytes, found more")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()


def _decompressed(path: str) -> IO[bytes]:
    """A tar as it was before it was compressed."""
    file = open_regular(path)
    try:
        magic = file.read(6)
        file.seek(0)
        for prefix, opener in _DECOMPRESSORS:
            if magic.startswith(prefix):
                unpacked: IO[bytes] = opener(file)
                weakref.finalize(unpacked, file.close)  # which closing it would leave open
                return unpacked
    except BaseException:
        file.close()
        raise
    return file


def _tar_members(path: str, left_out: LeftOut, max_bytes: int | None) -> Iterator[Item]:
    most = _MAX_HEADER if max_bytes is None else min(_MAX_HEADER, max(max_bytes, _BLOCK))
    with _decompressed(path) as file:
        is_packed = isinstance(file, (gzip.GzipFile, bz2.BZ2File, lzma.LZMAFile))
        kind = Packed if is_packed else Member
        headers: Any = _Bounded(file, most)
        with tarfile.open(fileobj=headers, mode="r:", errors="surrogateescape") as tar:
            before = -1
            while (member := tar.next()) is not None:
                if tar.offset <= before or member.size < 0:
                    raise OSError("expected a tar that goes on, found one that goes back")
                before = tar.offset
                vars(tar)["members"].clear()  # of which tarfile keeps every one
                if is_packed and max_bytes is not None and member.size > max_bytes:
                    # To go on, all of it would have to be unpacked.
                    yield Refused(
                        f"{path}/{member.name}",
                        f"expected at most max_bytes={max_bytes:,}, found {member.size:,} bytes;"
                        " what follows in this archive is not read",
                    )
                    return
                if (reason := _why_no_member(member)) is not None:
                    if reason:
                        left_out.add(reason, f"{path}/{member.name}")
                    continue
                yield kind(path, member.name, member.offset_data, member.size)
            file.seek(tar.offset)
            end = file.read(_BLOCK)
        if end and end != bytes(_BLOCK):
            raise OSError(
                f"expected a whole tar, found one that is cut or damaged at byte {tar.offset:,}"
            )
        if not end:
            left_out.add("tars without an end mark, perhaps cut", path)


def _why_no_member(member: tarfile.TarInfo) -> str | None:
    """Why a member is left out, empty for what nobody misses; None for an image."""
    if member.isdir():
        return ""
    if member.islnk() or member.issym():
        return "links in archives"
    if not member.isfile() or member.issparse():
        return "devices and sparse files in archives"
    return kinds.why_no_image(member.name)


# Zips ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Zipped:
    """An image in a zip."""

    zip: str
    member: str
    number: int
    size: int

    @property
    def name(self) -> str:
        """The zip and the place in it, joined as a path."""
        return f"{self.zip}/{self.member}"

    def source(self, opened: Opened) -> Any:
        try:
            opened.check(self.size, self.name)
        except OSError as error:
            return Failing(self.name, error)
        return Lazy(self.name, lambda: self._open(opened))

    def _open(self, opened: Opened) -> IO[bytes]:
        def member(archive: zipfile.ZipFile) -> IO[bytes]:
            return archive.open(archive.infolist()[self.number])

        return opened.use(("zip", self.zip), lambda: _zip(self.zip, opened.max_bytes), member)


def _zip(path: str, max_bytes: int | None) -> zipfile.ZipFile:
    file = open_regular(path)
    try:
        bounded: Any = file if max_bytes is None else _Bounded(file, max_bytes)
        archive = zipfile.ZipFile(bounded)
    except BaseException:
        file.close()
        raise
    weakref.finalize(archive, file.close)  # when none of its members is read any more
    return archive


def _zip_members(path: str, left_out: LeftOut, max_bytes: int | None) -> Iterator[Item]:
    with _zip(path, max_bytes) as archive:
        for number, member in enumerate(archive.infolist()):
            if member.is_dir():
                continue
            if (reason := kinds.why_no_image(member.filename)) is not None:
                left_out.add(reason, f"{path}/{member.filename}")
                continue
            yield Zipped(path, member.filename, number, member.file_size)
