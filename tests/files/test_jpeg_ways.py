"""Regular JPEG files are decoded without libjpeg; what is left to it has a reason that `explain` shows."""

from __future__ import annotations

import pytest

import clipprep
from support.expect import assert_as_pillow_decides
from support.paths import DATA
from support.pictures import picture
from support.writers import jpeg_resampled, saved

PREFIX = "left to libjpeg: "


def way(data: bytes, **options: object) -> str | None:
    """Why a file is left to libjpeg, if it is."""
    explained = clipprep.Preprocess(32, **options).explain(data)
    whys = [note.removeprefix(PREFIX) for note in explained.notes if note.startswith(PREFIX)]
    assert len(whys) == (explained.decoder == "libjpeg")
    return whys[0] if whys else None


@pytest.mark.parametrize("precision", ["exact", "fast"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("mode", "sampling"),
    [("L", "4:4:4"), ("RGB", "4:4:4"), ("RGB", "4:2:2"), ("RGB", "4:2:0"), ("CMYK", "4:4:4")],
)
def test_regular_files_are_not_left(
    mode: str, sampling: str, progressive: bool, precision: str
) -> None:
    for options in ({}, {"restart_marker_rows": 1}, {"quality": 98}):
        image = picture(mode, 300, 200)
        data = saved(image, "JPEG", subsampling=sampling, progressive=progressive, **options)
        assert way(data, precision=precision) is None, options


def damaged(data: bytes) -> bytes:
    """With a restart that nothing announces in its last quarter."""
    at = data.index(b"\0", 3 * len(data) // 4) + 1
    return data[:at] + b"\xff\xd3" + data[at:]


LEFT = {
    "rare": (
        jpeg_resampled(
            saved(picture("RGB", 64, 64), "JPEG", subsampling=2),
            ((4, 1), (1, 1), (1, 1)),
            (128, 32),
        ),
        "its components are sampled in a rare way",
    ),
    "narrow": (saved(picture("RGB", 4, 50), "JPEG", subsampling=2), "it is too narrow"),
    "arithmetic": ((DATA / "jpeg/arithmetic.jpg").read_bytes(), "it is coded arithmetically"),
    "several scans": (
        (DATA / "jpeg/one-by-one-420.jpg").read_bytes(),
        "its components are in scans of their own",
    ),
    "bits missing": ((DATA / "jpeg/some-bits.jpg").read_bytes(), "its scans are not regular"),
    "damaged": (damaged(saved(picture("RGB", 400, 300), "JPEG")), "its scans are not regular"),
    "damaged late in a progressive file": (
        damaged(saved(picture("RGB", 400, 300), "JPEG", progressive=True)),
        "its scans are not regular",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_says_why(name: str) -> None:
    data, why = LEFT[name]
    assert way(data) == why
    assert_as_pillow_decides(data, clipprep.Preprocess(32, pillow="installed"), name)


def test_files_that_may_be_truncated_are_left() -> None:
    data = saved(picture("RGB", 64, 64), "JPEG")
    assert way(data, truncated="pad") == 'it may be truncated (truncated="pad")'
