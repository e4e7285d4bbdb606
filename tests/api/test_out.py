"""`out=` is written in place, and checked before anything is written; `num_threads=` changes no bit."""

from __future__ import annotations

import numpy as np
import pytest

from support.compare import assert_equal_bits
from support.pictures import photo
from support.reference import from_array, reference

IMAGES = [photo(40 + seed, 61 - seed, 3, seed) for seed in range(5)]


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return np.stack([reference(from_array(image), 32) for image in IMAGES])


def test_out_is_filled_and_returned(small, expected) -> None:
    out = np.full((5, 3, 32, 32), np.nan, np.float32)
    assert small.batch(IMAGES, out=out) is out
    assert_equal_bits(out, expected, "batch out")
    one = np.full((3, 32, 32), np.nan, np.float32)
    assert small(IMAGES[0], out=one) is one
    assert_equal_bits(one, expected[0], "call out")


def test_out_may_be_a_part_of_something_larger(small, expected) -> None:
    """The rows around it stay as they were."""
    ring = np.full((9, 3, 32, 32), 7, np.float32)
    small.batch(IMAGES, out=ring[2:7])
    assert_equal_bits(ring[2:7].copy(), expected, "part of a ring")
    assert (ring[:2] == 7).all()
    assert (ring[7:] == 7).all()
    small(IMAGES[3], out=ring[8])
    assert_equal_bits(ring[8].copy(), expected[3], "row of a ring")
    assert (ring[7] == 7).all()


def test_out_that_is_mapped_or_borrowed(small, expected, tmp_path) -> None:
    mapped = np.memmap(tmp_path / "out.f32", np.float32, "w+", shape=(5, 3, 32, 32))
    small.batch(IMAGES, out=mapped)
    assert_equal_bits(np.array(mapped), expected, "memmap")
    borrowed = np.frombuffer(bytearray(expected.nbytes), np.float32).reshape(expected.shape)
    small.batch(IMAGES, out=borrowed)
    assert_equal_bits(borrowed, expected, "bytearray")


def test_an_empty_out(small) -> None:
    out = np.zeros((0, 3, 32, 32), np.float32)
    assert small.batch([], out=out) is out


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def unaligned(shape: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(shape))
    return np.zeros(count * 4 + 1, np.uint8)[1:].view(np.float32).reshape(shape)


#: The fault of an `out`, and words that the message must have; a wrong shape is reported in full, with the right one.
WRONG = {
    "float64": (lambda s: np.zeros(s, np.float64), ["float32", "float64"]),
    "float16": (lambda s: np.zeros(s, np.float16), ["float32", "float16"]),
    "uint8": (lambda s: np.zeros(s, np.uint8), ["float32", "uint8"]),
    "other byte order": (lambda s: np.zeros(s, ">f4"), ["float32"]),
    "read-only": (lambda s: read_only(np.zeros(s, np.float32)), ["writ"]),
    "Fortran": (lambda s: np.zeros(s, np.float32, "F"), ["contiguous"]),
    "step": (lambda s: np.zeros((*s[:-1], 64), np.float32)[..., ::2], ["contiguous"]),
    "negative": (lambda s: np.zeros(s, np.float32)[..., ::-1], ["contiguous"]),
    "unaligned": (unaligned, ["align"]),
    "too few axes": (lambda s: np.zeros(s[1:], np.float32), ["shape"]),
    "too many axes": (lambda s: np.zeros((1, *s), np.float32), ["shape"]),
    "channels last": (lambda s: np.zeros((*s[:-3], 32, 32, 3), np.float32), ["shape"]),
    "another size": (lambda s: np.zeros((*s[:-2], 33, 32), np.float32), ["shape"]),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("call", ["one", "batch"])
def test_an_out_that_does_not_fit(small, call: str, name: str) -> None:
    make, words = WRONG[name]
    shape = (3, 32, 32) if call == "one" else (5, 3, 32, 32)
    out = make(shape)
    before = out.copy()
    with pytest.raises((TypeError, ValueError)) as caught:
        small(IMAGES[0], out=out) if call == "one" else small.batch(IMAGES, out=out)
    message = str(caught.value)
    for word in ["out", *words]:
        assert word in message
    if out.shape != shape:
        assert ", ".join(map(str, shape)) in message
        assert ", ".join(map(str, out.shape)) in message
    assert out.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "out", [[0.0] * 9, "out", 7, bytearray(3 * 32 * 32 * 4), object()], ids=type
)
def test_an_out_that_is_no_array(small, out: object) -> None:
    for call in (lambda: small(IMAGES[0], out=out), lambda: small.batch(IMAGES, out=out)):
        with pytest.raises(TypeError, match="out"):
            call()


def test_the_number_of_rows_is_the_number_of_sources(small) -> None:
    for rows in (0, 4, 6):
        with pytest.raises(ValueError, match="shape") as caught:
            small.batch(IMAGES, out=np.zeros((rows, 3, 32, 32), np.float32))
        assert "5, 3, 32, 32" in str(caught.value)
        assert f"{rows}, 3, 32, 32" in str(caught.value)


def test_rows_that_share_memory(small) -> None:
    """Two rows in one place would be written by two threads at once."""
    row = np.zeros((3, 32, 32), np.float32)
    with pytest.raises(ValueError, match=r"contiguous|writ"):
        small.batch(IMAGES, out=np.broadcast_to(row, (5, 3, 32, 32)))
    with pytest.raises(ValueError, match=r"contiguous|writ"):
        small.batch(
            IMAGES, out=np.lib.stride_tricks.as_strided(row, (5, 3, 32, 32), (0, *row.strides))
        )


def test_an_out_that_overlaps_a_source(small) -> None:
    """Pixels must not change while they are read."""
    memory = np.zeros(5 * 3 * 32 * 32, np.float32)
    out = memory.reshape(5, 3, 32, 32)
    pixels = memory.view(np.uint8)[: 40 * 30 * 3].reshape(40, 30, 3)
    with pytest.raises(ValueError, match=r"overlap|memory"):
        small.batch([pixels] * 5, out=out)
    with pytest.raises(ValueError, match=r"overlap|memory"):
        small(pixels, out=out[0])


@pytest.mark.parametrize("num_threads", [1, 2, 3, 8, 64, None])
def test_threads_change_no_bit(small, expected, num_threads: int | None) -> None:
    assert_equal_bits(
        small.batch(IMAGES, num_threads=num_threads), expected, f"num_threads={num_threads}"
    )


@pytest.mark.parametrize("num_threads", [0, -1, -8])
def test_no_threads_is_a_value_error(small, num_threads: int) -> None:
    for call in (
        lambda: small.batch(IMAGES, num_threads=num_threads),
        lambda: small.batch([], num_threads=num_threads),
    ):
        with pytest.raises((ValueError, OverflowError), match="num_threads"):
            call()


@pytest.mark.parametrize("num_threads", ["2", 1.5, [2]])
def test_threads_of_other_types(small, num_threads: object) -> None:
    with pytest.raises(TypeError):
        small.batch(IMAGES, num_threads=num_threads)


def test_out_and_num_threads_are_keyword_only(small) -> None:
    with pytest.raises(TypeError):
        small.batch(IMAGES, np.zeros((5, 3, 32, 32), np.float32))
    with pytest.raises(TypeError):
        small(IMAGES[0], np.zeros((3, 32, 32), np.float32))
