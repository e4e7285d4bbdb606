"""Types: a program that uses every form of call passes `mypy --strict`, and runs."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import typing
import zipfile
from pathlib import Path

import numpy as np
import pytest

import clipprep
from support import every_form
from support.pictures import picture
from support.writers import saved

DATA = saved(picture("RGB", 90, 60), "JPEG")


def test_mypy_is_content() -> None:
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", every_form.__file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_mypy_finds_a_wrong_source(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "wrong.py"
    program.write_text("import clipprep\nclipprep.Preprocess(32)(7)\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"__call__" of "Calls" has incompatible type "int"' in done.stdout


def test_the_program_has_every_form() -> None:
    text = Path(every_form.__file__).read_text("utf-8")
    names = [name for name, value in vars(clipprep.Preprocess).items() if not name.startswith("_")]
    for cls in clipprep.Preprocess.__mro__[1:-1]:
        methods = (name for name, value in vars(cls).items() if callable(getattr(cls, name)))
        names += [name for name in methods if not name.startswith("_")]
    assert {"from_torchvision", "try_abatch", "unnormalize"} <= set(names)
    assert [name for name in names if f".{name}(" not in text] == []


def test_every_form_runs(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    with zipfile.ZipFile(io.BytesIO(), "w") as archive:
        archive.writestr("cat.jpg", DATA)
        given = every_form.sources(DATA, path, archive) + every_form.entries(str(tmp_path))
        pre = clipprep.Preprocess(224)
        pixels = every_form.embed(pre, given)
    for source in given:
        if isinstance(source, io.IOBase):
            source.close()
    assert np.array_equal(pixels[0], pre(DATA))
    steps = {
        "Resize": {"size": 32, "interpolation": 3},
        "CenterCrop": {"size": 32},
        "ToTensor": {},
        "Compose": {},
    }
    parts = [
        type(name, (), {"__module__": "torchvision.transforms.transforms"} | fields)()
        for name, fields in steps.items()
    ]
    parts[-1].transforms = parts[:-1]
    for one in every_form.made(tmp_path, parts[-1]):
        assert isinstance(one, clipprep.Preprocess)
    assert every_form.looked_at(pre, DATA)[0] == "(224, 224, 3)"
    (batch,) = asyncio.run(every_form.serve(pre, DATA))
    assert np.array_equal(batch.pixels[0], pixels[0])


def test_the_type_is_one_at_run_time() -> None:
    """For libraries that read annotations, such as pydantic."""

    def function(source: clipprep.Source) -> None: ...

    assert str in typing.get_args(
        typing.get_type_hints(function, vars(clipprep) | globals())["source"]
    )
