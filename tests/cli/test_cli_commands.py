"""The commands other than ``run``: their output, as text and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import clipprep
from clipprep import cli
from clipprep.cli import bench, doctor
from support.paths import PHOTOS

COMMANDS = ("run", "view", "explain", "verify", "bench", "models", "doctor")


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> Any:
    assert cli.main([*map(str, arguments), "--json"]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as raised:
        cli.main([*filter(None, [command]), "--help"])
    assert raised.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    if not command:
        assert all(any(line.split()[:1] == [name] for line in lines) for name in COMMANDS)


def test_view_draws_and_says_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "sheet.png"
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not an image")
    assert cli.main(["view", str(PHOTOS / "cat.jpg"), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 1 of 1 images\n"
    with Image.open(out) as image:
        width = image.width
    found = as_json(capsys, "view", PHOTOS / "cat.jpg", bad, "--out", out, status=1)
    assert found == {"out": str(out), "found": 2, "shown": 2, "errors": 1}
    with Image.open(out) as image:
        assert image.width == 2 * width


def test_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cat, missing = PHOTOS / "cat.jpg", tmp_path / "missing.jpg"
    missing.symlink_to("nowhere.jpg")
    plan = clipprep.Preprocess("ViT-B/32").explain(cat)
    assert cli.main(["explain", str(cat)]) == 0
    text = capsys.readouterr().out
    for value in plan:
        assert not value or str(value) in text
    first, second = as_json(capsys, "explain", cat, missing, status=1)
    assert first == {"source": str(cat), "error": None, **json.loads(json.dumps(plan._asdict()))}
    assert "No such file" in second["error"]


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = as_json(capsys, "models")
    assert list(sizes) == clipprep.available_models()
    assert sizes["ViT-L/14@336px"] == 336
    assert cli.main(["models"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(sizes)
    some = as_json(capsys, "models", "ViT-L/*")
    assert some == {"ViT-L/14": 224, "ViT-L/14@336px": 336}
    assert cli.main(["models", "open_clip:*"]) == 0
    assert all(line.startswith("open_clip:") for line in capsys.readouterr().out.splitlines())


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "bench", PHOTOS, "--model", "32", "--seconds", "1", "--max-images", 2)
    assert found["images"] == 2
    threads = [row["threads"] for row in found["measured"]]
    assert threads == bench.steps(clipprep.build_info()["threads"])
    assert all(row["images_per_second"] > 0 for row in found["measured"])
    assert [bench.steps(n) for n in (1, 2, 3, 8)] == [[1], [1, 2], [1, 2, 3], [1, 2, 4, 8]]


def test_bench_shares_a_table_without_names_of_files(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", str(PHOTOS), "--model", "32", "--seconds", "1", "--max-images", "2"]
    assert cli.main([*arguments, "--share"]) == 0
    out = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line]
    assert [row[0] for row in rows if len(row) == 3][2:4] == [
        "Pillow and NumPy, 1 thread",
        "clipprep, 1 thread",
    ]
    assert clipprep.__version__ in out
    assert "photos" not in out
    assert str(Path.home()) not in out
    with pytest.raises(SystemExit, match="2"):
        cli.main([*arguments, "--share", "--json"])


def test_the_picture_of_bench_is_like_a_photo() -> None:
    encoded = bench.jpeg()
    plan = clipprep.Preprocess(224).explain(encoded)
    assert (plan.format, plan.mode, plan.size) == ("JPEG", "RGB", (640, 480))
    assert 50_000 < len(encoded) < 200_000  # 2 to 5 bits a pixel are a camera's


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "doctor", status=int(not clipprep.build_info()["jpeg_simd"]))
    assert found["clipprep"] == clipprep.__version__
    assert found["threads"] >= 1
    sound = {
        "jpeg_simd": True,
        "simd": "avx2",
        "simd_supported": ["scalar", "avx2"],
        "build": "release",
        "pillow_jpeg": "libjpeg-turbo 3.1",
    }
    assert doctor.advise(sound) == []
    for fault, word in [
        ({"jpeg_simd": False}, "nasm"),
        ({"simd": "scalar"}, "CLIPPREP_SIMD"),
        ({"build": "debug"}, "--release"),
        ({"pillow_jpeg": "libjpeg 9.5"}, "other pixels"),
    ]:
        [advice] = doctor.advise(sound | fault)
        assert word in advice


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


def test_import_brings_numpy_and_pillow_alone() -> None:
    """They are set up once, so that a fork finds no lock held; the rest is imported on first use."""
    heavy = {"torch", "pyarrow", "ray", "asyncio", "multiprocessing", "argparse", "tqdm"}
    theirs = loaded_by("import numpy, PIL.Image; PIL.Image.init()")
    assert not heavy & (loaded_by("import clipprep") - theirs)
