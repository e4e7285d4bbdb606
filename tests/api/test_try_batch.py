"""`try_batch`: a bad source costs its own row and no other."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo, picture
from support.reference import from_array, reference
from support.writers import saved

GOOD = [photo(40 + seed, 61 - seed, 3, seed) for seed in range(3)]


def closed_file() -> io.BytesIO:
    file = io.BytesIO(b"unread")
    file.close()
    return file


class Raises:
    """A file whose reads fail."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        raise self.error


#: Sources that fail, and the class of their error.
BAD = {
    "no image": (lambda: b"no image", clipprep.UnsupportedError),
    "truncated": (lambda: saved(picture("RGB", 90, 60), "JPEG")[:-40], clipprep.TruncatedError),
    "absent": (lambda: "no/such/file.jpg", FileNotFoundError),
    "a folder": (lambda: ".", OSError),
    "a closed file": (closed_file, clipprep.UnsupportedError),
    "a file that fails": (lambda: Raises(OSError(5, "broken disk")), OSError),
    "memory": (lambda: Raises(MemoryError()), clipprep.LimitError),
}


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return np.stack([reference(from_array(image), 32) for image in GOOD])


def test_all_good(small, expected) -> None:
    result = small.try_batch(GOOD)
    assert isinstance(result, clipprep.BatchResult)
    assert_equal_bits(result.pixels, expected, "try_batch")
    assert result.ok.dtype == bool
    assert result.ok.tolist() == [True] * 3
    assert result.errors == {}


@pytest.mark.parametrize("num_threads", [1, 2, None])
@pytest.mark.parametrize("name", BAD)
def test_one_bad_row(small, expected, name: str, num_threads: int | None) -> None:
    make, kind = BAD[name]
    bad = make()
    out = np.full((4, 3, 32, 32), np.nan, np.float32)
    result = small.try_batch([GOOD[0], bad, GOOD[1], GOOD[2]], out=out, num_threads=num_threads)
    assert result.pixels is out
    assert result.ok.tolist() == [True, False, True, True]
    assert_equal_bits(out[[0, 2, 3]], expected, name)
    assert not out[1].any(), "a bad row is zero"
    assert list(result.errors) == [1]
    error = result.errors[1]
    assert isinstance(error, kind)
    if isinstance(error, clipprep.ImageError):
        assert error.source is bad
        assert pickle.loads(pickle.dumps(error)).args == error.args


def test_a_row_that_fails_late_is_zero(small) -> None:
    """Rows above the fault were written before it was found."""
    data = bytearray(saved(picture("RGB", 300, 300, 3), "PNG"))
    data[-40] ^= 0xFF
    out = np.full((1, 3, 32, 32), 7, np.float32)
    result = small.try_batch([bytes(data)], out=out)
    assert list(result.errors) == [0]
    assert not out.any()


def test_errors_are_in_order(small) -> None:
    sources = [b"x", GOOD[0], b"y", "absent", GOOD[1], b"z"] * 20
    result = small.try_batch(sources)
    assert list(result.errors) == [
        i for i, each in enumerate(sources) if isinstance(each, (bytes, str))
    ]
    assert np.flatnonzero(~result.ok).tolist() == list(result.errors)


def test_an_empty_batch(small) -> None:
    result = small.try_batch([])
    assert result.pixels.shape == (0, 3, 32, 32)
    assert result.ok.shape == (0,)
    assert result.errors == {}


def test_what_is_no_source_costs_its_row(small) -> None:
    for wrong in (7, np.zeros((3, 40, 40), np.uint8)):
        result = small.try_batch([GOOD[0], wrong])
        assert list(result.errors) == [1]
        error = result.errors[1]
        assert isinstance(error, clipprep.SourceError)
        assert error.source is wrong
    with pytest.raises(TypeError):
        small.try_batch("cat.jpg")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("call", ["one", "batch", "try_batch"])
def test_what_is_about_no_source_is_raised(small, call: str, error: type[BaseException]) -> None:
    source = Raises(error())
    with pytest.raises(error):
        small(source) if call == "one" else getattr(small, call)([GOOD[0], source])


@pytest.mark.parametrize("num_threads", [1, 2])
def test_an_exit_raised_inside_of_pillow_is_raised(small, monkeypatch, num_threads: int) -> None:
    """One that a signal's handler raises while Pillow decodes, for example."""
    monkeypatch.setattr(
        "clipprep._pillow.decode", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        small.try_batch([b"no image"] * 9, num_threads=num_threads)


def test_largest_first_changes_no_row(small) -> None:
    """The order of the work shows in no result: large and small, by bytes and by array."""
    sources: list[object] = []
    for seed in range(12):
        array = photo(20 + 37 * (seed * 5 % 12), 30 + 11 * seed, 3, seed)
        sources += [array, saved(picture("RGB", 30 + 29 * (seed * 7 % 12), 50, seed), "PNG")]
    one_by_one = np.stack([small(source) for source in sources])
    for num_threads in (1, 2, 3):
        assert_equal_bits(
            small.batch(sources, num_threads=num_threads), one_by_one, f"{num_threads} threads"
        )
