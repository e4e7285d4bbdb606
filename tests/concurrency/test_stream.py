"""`stream`: in order, bounded, errors in place, and ended when it is closed."""

from __future__ import annotations

import gc
import itertools
import os
import queue
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo, picture
from support.waiting import NEVER, wait_for
from support.writers import saved

IMAGES = [photo(30 + seed, 41 - seed, 3, seed) for seed in range(7)]
PNG = saved(picture("RGB", 40, 30), "PNG")


def endless() -> Iterator[np.ndarray]:
    return itertools.cycle(IMAGES)


def stream_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("clipprep-stream")]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    gc.collect()
    wait_for(lambda: not stream_threads(), "the end of the stream's threads")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 29])
@pytest.mark.parametrize("num_threads", [1, None])
def test_rows_in_order(small, count: int, num_threads: int | None) -> None:
    sources = list(itertools.islice(endless(), count))
    batches = list(small.stream(iter(sources), batch_size=4, num_threads=num_threads))
    assert [batch.start for batch in batches] == list(range(0, count, 4))
    assert all(isinstance(batch, clipprep.StreamBatch) for batch in batches)
    assert [len(batch.pixels) for batch in batches[:-1]] == [4] * (len(batches) - 1)
    assert all(batch.ok.all() and batch.errors == {} for batch in batches)
    if count:
        pixels = np.concatenate([batch.pixels for batch in batches])
        assert_equal_bits(pixels, small.batch(sources), "stream")


def test_what_is_streamed(small, tmp_path) -> None:
    """Lists, arrays, generators, queues and walks of folders are iterables all."""
    array = np.stack([photo(30, 30, 3, seed) for seed in range(5)])
    (batch,) = small.stream(array)
    assert_equal_bits(batch.pixels, small.batch(array), "an array")
    waiting: queue.Queue[bytes | None] = queue.Queue()
    stream = small.stream(iter(waiting.get, None), batch_size=2)
    for _ in range(3):
        waiting.put(PNG)
    assert_equal_bits(next(stream).pixels, small.batch([PNG] * 2), "a queue that goes on")
    waiting.put(None)
    assert [batch.start for batch in stream] == [2]


def test_bad_rows_are_keyed_by_the_row_in_their_batch(small) -> None:
    sources = [*IMAGES[:5], b"no image", IMAGES[0], "absent", IMAGES[1]]
    batches = list(small.stream(sources, batch_size=4))
    assert [list(batch.errors) for batch in batches] == [[], [1, 3], []]
    assert batches[1].ok.tolist() == [True, False, True, False]
    assert isinstance(batches[1].errors[1], clipprep.UnsupportedError)
    assert isinstance(batches[1].errors[3], FileNotFoundError)
    assert not batches[1].pixels[[1, 3]].any()


@pytest.mark.parametrize("count", [0, 3, 4, 5])
@pytest.mark.parametrize(
    "error", [RuntimeError("from the iterable"), KeyboardInterrupt()], ids=repr
)
def test_what_the_iterable_raises_comes_in_its_place(small, count: int, error) -> None:
    def sources() -> Iterator[np.ndarray]:
        yield from itertools.islice(endless(), count)
        raise error

    rows = 0
    stream = small.stream(sources(), batch_size=4)
    for _ in range(-(-count // 4)):
        rows += len(next(stream).ok)
    assert rows == count, "the rows before it come first"
    with pytest.raises(type(error)) as caught:
        next(stream)
    assert caught.value is error


def test_no_source_at_all_costs_its_row(small) -> None:
    batches = list(small.stream([*IMAGES[:4], 7, *IMAGES[4:]], batch_size=4))
    assert [list(batch.errors) for batch in batches] == [[], [0]]
    assert isinstance(batches[1].errors[0], clipprep.SourceError)
    assert_equal_bits(batches[1].pixels[1:], small.batch(IMAGES[4:]), "the rows after it")


@pytest.mark.parametrize("sources", ["cat.jpg", b"bytes", 7, None])
def test_what_is_no_iterable_raises_at_once(small, sources: object) -> None:
    with pytest.raises(TypeError):
        small.stream(sources)


def test_wrong_arguments_raise_at_once(small) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        small.stream([], batch_size=0)
    with pytest.raises(ValueError, match="num_threads"):
        small.stream([], num_threads=0)
    with pytest.raises(TypeError):
        small.stream([], 4)


def test_it_reads_ahead_by_so_much_and_no_more(small) -> None:
    """One batch is with the consumer, one is computed, one waits for its turn, one is being read."""
    taken = itertools.count()
    count = 0

    def sources() -> Iterator[np.ndarray]:
        nonlocal count
        for image in endless():
            count = next(taken) + 1
            yield image

    stream = small.stream(sources(), batch_size=4)
    for step in range(1, 6):
        next(stream)
        wait_for(lambda: count >= 4 * (step + 1), "sources read ahead")  # noqa: B023
        time.sleep(0.05)
        assert count <= 4 * (step + 3)
    stream.close()


def test_the_next_batch_is_computed_meanwhile(small) -> None:
    gone: list[weakref.ref[object]] = []

    class File:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def read(self) -> bytes:
            gone.append(weakref.ref(self))
            return self.data

    stream = small.stream((File(PNG) for _ in range(40)), batch_size=4)
    next(stream)
    wait_for(lambda: len(gone) >= 8, "a second batch, before it is asked for")
    wait_for(lambda: not any(ref() for ref in gone[:8]), "the end of sources that were read")
    stream.close()


@pytest.mark.parametrize("how", ["close", "drop", "break", "raise"])
def test_leaving_early_stops_it(small, how: str) -> None:
    closed = threading.Event()

    def sources() -> Iterator[np.ndarray]:
        try:
            yield from endless()
        finally:
            closed.set()

    stream = small.stream(sources(), batch_size=8)
    assert next(stream).start == 0
    assert stream_threads()
    if how == "close":
        stream.close()
    elif how == "break":
        for _ in stream:
            break
    elif how == "raise":
        with pytest.raises(GeneratorExit):
            stream.throw(GeneratorExit)
    del stream
    wait_for(closed.is_set, "the end of the iterable")
    wait_for(lambda: not stream_threads(), "the end of its threads")


def test_closing_does_not_wait_for_the_iterable(small) -> None:
    is_waiting, goes_on = threading.Event(), threading.Event()

    def sources() -> Iterator[bytes]:
        yield from [PNG] * 2
        is_waiting.set()
        goes_on.wait()
        yield PNG

    stream = small.stream(sources(), batch_size=2)
    next(stream)
    assert is_waiting.wait(NEVER)
    stream.close()
    assert stream_threads() == ["clipprep-stream_read"]
    goes_on.set()


def test_a_stream_that_is_never_begun_costs_nothing(small) -> None:
    stream = small.stream(endless())
    assert not stream_threads()
    del stream


def test_streams_side_by_side(small) -> None:
    expected = small.batch(IMAGES)
    streams = [small.stream(endless(), batch_size=7) for _ in range(6)]
    for _ in range(5):
        for stream in streams:
            assert_equal_bits(next(stream).pixels, expected, "one of several streams")
    for stream in streams:
        stream.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_stream_in_a_forked_child_says_so(small) -> None:
    stream = small.stream(endless(), batch_size=2)
    next(stream)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            next(stream)
        except RuntimeError:
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    next(stream)
    stream.close()
