"""The repository's address is said once; the links of the package follow from it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.paths import ROOT

ADDRESS = "https://example.org/owner/clipprep"
LINK = re.compile(r"""(?:\]\(|src="|href=")([^)"#]+)""")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    for name in (
        "Cargo.toml",
        "pyproject.toml",
        "README.md",
        "CITATION.cff",
        "scripts/repository.py",
        "scripts/written.py",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(copy: Path, *arguments: str) -> int:
    script = [sys.executable, copy / "scripts" / "repository.py", *arguments]
    return subprocess.run(script, capture_output=True).returncode


def test_without_an_address_all_links_are_relative_and_lead_to_files(copy: Path) -> None:
    text = (copy / "Cargo.toml").read_text()
    (copy / "Cargo.toml").write_text(re.sub(r"(?m)^repository = .*\n", "", text))
    assert run(copy) == 0
    relative = [
        link for link in LINK.findall((copy / "README.md").read_text()) if "://" not in link
    ]
    assert len(relative) > 5
    assert [link for link in relative if not (ROOT / link).exists()] == []
    assert "urls" not in tomllib.loads((copy / "pyproject.toml").read_text())["project"]


def test_with_an_address_all_links_are_whole_and_lead_to_files(copy: Path) -> None:
    before = run(copy, "--check")
    assert run(copy, ADDRESS) == 0
    links = LINK.findall((copy / "README.md").read_text())
    assert [link for link in links if not link.startswith("https://")] == []
    inside = [re.sub(r"^.*?/(blob|raw)/main/", "", link) for link in links if "/main/" in link]
    assert len(inside) > 5
    assert [link for link in inside if not (ROOT / link).exists()] == []
    urls = tomllib.loads((copy / "pyproject.toml").read_text())["project"]["urls"]
    assert {"Homepage", "Changelog", "Issues"} <= urls.keys()
    assert f"repository-code: {ADDRESS}" in (copy / "CITATION.cff").read_text()
    assert (before, run(copy, "--check")) == (0, 0)


def test_a_link_that_does_not_follow_is_found(copy: Path) -> None:
    run(copy, ADDRESS)
    readme = copy / "README.md"
    readme.write_text(readme.read_text() + "\n[more](docs/options.md)\n")
    assert run(copy, "--check") == 1


@pytest.mark.parametrize("address", ["owner/clipprep", "http://example.org/x", 'https://a"b/c'])
def test_what_is_no_address_is_refused(copy: Path, address: str) -> None:
    before = (copy / "Cargo.toml").read_text()
    assert run(copy, address) == 2
    assert (copy / "Cargo.toml").read_text() == before


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_actions_by_commit_and_may_read_alone(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    assert re.search(r"(?m)^permissions:\n  contents: read\n\S*$", text)
    used = re.findall(r"(?m)^\s*(?:- )?uses: (\S+)(.*)", text)
    assert used
    for action, version in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+(\.\d+)*", version), action
    # A token that is kept in the checkout could be read by any step.
    checkouts = text.count("uses: actions/checkout@")
    assert text.count("persist-credentials: false") == checkouts


def test_the_oldest_versions_are_those_of_the_package() -> None:
    script = [sys.executable, ROOT / "scripts" / "oldest.py"]
    found = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["cli"]]
    assert [line.replace("==", ">=") for line in found] == needed
