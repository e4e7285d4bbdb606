"""Each kind of source, each kind of damage, and that one bad thing costs its rows alone."""

from __future__ import annotations

import functools
import gzip
import http.server
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import clipprep
from clipprep import cli
from clipprep.cli.failures import FailedError
from clipprep.cli.sources import Asked, find, folders, kinds
from clipprep.cli.sources.words import expand
from support.pictures import picture
from support.writers import saved

DATA = saved(picture("RGB", 90, 60), "JPEG")
PRE = clipprep.Preprocess(32)
EXPECTED = PRE(DATA)


def names(*words: object, **asked: object) -> list[str]:
    with find(map(str, words), Asked(**asked)) as listing:
        return [item.name for item in listing]


def rows(*words: object, **asked: object) -> dict[str, object]:
    """By name: whether the row is right, or its error."""
    with find(map(str, words), Asked(**asked)) as listing:
        found = PRE.try_batch(listing.sources())
        return {
            item.name: str(found.errors[row])
            if row in found.errors
            else np.array_equal(found.pixels[row], EXPECTED)
            for row, item in enumerate(listing)
        }


def left_out(*words: object, **asked: object) -> dict[str, int]:
    with find(map(str, words), Asked(**asked)) as listing:
        return dict(listing.left_out.counts)


def run(folder: Path, *arguments: object) -> int:
    try:
        return cli.main(["run", *map(str, arguments), "--model", "32", "--out", f"{folder}/t.npy"])
    except SystemExit as end:
        return int(str(end.code))


def tar(path: Path, members: dict[str, bytes], mode: str = "w", **settings: object) -> Path:
    with tarfile.open(path, mode, **settings) as opened:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return path


# Folders -------------------------------------------------------------------------------------------


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    """The folder of a phone, with all that is in it."""
    folder = tmp_path / "phone"
    for name in ("a.JPG", "b.heic", "c.HEIF", "d.mpo", "e.jxl", "noext", "g.jpg.part", ".hidden.jpg",
                 ".git/h.jpg", "sub/._a.jpg", "sub/x.jpeg", "notes.txt", "other.txt"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(DATA)
    return folder


def test_what_is_left_out_is_counted_and_named(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clipprep.cli.sources.kinds.register_plugins", frozenset)
    assert names(phone) == [f"{phone}/{name}" for name in ("a.JPG", "d.mpo", "sub/x.jpeg")]
    counts = left_out(phone)
    assert counts == {
        "hidden": 3,
        "without a suffix": 1,
        ".heic without its plug-in (pip install pillow-heif)": 1,
        ".heif without its plug-in (pip install pillow-heif)": 1,
        ".jxl without its plug-in (pip install pillow-jxl-plugin)": 1,
        ".part is no suffix of images": 1,
        ".txt is no suffix of images": 2,
    }
    assert run(tmp_path, phone) == 0
    said = capsys.readouterr().err
    assert f"left out: 2 .txt is no suffix of images: {phone}/notes.txt, {phone}/other.txt" in said
    assert run(tmp_path, phone, "--json", "--overwrite") == 0
    found = json.loads(capsys.readouterr().out)["left_out"]
    assert {reason: line["count"] for reason, line in found.items()} == counts


def test_a_folder_of_no_images_says_what_it_has(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clipprep.cli.sources.kinds.register_plugins", frozenset)
    for path in (phone / "a.JPG", phone / "d.mpo", phone / "sub" / "x.jpeg"):
        path.unlink()
    assert run(tmp_path, phone) == 2
    said = capsys.readouterr().err
    assert "no image files in" in said
    assert "without a suffix" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("suffix", "module", "form"), [(".heic", "pillow_heif", "HEIF"), (".jxl", "pillow_jxl", "JXL")]
)
def test_plugins_are_used_where_they_are_installed(
    suffix: str, module: str, form: str, tmp_path: Path
) -> None:
    pytest.importorskip(module)
    kinds.register_plugins()
    picture("RGB", 90, 60).save(tmp_path / f"a{suffix}", form)
    command = [sys.executable, "-m", "clipprep", "run", str(tmp_path), "--model", "32"]
    done = subprocess.run([*command, "--out", str(tmp_path / "t.npy")], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "t.npy").any()


def test_a_folder_is_sorted_as_paths_are(tmp_path: Path) -> None:
    expected = ["a/z.jpg", "a.jpg", "a0.jpg", "b.jpg"]
    for name in expected:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(DATA)
    found = names(tmp_path)
    assert found == [f"{tmp_path}/{name}" for name in expected]
    assert found == sorted(found, key=lambda name: name.split("/"))


def test_links(tmp_path: Path) -> None:
    photos, other = tmp_path / "photos", tmp_path / "other"
    for path in (photos / "a.jpg", other / "b.jpg"):
        path.parent.mkdir()
        path.write_bytes(DATA)
    (photos / "alias.jpg").symlink_to("a.jpg")
    (photos / "dead.jpg").symlink_to("nowhere.jpg")
    (photos / "self.jpg").symlink_to("self.jpg")
    (photos / "other").symlink_to(other)
    (photos / "up").symlink_to(photos)
    (other / "back").symlink_to(photos)
    os.mkfifo(photos / "pipe.jpg")
    assert names(photos) == [f"{photos}/a.jpg", f"{photos}/alias.jpg"]
    assert left_out(photos) == {
        "links that lead nowhere": 2,
        "links to folders (--follow enters them)": 2,
        "pipes, sockets and devices": 1,
    }
    followed = [f"{photos}/a.jpg", f"{photos}/alias.jpg", f"{photos}/other/b.jpg"]
    assert names(photos, follow=True) == followed
    assert left_out(photos, follow=True)["links to a folder that they are in"] == 2


def test_a_folder_that_may_not_be_read_costs_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(DATA)
    entries = folders._entries

    def refuse(path: str) -> list[str]:
        if path.endswith("/b"):
            raise PermissionError(13, "Permission denied", path)
        return entries(path)

    monkeypatch.setattr(folders, "_entries", refuse)
    found = rows(tmp_path)
    assert found.pop(f"{tmp_path}/b") == f"[Errno 13] Permission denied: '{tmp_path}/b'"
    assert found == {f"{tmp_path}/a/1.jpg": True, f"{tmp_path}/c/3.jpg": True}
    assert run(tmp_path, tmp_path) == 1


def test_deep_folders(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(300):
        path = path / "ddddd"
    path.mkdir(parents=True)
    (path / "a.jpg").write_bytes(DATA)
    assert names(tmp_path) == [f"{path}/a.jpg"]


# Tars and zips -------------------------------------------------------------------------------------

MEMBERS = {
    "1.jpg": DATA,
    "1.json": b"{}",
    "x/2.jpeg": DATA,
    "__MACOSX/._1.jpg": b"\0\5\x16\7",
    "/abs.jpg": DATA,
    "../up.jpg": DATA,
}
IMAGES = ("1.jpg", "x/2.jpeg", "/abs.jpg", "../up.jpg")


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("inside", [False, True], ids=["named", "in a folder"])
def test_tars(ending: str, inside: bool, tmp_path: Path) -> None:
    mode = {"tar": "w", "tgz": "w:gz"}.get(ending) or f"w:{ending[4:]}"
    path = tar(tmp_path / f"shard.{ending}", MEMBERS, mode)
    found = rows(tmp_path if inside else path)
    assert found == {f"{path}/{name}": True for name in IMAGES}
    assert left_out(path) == {"hidden": 1, ".json is no suffix of images": 1}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zips(compression: int, tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w", compression) as opened:
        opened.mkdir("folder")
        for name, data in MEMBERS.items():
            opened.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr("1.jpg", b"another")
    found = rows(path)
    assert "expected" in str(found.pop(f"{path}/1.jpg"))  # of two members of a name, the second
    assert found == {f"{path}/{name}": True for name in IMAGES[1:]}
    assert names(path).count(f"{path}/1.jpg") == 2


def test_more_archives_than_are_kept_open(tmp_path: Path) -> None:
    for number in range(30):
        with zipfile.ZipFile(tmp_path / f"{number:02}.zip", "w") as opened:
            opened.writestr("a.jpg", DATA)
    tar(tmp_path / "z.tar.gz", MEMBERS, "w:gz")
    found = rows(tmp_path)
    assert len(found) == 34
    assert all(found.values())


def test_a_duplicate_costs_nothing(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as opened:
        for data in (b"first", DATA):
            member = tarfile.TarInfo("1.jpg")
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    with find([tmp_path / "a.tar"]) as listing:
        found = PRE.try_batch(listing.sources())
    assert found.ok.tolist() == [False, True]


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_a_cut_tar_costs_its_rows_wherever_it_is_cut(ending: str, tmp_path: Path) -> None:
    """Never an exception, never a silent loss; the rows before the cut are right."""
    whole = tar(tmp_path / f"whole.{ending}", {f"{i}.jpg": DATA for i in range(4)}, "w:gz"[: 4 if "gz" in ending else 1])  # fmt: skip
    data = whole.read_bytes()
    size = 4 * (512 + (len(DATA) + 511) // 512 * 512)
    cuts = {0, 1, 100, 511, 512, 700, size // 4 + 100, size // 4 + 513, size // 2 + 511, size - 5}
    for cut in sorted(cuts if ending == "tar" else {1, 11, len(data) // 3, len(data) // 2}):
        path = tmp_path / f"cut{cut}.{ending}"
        path.write_bytes(data[:cut])
        found = rows(path)
        errors = [error for error in found.values() if error is not True]
        assert found[str(path)] in errors, cut
        good = sum(value is True for value in found.values())
        if ending == "tar":  # those whose bytes are all there
            assert good == sum(size // 4 * i + 512 + len(DATA) <= cut for i in range(4))
        if ending == "tar" and cut > 512:
            assert f"{path}/0.jpg" in found


def test_a_tar_cut_between_members_is_named(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"1.jpg": DATA, "2.jpg": DATA})
    path.write_bytes(path.read_bytes()[: 512 + (len(DATA) + 511) // 512 * 512])
    assert rows(path) == {f"{path}/1.jpg": True}
    assert left_out(path) == {"tars without an end mark, perhaps cut": 1}


def test_a_tar_with_rubbish_in_it(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"1.jpg": DATA, "2.jpg": DATA})
    data = bytearray(path.read_bytes())
    at = 512 + (len(DATA) + 511) // 512 * 512
    data[at : at + 512] = os.urandom(512)
    path.write_bytes(data)
    found = rows(path)
    assert found.pop(f"{path}/1.jpg") is True
    assert "cut or damaged at byte" in str(found[str(path)])


def header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    block = bytearray(512)
    block[0 : len(name)] = name
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


HOSTILE = {
    "a long name of 4 GB": header(b"././@LongLink", b"\x80" + struct.pack(">QI", 0, 1 << 32 - 1)[1:], b"L"),
    "a pax header of 900 MB": header(b"pax", b"%011o\0" % (900 << 20), b"x"),
    "a negative size": header(b"a.jpg", b"\xff" * 11 + b"\x00"),
    "many pax headers": header(b"pax", b"%011o\0" % 0, b"x") * 20_000,
    "a pax header that goes back": header(b"pax", b"%011o\0" % 20, b"x") + b"20 size=-100000000\n\n".ljust(512, b"\0") + header(b"a.jpg", b"%011o\0" % 0) * 3,
    "a member of 8 EB": header(b"a.jpg", b"\x80\0\0\0" + struct.pack(">Q", 1 << 62)),
}  # fmt: skip


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("packed", [False, True])
def test_hostile_headers(attack: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / f"a.tar{'.gz' if packed else ''}"
    first = header(b"1.jpg", b"%011o\0" % len(DATA)) + DATA.ljust(
        (len(DATA) + 511) // 512 * 512, b"\0"
    )
    data = first + HOSTILE[attack]
    path.write_bytes(gzip.compress(data) if packed else data)
    start = time.process_time()
    found = rows(path, max_bytes=1 << 20)
    assert time.process_time() - start < 3
    assert found.pop(f"{path}/1.jpg") is True
    assert len(found) >= 1
    assert all(isinstance(error, str) for error in found.values())


def test_max_bytes_bounds_members(tmp_path: Path) -> None:
    members = {"1.jpg": DATA, "2.jpg": DATA + bytes(1 << 20), "3.jpg": DATA}
    paths = [tar(tmp_path / "a.tar", members), tar(tmp_path / "b.tar.gz", members, "w:gz")]
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    for path in (*paths, tmp_path / "c.zip"):
        found = rows(path, max_bytes=1 << 20)
        assert "max_bytes=1,048,576" in str(found[f"{path}/2.jpg"])
        assert found[f"{path}/1.jpg"] is True
        if path.suffix != ".gz":  # where what follows would have to be unpacked past the large one
            assert found[f"{path}/3.jpg"] is True
        assert all(rows(path).values())


def test_encrypted_and_damaged_zips(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("1.jpg", DATA)
        opened.writestr("2.jpg", DATA)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1  # encrypted, says the directory
    path.write_bytes(data)
    found = rows(path)
    assert "password" in str(found[f"{path}/1.jpg"])
    assert found[f"{path}/2.jpg"] is True
    for cut in (0, 10, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:cut])
        assert list(rows(path)) == [str(path)]


def test_max_bytes_bounds_directories(tmp_path: Path) -> None:
    """Of a zip, which is read whole before its first member is."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        for number in range(3000):
            opened.writestr(f"{number:0100}.jpg", b"")
    [(name, error)] = rows(tmp_path / "a.zip", max_bytes=200_000).items()
    assert name == str(tmp_path / "a.zip")
    assert "expected headers of at most 200,000 bytes" in str(error)


def test_max_bytes_bounds_footers(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": [DATA] * 300}), path, row_group_size=1)
    [(name, error)] = rows(f"{path}:image", max_bytes=5000).items()
    assert name == str(path)
    assert "expected a footer of at most max_bytes=5,000" in str(error)


# Words ---------------------------------------------------------------------------------------------


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
        assert "null" in str(found[f"{path}:{column}[1]"]) or "None" in str(found[f"{path}:{column}[1]"])  # fmt: skip
    assert "--remote" in str(found[f"{path}:path[2]"])
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


# Remote --------------------------------------------------------------------------------------------


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
    assert left_out("memory://bucket") == {".txt is no suffix of images": 1}
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
