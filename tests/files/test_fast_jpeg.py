"""`precision="fast"`: its promises for JPEG files, and that everything else stays exact."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.paths import PHOTOS
from support.pictures import photo, picture
from support.writers import saved

JPEG_PHOTOS = sorted(PHOTOS.glob("*.jpg"))


def both(source: object, n: int, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the exact and the fast tier, in levels."""
    exact = clipprep.Preprocess(n, dtype="uint8", **options)(source)
    fast = clipprep.Preprocess(n, dtype="uint8", precision="fast", **options)(source)
    return exact.astype(int), fast.astype(int)


def waves(width: int, height: int) -> Image.Image:
    """Smooth waves, steep enough that half a pixel shows."""
    y, x = np.mgrid[:height, :width]
    red = 127.5 + 120 * np.sin(x / width * 60)
    green = 127.5 + 120 * np.sin(y / height * 60)
    return Image.fromarray(np.stack([red, green, (red + green) / 2], -1).astype(np.uint8))


@pytest.mark.parametrize("path", JPEG_PHOTOS, ids=lambda path: path.stem)
@pytest.mark.parametrize("n", [32, 56, 100, 224])
def test_photos_differ_a_little(path: Path, n: int) -> None:
    """A promise: at most 1 level on average, and 40 dB."""
    exact, fast = both(path, n)
    difference = np.abs(exact - fast)
    assert difference.mean() <= 1
    assert 10 * np.log10(255**2 / max((difference**2).mean(), 1e-9)) >= 40


@pytest.mark.parametrize(
    "size", [(1003, 777), (777, 1003), (961, 641), (640, 480), (2001, 301), (89, 97)]
)
@pytest.mark.parametrize("n", [24, 40, 64])
def test_pixels_stay_where_they_are(size: tuple[int, int], n: int) -> None:
    data = saved(waves(*size), "JPEG", quality=95, subsampling=0)
    exact, fast = both(data, n)
    difference = np.abs(exact - fast)
    # Half a pixel would be ten levels and more. At the edge the file's blocks have padding in them.
    assert difference[:, 1:-1, 1:-1].max() <= 5
    assert difference.max() <= 16


@pytest.mark.parametrize(
    ("size", "n", "reduction"),
    [
        ((640, 480), 224, 1),
        ((959, 447), 224, 1),
        ((1792, 896), 224, 2),
        ((3600, 1791), 224, 2),
        ((1792, 1792), 224, 4),
        ((640, 480), 30, 8),
        ((640, 479), 30, 4),
    ],
)
def test_at_least_twice_the_size_is_kept(size: tuple[int, int], n: int, reduction: int) -> None:
    data = saved(picture("RGB", *size), "JPEG")
    explained = clipprep.Preprocess(n, precision="fast").explain(data)
    notes = [f"decoded at 1/{reduction} of its size"] if reduction > 1 else []
    assert list(explained.notes) == notes
    exact = clipprep.Preprocess(n).explain(data)
    assert (explained.size, explained.resized, explained.crop) == (
        exact.size,
        exact.resized,
        exact.crop,
    )
    assert not exact.notes


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_every_kind_of_jpeg(mode: str, subsampling: int) -> None:
    for options in ({}, {"progressive": True}, {"restart_marker_rows": 1}):
        image = waves(700, 500).convert(mode)
        data = saved(image, "JPEG", quality=90, subsampling=subsampling, **options)
        for n in (50, 224):
            exact, fast = both(data, n)
            assert np.abs(exact - fast).mean() < 2, (options, n)


def test_turned_images_are_turned() -> None:
    exif = Image.Exif()
    for orientation, size in product(range(1, 9), [(901, 503), (912, 504), (904, 601)]):
        image = waves(*size)
        exif[274] = orientation
        file = io.BytesIO()
        image.save(file, "JPEG", exif=exif, quality=95, subsampling=0)
        exact, fast = both(file.getvalue(), 48, exif=True)
        assert np.abs(exact - fast)[:, 1:-1, 1:-1].max() <= 5, (orientation, size)


@pytest.mark.parametrize("profile", ["openai", "hf-pil", "hf-torchvision"])
def test_everything_else_is_exact(profile: str) -> None:
    fast = clipprep.Preprocess(48, precision="fast", profile=profile)
    exact = clipprep.Preprocess(48, profile=profile)
    sources = [photo(500, 700, 3), picture("RGB", 500, 301), picture("P", 300, 301)]
    sources += [
        saved(picture("RGB", 500, 301), kind) for kind in ("PNG", "WEBP", "BMP", "PPM", "GIF")
    ]
    for source in sources:
        assert_equal_bits(fast(source), exact(source), "fast but no JPEG")
    data = saved(picture("RGB", 500, 301), "JPEG")
    nearest = {"profile": profile, "interpolation": "nearest"}
    assert_equal_bits(
        clipprep.Preprocess(48, precision="fast", **nearest)(data),
        clipprep.Preprocess(48, **nearest)(data),
        "nearest picks pixels, which a reduced image has not",
    )


def test_truncated_files_raise_as_ever() -> None:
    data = saved(waves(700, 500), "JPEG")
    for share in (0.5, 0.9, 0.99):
        cut = data[: int(len(data) * share)]
        with pytest.raises(clipprep.TruncatedError):
            clipprep.Preprocess(50, precision="fast")(cut)
        exact, fast = both(cut, 50, truncated="pad")
        assert np.abs(exact - fast).mean() < 2


def test_the_same_bits_every_time() -> None:
    fast = clipprep.Preprocess(50, precision="fast")
    data = saved(waves(700, 500), "JPEG")
    batch = fast.batch([data] * 9, num_threads=3)
    for row in batch:
        assert_equal_bits(row, fast(data), "a row of a batch")


def test_precision_is_part_of_the_instance() -> None:
    fast = clipprep.Preprocess(50, precision="fast")
    assert fast.precision == "fast"
    assert clipprep.Preprocess(50).precision == "exact"
    assert fast != clipprep.Preprocess(50)
    assert repr(fast) == "Preprocess(50, precision='fast')"
    with pytest.raises(ValueError, match=r'precision= one of "exact", "fast", found "quick"'):
        clipprep.Preprocess(50, precision="quick")
