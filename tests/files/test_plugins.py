"""Formats that a plug-in registered with Pillow in this process are read as Pillow reads them, and count as named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image, ImageFile

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.reference import reference

DATA = b"MINE" + bytes(range(0, 240, 2))


class Mine(ImageFile.ImageFile):
    """12 x 10 grey pixels after four letters."""

    format = "MINE"

    def _open(self) -> None:
        self._size, self._mode = (12, 10), "L"
        self.tile = [ImageFile._Tile("raw", (0, 0, 12, 10), 4, ("L", 0, 1))]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    Image.init()
    Image.register_open("MINE", Mine, lambda prefix: prefix[:4] == b"MINE")
    yield
    Image.OPEN.pop("MINE")
    Image.ID.remove("MINE")


@pytest.mark.parametrize("options", [{}, {"truncated": "pad"}, {"exif": True}, {"formats": ["MINE"]}], ids=str)  # fmt: skip
def test_it_is_read(options: dict[str, object]) -> None:
    pre = clipprep.Preprocess(32, pillow="installed", **options)
    assert_equal_bits(pre(DATA), reference(opened(DATA), 32), str(options))
    assert pre.explain(DATA).format == "MINE"
    assert pre.explain(DATA).decoder == "pillow"


def test_cut_ones() -> None:
    cut = DATA[:60]
    with pytest.raises(clipprep.TruncatedError):
        clipprep.Preprocess(32)(cut)
    padded = clipprep.Preprocess(32, pillow="installed", truncated="pad")
    assert_equal_bits(padded(cut), reference(opened(cut, truncated="pad"), 32), "cut and padded")


def test_limits_and_names_hold() -> None:
    limits = clipprep.Limits(max_pixels=100)
    with pytest.raises(clipprep.LimitError, match="12 x 10"):
        clipprep.Preprocess(32, limits=limits)(DATA)
    with pytest.raises(clipprep.UnsupportedError):
        clipprep.Preprocess(32, formats=["JPEG"])(DATA)


def test_where_it_is_not_registered_it_is_unsupported() -> None:
    Image.OPEN.pop("MINE")
    Image.ID.remove("MINE")
    try:
        with pytest.raises(clipprep.UnsupportedError):
            clipprep.Preprocess(32)(DATA)
    finally:
        Image.register_open("MINE", Mine, lambda prefix: prefix[:4] == b"MINE")
