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
from clipprep._pillow.storage import stored_bytes
from support.compare import assert_equal_bits
from support.pictures import picture
from support.reference import reference
from support.writers import saved

MODES = (
    *("1", "L", "P", "LA", "PA", "RGB", "RGBX", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"),
    *("I;16", "I;16L", "I;16B", "I", "F"),
)
PACKED = memory._packed
lends = pytest.mark.skipif(
    memory.major_version() < 13, reason="this Pillow crashes on lending memory"
)
pytestmark = pytest.mark.skipif(
    memory.major_version() < 12, reason="of this Pillow, all memory is copied"
)


@lends
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


def in_blocks(image: Image.Image, size: int) -> Image.Image:
    """The image in blocks of `size` bytes, or of a row."""
    before = Image.core.get_block_size()
    Image.core.set_block_size(size)
    try:
        return image.copy()
    finally:
        Image.core.set_block_size(before)


class Counted:
    """Pillow's core, with the numbers of the rows that were asked for at a time."""

    def __init__(self, block_size: int) -> None:
        self.block_size, self.calls = block_size, 0

    def get_block_size(self) -> int:
        self.calls += 1
        return self.block_size

    def get_alignment(self) -> int:
        return Image.core.get_alignment()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("width", "block"), [(1500, 1 << 12), (157, 1 << 12), (157, 1 << 16)])
def test_an_image_of_several_blocks_is_copied_in_strips(
    small, monkeypatch, mode: str, width: int, block: int
) -> None:
    """Blocks of one row, of some rows, and for the modes of few bytes one block for all."""
    image = in_blocks(picture(mode, width, 90), block)
    packed, counted = [], Counted(block)
    monkeypatch.setattr(memory, "core", counted)
    monkeypatch.setattr(memory, "_packed", lambda image: packed.append(1) or PACKED(image))
    pixels = small(image)
    assert_equal_bits(pixels, reference(image, 32), f"{mode} in blocks of {block}")
    assert_equal_bits(small.batch([image] * 3, num_threads=2)[2], pixels, f"{mode} in a batch")
    lent = memory.major_version() >= 13 and stored_bytes(mode) * width * 90 <= block
    if mode == "LAB" and not lent:
        assert packed, "the control: the measure sees a copy"
    else:
        assert packed == []
        assert (counted.calls == 0) == lent, f"{counted.calls} strips"


def test_strips_are_not_counted_as_a_whole_copy() -> None:
    """36 MB, of which a strip of 8 MB at most is held."""
    image = Image.new("RGB", (3000, 3000), (200, 100, 50))
    expected = clipprep.Preprocess(32)(image)
    tight = clipprep.Preprocess(32, limits=clipprep.Limits(max_memory=12 << 20))
    assert_equal_bits(tight(image), expected, "a large image")
    with pytest.raises(clipprep.errors.LimitError):
        clipprep.Preprocess(32, limits=clipprep.Limits(max_memory=7 << 20))(image)


def test_memory_that_an_image_borrows_is_copied_before_it_is_written(small) -> None:
    """An image that lies upside down in the call's own output, which Pillow does not lend."""
    out = np.zeros((3, 32, 32), np.uint8)
    out[...] = np.arange(32, dtype=np.uint8)[:, None] * 7
    image = Image.frombuffer("L", (32, 96), out, "raw", "L", 0, -1)
    pre = clipprep.Preprocess(32, dtype="uint8")
    expected = pre(image.copy())
    assert_equal_bits(pre(image, out=out), expected, "borrowed from the output")


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
            with suppress(ValueError, AssertionError):  # for an image that the other thread closed
                change()


@pytest.mark.parametrize("block", [1 << 12, 1 << 24])
def test_an_image_that_another_thread_changes(small, block: int) -> None:
    """A tensor of some pixels or an error, never a crash; the memory that was lent outlives the image's use of it."""
    image = in_blocks(picture("RGB", 300, 200), block)
    stop = threading.Event()
    threads = [threading.Thread(target=changing, args=(image, stop)) for _ in range(2)]
    for thread in threads:
        thread.start()
    outcomes = set()
    try:
        for _ in range(400 if block > 1 << 16 else 60):
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
