"""Large files whose decoders are called piece by piece, so that they can be interrupted: the same bits."""

from __future__ import annotations

import pytest

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import picture
from support.reference import reference
from support.writers import saved


def native(pre: clipprep.Preprocess, data: bytes) -> None:
    decoder = pre.explain(data).decoder
    assert decoder != "pillow"
    assert_equal_bits(pre(data), reference(opened(data), pre.size), decoder)


@pytest.mark.parametrize("size", [(1500, 1100), (900, 2900), (2300, 801)], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    "options",
    [{"quality": 80}, {"quality": 20, "method": 5}, {"lossless": True, "quality": 0}],
    ids=str,
)
def test_webp(small, size: tuple[int, int], mode: str, options: dict[str, object]) -> None:
    native(small, saved(picture(mode, *size), "WEBP", **options))


@pytest.mark.parametrize("cut", [1, 1000, 100_000])
def test_a_webp_cut_short(small, cut: int) -> None:
    data = saved(picture("RGB", 1500, 1100), "WEBP", lossless=True, quality=0)
    with pytest.raises(clipprep.TruncatedError):
        small(data[:-cut])


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(1900, 11001), (3001, 7300), (640, 22005)], ids=str)
def test_a_jpeg_with_much_above_and_below_the_crop(
    small, size: tuple[int, int], subsampling: int
) -> None:
    picture_ = picture("RGB", size[0] // 8, size[1] // 8).resize(size)
    native(small, saved(picture_, "JPEG", subsampling=subsampling))
