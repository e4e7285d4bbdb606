"""Folders that people have: names that are not UTF-8, FIFOs, loops of links, archives of every kind."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from support.pictures import picture
from support.waiting import NEVER
from support.writers import saved

DATA = saved(picture("RGB", 90, 60), "JPEG")
ODD = b"caf\xe9.jpg"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")


def clipprep(folder: Path, *arguments: str | bytes, stdin: bytes = b"", environ: dict | None = None) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
    """The command line as a terminal of UTF-8 starts it, whose output is strict about it."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict", **(environ or {})}
    return subprocess.run(
        [sys.executable, "-m", "clipprep", *arguments],
        input=stdin, capture_output=True, cwd=folder, env=environment, timeout=NEVER,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good file, one whose name is not UTF-8, and one that is no image and whose name is not either."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "ok.jpg").write_bytes(DATA)
    for name, data in ((ODD, DATA), (b"b\xe9.jpg", b"nope")):
        with open(os.fsencode(tmp_path / "photos") + b"/" + name, "wb") as file:
            file.write(data)
    return tmp_path


@pytest.mark.parametrize("out", ["o.npy", "o.safetensors", "o.parquet", "o.arrow"])
def test_run_writes_names_that_are_not_utf8(folder: Path, out: str) -> None:
    done = clipprep(folder, "run", "photos", "--model", "32", "--out", out)
    assert b"Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1  # for the file that is no image
    assert (folder / out).exists()


@pytest.mark.parametrize(
    "command",
    [
        ("view", "photos", "--out", "v.png"),
        ("explain", "photos"),
        ("explain", "photos", "--json"),
        ("verify", "photos", "--jobs", "0"),
        ("verify", "photos", "--jobs", "0", "--json"),
        ("bench", "photos", "--seconds", "0.1"),
        ("run", b"photos/" + ODD, "--model", "32", "--out", "q.npy"),
        ("run", b"nosuch\xe9.jpg", "--model", "32", "--out", "q.npy"),
        ("run", b"nosuch\xe9*.jpg", "--model", "32", "--out", "q.npy"),
        ("verify", b"nosuch\xe9"),
    ],
    ids=repr,
)
def test_no_command_breaks(folder: Path, command: tuple[str | bytes, ...]) -> None:
    done = clipprep(folder, *command)
    assert b"Traceback" not in done.stderr, done.stderr


def test_the_same_command_writes_the_same_bytes(folder: Path) -> None:
    outputs = []
    for name in ("a", "b"):
        clipprep(folder, "run", "photos", "--model", "32", "--out", f"{name}.npy")
        outputs.append([(folder / f"{name}{end}").read_bytes() for end in (".npy", ".npy.jsonl")])
    assert outputs[0][0] == outputs[1][0]
    assert outputs[0][1] == outputs[1][1]


def test_a_fifo_in_a_folder_is_no_image(folder: Path) -> None:
    os.mkfifo(folder / "photos" / "fifo.jpg")
    for command in (("run", "photos"), ("run", "photos/*.jpg"), ("run", "photos/fifo.jpg")):
        done = clipprep(folder, *command, "--model", "32", "--out", f"{len(command[1])}.npy")
        assert done.returncode in (1, 2)
        assert b"Traceback" not in done.stderr, done.stderr


def test_links(folder: Path) -> None:
    photos = folder / "photos"
    (photos / "dead.jpg").symlink_to("nowhere.jpg")
    (photos / "alias.jpg").symlink_to("ok.jpg")
    (photos / "up").symlink_to(photos)
    (photos / "folder.jpg").mkdir()
    done = clipprep(folder, "run", "photos", "--model", "32", "--out", "l.npy")
    assert b"Traceback" not in done.stderr
    assert len(np.load(folder / "l.npy")) == len((folder / "l.npy.jsonl").read_bytes().splitlines())


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_archives(folder: Path, mode: str) -> None:
    """With names that are there twice, absolute, upward, not UTF-8, and of no image."""
    names = ["1.jpg", "1.txt", "x/2.jpeg", "__MACOSX/._1.jpg", "1.jpg", os.fsdecode(ODD), "n\n.jpg", "/abs.jpg", "../up.jpg"]  # fmt: skip
    archive = folder / f"a.tar{mode[1:].replace(':', '.')}"
    with tarfile.open(archive, mode) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(DATA)
            tar.addfile(member, io.BytesIO(DATA))
    done = clipprep(folder, "run", archive.name, "--model", "32", "--out", "t.npy", "--json")
    assert b"Traceback" not in done.stderr, done.stderr
    assert len(np.load(folder / "t.npy")) >= 6


def test_lists_on_standard_input(folder: Path) -> None:
    listed = b"photos/ok.jpg\r\n\nphotos/" + ODD + b"\nphotos/b\xe9.jpg\n"
    done = clipprep(folder, "run", "-", "--model", "32", "--out", "i.npy", stdin=listed)
    assert b"Traceback" not in done.stderr, done.stderr
    rows = [json.loads(line) for line in (folder / "i.npy.jsonl").read_text("utf-8").splitlines()]  # fmt: skip
    assert [row.get("ok", "error" not in row) for row in rows] == [True, True, False]
