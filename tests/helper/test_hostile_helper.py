"""A helper that was taken over by a file says what it likes: it costs its row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import clipprep
from clipprep._helper import process as process_module
from clipprep._helper.protocol import Hello, Reply, Status
from support.helped import end_helpers
from support.pictures import picture
from support.writers import saved

TGA = saved(picture("RGB", 60, 40), "TGA")
GOOD = Reply(1, width=8, height=4, size=32, status=Status.PIXELS, mode="L")
CASES: dict[str, tuple[bytes, type[Exception] | None, str]] = {
    "a right answer": (GOOD.pack(), None, ""),
    "an odd orientation": (replace(GOOD, orientation=255, held=2**40).pack(), clipprep.LimitError, "max_memory"),
    "another magic number": (b"X" + GOOD.pack()[1:], clipprep.HelperError, "none of ours"),
    "another question's answer": (replace(GOOD, sequence=2).pack(), clipprep.HelperError, "another question"),
    "an unknown status": (replace(GOOD, status=99).pack(), clipprep.HelperError, "none of ours"),
    "more pixels than there are": (replace(GOOD, width=8000, size=32000).pack(), clipprep.HelperError, "other pixels"),
    "a size that is not its sides'": (replace(GOOD, size=31).pack(), clipprep.HelperError, "no image"),
    "no pixels": (replace(GOOD, width=0, size=0).pack(), clipprep.HelperError, "no image"),
    "far too many pixels": (replace(GOOD, width=2**32 - 1, height=2**31, size=(2**32 - 1) << 31).pack(), clipprep.LimitError, "max_pixels"),
    "too long a palette": (replace(GOOD, mode="P", palette_size=65535).pack(), clipprep.HelperError, "no image"),
    "a mode of its own": (replace(GOOD, mode="XYZ").pack(), clipprep.UnsupportedError, '"XYZ"'),
    "text that is none": (replace(GOOD, status=Status.RAISED, cause="x").pack().replace(b"x\xff", b"\xfe\xfe"), clipprep.DecodeError, ""),
    "a refusal of a kind of its own": (replace(GOOD, status=Status.GUARDED, kind="stop", said="\x1b[31m").pack(), clipprep.DecodeError, "x1b"),
    "half an answer": (GOOD.pack()[:99], clipprep.HelperError, "status 0"),
    "no answer": (b"", clipprep.HelperError, "status 0"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_others() -> Iterator[None]:
    """The helpers of other tests are not asked."""
    end_helpers()
    yield
    end_helpers()


@pytest.mark.parametrize("name", CASES)
def test_what_it_says_is_checked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, error, said = CASES[name]
    script = tmp_path / "helper.py"
    script.write_text(f"""
import os, re
setup = os.read(0, int.from_bytes(os.read(0, 4), "little"))
file = int(re.search(rb'"file": (\\d+)', setup)[1])
os.write(1, {Hello(bounds=1).pack()!r})
os.read(0, int.from_bytes(os.read(0, 4), "little"))
os.ftruncate(file, 0)
os.pwrite(file, bytes(range(32)), 0)
os.write(1, {answer!r})
if {len(answer) > 99}:
    os.read(0, 1)
""")
    monkeypatch.setattr(process_module, "_START", script)
    pre = clipprep.Preprocess(16, fallback="process")
    result = pre.try_batch([TGA], num_threads=1)
    if error is None:
        assert result.ok.all(), result.errors
    else:
        assert type(result.errors[0]) is error
        assert said in str(result.errors[0])
