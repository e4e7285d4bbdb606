"""Messages that say what a source was, where it is something that people are known to pass, and what to do with it."""

from __future__ import annotations

import base64
import os

import numpy as np
import pytest

import clipprep
from support.pictures import picture
from support.writers import saved


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param("https://example.com/cat.jpg", "URL", id="URL"),
        pytest.param("data:image/png;base64,QUJD", "data:", id="data URI"),
        pytest.param(base64.b64encode(bytes(3_000_000)).decode(), "base64", id="base64"),
        pytest.param(b"", "empty", id="no bytes"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "HEI", id="HEIC"),
        pytest.param(b"\xff\x0a" + bytes(100), "JPEG XL", id="JPEG XL"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", id="SVG"),
    ],
)
def test_a_message_says_what_it_was(source: object, words: str) -> None:
    error = clipprep.Preprocess(32).try_batch([source]).errors[0]
    assert words in str(error)


def test_a_path_of_bytes(tmp_path) -> None:
    """`os.scandir(b"...")` gives paths whose `__fspath__` is bytes; bytes themselves are a file's content."""
    path = tmp_path / "cat.jpg"
    path.write_bytes(saved(picture("RGB", 9, 9), "JPEG"))

    class Path:
        def __fspath__(self) -> bytes:
            return os.fsencode(path)

    assert np.array_equal(clipprep.Preprocess(32)(Path()), clipprep.Preprocess(32)(path))
    with pytest.raises(clipprep.ImageError, match="path"):
        clipprep.Preprocess(32)(os.fsencode(path))


def test_a_missing_name_is_the_name_that_was_given(tmp_path) -> None:
    """Also where it is not UTF-8, as Python has it."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    with pytest.raises(FileNotFoundError) as theirs:
        os.stat(name)
    with pytest.raises(FileNotFoundError) as ours:
        clipprep.Preprocess(32)(name)
    assert ours.value.filename == theirs.value.filename == name
