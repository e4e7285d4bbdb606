"""The site that `make docs` builds: its links, its names, and its pages as a reader sees them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest

import clipprep
from support import chromium
from support.paths import DOCS, ROOT

pytest.importorskip("mkdocs", reason="make test-docs installs it")

INTEGRATIONS = ("openai", "transformers", "torch", "arrow", "ray")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        check=True,
    )
    return folder


class Page(HTMLParser):
    """The anchors of a page, its links, and the files that it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value is not None}
        if "id" in found:
            self.anchors.append(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif "src" in found:
            self.loads.append(found["src"])
        elif tag == "link" and found.get("rel") == "stylesheet":
            self.loads.append(found["href"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def public_names() -> Iterator[str]:
    """Every name that a user may import, and every public member of the classes among them."""
    for name in clipprep.__all__:
        if name == "__version__":
            continue
        yield f"clipprep.{name}"
        found = getattr(clipprep, name)
        if isinstance(found, type) and issubclass(found, clipprep.Preprocess):
            members = [member for member in dir(found) if not member.startswith("_")]
            yield from (f"clipprep.{name}.{member}" for member in [*members, "__call__"])
    for module in INTEGRATIONS:  # read, not imported: not all are installed
        file = ROOT / "python" / "clipprep" / f"{module}.py"
        if not file.exists():
            file = file.with_suffix("") / "__init__.py"
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield f"clipprep.{module}.{node.name}"
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                yield from (f"clipprep.{module}.{name}" for name in ast.literal_eval(node.value))


def inventory(site: Path) -> set[str]:
    """The names that the site documents, in Sphinx's format."""
    lines = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0] for line in zlib.decompress(lines).decode().splitlines()}


def test_the_api_page_has_every_public_name(site: Path) -> None:
    assert set(public_names()) - inventory(site) == set()


def test_the_constructor_comes_first_and_the_properties_last(site: Path) -> None:
    anchors = Page(site / "api.html").anchors
    found = [
        re.fullmatch(r"clipprep(?:\._core)?\.Preprocess(?:\.(\w+))?", name) for name in anchors
    ]
    members = [match[1] for match in found if match]
    kinds = [member and not callable(getattr(clipprep.Preprocess, member)) for member in members]
    assert members[0] is None
    assert kinds[1:].index(True) == kinds[1:].count(False)


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            url = urlparse(link)
            if url.scheme or url.netloc:
                continue
            target, anchor = urldefrag(unquote(link))
            file = (path.parent / target).resolve() if target else path
            if not file.exists() or (
                anchor and file in pages and anchor not in pages[file].anchors
            ):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    assert [load for page in pages.values() for load in page.loads if urlparse(load).netloc] == []


def test_every_document_is_a_page_that_the_front_page_lists(site: Path) -> None:
    expected = {
        path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")
    }
    links = {urldefrag(link)[0] for link in Page(site / "index.html").links}
    assert expected - {"index.html"} <= links


def test_the_version_and_its_changes_are_shown(site: Path) -> None:
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    assert f"clipprep {version}" in (site / "index.html").read_text(encoding="utf-8")
    assert re.search(
        rf"<h2[^>]*>{re.escape(version)}", (site / "changelog.html").read_text("utf-8")
    )


def test_no_bar_in_a_table_keeps_its_escape(pages: dict[Path, Page]) -> None:
    """As Python's Markdown leaves it in code."""
    assert [path for path in pages if r"\|" in path.read_text(encoding="utf-8")] == []


@pytest.mark.skipif(not chromium.program(), reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_shows_its_pictures(site: Path, tmp_path: Path, width: int) -> None:
    found = chromium.faults(site, width, tmp_path)
    assert len(found) > 15
    assert {page: faults for page, faults in found.items() if faults} == {}
