"""One instance serves many threads at once, and a batch gives the same bits with any number of them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import photo, picture
from support.reference import from_array, reference
from support.waiting import NEVER
from support.writers import saved


@pytest.fixture(scope="module")
def sources() -> list[object]:
    """Every decoder and several sizes, among them some that share a geometry."""
    made: list[object] = []
    for seed in range(4):
        size = (157 + 40 * seed, 90 + 13 * seed)
        made += [
            saved(picture("RGB", *size, seed), "JPEG"),
            saved(picture("CMYK", *size, seed), "JPEG", progressive=True),
            saved(picture("RGBA", *size, seed), "PNG"),
            saved(picture("P", *size, seed), "GIF"),
            saved(picture("RGB", *size, seed), "WEBP"),
            saved(picture("RGB", *size, seed), "TIFF"),
            photo(size[1], size[0], 3, seed),
            picture("LA", *size, seed),
        ]
    return made


@pytest.fixture(scope="module")
def expected(sources) -> np.ndarray:
    def image(source):
        if isinstance(source, bytes):
            return opened(source)
        return from_array(source) if isinstance(source, np.ndarray) else source

    return np.stack([reference(image(source), 32) for source in sources])


@pytest.mark.parametrize("num_threads", [1, 2, 8, None])
def test_batches_by_any_number_of_threads(
    small, sources, expected, num_threads: int | None
) -> None:
    for _ in range(3):
        assert_equal_bits(
            small.batch(sources, num_threads=num_threads), expected, f"{num_threads} threads"
        )


def test_large_batches(small, sources, expected) -> None:
    many = sources * 20
    assert_equal_bits(small.batch(many), np.concatenate([expected] * 20), "20 times all sources")


def test_one_instance_in_many_threads(small, sources, expected) -> None:
    """All start together, each on another source, and go round."""
    workers = 16
    barrier = threading.Barrier(workers)

    def work(first: int) -> list[tuple[int, np.ndarray]]:
        barrier.wait()
        order = [(first + step) % len(sources) for step in range(len(sources))]
        return [(i, small(sources[i])) for i in order]

    with ThreadPoolExecutor(workers) as pool:
        for done in pool.map(work, range(workers)):
            for i, actual in done:
                assert_equal_bits(actual, expected[i], f"source {i} in a thread")


def test_batches_in_many_threads(small, sources, expected) -> None:
    def work(num_threads: int) -> np.ndarray:
        return small.batch(sources, num_threads=num_threads)

    with ThreadPoolExecutor(8) as pool:
        for actual in pool.map(work, [1, 2, 8, 3] * 4):
            assert_equal_bits(actual, expected, "batch in a thread")


def test_one_image_object_in_many_threads(small) -> None:
    image = picture("RGBA", 300, 200)
    array = photo(200, 300, 3)
    wanted = reference(image, 32), reference(from_array(array), 32)
    with ThreadPoolExecutor(8) as pool:
        for i, actual in enumerate(pool.map(small, [image, array] * 40)):
            assert_equal_bits(actual, wanted[i % 2], "a shared source")


def test_other_instances_at_the_same_time(sources) -> None:
    """Plans and tables of one instance are not another's."""
    array = photo(200, 300, 3)
    options = [
        {"interpolation": interpolation, "profile": profile, "mean": mean}
        for interpolation in ("bicubic", "lanczos", "box", "nearest")
        for profile in ("openai", "hf-pil")
        for mean in ((0.5, 0.5, 0.5), (0.1, 0.2, 0.3))
    ]
    wanted = [reference(from_array(array), 24, **each) for each in options]

    def work(i: int) -> np.ndarray:
        return clipprep.Preprocess(24, pillow="installed", **options[i % len(options)])(array)

    with ThreadPoolExecutor(8) as pool:
        for i, actual in enumerate(pool.map(work, range(len(options) * 6))):
            assert_equal_bits(actual, wanted[i % len(options)], f"{options[i % len(options)]}")


# Errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_threads", [1, 2, 8])
def test_the_lowest_index_is_raised_and_the_others_are_counted(
    small, sources, num_threads: int
) -> None:
    cut = sources[0][:-2]
    batch = [*sources, cut, *sources, b"no image", *sources, cut]
    first = len(sources)
    for _ in range(5):
        with pytest.raises(clipprep.BatchError) as caught:
            small.batch(batch, num_threads=num_threads)
        error = caught.value
        assert error.index == first
        assert error.source is cut
        assert isinstance(error.__cause__, clipprep.TruncatedError)
        assert str(first) in str(error)
        assert "2" in str(error).replace(str(first), ""), f"two others failed: {error}"


def test_one_bad_item(small, sources) -> None:
    for index in (0, 7, len(sources)):
        batch = [*sources[:index], b"no image", *sources[index:]]
        with pytest.raises(clipprep.BatchError) as caught:
            small.batch(batch)
        assert caught.value.index == index
        assert caught.value.source == b"no image"


def test_the_instance_works_after_a_failed_batch(small, sources, expected) -> None:
    with pytest.raises(clipprep.BatchError):
        small.batch([b"no image"] * 50)
    assert_equal_bits(small.batch(sources), expected, "after a failed batch")


# Processes ---------------------------------------------------------------------------------------


def _in_child(pre: clipprep.Preprocess, sources: list[object]) -> bytes:
    return pre.batch(sources, num_threads=2).tobytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork(small, sources, expected) -> None:
    """The parent's pool has threads that the child does not: it needs its own."""
    small.batch(sources, num_threads=2)
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        for made in pool.starmap_async(_in_child, [(small, sources)] * 3).get(timeout=NEVER):
            actual = np.frombuffer(made, np.float32).reshape(expected.shape)
            assert_equal_bits(actual, expected, "forked")
    assert_equal_bits(small.batch(sources, num_threads=2), expected, "the parent, after the fork")


def test_in_spawned_workers(small, sources, expected) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        for made in pool.starmap_async(_in_child, [(small, sources)] * 2).get(timeout=NEVER):
            actual = np.frombuffer(made, np.float32).reshape(expected.shape)
            assert_equal_bits(actual, expected, "spawned")
