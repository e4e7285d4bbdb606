"""`await pre.abatch(...)`: a batch for a running event loop."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo

IMAGES = [photo(40 + seed, 61 - seed, 3, seed) for seed in range(5)]


def test_rows(small) -> None:
    async def main() -> None:
        assert_equal_bits(await small.abatch(IMAGES), small.batch(IMAGES), "abatch")
        out = np.full((5, 3, 32, 32), np.nan, np.float32)
        assert await small.abatch(iter(IMAGES), out=out, num_threads=2) is out
        assert_equal_bits(out, small.batch(IMAGES), "abatch out")

    asyncio.run(main())


def test_errors(small) -> None:
    async def main() -> None:
        with pytest.raises(clipprep.BatchError) as caught:
            await small.abatch([IMAGES[0], b"no image", b"no image"])
        assert caught.value.index == 1
        with pytest.raises(TypeError, match="source 1"):
            await small.abatch([IMAGES[0], 7])
        with pytest.raises(TypeError):
            await small.abatch("cat.jpg")
        with pytest.raises(ValueError, match="num_threads"):
            await small.abatch(IMAGES, num_threads=0)

    asyncio.run(main())


def test_many_at_once(small) -> None:
    async def main() -> None:
        expected = small.batch(IMAGES)
        for actual in await asyncio.gather(*(small.abatch(IMAGES) for _ in range(64))):
            assert_equal_bits(actual, expected, "one of 64 tasks")

    asyncio.run(main())


def test_the_loop_goes_on_and_a_cancelled_task_stops_its_work(pre) -> None:
    large = photo(2000, 3000, 3)

    async def main() -> None:
        out = np.zeros(
            (4000, 3, 224, 224), np.float32
        )  # the system gives pages as they are written
        task = asyncio.create_task(pre.abatch([large] * 4000, out=out, num_threads=2))
        ticks = 0
        while not out[0].any():
            await asyncio.sleep(0.001)
            ticks += 1
        assert ticks, "the loop went on meanwhile"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        reached = next(row for row in range(len(out)) if not out[row].any())
        before = out[: reached + 8].copy()
        await asyncio.sleep(0.1)
        assert (out[: reached + 8] == before).all(), "nothing is written after it was cancelled"
        assert not out[-1].any(), "it was cancelled before its end"
        assert_equal_bits(await pre.abatch([large]), pre.batch([large]), "the pool goes on")

    asyncio.run(main())


def test_a_time_limit(pre) -> None:
    async def main() -> None:
        out = np.zeros((4000, 3, 224, 224), np.float32)
        work = pre.abatch([photo(2000, 3000, 3)] * len(out), out=out, num_threads=2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work, 0.2)
        assert not out[-1].any(), "the work was stopped before its end"

    asyncio.run(main())
