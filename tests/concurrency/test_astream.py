"""`astream` and `try_abatch`: what `stream` and `try_batch` give, in an event loop that goes on meanwhile."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo
from support.waiting import wait_for

IMAGES = [photo(30 + seed, 41 - seed, 3, seed) for seed in range(7)]
ODD = [*IMAGES[:3], b"no image", None, *IMAGES[3:]]


async def one_by_one(sources: Iterable[object]) -> AsyncIterator[object]:
    for source in sources:
        await asyncio.sleep(0)
        yield source


@pytest.mark.parametrize("kind", [list, iter, one_by_one], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("batch_size", [1, 4, 9, 100])
def test_it_gives_what_a_stream_gives(small, kind, batch_size: int) -> None:
    async def main() -> list[clipprep.StreamBatch]:
        return [batch async for batch in small.astream(kind(ODD), batch_size=batch_size)]

    expected = list(small.stream(ODD, batch_size=batch_size))
    actual = asyncio.run(main())
    assert [batch.start for batch in actual] == [batch.start for batch in expected]
    for one, other in zip(actual, expected, strict=True):
        assert_equal_bits(one.pixels, other.pixels, "astream")
        assert list(map(str, one.errors.values())) == list(map(str, other.errors.values()))
        assert one.errors.keys() == other.errors.keys()


def test_try_abatch(small) -> None:
    async def main() -> clipprep.BatchResult:
        return await small.try_abatch(ODD, out=out, num_threads=2)

    out = np.full((9, 3, 32, 32), np.nan, np.float32)
    result = asyncio.run(main())
    assert result.pixels is out
    assert list(result.errors) == [3, 4]
    assert_equal_bits(out, small.try_batch(ODD).pixels, "try_abatch")


def test_an_empty_stream(small) -> None:
    async def main(sources) -> list[object]:
        return [batch async for batch in small.astream(sources)]

    assert asyncio.run(main([])) == []
    assert asyncio.run(main(one_by_one([]))) == []


@pytest.mark.parametrize("is_async", [False, True])
def test_what_the_sources_raise_comes_after_the_rows_before_it(small, is_async: bool) -> None:
    error = ConnectionResetError("gone")

    def plain() -> Iterator[object]:
        yield from IMAGES[:6]
        raise error

    async def waiting() -> AsyncIterator[object]:
        for image in IMAGES[:6]:
            yield image
        raise error

    rows = 0

    async def main() -> None:
        nonlocal rows
        async for batch in small.astream(waiting() if is_async else plain(), batch_size=4):
            rows += len(batch.ok)

    with pytest.raises(ConnectionResetError) as caught:
        asyncio.run(main())
    assert caught.value is error
    assert rows == 6


def test_wrong_arguments_raise_at_once(small) -> None:
    for wrong in ("cat.jpg", b"bytes", 7, None):
        for call in (small.astream, small.try_abatch):
            with pytest.raises(TypeError):
                call(wrong)
    with pytest.raises(ValueError, match="batch_size"):
        small.astream([], batch_size=0)
    for call in (small.astream, small.try_abatch):
        with pytest.raises(ValueError, match="num_threads"):
            call([], num_threads=0)


def test_it_reads_ahead_by_so_much_and_no_more(small) -> None:
    """One batch is with the consumer, one is computed, one waits for its turn, one is being read."""
    count = 0

    async def endless() -> AsyncIterator[object]:
        nonlocal count
        while True:
            count += 1
            yield IMAGES[0]

    async def main() -> None:
        stream = small.astream(endless(), batch_size=5)
        for batches in range(1, 5):
            await anext(stream)
            await asyncio.sleep(0.3)
            assert count <= 5 * (batches + 3)
        await stream.aclose()
        before = count
        await asyncio.sleep(0.05)
        assert count == before

    asyncio.run(main())


def test_the_loop_goes_on(small) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    def slow() -> Iterator[object]:
        for image in IMAGES:
            before = ticks
            wait_for(lambda: ticks > before + 3, "steps of the loop while a source is waited for")  # noqa: B023
            yield image

    async def main() -> None:
        ticking = asyncio.ensure_future(tick())
        assert len([batch async for batch in small.astream(slow(), batch_size=2)]) == 4
        ticking.cancel()

    asyncio.run(main())


def test_leaving_or_cancelling_ends_the_work(small) -> None:
    async def leave() -> None:
        async for _ in small.astream(one_by_one(itertools.cycle(IMAGES)), batch_size=2):
            break
        gc.collect()

    async def cancel() -> None:
        batches = 0

        async def consume() -> None:
            nonlocal batches
            async for _ in small.astream(one_by_one(itertools.cycle(IMAGES)), batch_size=2):
                batches += 1

        task = asyncio.ensure_future(consume())
        while batches < 3:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    for main in (leave, cancel):
        asyncio.run(main())
