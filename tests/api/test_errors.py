"""The errors: their classes, messages, attributes, and that they survive a pickle."""

from __future__ import annotations

import pickle
import re
import shutil

import numpy as np
import pytest

import clipprep
from support.paths import DOCS
from support.pictures import photo, picture
from support.writers import saved

GOOD = photo(40, 30, 3)


def test_hierarchy() -> None:
    assert issubclass(clipprep.ClipPrepError, Exception)
    assert issubclass(clipprep.ImageError, clipprep.ClipPrepError)
    for error in (
        clipprep.DecodeError,
        clipprep.TruncatedError,
        clipprep.UnsupportedError,
        clipprep.LimitError,
    ):
        assert issubclass(error, clipprep.ImageError)
    assert issubclass(clipprep.BatchError, clipprep.ClipPrepError)
    assert not issubclass(clipprep.BatchError, clipprep.ImageError)


def damaged() -> bytes:
    data = bytearray(saved(picture("RGB", 60, 45), "PNG"))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def cases() -> dict[str, tuple[bytes, type]]:
    jpeg = saved(picture("RGB", 60, 45), "JPEG")
    return {
        "cut.jpg": (jpeg[:-2], clipprep.TruncatedError),
        "half.jpg": (jpeg[: len(jpeg) // 2], clipprep.TruncatedError),
        "half.png": (saved(picture("RGB", 60, 45), "PNG")[:500], clipprep.TruncatedError),
        "damaged.png": (damaged(), clipprep.DecodeError),
        "program.eps": (saved(picture("RGB", 60, 45), "EPS"), clipprep.UnsupportedError),
        "text.jpg": (b"no image at all", clipprep.ImageError),
        "empty.jpg": (b"", clipprep.ImageError),
    }


@pytest.mark.parametrize("name", cases())
def test_each_fault_has_its_class_and_names_its_source(small, tmp_path, name: str) -> None:
    data, expected = cases()[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(expected, match=name) as caught:
        small(path)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
    with pytest.raises(expected):
        small(data)
    with pytest.raises(clipprep.BatchError) as in_batch:
        small.batch([GOOD, path])
    assert in_batch.value.index == 1
    assert in_batch.value.source == path
    assert isinstance(in_batch.value.__cause__, expected)
    assert name in str(in_batch.value)


def test_a_missing_file_in_a_batch(small, tmp_path) -> None:
    missing = tmp_path / "missing.jpg"
    with pytest.raises(clipprep.BatchError) as caught:
        small.batch([GOOD, GOOD, str(missing), GOOD])
    assert caught.value.index == 2
    assert caught.value.source == str(missing)
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert "missing.jpg" in str(caught.value)
    assert "2" in str(caught.value)


def test_the_source_of_a_batch_error_is_the_object_itself(small) -> None:
    data = b"no image at all"
    array = np.frombuffer(data, np.uint8)
    for source in (data, array):
        with pytest.raises(clipprep.BatchError) as caught:
            small.batch([source])
        assert caught.value.source is source


def test_a_callers_mistake_comes_before_any_work(small, tmp_path) -> None:
    """A wrong type in the last place is a TypeError at once, not a BatchError about the first bad file."""
    out = np.full((3, 3, 32, 32), 7, np.float32)
    with pytest.raises(TypeError):
        small.batch([GOOD, tmp_path / "missing.jpg", 7], out=out)
    assert (out == 7).all()


def test_batch_errors_pickle(small, tmp_path) -> None:
    path = tmp_path / "text.jpg"
    path.write_bytes(b"no image at all")
    with pytest.raises(clipprep.BatchError) as caught:
        small.batch([GOOD, path])
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is clipprep.BatchError
    assert str(again) == str(caught.value)
    assert (again.index, again.source) == (1, path)


def test_errors_can_be_made_and_pickled() -> None:
    for error in (
        clipprep.ImageError,
        clipprep.DecodeError,
        clipprep.TruncatedError,
        clipprep.LimitError,
    ):
        again = pickle.loads(pickle.dumps(error("what was found")))
        assert type(again) is error
        assert str(again) == "what was found"


def test_pickled_errors_are_of_this_package() -> None:
    for name in ("ClipPrepError", "ImageError", "DecodeError", "BatchError"):
        assert getattr(clipprep, name).__module__.startswith("clipprep")


def test_no_error_is_left_behind(small) -> None:
    """A failed call changes nothing for the next."""
    expected = small(GOOD)
    for _ in range(3):
        with pytest.raises(clipprep.ImageError):
            small(b"no image at all")
        with pytest.raises(clipprep.BatchError):
            small.batch([GOOD, b"no image at all"])
        assert np.array_equal(small(GOOD), expected)


DOCUMENT = DOCS / "errors.md"


def test_the_document_says_what_is_printed(tmp_path, monkeypatch, capsys) -> None:
    """Each comment line below a `print` is its output; three dots stand for anything."""
    shutil.copytree(DOCUMENT.parent.parent / "photos", tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    code = "".join(re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S))
    exec(compile(code, DOCUMENT, "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    promised = re.findall(r"^ *# (.*)$", code, re.M)
    assert len(printed) == len(promised) == code.count("print(")
    for line, pattern in zip(printed, promised, strict=True):
        assert re.fullmatch(re.escape(pattern).replace(r"\.\.\.", ".*"), line), (line, pattern)


def test_the_document_has_every_class() -> None:
    documented = set(re.findall(r"^\| ((?:`\w+`(?:, )?)+)", DOCUMENT.read_text(), re.M))
    names = set(re.findall(r"\w+", " ".join(documented)))
    leaves = {
        name
        for name in clipprep.__all__
        if name.endswith("Error") and not getattr(clipprep, name).__subclasses__()
    }
    assert leaves <= names
    assert len(leaves) == 6
