"""The command line: the files it writes, and that a bad file costs only its own row."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import cli
from clipprep.cli.sources import find
from support.paths import PHOTOS


def index(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_equal_single_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, sheet = tmp_path / "new" / "tensors.npy", tmp_path / "sheet.png"
    arguments = [str(PHOTOS), "--model", "32", "--batch-size", "4", "--threads", "2"]
    assert cli.main(["run", *arguments, "--out", str(out), "--contact-sheet", str(sheet)]) == 0

    paths = [item.name for item in find([PHOTOS])]
    assert len(paths) == 9
    expected = np.stack([clipprep.Preprocess(32)(path) for path in paths])
    assert np.array_equal(np.load(out), expected)
    lines = index(Path(f"{out}.jsonl"))
    assert "run" in lines[0]  # which says how the file was made
    assert [{**line, "run": None} for line in lines] == [
        {"row": row, "source": path, "ok": True, "error": None, "run": None}
        for row, path in enumerate(paths)
    ]
    with Image.open(sheet) as image:
        assert image.width > 1000
    assert capsys.readouterr().err.count("images/s") == 3
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "tensors.npy",
        "tensors.npy.jsonl",
    ]


def test_a_bad_file_costs_its_own_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not an image")
    shutil.copy(PHOTOS / "cat.jpg", tmp_path / "b.jpg")
    missing = tmp_path / "missing.png"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{missing}\n"))
    out, sheet = tmp_path / "t.npy", tmp_path / "sheet.png"
    arguments = [str(tmp_path), "-", "--out", str(out), "--contact-sheet", str(sheet)]
    assert cli.main(["run", *arguments]) == 1

    tensors = np.load(out)
    assert not tensors[[0, 2]].any()
    assert np.array_equal(tensors[1], clipprep.Preprocess("ViT-B/32")(PHOTOS / "cat.jpg"))
    errors = [line["error"] for line in index(Path(f"{out}.jsonl"))]
    assert "a.jpg" in str(errors[0])
    assert errors[1] is None
    assert "missing.png" in str(errors[2])
    assert "2 of 3 images could not be read" in capsys.readouterr().err
    assert sheet.exists()


def test_folders_give_their_image_files_sorted(tmp_path: Path) -> None:
    for name in ["b.PNG", "a.jpg", "sub/c.webp", ".hidden.jpg", ".git/d.jpg", "notes.txt", "z.dat"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [Path(item.name) for item in find([tmp_path / "z.dat", tmp_path])]
    assert found == [tmp_path / name for name in ["z.dat", "a.jpg", "b.PNG", "sub/c.webp"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "ViT-B-33"], "ViT-B-32"),
        (["--threads", "0"], "expected a number from 1 up, found '0'"),
        (["--batch-size", "two"], "expected a number from 1 up, found 'two'"),
        (
            ["--out", "tensors.txt"],
            "expected a file ending in .npy, .safetensors, .parquet, .arrow",
        ),
        ([], "no image files in"),
    ],
)
def test_a_wrong_command_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    source = str(PHOTOS) if "--out" in arguments else str(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        cli.main(["run", source, *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
