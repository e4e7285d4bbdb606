"""The commands other than ``run``: their output, as text and as JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import clipprep
from clipprep import cli
from clipprep.cli import _options, bench, doctor
from support.paths import PHOTOS
from support.waiting import NEVER

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


def test_no_model_has_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    for pattern, hint in (("siglip", ": try '*siglip*'"), ("*siglpi*", "")):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["models", pattern])
        out, err = capsys.readouterr()
        assert not out
        assert err.endswith(f"expected a pattern that some name matches, found {pattern!r}{hint}\n")


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", PHOTOS, "--model", "32", "--seconds", "0.1", "--max-images", 2]
    found = as_json(capsys, *arguments)
    assert found["images"] == 2
    threads = [row["threads"] for row in found["measured"]]
    assert threads == bench.steps(clipprep.build_info()["threads"])
    assert all(row["images_per_second"] > 0 for row in found["measured"])
    assert [bench.steps(n) for n in (1, 2, 3, 8)] == [[1], [1, 2], [1, 2, 3], [1, 2, 4, 8]]
    peers = found["one_thread"]
    assert found["times_pillow"] == pytest.approx(
        peers["clipprep"] / peers["Pillow with NumPy"], 0.01
    )
    assert cli.main([*map(str, arguments)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"\d+\.\d times Pillow's speed here, [\d.]+ GB/s of JPEG", last)
    assert cli.main(["bench", "--seconds", "0.1"]) == 0
    assert capsys.readouterr().out.endswith(" GB/s of JPEG\n")


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
    assert (found["fallback"], found["no_helper"]) == ("process", None)
    if sys.platform == "linux":
        assert {"memory", "processor time", "no core files"} <= set(found["helper_bounds"])
    sound = {
        "jpeg_simd": True,
        "simd": "avx2",
        "simd_supported": ["scalar", "avx2"],
        "build": "release",
        "pillow_jpeg": "libjpeg-turbo 3.1",
        "fallback": "process",
        "no_helper": None,
    }
    assert doctor.advise(sound) == []
    for fault, word in [
        ({"jpeg_simd": False}, "nasm"),
        ({"simd": "scalar"}, "CLIPPREP_SIMD"),
        ({"build": "debug"}, "--release"),
        ({"pillow_jpeg": "libjpeg 9.5"}, "other pixels"),
        ({"no_helper": "a crash"}, "--fallback inline"),
        ({"no_helper": "no Python", "fallback": "inline"}, "a crash ends it"),
    ]:
        [advice] = doctor.advise(sound | fault)
        assert word in advice


def test_doctor_says_what_to_install() -> None:
    found = dict.fromkeys(doctor.OPTIONAL)
    lines = doctor.missing(found)
    assert any("clipprep[cli]" in line and "Parquet" in line for line in lines)
    assert doctor.missing(dict.fromkeys(doctor.OPTIONAL, "1.0")) == []


# Configs and names ---------------------------------------------------------------------------------

CONFIGS = {
    "transformers": {"preprocessor_config.json": {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 64}, "crop_size": 64}},
    "open_clip": {"open_clip_config.json": {"preprocess_cfg": {"size": 64, "resize_mode": "squash"}}},
    "timm": {"config.json": {"pretrained_cfg": {"input_size": [3, 64, 64], "crop_pct": 0.9}}},
}  # fmt: skip
IMMICH = {"config.json": {}, "visual/preprocess_cfg.json": {"size": 64, "resize_mode": "squash"}}
READERS = {
    "transformers": clipprep.Preprocess.from_hf,
    "open_clip": clipprep.Preprocess.from_open_clip,
    "timm": clipprep.Preprocess.from_timm,
}


def asked(*arguments: object) -> clipprep.Preprocess:
    """What `explain` uses, with the library's default of `fallback`."""
    words = ["explain", "a.jpg", "--fallback", "inline", *map(str, arguments)]
    return _options.preprocess(cli.parser().parse_args(words))


def test_pillow_is_in_helpers_by_default() -> None:
    args = cli.parser().parse_args(["explain", "a.jpg"])
    assert _options.preprocess(args) == clipprep.Preprocess("ViT-B/32", fallback="process")
    assert _options.preprocess(args, fallback="inline") == clipprep.Preprocess("ViT-B/32")


@pytest.mark.parametrize("library", CONFIGS)
def test_configs_are_read_by_their_content(library: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in CONFIGS[library].items():
        (folder / name).write_text(json.dumps(content))
        expected = READERS[library](content, dtype="float16")
        for where in (folder, folder / name, f"{library}:{folder}"):
            assert asked("--config", where, "--dtype", "float16") == expected
        other = tmp_path / "renamed.json"
        other.write_text(json.dumps(content))
        assert asked("--config", other, "--dtype", "float16") == expected


def test_a_folder_of_immichs_is_open_clips(tmp_path: Path) -> None:
    (tmp_path / "visual").mkdir()
    for name, content in IMMICH.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert asked("--config", tmp_path) == clipprep.Preprocess(64, resize_mode="squash")


def test_a_folder_of_several_libraries_asks_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for files in CONFIGS.values():
        for name, content in files.items():
            (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(SystemExit) as raised:
        asked("--config", tmp_path)
    assert raised.value.code == 2
    assert f"--config open_clip:{tmp_path}" in capsys.readouterr().err
    expected = READERS["timm"](CONFIGS["timm"]["config.json"])
    assert asked("--config", f"timm:{tmp_path}") == expected


@pytest.mark.parametrize("library", CONFIGS)
def test_configs_of_the_hub_are_read_by_name(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = "timm" if library == "timm" else "someone"
    model = tmp_path / f"models--{owner}--model"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("abc123")
    (model / "snapshots" / "abc123").mkdir(parents=True)
    for name, content in CONFIGS[library].items():
        (model / "snapshots" / "abc123" / name).write_text(json.dumps(content))
        expected = READERS[library](content)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert asked("--config", f"{owner}/model") == expected
    assert asked("--config", f"{library}:{owner}/model") == expected


def test_the_backend_of_transformers(tmp_path: Path) -> None:
    [(name, content)] = CONFIGS["transformers"].items()
    (tmp_path / name).write_text(json.dumps(content))
    expected = clipprep.Preprocess.from_hf(content, backend="pil")
    assert asked("--config", tmp_path, "--backend", "pil") == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--config", "nosuch/folder"), "nosuch/folder"),
        (("--config", "nosuch.json"), "nosuch.json"),
        (("--config", "a", "--model", "32"), "expected one of --config and --model"),
        (("--backend", "pil"), "expected --config beside --backend"),
        (("--model", "ViT-B-32", "--pretrained", "nosuch"), "nosuch"),
    ],
)
def test_wrong_configs(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["run", str(PHOTOS), *arguments])
    assert raised.value.code == 2
    assert said in capsys.readouterr().err


def test_names_of_models() -> None:
    assert asked("--model", "ViT-B-16-SigLIP") == clipprep.Preprocess("ViT-B-16-SigLIP")
    assert asked("--model", "ViT-B-32", "--pretrained", "openai") == clipprep.Preprocess(
        "ViT-B-32", pretrained="openai"
    )
    assert asked("--model", "32x48").size == (32, 48)


def test_shells_complete(tmp_path: Path) -> None:
    pytest.importorskip("argcomplete")
    for line, expected in (("clipprep ve", "verify"), ("clipprep run --mod", "--model"), ("clipprep run a --model ViT-L/14@", "ViT-L/14@336px")):  # fmt: skip
        found = tmp_path / "found"
        environment = {**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(found),
                       "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_SUPPRESS_SPACE": "1"}  # fmt: skip
        code = "import sys; sys.argv[0] = 'clipprep'; from clipprep.cli import main; main()"
        subprocess.run([sys.executable, "-c", code], env=environment, timeout=NEVER)
        assert expected in found.read_text()


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


def test_import_brings_numpy_and_pillow_alone() -> None:
    """They are set up once, so that a fork finds no lock held; the rest is imported on first use."""
    heavy = {"torch", "pyarrow", "ray", "asyncio", "multiprocessing", "argparse", "tqdm"}
    theirs = loaded_by("import numpy, PIL.Image; PIL.Image.init()")
    assert not heavy & (loaded_by("import clipprep") - theirs)
