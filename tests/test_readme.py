"""The documentation's code runs: every Python block, and every `clipprep` command line."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[tuple[int, str]]:
    """The fenced blocks in one language, each with the number of the line before its code."""
    text = document.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start(2)), match[2])
        for match in BLOCK.finditer(text)
        if match[1] == language
    ]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the test where the documents' reader is: in a folder with the photos in it."""
    shutil.copytree(ROOT / "photos", tmp_path / "photos")
    shutil.copytree(ROOT / "photos", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
@pytest.mark.usefixtures("reader")
def test_python_blocks_run(document: Path) -> None:
    """In order and in one namespace; a traceback shows the document's own line."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for line, code in blocks(document, "python"):
        exec(compile("\n" * line + code, document, "exec"), namespace)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
@pytest.mark.usefixtures("reader")
def test_command_lines_run(document: Path) -> None:
    for _, code in blocks(document, "console"):
        for command in re.findall(r"^\$ clipprep (.*)$", code, re.MULTILINE):
            subprocess.run([sys.executable, "-m", "clipprep", *shlex.split(command)], check=True)


def test_there_is_code_to_run() -> None:
    readme = DOCUMENTS[0]
    assert blocks(readme, "python")
    assert blocks(readme, "console")
