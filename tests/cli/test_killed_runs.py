"""A run that is killed again and again ends with the bytes of one that was not. `make soak` has 10,000 files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "soak"))

import runs


def test_kills_change_no_byte(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    runs.make_files(tmp_path / "files", 400)
    lines = list(runs.check(tmp_path / "files", tmp_path, kills=2))
    assert len(lines) == len(runs.ENDINGS)
