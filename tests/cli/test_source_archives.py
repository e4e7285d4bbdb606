"""Tars and zips as sources: each way of damage, and that one bad thing costs its rows alone."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from clipprep.cli.sources import find
from support.listings import DATA, PRE, left_out, names, rows, tar

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
    assert left_out(path) == {"hidden": 1, ".json files": 1}


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
