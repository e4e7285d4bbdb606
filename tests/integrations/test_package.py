"""The promises that the package, its Makefile and its workflows make each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from support.paths import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("python/**/*.py"),
]


def extras_named() -> set[str]:
    found = set()
    for path in TEXTS:
        for names in re.findall(r"clipprep\[([a-z, ]+)\]", path.read_text(encoding="utf-8")):
            found |= {name.strip() for name in names.split(",")}
    return found


def test_the_extras_are_those_that_users_are_told_of() -> None:
    assert extras_named() == set(PYPROJECT["project"]["optional-dependencies"])


def test_the_makefile_and_workflows_install_groups_and_extras_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    groups = set(" ".join(re.findall(r"GROUPS := (.*)", makefile)).split())
    groups |= set(re.findall(r"--group (\w+)", makefile))
    for workflow in WORKFLOWS:
        groups |= set(re.findall(r"\bgroup: ([\w-]+)", workflow.read_text(encoding="utf-8")))
    extras = set(re.findall(r"\w+", " ".join(re.findall(r"EXTRAS := (.*)", makefile))))
    assert groups == set(PYPROJECT["dependency-groups"])
    assert extras
    assert extras <= set(PYPROJECT["project"]["optional-dependencies"])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_actions_by_commit_and_ask_for_little(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [use for use in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", use)] == []
    assert "\npermissions:\n  contents: read\n" in text
    assert set(re.findall(r"^\s+(\S+): write\b", text, re.MULTILINE)) <= {"id-token"}
