"""A lossless WebP divides its image into blocks with Huffman codes of their own: how many there are is bounded."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.reference import reference

SIDE = 512


def saved(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", **options)
    return buffer.getvalue()


def blocks_of_their_own() -> np.ndarray:
    """A picture of tiles that have little in common, for each of which libwebp finds other codes."""
    rng = np.random.default_rng(3)
    tiles = rng.integers(0, 256, (SIDE // 32, SIDE // 32, 1, 1, 4))
    noise = rng.integers(
        0, 1 << rng.integers(1, 7, tiles.shape), (SIDE // 32, SIDE // 32, 32, 32, 4)
    )
    return ((tiles + noise) % 256).swapaxes(1, 2).reshape(SIDE, SIDE, 4).astype(np.uint8)


@pytest.mark.parametrize(
    "options",
    [{"lossless": True, "quality": 100, "method": 6, "exact": True}, {"quality": 80}],
    ids=["lossless", "lossless alpha"],
)
def test_files_with_several_groups_need_little_more_than_their_pixels(options: dict) -> None:
    """The worst case for their size, 16,384 groups of 20 KB, would be refused."""
    data = saved(blocks_of_their_own(), **options)
    limits = clipprep.Limits(max_memory=8 * SIDE * SIDE + (16 << 20))
    pre = clipprep.Preprocess(32, pillow="installed", limits=limits)
    with Image.open(io.BytesIO(data)) as image:
        assert_equal_bits(pre(data), reference(image, 32), str(options))
    assert pre.explain(data).decoder == "libwebp"
