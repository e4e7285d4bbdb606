"""The documentation's code runs: every Python block, and every `clipprep` command line, in order."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import clipprep
from support.paths import ROOT

README = ROOT / "README.md"
DOCUMENTS = [README, *sorted(ROOT.glob("docs/**/*.md"))]
#: Packages that a document's code needs besides clipprep; without them the document is skipped.
NEEDS = re.compile(r"^<!-- needs: (.*) -->$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r"<!-- \[(\w+)\].*?\[/\1\] -->", re.DOTALL)

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
    """In a process of its own and where the reader is: in a folder with `photos/`, as the repository's root."""
    if os.environ.get("CLIPPREP_RECIPES") != "all" and (names := missing(document)):
        pytest.skip(f"not installed: {', '.join(names)}; make test-recipes installs all")
    shutil.copytree(ROOT / "photos", tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    code = tmp_path / f"the_code_of_{document.stem}.py"  # the name of no module
    code.write_text(script(document), encoding="utf-8")
    # Warnings of the recipes' own libraries are for their authors.
    warnings = [] if NEEDS.search(document.read_text(encoding="utf-8")) else ["-W", "error"]
    subprocess.run([sys.executable, *warnings, code], check=True)


def installed(document: Path) -> set[str]:
    """The packages that the document's `pip install` installs, those of an extra among them."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    packages = set()
    for line in re.findall(r"pip install ([^`#\n]+)", document.read_text(encoding="utf-8")):
        for requirement in shlex.split(line):
            name, _, extra = requirement.rstrip("]").partition("[")
            packages |= {name, *(re.split(r"[\[>=]", each)[0] for each in extras.get(extra, []))}
    return packages


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if NEEDS.search(path.read_text(encoding="utf-8"))],
    ids=lambda path: path.name,
)
def test_a_page_says_how_to_install_what_its_code_needs(document: Path) -> None:
    found = NEEDS.search(document.read_text(encoding="utf-8"))
    assert found
    packages = {name.replace("-", "_") for name in installed(document)}
    modules = {"lance": "pylance"}  # the package of a module that has another name
    needed = {"clipprep", *(modules.get(name, name) for name in found[1].split(", "))}
    assert needed - packages == set()


def test_there_is_code_to_run() -> None:
    for document in [DOCUMENTS[0], ROOT / "docs" / "index.md"]:
        assert {"python", "console"} <= {language for _, language, _ in blocks(document)}


def test_code_in_rust_is_that_of_the_crate_s_own_documentation() -> None:
    """Which its doctests run."""
    crate = (ROOT / "src" / "lib.rs").read_text(encoding="utf-8").replace("//! ", "")
    crate = crate.replace("//!", "")
    found = [
        block for path in DOCUMENTS for _, language, block in blocks(path) if language == "rust"
    ]
    assert found
    assert [block for block in found if block not in crate] == []


def prose(text: str) -> list[str]:
    """The words that a reader reads: no code, no tables, no addresses, no marks."""
    text = BLOCK.sub("", MARKED.sub("", text))
    text = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.findall(r"[^\W_][\w'./-]*", text)


def test_the_readme_is_read_in_a_minute_or_two() -> None:
    text = README.read_text(encoding="utf-8")
    assert 200 < len(prose(text)) <= 700
    assert [line for line in text.splitlines() if len(line) > 160 and "](http" not in line] == []


def names(node: ast.AST) -> Iterator[str]:
    """The dotted names of clipprep in code."""
    for found in ast.walk(node):
        dotted = ast.unparse(found) if isinstance(found, ast.Attribute) else ""
        if re.fullmatch(r"clipprep(\.\w+)+", dotted):
            yield dotted
        if isinstance(found, ast.ImportFrom) and (found.module or "").startswith("clipprep"):
            yield from (f"{found.module}.{alias.name}" for alias in found.names)


def used_modules(tree: ast.AST) -> set[str]:
    """The modules of clipprep whose attributes code takes."""
    return {
        ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and re.fullmatch(r"clipprep\.\w+", ast.unparse(node.value))
    }


def imported_modules(tree: ast.AST) -> set[str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return {alias.name for node in imports for alias in node.names}


def test_the_lines_that_the_readme_adds_are_code_with_names_that_exist() -> None:
    found = set()
    for _, language, block in blocks(README):
        if language == "diff":
            after = [line[2:] for line in block.splitlines() if not line.startswith("-")]
            tree = ast.parse("\n".join(after))
            found |= set(names(tree))
            assert used_modules(tree) <= imported_modules(tree), block
    assert len(found) > 2
    for name in found:
        module, _, rest = name.partition(".")[2].partition(".")
        file = ROOT / "python" / "clipprep" / f"{module}.py"
        if not file.exists():
            file = file.with_suffix("") / "__init__.py"
        if rest:
            defined: list[str] = []
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    defined.append(node.name)
                elif isinstance(node, ast.ImportFrom):
                    defined += [alias.name for alias in node.names]
            assert rest.split(".")[0] in defined, name
        else:
            assert file.exists() or hasattr(clipprep, module), name


PLACE = re.compile(r"`((?:src|python|tests|scripts|benches|fuzz|docs)/[^`\s]*)`")


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name
)
def test_the_files_that_a_document_names_exist(document: Path) -> None:
    named = set(PLACE.findall(document.read_text(encoding="utf-8")))
    assert [place for place in named if not any(ROOT.glob(place))] == []
    if document.name in ("architecture.md", "CONTRIBUTING.md"):
        assert len(named) > 10
