"""The size of AV1 data counts, whatever the boxes around them say."""

from __future__ import annotations

import io

import pytest
from PIL import Image, features

import clipprep
from support import avifs
from support.pictures import picture
from support.writers import saved

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")


def limited(side: int) -> clipprep.Preprocess:
    return clipprep.Preprocess(32, limits=clipprep.Limits(max_pixels=side * side))


@pytest.mark.parametrize("side", [65, 128, 600])
def test_av1_data_meet_the_limits(side: int) -> None:
    with pytest.raises(clipprep.LimitError, match=rf"\(max_pixels\), found {side} x {side}"):
        limited(64)(avifs.said(side, 64))


def test_what_a_box_says_meets_the_limits() -> None:
    with pytest.raises(clipprep.LimitError, match=r"\(max_pixels\), found 600 x 600"):
        limited(64)(avifs.said(64, 600))


def test_cells_count_each() -> None:
    assert limited(600)(avifs.grid(64, 3)).shape == (3, 32, 32)
    with pytest.raises(clipprep.LimitError, match="128 x 128"):
        limited(100)(avifs.grid(128, 1))
    with pytest.raises(
        clipprep.LimitError, match=r"pixels in the parts of an AVIF, found 23040000"
    ):
        clipprep.Preprocess(32)(avifs.grid(600, 8))


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_valid_files_are_read_as_before(mode: str, frames: int) -> None:
    others = [picture(mode, 90, 70, seed=seed) for seed in range(frames - 1)]
    data = saved(picture(mode, 90, 70), "AVIF", save_all=True, append_images=others)
    expected = clipprep.Preprocess(32)(Image.open(io.BytesIO(data)))
    assert (clipprep.Preprocess(32)(data) == expected).all()


@pytest.mark.parametrize("kind", [b"iloc", b"iprp"])
def test_a_box_that_is_missing_or_there_twice_is_refused(kind: bytes) -> None:
    data = avifs.black(64)
    at = data.index(kind) - 4
    size = int.from_bytes(data[at : at + 4], "big")
    meta = data.index(b"meta") - 4
    length = int.from_bytes(data[meta : meta + 4], "big") + size
    twice = data[:meta] + length.to_bytes(4, "big") + data[meta + 4 : at + size] + data[at:]
    with pytest.raises(clipprep.DecodeError, match=f"one box {kind.decode()}"):
        clipprep.Preprocess(32)(twice)
    with pytest.raises(clipprep.DecodeError, match=f"a box {kind.decode()}.*found none"):
        clipprep.Preprocess(32)(data.replace(kind, b"free"))
