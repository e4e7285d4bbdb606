"""`clipprep verify`: its counts, the crashes it survives, and that it reports each difference."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import ImageFile, ImageOps

import clipprep
from clipprep import verify
from clipprep.cli import main
from clipprep.verify import reference
from clipprep.verify.isolated import CrashError, Isolated, isolated_map
from clipprep.verify.report import NAME, marks, write_markdown
from support.pictures import picture
from support.waiting import NEVER
from support.writers import orientation, saved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good, corrupt and odd files, some of them twice and some of them no images."""
    jpeg = saved(picture("RGB", 60, 45), "JPEG")
    files = {
        "good.jpg": jpeg,
        "good.png": saved(picture("P", 40, 30), "PNG"),
        "sub/good.tif": saved(picture("RGB", 40, 30), "TIFF", compression="jpeg"),
        "sub/copy.jpg": jpeg,
        "no suffix": saved(picture("L", 40, 30), "PNG"),
        "cut.jpg": jpeg[: len(jpeg) * 2 // 3],
        "empty.png": b"",
        "text.gif": b"no image at all",
        "large.bmp": saved(picture("RGB", 300, 200), "BMP"),
        "thin.png": saved(picture("L", 3, 900), "PNG"),
        "drawing.eps": saved(picture("RGB", 8, 8), "EPS"),
        ".hidden.jpg": saved(picture("RGB", 61, 45), "JPEG"),
        "notes.txt": b"no image",
        "program.py": b"print()",
    }
    photos = tmp_path / "photos"
    for name, data in files.items():
        path = photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return photos


EXPECTED = {
    "photos/good.jpg": verify.EQUAL,
    "photos/good.png": verify.EQUAL,
    "photos/sub/good.tif": verify.EQUAL,
    "photos/no suffix": verify.EQUAL,
    "photos/cut.jpg": verify.BOTH,
    "photos/empty.png": verify.BOTH,
    "photos/text.gif": verify.BOTH,
    "photos/large.bmp": verify.SKIPPED,
    "photos/thin.png": verify.SKIPPED,
    "photos/drawing.eps": verify.SKIPPED,
}


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, dict]]:
    status = main(["verify", "--json", *map(str, arguments)])
    files = json.loads(capsys.readouterr().out)["files"]
    return status, {file["source"]: file for file in files}


@pytest.mark.parametrize("jobs", [0, 2])
def test_each_file_is_counted_once_for_what_it_is(folder: Path, capsys, jobs: int) -> None:
    status, files = run(capsys, folder, "--jobs", jobs, "--size", 32, "--max-pixels", 50_000)
    assert status == 0
    # Of two equal files the first by path counts.
    assert {name: file["outcome"] for name, file in files.items()} == EXPECTED
    assert files["photos/good.jpg"]["decoder"] == "clipprep"
    assert files["photos/sub/good.tif"]["decoder"] == "pillow"
    assert (files["photos/good.png"]["format"], files["photos/good.png"]["mode"]) == ("PNG", "P")
    for said in ("pillow", "clipprep"):
        assert "truncated" in files["photos/cut.jpg"][said].lower()
    assert "photos/text.gif" in files["photos/text.gif"]["clipprep"]
    assert str(folder) not in json.dumps(files)
    assert "50,000" in files["photos/large.bmp"]["pillow"]
    assert "32 x 9600" in files["photos/thin.png"]["pillow"]
    assert "other programs" in files["photos/drawing.eps"]["pillow"]


def test_the_options_hold_for_both_sides(folder: Path, capsys, monkeypatch) -> None:
    turned = saved(picture("RGB", 60, 45), "JPEG", exif=b"Exif\0\0" + orientation(6))
    (folder / "turned.jpg").write_bytes(turned)
    names = ["photos/good.jpg", "photos/turned.jpg", "photos/cut.jpg"]
    arguments = [folder, "--jobs", 0, "--size", 32, "--max-pixels", 50_000]

    def outcomes(*options: str) -> list[str]:
        files = run(capsys, *arguments, *options)[1]
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False
        return [files[name]["outcome"] for name in names]

    assert outcomes("--truncated", "pad", "--exif") == [verify.EQUAL] * 3
    assert outcomes("--exif") == [verify.EQUAL, verify.EQUAL, verify.BOTH]
    monkeypatch.setattr(ImageOps, "exif_transpose", lambda image: image)
    assert outcomes("--exif") == [verify.EQUAL, verify.DIFFER, verify.BOTH]
    monkeypatch.setattr(reference, "load_truncated", lambda wanted: nullcontext())
    assert outcomes("--truncated", "pad") == [verify.EQUAL, verify.EQUAL, verify.THEIRS]


def test_the_native_share_is_told_by_format(folder: Path, tmp_path: Path) -> None:
    for mode in ("L", "F"):  # bytes are read here, floats by Pillow
        (folder / f"{mode}.pnm").write_bytes(saved(picture(mode, 40, 30), "PPM"))
    report = tmp_path / "report.md"
    arguments = ["--jobs", "0", "--size", "32", "--markdown", str(report)]
    assert main(["verify", str(folder), *arguments]) == 0
    rows = report.read_text().split("native decoder:")[1].splitlines()
    shares = {row.split("|")[1].strip(): row.split("|")[-2].strip() for row in rows if "%" in row}
    assert shares == {
        "BMP": "100.0%",
        "JPEG": "100.0%",
        "PNG": "100.0%",
        "PPM": "50.0%",
        "all": "85.7%",
    }


def test_a_difference_of_one_level_is_told(folder: Path, capsys, monkeypatch, tmp_path) -> None:
    sound = reference.pixels

    def one_off(image, n):
        pixels = sound(image, n).copy()
        if image.format == "TIFF":
            pixels[3, 4, 1] ^= 1
        return pixels

    monkeypatch.setattr(reference, "pixels", one_off)
    status, files = run(capsys, folder, "--jobs", 0, "--size", 32, "--max-pixels", 50_000)
    assert status == 1
    differing = {name for name, file in files.items() if file["outcome"] == verify.DIFFER}
    assert differing == {"photos/sub/good.tif"}
    file = files["photos/sub/good.tif"]
    assert (file["levels"], file["share"]) == (1, 1 / (3 * 32 * 32))

    report = tmp_path / "report.md"
    arguments = ["--jobs", "0", "--size", "32", "--markdown", str(report)]
    assert main(["verify", str(folder), *arguments]) == 1
    text = capsys.readouterr().out
    line = "differ: photos/sub/good.tif (TIFF RGB, decoder pillow), by up to 1 levels in 0.03%"
    assert line in text
    assert line in report.read_text()


def test_refusals_of_one_side_are_told_with_its_words(folder: Path, capsys, monkeypatch) -> None:
    def refusing(image, n):
        raise ValueError("not today")

    monkeypatch.setattr(reference, "pixels", refusing)
    status, files = run(capsys, folder / "good.jpg", "--jobs", 0)
    assert status == 0
    file = files["good.jpg"]
    assert file["outcome"] == verify.THEIRS
    assert file["pillow"] == "ValueError: not today"

    monkeypatch.undo()
    strict = clipprep.Preprocess(32, limits=clipprep.Limits(max_pixels=10))
    verdict = verify.check(verify.Item(folder / "good.jpg", "x"), preprocess=strict)
    assert verdict.outcome == verify.OURS
    assert verdict.outcome in verify.FAILURES
    assert verdict.clipprep.startswith("LimitError")


def test_floats_that_differ_are_a_difference(folder: Path) -> None:
    other = clipprep.Preprocess(32, pillow="installed", std=(0.26862954, 0.26130258, 0.2757))
    verdict = verify.check(verify.Item(folder / "good.jpg", "x"), preprocess=other)
    assert verdict.outcome == verify.DIFFER
    assert verdict.share > 0.3


def test_bytes_are_checked_as_files_are(folder: Path, small) -> None:
    path = folder / "good.jpg"
    for source in (path, path.read_bytes()):
        assert verify.check(verify.Item(source, "x"), preprocess=small).outcome == verify.EQUAL


def test_the_report_says_where_it_ran(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    arguments = ["--jobs", "0", "--size", "32", "--markdown", str(report)]
    assert main(["verify", str(folder), *arguments]) == 0
    text = report.read_text()
    assert f"Pillow: {PIL.__version__}\n" in text
    assert "libjpeg-turbo" in text
    assert np.__version__ in text
    assert f"{clipprep.build_info()['simd']} kernels" in text
    assert "| JPEG   | RGB  |" in text
    assert str(folder) not in text


def test_the_answer_is_a_sentence(folder: Path, capsys) -> None:
    good = [str(folder / name) for name in ("good.jpg", "good.png")]
    assert main(["verify", *good, "--jobs", "0", "--size", "32"]) == 0
    pillow = f"equal to Pillow {PIL.__version__}, bit for bit"
    assert capsys.readouterr().out == f"2 of 2 files are {pillow}\n"
    assert main(["verify", str(folder), "--jobs", "0", "--size", "32", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert result == f"6 of 10 files are {pillow}; 3 refused by both, 1 skipped"


OPTIONS = {
    "mean and std": ("--mean", "0", "0.5", "1", "--std", "1", "0.5", "0.25"),
    "a name of open_clip": ("--model", "ViT-B-16-SigLIP"),
    "a name of timm": ("--model", "vit_base_patch16_clip_224.openai"),
    "timm": ("--profile", "timm", "--resize-size", "40"),
    "hf-pil": ("--profile", "hf-pil", "--rescale-factor", "0.25"),
    "squash": ("--model", "32x48", "--resize-mode", "squash", "--interpolation", "bilinear"),
    "longest": ("--resize-mode", "longest", "--fill-color", "7", "--interpolation", "lanczos"),
    "none": ("--resize-mode", "none", "--no-normalize"),
    "float16": ("--dtype", "float16", "--layout", "NHWC"),
    "bfloat16": ("--dtype", "bfloat16"),
    "uint8": ("--dtype", "uint8"),
    "Pillow 12": ("--pillow", "12"),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_has_its_reference(folder: Path, capsys, options: tuple[str, ...]) -> None:
    size = () if "--model" in options else ("--model", "32")
    status, files = run(capsys, folder, "--jobs", 0, *size, *options, "--max-pixels", 200_000)
    assert status == 0
    assert sum(file["outcome"] == verify.EQUAL for file in files.values()) >= 5


def test_options_without_a_reference(folder: Path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    for options, said in (
        (["--precision", "fast"], "other bits have no reference"),
        (["--profile", "hf-torchvision"], "pip install torchvision"),
    ):
        with pytest.raises(SystemExit) as caught:
            main(["verify", str(folder), *options])
        assert caught.value.code == 2
        assert said in capsys.readouterr().err


def test_nothing_to_verify_is_no_success(tmp_path: Path, capsys) -> None:
    assert main(["verify", str(tmp_path), "--jobs", "0"]) == 1
    assert "no image files" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["verify", str(tmp_path / "missing")])
    assert caught.value.code == 2
    assert "missing" in capsys.readouterr().err


def test_markdown_goes_between_its_lines(tmp_path: Path) -> None:
    begin, end = marks(NAME)
    path = tmp_path / "docs" / "conformance.md"
    write_markdown(path, "first")
    assert path.read_text() == f"{begin}\n\nfirst\n\n{end}\n"
    path.write_text(f"# Title\n\n{path.read_text()}\nThe end\n")
    write_markdown(path, "second")
    assert path.read_text() == f"# Title\n\n{begin}\n\nsecond\n\n{end}\n\nThe end\n"
    with pytest.raises(ValueError, match="another"):
        write_markdown(path, "third", "another")
    path.write_text("# Title\n")
    with pytest.raises(ValueError, match="expected the lines"):
        write_markdown(path, "third")
    assert path.read_text() == "# Title\n"


def behave(how: str) -> str:
    """Ways in which a process may end; called in another one."""
    if how == "abort":
        os.abort()
    if how == "exit":
        os._exit(3)
    if how == "hang":
        time.sleep(1000)
    return how.upper()


def test_a_crash_costs_one_call() -> None:
    how = ["one", "abort", "two", "exit", "three"]
    results = list(isolated_map(behave, how, jobs=1, timeout=NEVER))
    assert [argument for argument, _ in results] == how
    assert [result for _, result in results if isinstance(result, str)] == ["ONE", "TWO", "THREE"]
    said = [str(result) for _, result in results if isinstance(result, CrashError)]
    assert said == ["the process died of SIGABRT", "the process ended with status 3"]


def test_a_hang_costs_one_call() -> None:
    """The next call has a process of its own, which is killed as well."""
    found = [result for _, result in isolated_map(behave, ["hang"] * 2, jobs=1, timeout=0.5)]
    assert [str(result) for result in found] == ["no answer within 0.5 seconds"] * 2


def test_an_isolated_function_keeps_its_process() -> None:
    pid = Isolated(functools.partial(eval), timeout=NEVER)
    try:
        first = pid("__import__('os').getpid()")
        assert first == pid("__import__('os').getpid()")
        assert first != os.getpid()
    finally:
        pid.close()
