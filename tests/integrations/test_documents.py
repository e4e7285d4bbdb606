"""The documentation's code runs: every Python block, and every `clipprep` command line, in order."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.paths import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
#: Packages that a document's code needs besides clipprep; without them the document is skipped.
NEEDS = re.compile(r"^<!-- needs: (.*) -->$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


COMMAND = re.compile(r"^\$ clipprep (.*)$", re.MULTILINE)


def blocks(document: Path) -> list[tuple[int, str, str]]:
    """The fenced blocks: the number of the line before the code, the language, the code."""
    text = document.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start(2)), match[1], match[2]) for match in BLOCK.finditer(text)
    ]


def script(document: Path) -> str:
    """All that the document has to run, in its order, each block on the document's own lines."""
    code = "import subprocess, sys"
    for line, language, block in blocks(document):
        if language == "console":
            arguments = [
                ["-m", "clipprep", *shlex.split(found)] for found in COMMAND.findall(block)
            ]
            block = "; ".join(
                f"subprocess.run([sys.executable, *{each}], check=True)" for each in arguments
            )
        elif language != "python":
            continue
        code += "\n" * (line - code.count("\n")) + block
    return code


def missing(document: Path) -> list[str]:
    """The modules that the document's code needs and that are not installed."""
    found = NEEDS.search(document.read_text(encoding="utf-8"))
    return [name for name in found[1].split(", ") if not find_spec(name)] if found else []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_code_of_documents_runs(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own and where the reader is: in a folder with the photos in it."""
    if os.environ.get("CLIPPREP_RECIPES") != "all" and (names := missing(document)):
        pytest.skip(f"not installed: {', '.join(names)}; make test-recipes installs all")
    shutil.copytree(ROOT / "photos", tmp_path / "photos")
    shutil.copytree(ROOT / "photos", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    code = tmp_path / f"the_code_of_{document.stem}.py"  # the name of no module
    code.write_text(script(document), encoding="utf-8")
    # Warnings of the recipes' own libraries are for their authors.
    warnings = [] if NEEDS.search(document.read_text(encoding="utf-8")) else ["-W", "error"]
    subprocess.run([sys.executable, *warnings, code], check=True)


def test_there_is_code_to_run() -> None:
    for document in [DOCUMENTS[0], ROOT / "docs" / "index.md"]:
        assert {"python", "console"} <= {language for _, language, _ in blocks(document)}
