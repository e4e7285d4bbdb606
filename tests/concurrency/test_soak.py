"""Twenty seconds of the soak test; `make soak` runs it longer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.paths import TESTS

SOAK = TESTS / "soak" / "soak.py"


@pytest.mark.skipif(sys.platform != "linux", reason="its faults are made by means of Linux")
def test_a_while_of_it() -> None:
    done = subprocess.run(
        [sys.executable, SOAK, "--seconds", "20", "--damaged", "200"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "| rows wrong | 0 |" in done.stdout
