"""File objects: read from their beginning as `Image.open` reads them, whatever they were used for before."""

from __future__ import annotations

import gzip
import io
import mmap
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import picture
from support.reference import reference
from support.writers import saved

DATA = saved(picture("RGB", 300, 200), "JPEG")
EXPECTED = reference(opened(DATA), 32)


class Raw(io.RawIOBase):
    """A socket: `read(n)` may give fewer than n."""

    def __init__(self, data: bytes) -> None:
        self.left = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, memory) -> int:
        part = self.left.read(min(len(memory), 7))
        memory[: len(part)] = part
        return len(part)


class Body:
    """An HTTP body: at most 8 KB a call, whatever is asked for."""

    def __init__(self, data: bytes, kind: type = bytes) -> None:
        self.left, self.kind = io.BytesIO(data), kind

    def read(self, size: int = -1) -> object:
        return self.kind(self.left.read(8192 if size < 0 else min(size, 8192)))


class Same:
    """All there is, in each call."""

    def __init__(self, data: bytes, kind: type) -> None:
        self.data, self.kind = data, kind

    def read(self, size: int = -1) -> object:
        return self.kind(self.data)


class Storage:
    """An upload of a web framework, which forwards to its stream."""

    def __init__(self, data: bytes) -> None:
        self.stream, self.filename = io.BytesIO(data), "cat.jpg"

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "cat.jpg"
    made.write_bytes(DATA)
    return made


def just_written() -> io.BytesIO:
    file = io.BytesIO()
    file.write(DATA)
    return file


def in_the_middle() -> io.BytesIO:
    file = io.BytesIO(DATA)
    file.seek(100)
    return file


def looked_at() -> io.BytesIO:
    file = io.BytesIO(DATA)
    assert Image.open(file).size == (300, 200)
    return file


SEEKABLE = {
    "from the beginning": lambda: io.BytesIO(DATA),
    "just written": just_written,
    "in the middle": in_the_middle,
    "after Image.open": looked_at,
    "upload of a framework": lambda: Storage(DATA),
    "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(DATA))),
}
STREAMS = {
    "raw with short reads": lambda: Raw(DATA),
    "a part at a time": lambda: Body(DATA),
    "bytearrays": lambda: Body(DATA, bytearray),
    "views": lambda: Body(DATA, memoryview),
    "all in each call": lambda: Same(DATA, bytes),
    "all in each call, as bytearray": lambda: Same(DATA, bytearray),
    "all in each call, as views": lambda: Same(DATA, memoryview),
}


@pytest.mark.parametrize("name", [*SEEKABLE, *STREAMS])
def test_one_file(small, name: str) -> None:
    assert_equal_bits(small({**SEEKABLE, **STREAMS}[name]()), EXPECTED, name)


@pytest.mark.parametrize("name", SEEKABLE)
def test_used_again(small, name: str) -> None:
    file = SEEKABLE[name]()
    assert small.explain(file).size == (300, 200)
    for turn in ("first", "second"):
        assert_equal_bits(small(file), EXPECTED, f"{name}, {turn}")
    result = small.try_batch([file, file, DATA], num_threads=2)
    assert list(result.ok) == [True, True, True]


@pytest.mark.parametrize("name", ["zip", "zip path", "tar", "streamed tar", "mmap", "unbuffered", "buffered", "spooled"])  # fmt: skip
def test_members_and_files(small, path: Path, name: str) -> None:
    with Member(name, path) as source:
        assert_equal_bits(small(source), EXPECTED, name)


class Member:
    """A file of some kind, open as long as the context lasts."""

    def __init__(self, name: str, path: Path) -> None:
        self.made = getattr(self, name.replace(" ", "_"))(path)

    def __enter__(self) -> object:
        return next(self.made)

    def __exit__(self, *_: object) -> None:
        self.made.close()

    @staticmethod
    def zip(path: Path) -> Iterator[object]:
        with zipfile.ZipFile(io.BytesIO(_zip())) as archive, archive.open("a.jpg") as member:
            yield member

    @staticmethod
    def zip_path(path: Path) -> Iterator[object]:
        with zipfile.ZipFile(io.BytesIO(_zip())) as archive:
            yield zipfile.Path(archive, "a.jpg")

    @staticmethod
    def tar(path: Path) -> Iterator[object]:
        with tarfile.open(fileobj=io.BytesIO(_tar())) as archive:
            yield archive.extractfile("a.jpg")

    @staticmethod
    def streamed_tar(path: Path) -> Iterator[object]:
        with tarfile.open(fileobj=io.BytesIO(_tar()), mode="r|") as archive:
            yield archive.extractfile(archive.next())

    @staticmethod
    def mmap(path: Path) -> Iterator[object]:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            mapped.seek(100)
            yield mapped

    @staticmethod
    def spooled(path: Path) -> Iterator[object]:
        with tempfile.SpooledTemporaryFile() as file:
            file.write(DATA)
            yield file

    @staticmethod
    def unbuffered(path: Path) -> Iterator[object]:
        with path.open("rb", buffering=0) as file:
            yield file

    @staticmethod
    def buffered(path: Path) -> Iterator[object]:
        with path.open("rb") as file:
            file.seek(7)
            yield file


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jpg", DATA)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.size = len(DATA)
        archive.addfile(member, io.BytesIO(DATA))
    return file.getvalue()


class Coroutine:
    async def read(self, size: int = -1) -> bytes:
        return DATA


def closed() -> io.BytesIO:
    file = io.BytesIO(DATA)
    file.close()
    return file


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("make", [closed, Coroutine, lambda: io.StringIO("text")], ids=["closed", "async", "text"])  # fmt: skip
def test_what_cannot_be_read_costs_a_row(small, make) -> None:
    with pytest.raises((clipprep.ImageError, OSError, TypeError, ValueError)):
        small(make())
    result = small.try_batch([make(), DATA])
    assert list(result.ok) == [False, True]
