"""``clipprep run`` replaces nothing: what stands in its place, of whomever it is, stays or is gone on with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clipprep import cli
from clipprep.cli import journal, names, place, progress
from support.paths import PHOTOS
from support.waiting import NEVER

ENDINGS = [".npy", ".safetensors", ".parquet", ".arrow", "/"]
ARGUMENTS = ("--model", "32", "--batch-size", "4")


def run(*arguments: object) -> int:
    """The exit status."""
    try:
        return cli.main(["run", *map(str, arguments), *ARGUMENTS])
    except SystemExit as end:
        return int(str(end.code))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(autouse=True)
def _formats(request: pytest.FixtureRequest) -> None:
    ending = getattr(request.node, "callspec", None)
    if ending and ending.params.get("ending") in (".parquet", ".arrow", "/"):
        pytest.importorskip("pyarrow")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_finished_run_is_not_made_again(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"{tmp_path}/t{ending}"
    assert run(PHOTOS, "--out", out) == 0
    before = tree(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    capsys.readouterr()
    assert run(PHOTOS, "--out", out) == 0
    assert "finished before" in capsys.readouterr().err
    assert run(PHOTOS, "--out", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert tree(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("other", [("--mean", "0", "0", "0"), ("--dtype", "float16"), ()])
def test_another_run_is_refused(
    ending: str, other: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"{tmp_path}/t{ending}"
    assert run(PHOTOS, "--out", out) == 0
    before = tree(tmp_path)
    capsys.readouterr()
    sources = [PHOTOS] if other else [PHOTOS / "cat.jpg"]
    assert run(*sources, "--out", out, *other) == 2
    said = capsys.readouterr().err
    assert "--overwrite" in said
    assert ("9 rows by Preprocess(32)" if other else "9 rows of other sources") in said
    assert len(said.splitlines()) == 1
    assert tree(tmp_path) == before
    assert run(*sources, "--out", out, *other, "--overwrite") == 0
    assert tree(tmp_path) != before
    assert tree(tmp_path).keys() <= before.keys()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_finished_file_that_was_cut_is_not_finished(ending: str, tmp_path: Path) -> None:
    assert run(PHOTOS, "--out", f"{tmp_path}/t{ending}") == 0
    path = next((tmp_path / "t").iterdir()) if ending == "/" else tmp_path / f"t{ending}"
    path.write_bytes(path.read_bytes()[:-100])
    before = tree(tmp_path)
    assert run(PHOTOS, "--out", f"{tmp_path}/t{ending}") == 2
    assert tree(tmp_path) == before


def test_a_folder_that_lacks_a_file_is_not_finished(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert run(PHOTOS, "--out", f"{tmp_path}/t/") == 0
    max((tmp_path / "t").iterdir()).unlink()
    before = tree(tmp_path)
    assert run(PHOTOS, "--out", f"{tmp_path}/t/") == 2
    assert tree(tmp_path) == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_of_others_stay(ending: str, tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_bytes(b"mine")
    (tmp_path / "notes.npy.jsonl").write_bytes(b"mine")
    (tmp_path / "notes.npy.part").write_bytes(b"mine")
    if ending == "/":
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "mine").write_bytes(b"mine")
    else:
        (tmp_path / f"notes{ending}").write_bytes(b"mine")
    before = tree(tmp_path)
    assert run(PHOTOS, "--out", f"{tmp_path}/notes{ending}") == 2
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["t.npy.jsonl", "t.npy.part", "t.npy.jsonl.part", "t.npy.progress"]
)
def test_each_file_beside_an_output_is_looked_at(name: str, tmp_path: Path) -> None:
    for content in (b"mine", b"", b"[1]\n", b'{"done": 3}\n'):
        if name.endswith(".lock") and not content:
            continue  # of a run that was killed at once
        (tmp_path / name).write_bytes(content)
        assert run(PHOTOS, "--out", tmp_path / "t.npy") == 2
        assert tree(tmp_path) == {name: content}
    if name.endswith(".lock"):
        (tmp_path / name).unlink()
    assert run(PHOTOS, "--out", tmp_path / "t.npy", "--overwrite") == 0
    assert tree(tmp_path).keys() == {"t.npy", "t.npy.jsonl"}


def test_formats_do_not_share_an_index(tmp_path: Path) -> None:
    assert run(PHOTOS, "--out", tmp_path / "t.npy") == 0
    assert run(PHOTOS / "cat.jpg", "--out", tmp_path / "t.safetensors") == 0
    rows = [len((tmp_path / f"t{end}.jsonl").read_text().splitlines()) for end in ENDINGS[:2]]
    assert rows == [9, 1]


@pytest.mark.parametrize("word", ["phtos", "photos/nosuch.jpg", "phtos/*.jpg"])
def test_a_typo_ends_before_anything_is_written(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([word], [PHOTOS, word]):
        assert run(*words, "--out", tmp_path / "new" / "t.npy") == 2
        said = capsys.readouterr().err
        assert word in said
        assert len(said.splitlines()) == 1
        assert list(tmp_path.iterdir()) == []


def stop_after(batches: int, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    done: list[int] = []

    def interrupt(self: progress.Progress, images: int, errors: int) -> None:
        if done.append(images) or len(done) == batches:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(progress.Progress, "advance", interrupt)
        assert run(*arguments) == 130


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_resumed_run_says_so_and_has_the_same_bytes(
    ending: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    straight, stopped = tmp_path / "a", tmp_path / "b"
    assert run(PHOTOS, "--out", f"{straight}/t{ending}") == 0
    stop_after(2, monkeypatch, PHOTOS, "--out", f"{stopped}/t{ending}")
    capsys.readouterr()
    assert run(PHOTOS, "--out", f"{stopped}/t{ending}") == 0
    assert "going on after row 8 of 9" in capsys.readouterr().err
    assert tree(straight) == tree(stopped)


@pytest.mark.parametrize(
    "flags",
    [
        ("--fallback", "inline"),
        ("--fallback", "process"),
        ("--threads", "1"),
        ("--batch-size", "3"),
    ],
    ids=" ".join,
)
def test_a_run_goes_on_with_flags_that_change_no_row(
    flags: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, straight = tmp_path / "t.safetensors", tmp_path / "straight.safetensors"
    assert run(PHOTOS, "--out", straight) == 0
    stop_after(1, monkeypatch, PHOTOS, "--out", out, "--fallback", "inline")
    assert run(PHOTOS, "--out", out, *flags) == 0
    assert out.read_bytes() == straight.read_bytes()
    assert run(PHOTOS, "--out", out) == 0, "it is finished"


def test_a_run_that_refuses_what_pillow_decodes_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "t.npy"
    stop_after(1, monkeypatch, PHOTOS, "--out", out)
    assert run(PHOTOS, "--out", out, "--fallback", "never") == 2


def test_a_file_that_came_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "t.npy"
    stop_after(1, monkeypatch, PHOTOS, "--out", out)
    out.write_bytes(b"mine")
    assert run(PHOTOS, "--out", out) == 2
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_stop_while_the_files_are_put_in_place(
    ending: str, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before or after each of the files is renamed."""
    straight, stopped = tmp_path / "a", tmp_path / "b"
    assert run(PHOTOS, "--out", f"{straight}/t{ending}") == 0
    steps: list[Path] = []
    put, remove = place.put, journal.Journal.remove

    def putting(part: Path, path: Path) -> None:
        if steps.append(path) or len(steps) == step:
            raise KeyboardInterrupt
        put(part, path)

    def removing(self: journal.Journal) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, "put", putting)
        patch.setattr(journal.Journal, "remove", removing)
        assert run(PHOTOS, "--out", f"{stopped}/t{ending}") == 130
    assert run(PHOTOS, "--out", f"{stopped}/t{ending}") == 0
    assert tree(straight) == tree(stopped)
    assert remove is journal.Journal.remove


def test_two_runs_to_one_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "t.npy"
    with place.locked(out):
        before = tree(tmp_path)
        assert run(PHOTOS, "--out", out) == 2
        assert "expected no other run" in capsys.readouterr().err
        assert tree(tmp_path) == before
    assert run(PHOTOS, "--out", out) == 0


@pytest.mark.parametrize("ending", [".lock", ".part", ".jsonl", ".jsonl.part", ""])
def test_links_lead_to_no_file_of_others(ending: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"")
    link = tmp_path / f"t.npy{ending}"
    link.symlink_to("mine")
    assert run(PHOTOS, "--out", tmp_path / "t.npy") == 2
    assert link.is_symlink()
    if ending != ".lock":
        assert run(PHOTOS, "--out", tmp_path / "t.npy", "--overwrite") == 0
        assert not (tmp_path / "t.npy").is_symlink()
    assert (tmp_path / "mine").read_bytes() == b""


def test_a_pipe_in_the_place_of_a_lock(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.npy.lock")
    assert run(PHOTOS, "--out", tmp_path / "t.npy") == 2


def test_file_systems_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(handle: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(place, "_lock", fail)
    assert run(PHOTOS, "--out", tmp_path / "t.npy") == 0
    assert "not kept apart here: No locks available" in capsys.readouterr().err


def test_the_lock_of_a_killed_run_is_none(tmp_path: Path) -> None:
    out = tmp_path / "t.npy"
    code = f"""
import os, signal
from pathlib import Path
from clipprep.cli import place
with place.locked(Path({str(out)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], timeout=NEVER)
    assert (tmp_path / "t.npy.lock").exists()
    assert run(PHOTOS, "--out", out) == 0
    assert tree(tmp_path).keys() == {"t.npy", "t.npy.jsonl"}


def test_a_run_begun_over_an_old_output_keeps_it_until_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "t.npy"
    assert run(PHOTOS / "cat.jpg", "--out", out) == 0
    before = out.read_bytes()
    stop_after(1, monkeypatch, PHOTOS, "--out", out, "--overwrite")
    assert out.read_bytes() == before
    assert run(PHOTOS, "--out", out) == 0
    assert len(np.load(out)) == 9


@pytest.mark.parametrize(
    "name",
    ["cat.jpg", "caf\udce9.jpg", "\udcff\udc80", r"back\xe9.jpg", r"\x5c", r"C:\x\ud800", "\ud83d.png",
     "\\\udce9", r"\x5cxe9", "a\nb", "日本 🐈"],
)  # fmt: skip
def test_names_come_back(name: str) -> None:
    text = names.written(name)
    text.encode("utf-8")
    assert names.restored(text) == name
    assert json.loads(json.dumps(text)) == text
    names.shown(name).encode("utf-8")
    assert len(names.shown(name).splitlines()) == 1


def test_what_steers_a_terminal_is_escaped() -> None:
    assert names.shown("a\x1b[2J\r\n\u202egpj.exe\u2028\x9b") == (
        r"a\x1b[2J\r\n\u202egpj.exe\u2028\x9b"
    )


def test_an_index_is_utf8_whatever_the_names(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb") as odd:
        odd.write((PHOTOS / "cat.jpg").read_bytes())
    assert run(tmp_path, "--out", tmp_path / "t.npy") == 0
    [line] = (tmp_path / "t.npy.jsonl").read_text("utf-8").splitlines()
    assert os.path.exists(names.restored(json.loads(line)["source"]))
