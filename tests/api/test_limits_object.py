"""`Limits`: what each bounds, its defaults, and the object itself."""

from __future__ import annotations

import pickle
import struct
import zlib

import numpy as np
import pytest

import clipprep
from support.pictures import photo
from support.reference import LIVE, from_array
from support.writers import saved

ARRAY = photo(90, 157, 3)


def test_limits_by_pixels(tmp_path) -> None:
    image = from_array(ARRAY)
    pixels = ARRAY.shape[0] * ARRAY.shape[1]
    exact = clipprep.Preprocess(32, pillow=LIVE, limits=clipprep.Limits(max_pixels=pixels))
    below = clipprep.Preprocess(32, pillow=LIVE, limits=clipprep.Limits(max_pixels=pixels - 1))
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM", "QOI", "TIFF", "TGA"):
        data = saved(image.quantize() if name == "GIF" else image, name)
        assert exact(data).shape == (3, 32, 32)
        for call in (below, below.explain):
            with pytest.raises(clipprep.LimitError) as caught:
                call(data)
            assert "157" in str(caught.value)
            assert "90" in str(caught.value)
            assert f"{pixels - 1}" in str(caught.value).replace(",", "").replace("_", "")


def test_limits_by_bytes(tmp_path) -> None:
    data = saved(from_array(ARRAY), "PNG")
    path = tmp_path / "image.png"
    path.write_bytes(data)
    exact = clipprep.Preprocess(32, limits=clipprep.Limits(max_bytes=len(data)))
    below = clipprep.Preprocess(32, limits=clipprep.Limits(max_bytes=len(data) - 1))
    for source in (data, path, np.frombuffer(data, np.uint8)):
        assert exact(source).shape == (3, 32, 32)
        with pytest.raises(clipprep.LimitError):
            below(source)


def test_the_default_limits() -> None:
    limits = clipprep.Limits()
    assert (limits.max_pixels, limits.max_bytes) == (178_956_970, 1 << 30)
    with pytest.raises(clipprep.LimitError):
        clipprep.Preprocess(32)(_huge_png())
    unlimited = clipprep.Limits(max_pixels=None, max_bytes=None)
    assert (unlimited.max_pixels, unlimited.max_bytes) == (None, None)
    with pytest.raises(clipprep.ImageError) as caught:
        clipprep.Preprocess(32, limits=clipprep.Limits(max_pixels=60_000 * 60_000))(
            _huge_png()[:-30]
        )
    assert not isinstance(caught.value, clipprep.LimitError) or "memory" in str(caught.value)


def _huge_png() -> bytes:
    """A header that promises 50,000 x 50,000 pixels, and 40 bytes of them."""

    from support.writers import png_chunk

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = png_chunk(b"IDAT", zlib.compress(bytes(40)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + data + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "wrong", [{"max_pixels": -1}, {"max_bytes": -1}, {"max_pixels": 1.5}, {"max_bytes": "1 GB"}]
)
def test_bad_limits(wrong: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        clipprep.Limits(**wrong)


@pytest.mark.parametrize("later", ["max_frames", "max_width", "timeout"])
def test_limits_that_do_not_exist_yet(later: str) -> None:
    with pytest.raises(TypeError):
        clipprep.Limits(**{later: 10})


def test_limits_compare_hash_and_pickle() -> None:
    limits = clipprep.Limits(max_pixels=10, max_bytes=None)
    assert limits == clipprep.Limits(max_pixels=10, max_bytes=None) != clipprep.Limits()
    assert hash(limits) == hash(clipprep.Limits(max_pixels=10, max_bytes=None))
    assert pickle.loads(pickle.dumps(limits)) == limits
    assert "max_pixels=10" in repr(limits).replace(" ", "")
