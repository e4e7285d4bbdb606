"""clipprep.ray on a local cluster: the same bits from its workers, and bad rows kept as errors."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import clipprep
from support.paths import DOCS, ROOT

ray = pytest.importorskip("ray", reason="ray is not installed: make test-ray installs it")
pytest.importorskip("ray.data")

PRE = clipprep.Preprocess(32)
# Ray's own code is not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for path in (ROOT / "photos").iterdir():
        if path.suffix != ".md":
            shutil.copy(path, folder)
    (folder / "bad.jpg").write_bytes(b"not an image")
    cut = (folder / "cat.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(cut[: len(cut) // 2])
    return folder


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("column", ["bytes", "path"])
def test_a_folder_to_parquet_and_back(folder: Path, tmp_path: Path, column: str) -> None:
    import clipprep.ray

    if column == "bytes":
        ds = ray.data.read_binary_files(str(folder), include_paths=True)
    else:
        ds = ray.data.from_items([{"path": str(path)} for path in folder.iterdir()])
    ds = clipprep.ray.preprocess(ds, column=column, model=PRE, batch_size=3)
    ds.write_parquet(str(tmp_path / "out"))

    rows = ray.data.read_parquet(str(tmp_path / "out")).take_all()
    assert sorted(rows[0]) == ["error", "ok", "path", "pixels"]
    assert sorted(Path(row["path"]).name for row in rows) == sorted(
        p.name for p in folder.iterdir()
    )
    for row in rows:
        name = Path(row["path"]).name
        assert row["ok"] == (name not in ("bad.jpg", "cut.jpg")), name
        if row["ok"]:
            assert row["error"] is None
            assert np.array_equal(row["pixels"], PRE(row["path"])), name
        else:
            assert not np.any(row["pixels"])
            assert row["error"].startswith(
                "UnsupportedError: " if name == "bad.jpg" else "TruncatedError: "
            )


def test_options_need_a_models_name() -> None:
    import clipprep.ray

    with pytest.raises(TypeError, match="beside a model's name or a size"):
        clipprep.ray.preprocess(None, model=PRE, exif=True)


def test_the_example_runs(folder: Path, tmp_path: Path) -> None:
    """As the recipe says, in a folder with two bad files among the photos."""
    recipe = (DOCS / "recipes" / "ray.md").read_text(encoding="utf-8")
    [line] = re.findall(r"`python (examples/ray_.*?)`", recipe)
    example, *arguments = line.split()
    shutil.copytree(folder, tmp_path / "photos")
    command = [sys.executable, ROOT / example, *arguments]
    ran = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "11 rows in tensors" in ran.stdout
    assert "cut.jpg: TruncatedError: " in ran.stdout
