"""Messages that say what a source was, where it is something that people are known to pass, and what to do with it."""

from __future__ import annotations

import base64
import gzip
import os
import pickle

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.pictures import picture
from support.writers import saved


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param("https://example.com/cat.jpg", "URL", id="URL"),
        pytest.param("data:image/png;base64,QUJD", "data:", id="data URI"),
        pytest.param(base64.b64encode(bytes(3_000_000)).decode(), "base64", id="base64"),
        pytest.param(
            base64.b64encode(b"\xff\xd8\xff" + bytes(90)).decode(), "base64", id="a JPEG in base64"
        ),
        pytest.param(base64.b64encode(bytes(300)), "base64", id="base64 in bytes"),
        pytest.param("s3://bucket/cat.jpg", "fsspec", id="URL of a store"),
        pytest.param("file:///tmp/cat.jpg", "path", id="URL of a file"),
        pytest.param("~/no-such-cat.jpg", "expanduser", id="home"),
        pytest.param("no-such-folder/*.jpg", "glob.glob", id="pattern"),
        pytest.param(np.zeros((9, 9, 3)), 'round().astype("uint8")', id="floats"),
        pytest.param(np.zeros((9, 9, 3), int), 'x.astype("uint8")', id="integers"),
        pytest.param(np.zeros((9, 9, 3), np.uint16), 'x.astype("uint8")', id="uint16"),
        pytest.param("openai/clip-vit-base-patch32", "from_hf", id="name of the Hub"),
        pytest.param(b"", "empty", id="no bytes"),
        pytest.param(bytes(5000), "zeros", id="zeros"),
        pytest.param(b"<!DOCTYPE html><html>404</html>", "HTML", id="HTML"),
        pytest.param(b"\xef\xbb\xbf \n<HTML>", "HTML", id="HTML after a mark"),
        pytest.param(b"<?xml version='1.0'?><Error/>", "XML", id="XML"),
        pytest.param(b"<?xml version='1.0'?>\n<svg/>", "SVG", id="SVG after XML"),
        pytest.param(b'{"detail": "not found"}', "JSON", id="JSON"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull", id="Git LFS"),
        pytest.param("google/siglip-base-patch16-224", "from_hf", id="another name of the Hub"),
        pytest.param(b'[\n {\n  "detail": 1}]', "JSON", id="JSON in a list"),
        pytest.param(
            b"\0\0\0\x18ftypdash\0\0\0\0iso6mp41" + bytes(99), "video", id="MPEG-4 of another brand"
        ),
        pytest.param(b"RIFF\0\0\0\0AVI LIST" + bytes(99), "video", id="AVI"),
        pytest.param(b"\x93NUMPY\x01\0" + bytes(99), "np.load", id="array in a file"),
        pytest.param(
            b"a.jpg".ljust(257, b"\0") + b"ustar\x0000" + bytes(99), "tar archive", id="tar"
        ),
        pytest.param(b"%PDF-1.7\n", "PDF", id="PDF"),
        pytest.param(b"PK\x03\x04" + bytes(60), "zip", id="zip"),
        pytest.param(gzip.compress(b"image"), "gzip", id="gzip"),
        pytest.param(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99), "video", id="MPEG-4"),
        pytest.param(
            b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(99), "HEIC", id="HEIC by its second brand"
        ),
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


def test_a_missing_file_has_no_hint_but_its_name(small) -> None:
    """A plain name says all there is to say."""
    for name in (
        "no/such/cat.jpg",
        "a" * 100 + "/cat",
        "photos/cat",
        "/data/" + "train/" * 30 + "cat",
    ):
        assert small.try_batch([name]).errors[0].strerror == "No such file or directory"


def test_a_long_missing_name_is_whole(small) -> None:
    name = "folder/" * 100 + "cat.jpg"
    error = small.try_batch([name]).errors[0]
    assert error.filename == name
    assert len(str(error)) < 300
    assert pickle.loads(pickle.dumps(error)).filename == name


def test_a_folder_is_no_file(small, tmp_path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        small(tmp_path)
    assert caught.value.filename == str(tmp_path)
    assert "pass the paths of its files to batch" in str(caught.value)


def test_a_damaged_file_is_named_also_where_its_name_is_not_utf8(small, tmp_path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    with open(path, "wb") as file:
        file.write(b"no image")
    for source in (os.fsdecode(path), {"bytes": None, "path": os.fsdecode(path)}):
        with pytest.raises(clipprep.UnsupportedError) as caught:
            small(source)
        assert r"caf\xe9.jpg" in str(caught.value)
        assert str(caught.value).isascii()


def test_a_damaged_file_of_a_plugin_is_not_told_to_install_it(small, monkeypatch) -> None:
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    assert "pillow-heif" in str(small.try_batch([data]).errors[0])
    monkeypatch.setitem(Image.OPEN, "HEIF", (lambda *_: None, lambda prefix: False))
    assert "pillow-heif" not in str(small.try_batch([data]).errors[0])
