"""Output beside the tensors: progress, one line for each trouble with the system, statuses."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep import cli
from clipprep.cli import journal, progress, writing
from support.paths import PHOTOS
from support.waiting import NEVER

PATHS = sorted(path for path in PHOTOS.iterdir() if path.suffix != ".md")
ENDINGS = [".npy", ".safetensors", ".parquet", ".arrow", "/"]
COMMAND = [sys.executable, "-m", "clipprep"]
ARGUMENTS = ["--model", "32", "--batch-size", "2"]


def run(*arguments: object) -> int:
    return cli.main(["run", *map(str, arguments), "--model", "32", "--batch-size", "4"])


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_plain_lines_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", -1.0)
    (tmp_path / "missing.jpg").symlink_to("nowhere.jpg")
    assert run(*PATHS, tmp_path / "missing.jpg", "--out", tmp_path / "t.npy") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("clipprep ")
    assert lines[1].startswith("find ")
    lines = lines[2:]
    assert [line.split(" images, ")[0] for line in lines[:3]] == ["4 of 10", "8 of 10", "10 of 10"]
    assert lines[2].endswith("0:00:00 left, 1 errors")
    assert " MB of memory" in lines[2]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    with progress.Progress(10, 2) as bar:
        bar.advance(4, 1)
        bar.advance(4, 2)
    last = shown.getvalue().split("\r")[-1]
    assert "10/10" in last
    assert "images/s" in last
    assert "errors=3" in last


def test_quiet_says_what_fails_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    (tmp_path / "notes.txt").touch()
    assert run(tmp_path, PHOTOS, "--out", tmp_path / "t.npy", "--quiet") == 1
    assert capsys.readouterr() == ("", "1 of 10 images could not be read\n")
    assert run(PHOTOS, "--out", tmp_path / "u.npy", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_json_alone_is_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", -1.0)
    assert run(PHOTOS, "--out", tmp_path / "t.npy", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["rows"] == 9
    assert "images/s" in said.err


def on_terminal(columns: int, folder: Path, **environ: str) -> str:
    """The lines that a run shows on a terminal of so many columns."""
    pytest.importorskip("tqdm")
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", **environ}
    process = subprocess.Popen(
        [*COMMAND, "run", str(PHOTOS), *ARGUMENTS, "--out", str(folder / "t.npy")],
        stdin=side, stdout=side, stderr=side, env=environment,
    )  # fmt: skip
    os.close(side)
    shown = b""
    while True:
        try:
            piece = os.read(main, 1 << 16)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(main)
    assert process.wait(NEVER) == 0
    return shown.decode()


def test_a_terminal_shows_a_rate_the_time_left_and_memory(tmp_path: Path) -> None:
    shown = on_terminal(120, tmp_path)
    bars = [line for line in shown.replace("\n", "\r").split("\r") if "/9" in line]
    assert "9/9" in bars[-1]
    for words in ("images/s", "errors=0", "memory=", "<"):
        assert words in bars[-1]


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_narrow_terminal_keeps_its_lines(columns: int, tmp_path: Path) -> None:
    shown = on_terminal(columns, tmp_path, NO_COLOR="1")
    bars = [line for line in shown.replace("\n", "\r").split("\r") if "%" in line]
    assert bars
    assert max(map(len, bars)) <= columns
    assert "\x1b[3" not in shown  # no colours
    assert "\x1b[1m" not in shown


# The system does not let it ------------------------------------------------------------------------


def limited(most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run whose files may not be larger than so many bytes, as on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=NEVER, preexec_fn=limit
    )


def check_one_line(said: str, path: str) -> None:
    assert "Traceback" not in said
    assert "usage" not in said
    build = f"clipprep {clipprep.__version__}: "
    lines = [
        one for one in said.splitlines() if "images/s" not in one and not one.startswith(build)
    ]
    assert len(lines) == 1, said
    assert path in lines[0]


@pytest.mark.parametrize("ending", ENDINGS[:4])  # the files of a folder are small
def test_a_full_disk_is_said_in_a_line_and_the_run_goes_on_later(
    ending: str, tmp_path: Path
) -> None:
    if ending not in (".npy", ".safetensors"):
        pytest.importorskip("pyarrow")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sources = [str(path) for path in PATHS]
    command = ["run", *sources, *ARGUMENTS, "--out"]
    assert cli.main([*command, f"{tmp_path}/a/t{ending}"]) == 0
    most = len(tree(tmp_path / "a")[f"t{ending}"]) // 2
    stopped = limited(most, *command, f"{tmp_path}/b/t{ending}")
    check_one_line(stopped.stderr, f"{tmp_path}/b/t{ending}".rstrip("/"))
    if ending in (".npy", ".safetensors"):  # whose size is known: nothing is begun
        assert stopped.returncode == 2
        assert tree(tmp_path / "b") == {}
    else:
        assert stopped.returncode == 1
        assert "rows are kept: the same command goes on" in stopped.stderr
        assert " were to be written, " in stopped.stderr
    assert cli.main([*command, f"{tmp_path}/b/t{ending}"]) == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_disk_that_is_really_full(ending: str, tmp_path: Path) -> None:
    if ending not in (".npy", ".safetensors"):
        pytest.importorskip("pyarrow")
    (tmp_path / "b").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(tmp_path / "b")]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        command = ["run", *map(str, PATHS), *ARGUMENTS, "--out"]
        assert cli.main([*command, f"{tmp_path}/a{ending}"]) == 0
        stopped = subprocess.run(
            [*COMMAND, *command, f"{tmp_path}/b/a{ending}"], capture_output=True, text=True
        )
        assert stopped.returncode in (1, 2)
        check_one_line(stopped.stderr, f"{tmp_path}/b/a{ending}".rstrip("/"))
        assert "No space left" in stopped.stderr
        remount = ["mount", "-o", "remount,size=8m", str(tmp_path / "b")]
        subprocess.run(remount, check=True)
        assert cli.main([*command, f"{tmp_path}/b/a{ending}"]) == 0
        found = tree(tmp_path / "b")
    finally:
        subprocess.run(["umount", str(tmp_path / "b")], check=True)
    (tmp_path / "b").rmdir()
    assert found == tree(tmp_path)


def test_a_folder_without_the_right_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    if os.getuid() != 0:
        pytest.skip("needs the right to be someone else")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(PATHS[0], folder / "a.png")
        for out in (folder / "t.npy", folder / "new" / "t.npy"):
            os.seteuid(65534)
            try:
                with pytest.raises(SystemExit) as raised:
                    run(folder / "a.png", "--out", out, "--quiet")
            finally:
                os.seteuid(0)
            assert raised.value.code == 2
            said = capsys.readouterr().err
            check_one_line(said, str(folder))
            assert "Permission denied" in said
            assert [path.name for path in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "command",
    [
        ["explain", *map(str, PATHS)],
        ["models"],
        ["doctor"],
        ["explain", *map(str, PATHS), "--json"],
    ],
    ids=lambda command: command[0],
)
def test_a_closed_pipe_is_no_news(command: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, *command], stdout=write, stderr=subprocess.PIPE, timeout=NEVER)
    os.close(write)
    assert b"Broken pipe" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


FULL = pytest.param(
    ">/dev/full", marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
)


def run_in_a_shell(tmp_path: Path, after: str, *options: str, **environ: str) -> Any:
    """A run of 9 images whose output is complete, and the streams that it is left."""
    command = [*COMMAND, "run", *map(str, PATHS), *ARGUMENTS, "--out", str(tmp_path / "t.npy")]
    done = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$@" {after}', "bash", *command, *options],
        env=os.environ | environ, capture_output=True, text=True, timeout=NEVER,
    )  # fmt: skip
    assert len(np.load(tmp_path / "t.npy")) == 9
    assert not (tmp_path / "t.npy.progress").exists()
    return done


@pytest.mark.parametrize("stream", ["", "2"])
@pytest.mark.parametrize("after", [FULL, ">&-", "> >(exec true)"])
def test_a_run_goes_on_when_nobody_can_be_told(tmp_path: Path, stream: str, after: str) -> None:
    done = run_in_a_shell(tmp_path, stream + after)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Error" not in done.stderr
    assert stream or done.stderr.startswith("clipprep ")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_whole_run_whose_answer_cannot_be_printed(tmp_path: Path, unbuffered: str) -> None:
    done = run_in_a_shell(tmp_path, ">/dev/full", "--json", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    check_one_line(done.stderr, "standard output: No space left")
    again = run_in_a_shell(tmp_path, ">/dev/full 2>/dev/full", "--json", PYTHONUNBUFFERED=unbuffered)  # fmt: skip
    assert again.returncode == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_standard_output(unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "models"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=NEVER,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert done.returncode == 1
    check_one_line(done.stderr, "standard output")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_says_what_is_kept(number: int, tmp_path: Path) -> None:
    sources = [str(path) for path in PATHS] * 150
    command = ["run", *sources, "--model", "32", "--batch-size", "2", "--out", f"{tmp_path}/t.npy"]
    process = subprocess.Popen([*COMMAND, *command], stderr=subprocess.PIPE, text=True)
    progress_file = tmp_path / "t.npy.progress"
    while process.poll() is None and not (
        progress_file.exists() and len(progress_file.read_bytes().splitlines()) > 3
    ):
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate(timeout=NEVER)[1]
    assert process.returncode == 130, said
    assert "rows are kept: the same command goes on" in said
    assert "Traceback" not in said
    assert not (tmp_path / "t.npy.lock").exists()
    done = subprocess.run([*COMMAND, *command, "--json"], capture_output=True, timeout=NEVER)
    assert json.loads(done.stdout)["resumed_at"] > 0


# Statuses and power cuts ---------------------------------------------------------------------------


def test_statuses(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    assert run(PHOTOS, "--out", tmp_path / "a.npy") == 0
    assert run(PHOTOS, tmp_path, "--out", tmp_path / "b.npy") == 1
    for arguments in (["nosuch.jpg"], [str(PHOTOS), "--out", str(tmp_path / "a.txt")]):
        with pytest.raises(SystemExit) as raised:
            run(*arguments)
        assert raised.value.code == 2


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("synced", [0, 1, 2])
def test_after_a_power_cut_what_was_on_the_disk_counts(
    ending: str,
    synced: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rows whose writing the system had not ended are written again."""
    if ending not in (".npy", ".safetensors"):
        pytest.importorskip("pyarrow")
    assert run(PHOTOS, "--out", f"{tmp_path}/a/t{ending}") == 0
    done: list[int] = []

    def interrupt(self: progress.Progress, images: int, errors: int) -> None:
        done.append(images)
        writing.SYNC_INTERVAL = -1.0 if len(done) < synced else 60.0
        if len(done) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(progress.Progress, "advance", interrupt)
        patch.setattr(writing, "SYNC_INTERVAL", -1.0 if synced else 60.0)
        assert run(PHOTOS, "--out", f"{tmp_path}/b/t{ending}") == 130
    monkeypatch.setattr(journal, "_boot", lambda: "another")
    capsys.readouterr()
    assert run(PHOTOS, "--out", f"{tmp_path}/b/t{ending}", "--json") == 0
    assert json.loads(capsys.readouterr().out)["resumed_at"] == 4 * synced
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
