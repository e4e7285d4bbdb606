"""Helpers of this process, and programs of their own that have a helper decode."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from clipprep._helper.pool import POOL
from clipprep._helper.process import Helper
from support.paths import TESTS
from support.waiting import NEVER

if TYPE_CHECKING:  # the programs do without
    import pytest

#: What each of them begins with: `pre` has a helper decode `TGA`.
SETUP = f"""
import os, signal, sys, tempfile, threading, time
sys.path.insert(0, {str(TESTS)!r})
import clipprep
from clipprep._helper.pool import POOL
from support import plug
from support.helped import end_helpers
plug.register()
from support.pictures import picture
from support.writers import saved
TGA = saved(picture("RGB", 60, 40), "TGA")
pre = clipprep.Preprocess(16, fallback="process")
"""


def end_helpers() -> None:
    """Ends all helpers of this process, so that the next file starts one."""
    for helper in POOL.helpers():
        POOL.drop(helper)
    POOL._idle.clear()


def asked_helpers(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[Helper]:
    """Each helper, once it has been handed a file."""
    asked: queue.Queue[Helper] = queue.Queue()
    ask = Helper.ask

    def noted(helper: Helper, *arguments: object) -> None:
        ask(helper, *arguments)  # type: ignore[arg-type]
        asked.put(helper)

    monkeypatch.setattr(Helper, "ask", noted)
    return asked


def program(
    code: str, *, flags: tuple[str, ...] = (), before: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    """Runs `before`, what all begin with, and `code`, in an interpreter with these flags. Its temporary files are removed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**options.pop("env", os.environ), "TMPDIR": folder}
        return subprocess.run(
            [sys.executable, *flags, "-c", before + SETUP + code],
            capture_output=True,
            text=True,
            timeout=NEVER,
            env=environment,
            **options,
        )
