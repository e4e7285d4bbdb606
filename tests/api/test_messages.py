"""Messages: the same on each run, short, without addresses, and true about who said what."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

import clipprep
from support.pictures import picture
from support.writers import saved

SOURCES = {
    "no image": "b'<!DOCTYPE html><html></html>'",
    "a cut TIFF": "TIFF[:300]",
    "a damaged PNG": "PNG[:90] + b'?' + PNG[91:]",
    "a path that is not there": "'no/such/file'",
}
PROGRAM = """
import sys, clipprep
TIFF, PNG = eval(sys.stdin.buffer.read())
print(clipprep.Preprocess(32).try_batch([{source}]).errors[0])
"""


@pytest.mark.parametrize("name", SOURCES)
def test_one_fault_has_one_text(name: str) -> None:
    files = repr((saved(picture("RGB", 40, 30), "TIFF"), saved(picture("RGB", 40, 30), "PNG")))
    program = PROGRAM.format(source=SOURCES[name])
    said = {
        subprocess.run(
            [sys.executable, "-c", program], input=files.encode(), capture_output=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(said) == 1
    assert b" at 0x" not in said.pop()


@pytest.mark.parametrize("length", [400, 3000, 3_000_000])
def test_a_long_name_is_shortened(small, length: int) -> None:
    path = "folder/" + "x" * length + ".jpg"
    error = small.try_batch([path]).errors[0]
    assert isinstance(error, OSError)
    assert len(str(error)) <= 500
    assert "folder/xxx" in str(error)
    assert "xxx.jpg" in str(error)


def test_a_long_name_of_a_file_is_shortened(small, tmp_path) -> None:
    path = tmp_path.joinpath(*["x" * 200] * 4, "no image.jpg")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no image at all")
    error = small.try_batch([path]).errors[0]
    assert isinstance(error, clipprep.UnsupportedError)
    assert len(str(error)) <= 500
    assert "no image.jpg: expected an image file" in str(error)


def test_our_own_words_are_not_put_into_pillows_mouth(small) -> None:
    with pytest.raises(clipprep.ImageError) as caught:
        small(Image.new("RGB", (0, 5)))
    assert "Pillow: expected" not in str(caught.value)
    assert "at least one pixel, found 0 x 5" in str(caught.value)


def test_an_exception_without_words_is_named(small) -> None:
    class Broken(Image.Image):
        def load(self) -> None:  # type: ignore[override]
            raise ZeroDivisionError

    image = Broken()
    image._size = (3, 3)
    with pytest.raises(clipprep.DecodeError, match=r"\(Pillow: ZeroDivisionError\)"):
        small(image)


def test_a_path_that_is_no_regular_file(small, tmp_path) -> None:
    """It is refused at once: a pipe without a writer would be waited for."""
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names")
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    for source in (pipe, str(pipe), "/dev/zero"):
        with pytest.raises(clipprep.UnsupportedError, match=r'open\(path, "rb"\)'):
            small(source)
    errors = small.try_batch([pipe] * 3 + [saved(picture("RGB", 9, 9), "PNG")]).errors
    assert sorted(errors) == [0, 1, 2]
