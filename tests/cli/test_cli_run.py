"""``clipprep run``: every source and every ending, and that a stopped run goes on."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep import cli
from clipprep.cli import progress
from clipprep.cli.journal import Journal
from clipprep.cli.sources import find
from support.paths import PHOTOS

PATHS = sorted(path for path in PHOTOS.iterdir() if path.suffix != ".md")
PRE = clipprep.Preprocess(32)
EXPECTED = PRE.batch(PATHS)
ENDINGS = [".npy", ".safetensors", ".parquet", ".arrow", "/"]


def run(*arguments: object) -> int:
    return cli.main(["run", *map(str, arguments), "--model", "32", "--batch-size", "4"])


def read(out: str) -> dict[str, Any]:
    """Pixels and the other columns of the format, read with its own library."""
    if out.endswith(".npy"):
        return {"pixels": np.load(out)}
    if out.endswith(".safetensors"):
        return dict(pytest.importorskip("safetensors.numpy").load_file(out))
    if out.endswith(".arrow"):
        pa = pytest.importorskip("pyarrow")
        table = pa.ipc.open_file(out).read_all()
    else:
        table = pytest.importorskip("pyarrow.parquet").read_table(out)
    pixels = table.column("pixels").combine_chunks().to_numpy_ndarray()
    columns = {name: table.column(name).to_pylist() for name in ("id", "ok", "error")}
    # Words of Pillow may hold an address in memory.
    columns["error"] = [error and error.split(" (Pillow: ")[0] for error in columns["error"]]
    return {"pixels": pixels, **columns}


@pytest.fixture
def sources(tmp_path: Path) -> list[object]:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not an image")
    missing = tmp_path / "missing.jpg"
    missing.symlink_to(tmp_path / "nowhere.jpg")
    return [*PATHS[:5], bad, *PATHS[5:], missing]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_holds_the_same(ending: str, sources: list[object], tmp_path: Path) -> None:
    if ending not in (".npy", ".safetensors"):
        pytest.importorskip("pyarrow")
    out = f"{tmp_path}/new/tensors{ending}"
    assert run(*sources, "--out", out) == 1
    found = read(out)
    bad = [5, 10]
    assert np.array_equal(np.delete(found["pixels"], bad, axis=0), EXPECTED)
    assert not found["pixels"][bad].any()
    if "ok" in found:
        assert [row for row, ok in enumerate(found["ok"]) if not ok] == bad
    if "id" in found:
        assert found["id"] == [str(source) for source in sources]
        assert [row for row, error in enumerate(found["error"]) if error] == bad
        assert found["error"][5].startswith("UnsupportedError: ")
        assert found["error"][10].startswith("FileNotFoundError: ")
    else:
        lines = Path(f"{out}.jsonl").read_text(encoding="utf-8").splitlines()
        index = [json.loads(line) for line in lines]
        assert [line["source"] for line in index] == [str(source) for source in sources]
        assert [line["row"] for line in index if line["error"]] == bad
    beside = {path.name for path in (tmp_path / "new").iterdir()}
    assert beside - {f"tensors{ending}.jsonl"} == {"tensors" + ending.strip("/")}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("cut", [False, True], ids=["between batches", "in the journal's line"])
def test_a_stopped_run_goes_on(
    ending: str,
    cut: bool,
    sources: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if ending not in (".npy", ".safetensors"):
        pytest.importorskip("pyarrow")
    straight, stopped = f"{tmp_path}/straight{ending}", f"{tmp_path}/stopped{ending}"
    assert run(*sources, "--out", straight) == 1

    def interrupt(self: progress.Progress, images: int, errors: int) -> None:
        if done.append(images) or len(done) == 2:
            raise KeyboardInterrupt

    done: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(progress.Progress, "advance", interrupt)
        assert run(*sources, "--out", stopped) == 130
    assert "8 rows are kept" in capsys.readouterr().err
    journal = Path(stopped.rstrip("/") + ".progress")
    if cut:
        journal.write_bytes(journal.read_bytes()[:-5])

    # Other sources or options are no continuation.
    with pytest.raises(SystemExit) as raised:
        run(*sources[1:], "--out", stopped)
    assert raised.value.code == 2
    assert "--restart begins anew" in capsys.readouterr().err

    assert run(*sources, "--out", stopped, "--json") == 1
    assert json.loads(capsys.readouterr().out)["resumed_at"] == (4 if cut else 8)
    assert not journal.exists()
    left, right = read(straight), read(stopped)
    assert left.keys() == right.keys()
    for name in left:
        assert np.array_equal(left[name], right[name]), name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint8"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_other_types_of_values(dtype: Any, ending: str, tmp_path: Path) -> None:
    out = f"{tmp_path}/tensors{ending}"
    expected = clipprep.Preprocess(32, dtype=dtype).batch(PATHS)
    if (dtype, ending) == ("bfloat16", ".safetensors"):
        pytest.skip("safetensors reads bfloat16 with torch alone: tests/integrations/test_torch.py")
    assert run(*PATHS, "--out", out, "--dtype", dtype) == 0
    found = read(out)["pixels"]
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


def test_restart_forgets(sources: list[object], tmp_path: Path) -> None:
    out = tmp_path / "tensors.npy"
    Journal(tmp_path / "tensors.npy.progress", {"rows": 1}).start({})
    with pytest.raises(SystemExit):
        run(*sources, "--out", out)
    assert run(*sources, "--out", out, "--restart") == 1
    assert len(np.load(out)) == 11


def test_a_folder_has_no_parts_of_an_older_run(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert run(*PATHS, "--out", f"{tmp_path}/out/") == 0
    with pytest.raises(SystemExit):
        run(*PATHS[:2], "--out", f"{tmp_path}/out/")
    assert run(*PATHS[:2], "--out", f"{tmp_path}/out/", "--overwrite") == 0
    assert np.array_equal(read(f"{tmp_path}/out/")["pixels"], EXPECTED[:2])


def test_patterns_lists_and_tars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tar = tmp_path / "samples.tar"
    with tarfile.open(tar, "w") as opened:
        for number, path in enumerate(PATHS):
            opened.add(path, f"{number:04}{path.suffix}")
            opened.addfile(tarfile.TarInfo(f"{number:04}.json"), io.BytesIO())
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.png").write_bytes(b"")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PATHS[1]}\n\n{tar}\n"))
    listing = find([str(PHOTOS / "*.jpg"), "-", f"{tmp_path}/**/*.png"])
    found = [item.name for item in listing]
    jpegs = [str(path) for path in sorted(PHOTOS.glob("*.jpg"))]
    members = [f"{tar}/{number:04}{path.suffix}" for number, path in enumerate(PATHS)]
    assert found == [*jpegs, str(PATHS[1]), *members, f"{tmp_path}/deep/er/a.png"]
    read = [data for name, data in listing.first(100) if name in members]
    assert read == [path.read_bytes() for path in PATHS]

    assert run(tar, "--out", tmp_path / "t.npy", "--contact-sheet", tmp_path / "sheet.png") == 0
    assert np.array_equal(np.load(tmp_path / "t.npy"), EXPECTED)
    with pytest.raises(FileNotFoundError, match="no file matches"):
        find([f"{tmp_path}/*.gif"])


def test_a_bad_tar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut.tar"
    with tarfile.open(cut, "w") as opened:
        opened.add(PATHS[0], "a.jpg")
    cut.write_bytes(cut.read_bytes()[:2000])
    assert run(cut, "--out", tmp_path / "t.npy") == 1
    member, rest = (tmp_path / "t.npy.jsonl").read_text().splitlines()
    assert json.loads(member)["error"].startswith(f"{cut}/a.jpg: expected a whole JPEG file")
    assert json.loads(rest)["source"] == str(cut)
    assert "unexpected end of data" in json.loads(rest)["error"]


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("pyarrow", "clipprep.arrow", "clipprep.cli.outputs.columns"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(SystemExit) as raised:
        run(*PATHS, "--out", tmp_path / "t.parquet")
    assert raised.value.code == 2
    assert "pip install 'clipprep[cli]'" in capsys.readouterr().err
