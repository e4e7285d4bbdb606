"""A PIL image's memory: lent and not copied, its present pixels and not its file's, and safe under other threads."""

from __future__ import annotations

import io
import threading
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep._pillow import memory
from support.compare import assert_equal_bits
from support.pictures import picture
from support.reference import reference
from support.writers import saved

MODES = (
    *("1", "L", "P", "LA", "PA", "RGB", "RGBX", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"),
    *("I;16", "I;16L", "I;16B", "I", "F"),
)
#: Modes that Pillow lends through Arrow; for the others it raises an error.
pytestmark = pytest.mark.skipif(
    memory.major_version() < 13, reason="this Pillow lends no memory, or crashes on it"
)


@pytest.mark.parametrize("mode", MODES)
def test_memory_is_lent(small, monkeypatch, mode: str) -> None:
    """Modes of two and of three bands, which Pillow stores as four bytes, too."""

    def packed(image: Image.Image) -> bytes:
        pytest.fail(f"{image.mode} was copied")

    image = picture(mode, 157, 90)
    expected = small(image)
    monkeypatch.setattr(memory, "_packed", packed)
    assert_equal_bits(small(image), expected, mode)
    assert_equal_bits(small.batch([image, image])[1], expected, f"{mode} in a batch")


def test_an_image_of_several_blocks_is_copied(small, monkeypatch) -> None:
    """The control: the measure above sees a copy."""
    image = picture("L", 700, 500)
    called = []
    monkeypatch.setattr(memory, "_packed", lambda image: called.append(1) or image.tobytes())
    before = Image.core.get_block_size()
    Image.core.set_block_size(1 << 16)
    try:
        image = image.copy()
    finally:
        Image.core.set_block_size(before)
    assert_equal_bits(small(image), reference(image, 32), "several blocks")
    assert called


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "QOI"])
def test_an_opened_file_is_not_decoded_again(small, tmp_path, name: str) -> None:
    """The caller's changes count, whether the image's file is still there or not."""
    path = tmp_path / f"image.{name.lower()}"
    path.write_bytes(saved(picture("L" if name == "GIF" else "RGB", 157, 90), name))
    untouched = small(path)
    with Image.open(path) as image:
        image.load()
        image.paste(0, (40, 20, 110, 70))
        edited = reference(image, 32)
        assert not np.array_equal(edited, untouched)
        assert_equal_bits(small(image), edited, f"an edited {name}")
        path.write_bytes(b"gone")
        assert_equal_bits(small(image), edited, f"an edited {name} whose file has changed")
        image.putpalette(bytes(range(255, -1, -1)) * 3) if image.mode == "P" else image.putalpha(7)
        assert_equal_bits(small(image), reference(image, 32), f"another mode of {name}")


def changing(image: Image.Image, stop: threading.Event) -> None:
    """Writes pixels, and gives the image other memory of other sizes and modes."""
    other = picture("RGBA", 300, 200)
    while not stop.is_set():
        for change in (
            lambda: image.paste((1, 2, 3), (0, 0, 60, 60)),
            lambda: image.putpixel((5, 5), (9, 9, 9)),
            lambda: image.thumbnail((90, 70)),
            lambda: image.putalpha(9),
            lambda: image.__setstate__(other.__getstate__()),
            lambda: image.close(),
            lambda: image.__setstate__(other.__getstate__()),
        ):
            with suppress(ValueError):  # for a closed image
                change()


def test_an_image_that_another_thread_changes(small) -> None:
    """A tensor of some pixels or an error, never a crash; the memory that was lent outlives the image's use of it."""
    image = picture("RGB", 300, 200)
    stop = threading.Event()
    threads = [threading.Thread(target=changing, args=(image, stop)) for _ in range(2)]
    for thread in threads:
        thread.start()
    outcomes = set()
    try:
        for _ in range(400):
            try:
                tensor = small.batch([image, image], num_threads=2)
                outcomes.add("tensor")
                assert tensor.shape == (2, 3, 32, 32)
                assert np.isfinite(tensor).all()
            except (clipprep.BatchError, ValueError):
                outcomes.add("error")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert "tensor" in outcomes
    with Image.open(io.BytesIO(saved(picture("RGB", 157, 90), "PNG"))) as calm:
        assert_equal_bits(small(calm), reference(calm, 32), "another image afterwards")
