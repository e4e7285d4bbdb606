"""Folders as sources of the command line: their order, links, plugins and the files left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clipprep.cli.sources import folders, kinds
from support.listings import DATA, left_out, names, rows, run
from support.pictures import picture


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
        "files without a suffix": 1,
        ".heic without its plug-in (pip install pillow-heif)": 1,
        ".heif without its plug-in (pip install pillow-heif)": 1,
        ".jxl without its plug-in (pip install pillow-jxl-plugin)": 1,
        ".part files": 1,
        ".txt files": 2,
    }
    assert run(tmp_path, phone) == 0
    said = capsys.readouterr().err
    assert f"left out: 2 .txt files: {phone}/notes.txt, {phone}/other.txt" in said
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
    assert "files without a suffix" in said
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
