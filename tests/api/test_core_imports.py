"""Each Python object that the core imports by a name is there: some are asked for by rare errors alone."""

from __future__ import annotations

import importlib
import re

import pytest

from support.paths import ROOT

CORE = ROOT / "src" / "python"
#: `.import(py, "module", "object")` of a cell, and `import("module")` with the `getattr` or the call after it, if any.
CELL = re.compile(r'\.import\(\s*py,\s*"([\w.]+)",\s*"(\w+)"\s*\)')
MODULE = re.compile(
    r'\bimport\("([\w.]+)"\)(?:\?|\s*\.and_then\(\|\w+\|\s*\{?\s*\w+)?(?:\s*\.(?:getattr|call_method1|call_method0)\("(\w+)")?'
)


def found() -> set[tuple[str, str]]:
    text = "".join(path.read_text("utf-8") for path in sorted(CORE.rglob("*.rs")))
    assert len(CELL.findall(text)) + len(MODULE.findall(text)) == len(
        re.findall(r'\bimport\(\s*(?:py,\s*)?"', text)
    )
    return {*CELL.findall(text), *MODULE.findall(text)}


@pytest.mark.skipif(not CORE.exists(), reason="the sources are not there")
def test_each_is_there() -> None:
    names = found()
    assert ("clipprep._pillow", "size") in names
    assert ("clipprep._out", "of_out") in names
    for module, name in sorted(names):
        assert hasattr(importlib.import_module(module), name or "__name__"), (module, name)
