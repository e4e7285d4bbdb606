"""The notebooks of examples/ run, and print what they show."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import PIL
import pytest

from support.paths import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
ALL = os.environ.get("CLIPPREP_RECIPES") == "all"


def text(source: str | list[str]) -> str:
    """A text of a notebook, which may be in lines."""
    return source if isinstance(source, str) else "".join(source)


def printed(cell: dict[str, Any]) -> str:
    """The output that is shown below a cell of code."""
    return "".join(
        text(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream"
    )


def code(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_is_a_notebook() -> None:
    assert [len(code(notebook)) > 5 for notebook in NOTEBOOKS] == [True]


@pytest.mark.skipif(PIL.__version__ < "13", reason="the outputs are those of Pillow 13")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_the_cells_print_what_the_notebook_shows(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, without Jupyter."""
    monkeypatch.chdir(notebook.parent)
    names: dict[str, Any] = {}
    for cell in code(notebook):
        with contextlib.redirect_stdout(io.StringIO()) as found:
            exec(compile(text(cell["source"]), notebook.name, "exec"), names)
        assert found.getvalue() == printed(cell)


@pytest.mark.skipif(not ALL, reason="needs Jupyter: make test-recipes installs it")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_the_notebook_runs_in_jupyter(notebook: Path) -> None:
    import nbclient
    import nbformat

    found = nbformat.read(notebook, 4)
    nbclient.NotebookClient(found, resources={"metadata": {"path": notebook.parent}}).execute()
    cells = [cell for cell in found.cells if cell.cell_type == "code"]
    assert [printed(cell) for cell in cells] == [printed(cell) for cell in code(notebook)]
    pictures = ["image/png" in str(cell.outputs) for cell in cells]
    assert pictures == ["image/png" in str(cell["outputs"]) for cell in code(notebook)]
