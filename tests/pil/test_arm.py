"""`pillow="13-arm"` has the bits of Pillow on 64-bit ARM, on every machine; the default has those of x86."""

from __future__ import annotations

import hashlib
import json

import pytest

from clipprep import Preprocess
from support.arm import CASES, image
from support.paths import DATA

GOLDENS = json.loads((DATA / "arm_resize.json").read_text())["digests"]


def digest(name: str, pillow: str) -> str:
    mode, source, filter_name, side = CASES[name]
    pre = Preprocess(
        side,
        resize_mode="squash",
        interpolation=filter_name,
        pillow=pillow,
        dtype="uint8",
        layout="NHWC",
    )
    return hashlib.sha256(pre(image(mode, source)).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("name", CASES)
def test_the_bits_of_pillow_on_arm(name: str) -> None:
    """Recorded there by tests/data/make_arm_resize.py."""
    assert digest(name, "13-arm") == GOLDENS[name]


def test_the_default_does_not_follow_the_machine() -> None:
    differ = [name for name in CASES if digest(name, "13") != GOLDENS[name]]
    assert len(differ) > len(CASES) / 8
