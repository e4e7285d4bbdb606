"""Goldens recorded from torchvision and transformers, which are not installed here.

tests/data/README.md says how each file was made.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.paths import DATA
from support.reference import crop_box, normalise, reference, resize_as, resized_size

LEVELS = np.arange(256, dtype=np.uint8)


@pytest.fixture(scope="module")
def torchvision() -> dict[str, np.ndarray]:
    return dict(np.load(DATA / "torchvision_resize.npz"))


@pytest.fixture(scope="module")
def transformers() -> dict[str, np.ndarray]:
    return dict(np.load(DATA / "transformers.npz"))


def level(pre: clipprep.Preprocess, value: int) -> np.ndarray:
    """The float of each byte, per channel."""
    return pre(np.full((1, 1, 3), value, np.uint8))[:, 0, 0]


@pytest.mark.parametrize("i", range(30))
def test_the_whole_transform_of_torchvision(torchvision, i: int) -> None:
    source, n = torchvision[f"in{i}"], int(torchvision["n"][i])
    expected = torchvision[f"ref{i}"]
    assert_equal_bits(
        reference(Image.fromarray(source), n, pillow="13"),
        expected,
        f"the tests' own reference {i}",
    )
    pre = clipprep.Preprocess(n)
    assert_equal_bits(pre(source), expected, f"torchvision golden {i}, array")
    assert_equal_bits(pre(Image.fromarray(source)), expected, f"torchvision golden {i}, PIL image")
    assert_equal_bits(pre.batch([source])[0], expected, f"torchvision golden {i}, batch")


@pytest.mark.parametrize("i", range(36))
def test_the_resize_of_torchvision(torchvision, i: int) -> None:
    """All 36 resized goldens, those without a `ref` too: cropped and normalised here."""
    source, n, resized = torchvision[f"in{i}"], int(torchvision["n"][i]), torchvision[f"pil{i}"]
    size = resized.shape[1], resized.shape[0]
    assert resized_size(source.shape[1], source.shape[0], n) == size
    live = np.asarray(resize_as(Image.fromarray(source), size, "bicubic", "13"))
    assert_equal_bits(live, resized, f"the tests' own resize {i}")
    left, top, right, bottom = crop_box(*size, n)
    expected = normalise(resized[top:bottom, left:right])
    assert_equal_bits(clipprep.Preprocess(n)(source), expected, f"torchvision resize golden {i}")


@pytest.mark.parametrize("i", range(30))
@pytest.mark.parametrize("backend", ["pil", "torchvision"])
def test_the_processor_of_transformers(torchvision, transformers, backend: str, i: int) -> None:
    source, n = torchvision[f"in{i}"], int(torchvision["n"][i])
    pre = clipprep.Preprocess(n, profile=f"hf-{backend}")
    assert_equal_bits(
        pre(source), transformers[f"hf_{backend}{i}"], f"transformers golden {backend} {i}"
    )
    assert_equal_bits(
        pre(Image.fromarray(source)), transformers[f"hf_{backend}{i}"], f"{backend} {i}, PIL image"
    )


@pytest.mark.parametrize("i", range(36))
def test_the_resize_of_torch(torchvision, transformers, i: int) -> None:
    """torch's uint8 kernel, through a crop and the table, for the inputs without a transformers golden too."""
    source, n, resized = torchvision[f"in{i}"], int(torchvision["n"][i]), torchvision[f"tensor{i}"]
    left, top, right, bottom = crop_box(resized.shape[1], resized.shape[0], n, "hf-torchvision")
    cropped = resized[top:bottom, left:right]
    table = transformers["hf_torchvision_lut"]
    expected = np.stack([table[cropped[..., channel], channel] for channel in range(3)])
    actual = clipprep.Preprocess(n, profile="hf-torchvision")(source)
    assert_equal_bits(actual, expected, f"torch resize golden {i}")


def test_the_tables(torchvision, transformers) -> None:
    """All 256 levels of all three channels, in each profile."""
    tables = {
        "openai": torchvision["lut"],
        "hf-pil": transformers["hf_pil_lut"],
        "hf-torchvision": transformers["hf_torchvision_lut"],
    }
    for profile, expected in tables.items():
        pre = clipprep.Preprocess(1, profile=profile)
        actual = np.stack([level(pre, value) for value in range(256)])
        assert_equal_bits(actual, expected, f"table of {profile}")
    ramp = np.broadcast_to(LEVELS[:, None, None], (256, 1, 3))
    for profile in ("openai", "hf-pil"):
        own = np.ascontiguousarray(normalise(ramp, profile)[:, :, 0].T)
        assert_equal_bits(own, tables[profile], f"the tests' own table of {profile}")


def test_grey_sources_follow_the_same_tables(torchvision) -> None:
    pre = clipprep.Preprocess(16)
    actual = pre(LEVELS.reshape(16, 16)).reshape(3, 256).T
    assert_equal_bits(np.ascontiguousarray(actual), torchvision["lut"], "a ramp of greys")


def test_geometry() -> None:
    """The sizes are from torchvision's own functions; an array of zero strides is as large as it says, and holds a byte.

    `explain` runs the engine, so that the largest images are left to the Rust tests, which read the plan alone.
    """
    rows = np.load(DATA / "torchvision_geometry.npy").tolist()
    assert len(rows) == 2725
    for width, height, n, new_width, new_height, left, top in rows:
        assert resized_size(width, height, n) == (new_width, new_height)
        assert crop_box(new_width, new_height, n) == (left, top, left + n, top + n)
    rows = [row for row in rows if row[0] * row[1] <= 10_000_000]
    assert len(rows) == 2502
    objects = {n: clipprep.Preprocess(n) for n in {row[2] for row in rows}}
    wrong = []
    for width, height, n, new_width, new_height, left, top in rows:
        explained = objects[n].explain(np.broadcast_to(np.uint8(0), (height, width)))
        found = (explained.size, explained.resized, explained.crop)
        expected = ((width, height), (new_width, new_height), (left, top, left + n, top + n))
        if found != expected:
            wrong.append((found, expected))
    assert not wrong, f"{len(wrong)} of {len(rows)} differ: {wrong[:3]}"


def test_geometry_by_pixels() -> None:
    """A crop that is off by one shows in the pixels: all rows small enough for live Pillow, computed."""
    rows = np.load(DATA / "torchvision_geometry.npy")
    small = [
        row for row in rows.tolist() if row[0] * row[1] <= 400_000 and row[3] * row[4] <= 400_000
    ]
    assert len(small) > 300
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, 400_000, dtype=np.uint8)
    for width, height, n, *_ in small:
        array = noise[: width * height].reshape(height, width)
        expected = reference(Image.fromarray(array), n, pillow="13")
        assert_equal_bits(
            clipprep.Preprocess(n)(array), expected, f"geometry {width} x {height} n={n}"
        )
