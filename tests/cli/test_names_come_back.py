"""Names of files in outputs: writer, reader and the recipe of docs/cli.md agree on every text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clipprep.cli import names

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"

CHARACTERS = st.characters(exclude_categories=())
PIECES = st.sampled_from(["\\", "x", "u", "ud", "x5c", "x41", "xe9", "ud83d", "\udce9", "\ud83d"])
TEXTS = st.lists(CHARACTERS | PIECES).map("".join)


@pytest.fixture(scope="module")
def recipe() -> Callable[[str], str]:
    """The function that docs/cli.md publishes, which checks itself as it is made."""
    if not DOCS.exists():
        pytest.skip("no docs here")
    part = DOCS.read_text("utf-8").partition("**Names** that are not UTF-8")[2]
    found = re.search(r"```python\n(.*?)```", part, re.DOTALL)
    assert found is not None
    made: dict[str, Callable[[str], str]] = {}
    exec(found[1], made)
    return made["name_of"]


@given(TEXTS)
@example(r"back\x41.jpg")
@example(r"\x00\x5cx5c\ud83d")
def test_every_name_comes_back(recipe: Callable[[str], str], name: str) -> None:
    text = names.written(name)
    text.encode("utf-8")
    assert names.restored(text) == name
    assert recipe(text) == name


@given(st.binary())
def test_all_bytes_come_back(recipe: Callable[[str], str], name: bytes) -> None:
    text = names.written(name.decode("utf-8", "surrogateescape"))
    assert recipe(text).encode("utf-8", "surrogateescape") == name


def test_plain_names_are_written_as_they_are() -> None:
    for name in ("cat.jpg", "日本 🐈", r"C:\photos\cat.jpg", r"\x", r"\xZZ", r"\u0041"):
        assert names.written(name) == name
