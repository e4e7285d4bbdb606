"""Images that the options rule out: refused by their headers, before anything is decoded, here or by Pillow."""

from __future__ import annotations

import pytest

import clipprep
from clipprep._helper.pool import POOL
from support.pictures import picture
from support.writers import saved

RULED_OUT = {
    # It would become 60 million rows high, for which Pillow cannot hold the weights.
    "too thin": ({"model": 1000}, saved(picture("RGB", 1, 60_000), "PNG")),
    "not RGB": ({"model": 16, "convert_rgb": False}, saved(picture("L", 40, 30), "PNG")),
}


@pytest.mark.parametrize("fallback", ["inline", "process", "never"])
@pytest.mark.parametrize("name", RULED_OUT)
def test_nobody_decodes_them(monkeypatch: pytest.MonkeyPatch, name: str, fallback: str) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("it was left to Pillow")

    def take(*_: object) -> None:
        raise AssertionError("a helper was asked for")

    monkeypatch.setattr("clipprep._pillow.decode", decode)
    monkeypatch.setattr("clipprep._helper.decode", decode)
    monkeypatch.setattr(POOL, "take", take)
    options, data = RULED_OUT[name]
    with pytest.raises(clipprep.UnsupportedError) as found:
        clipprep.Preprocess(**options, fallback=fallback)(data)
    assert "fallback" not in str(found.value)
