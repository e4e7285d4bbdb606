"""Words as sources: braces, lists, columns of tables and remote addresses."""

from __future__ import annotations

import functools
import http.server
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clipprep.cli.failures import FailedError
from clipprep.cli.sources import find
from clipprep.cli.sources.words import expand
from support.listings import DATA, PRE, left_out, names, rows, tar
from support.pictures import picture
from support.writers import saved


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a.tar", ["a.tar"]),
        ("{000..002}.tar", ["000.tar", "001.tar", "002.tar"]),
        ("{9..11}", ["9", "10", "11"]),
        ("{3..1}", ["3", "2", "1"]),
        ("s{0..1}/{a,b}.tar", ["s0/a.tar", "s0/b.tar", "s1/a.tar", "s1/b.tar"]),
        ("{}.tar", ["{}.tar"]),
        ("{x}.tar", ["{x}.tar"]),
    ],
)
def test_braces(word: str, expected: list[str]) -> None:
    assert list(expand(word)) == expected


def test_braces_without_end_are_refused() -> None:
    with pytest.raises(FailedError, match="expected fewer"):
        list(expand("{0..99999999999}"))


def test_shards_in_braces(tmp_path: Path) -> None:
    for number in range(3):
        tar(tmp_path / f"{number:03}.tar", {"1.jpg": DATA})
    assert len(names(f"{tmp_path}/{{000..002}}.tar")) == 3
    with pytest.raises(FileNotFoundError, match="003"):
        names(f"{tmp_path}/{{000..003}}.tar")


class Input:
    """Standard input, of bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize("null", [False, True])
def test_lists(null: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsencode(tmp_path) + (b"/a\nb\xe9.jpg" if null else b"/b\xe9.jpg")
    with open(odd, "wb") as file:
        file.write(DATA)
    (tmp_path / "[x]*.jpg").write_bytes(DATA)
    ends = b"\0" if null else b"\r\n"
    listed = [odd, os.fsencode(tmp_path) + b"/[x]*.jpg", b"", os.fsencode(tmp_path) + b"/no.jpg"]
    monkeypatch.setattr("sys.stdin", Input(b"\xef\xbb\xbf" * (not null) + ends.join(listed)))
    found = rows("-", null=null)
    assert [value is True for value in found.values()] == [True, True, False]
    assert os.fsencode(next(iter(found))) == odd


def test_a_list_with_zero_bytes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Input(b"a.jpg\0b.jpg\0"))
    assert "-0" in str(rows("-").popitem())


# Columns -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_columns(ending: str, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / f"photos.{ending}"
    images = [DATA, None, b"no image", DATA]
    local = tmp_path / "local.jpg"
    local.write_bytes(DATA)
    table = pa.table(
        {
            "image": pa.array(images),
            "struct": pa.array([image and {"bytes": image, "path": None} for image in images]),
            "named": pa.array([{"bytes": image, "path": str(local)} for image in images]),
            "words": pa.array(images).dictionary_encode(),
            "path": [str(local), None, "http://127.0.0.1:9/a.jpg", str(local)],
        }
    )
    if ending == "parquet":
        pq.write_table(table, path, row_group_size=3)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, 3)
    for column in ("image", "struct", "words", "path"):
        found = rows(f"{path}:{column}")
        assert list(found) == [f"{path}:{column}[{row}]" for row in range(4)]
        assert [value is True for value in found.values()] == [True, False, False, True]
        assert "found None" in str(found[f"{path}:{column}[1]"])
    assert "--remote" in str(found[f"{path}:path[2]"])
    named = rows(f"{path}:named")
    assert [value is True for value in named.values()] == [True, False, False, True]
    said = str(named[f"{path}:named[1]"])
    assert "local.jpg" in said
    assert "not opened" in said
    with pytest.raises(FailedError, match="expected a column 'nosuch', found image, struct"):
        names(f"{path}:nosuch")
    with pytest.raises(FailedError, match=":COLUMN, of the columns image"):
        names(path)
    with pytest.raises(FileNotFoundError):
        names(f"{tmp_path}/nosuch.{ending}:image")
    path.write_bytes(path.read_bytes()[:-20])
    assert list(rows(f"{path}:image")) == [str(path)]


def test_a_column_goes_on_where_a_run_stopped(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "photos.parquet"
    images = [saved(picture("RGB", 40 + row, 40), "PNG") for row in range(200)]
    pq.write_table(pa.table({"image": images}), path, row_group_size=90)
    with find([f"{path}:image"]) as listing:
        found = PRE.batch(listing.sources(150))
    assert np.array_equal(found, PRE.batch(images[150:]))


# Remote addresses ----------------------------------------------------------------------------------


@pytest.fixture
def memory() -> Iterator[None]:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.pipe({"/bucket/a.jpg": DATA, "/bucket/sub/b.png": DATA, "/bucket/notes.txt": b""})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as opened:
        member = tarfile.TarInfo("1.jpg")
        member.size = len(DATA)
        opened.addfile(member, io.BytesIO(DATA))
    files.pipe("/shards/0.tar", packed.getvalue())
    yield
    files.rm("/bucket", recursive=True)
    files.rm("/shards", recursive=True)


@pytest.mark.usefixtures("memory")
def test_addresses() -> None:
    assert rows("memory://bucket/a.jpg") == {"memory://bucket/a.jpg": True}
    assert list(rows("memory://bucket").values()) == [True, True]
    assert left_out("memory://bucket") == {".txt files": 1}
    assert list(rows("memory://bucket/*.jpg").values()) == [True]
    assert list(rows("memory://shards/{0..0}.tar").values()) == [True]
    pa = pytest.importorskip("pyarrow")
    table = io.BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(pa.table({"image": [DATA, DATA]}), table)
    pytest.importorskip("fsspec").filesystem("memory").pipe("/shards/a.parquet", table.getvalue())
    assert list(rows("memory://shards/a.parquet:image").values()) == [True, True]
    for nothing in ("memory://bucket/none.jpg", "memory://none", "memory://bucket/*.gif"):
        with pytest.raises(FileNotFoundError):
            names(nothing)
    with pytest.raises(FailedError, match="nosuch"):
        names("nosuch://bucket/a.jpg")


@pytest.mark.usefixtures("memory")
def test_addresses_in_lists_have_to_be_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    local = f"file://{tmp_path}/secret.jpg"
    (tmp_path / "secret.jpg").write_bytes(DATA)
    for remote in (False, True):
        listed = f"memory://bucket/a.jpg\n{local}\nfilecache::{local}\nzip://a.jpg::{local}\n"
        monkeypatch.setattr("sys.stdin", Input(listed.encode()))
        found = list(rows("-", remote=remote).values())
        assert [value is True for value in found] == [remote, False, False, False]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_web_server(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    (tmp_path / "a.jpg").write_bytes(DATA)
    tar(tmp_path / "0.tar", {"1.jpg": DATA})
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert rows(f"{url}/a.jpg") == {f"{url}/a.jpg": True}
        assert rows(f"{url}/0.tar") == {f"{url}/0.tar/1.jpg": True}
        with pytest.raises(FileNotFoundError):
            names(f"{url}/none.jpg")
        server.shutdown()
