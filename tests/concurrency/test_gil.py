"""While one long call runs, other Python threads run too: files, arrays and batches are worked on without the GIL.

A thread counts, and remembers the longest time between two of its steps. If the call holds the GIL, that gap is as long
as the call, however fast or busy the machine; if not, the counting thread stops only as long as the operating system
lets it wait. Noise can lengthen the gap, never shorten it: one good attempt in several is proof.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.pictures import photo
from support.writers import saved

#: The share of the call that the counting thread may at most be stopped at a stretch.
KEEPS_PACE = 0.25
ATTEMPTS = 6


class Pace(NamedTuple):
    duration: float
    longest_gap: float
    steps: int

    @property
    def share(self) -> float:
        return self.longest_gap / self.duration


def pace_during(call: Callable[[], object]) -> Pace:
    """Runs the call in this thread, while another counts."""
    stamps: list[float] = []
    stop, started = threading.Event(), threading.Event()

    def count() -> None:
        started.set()
        while not stop.is_set():
            stamps.append(time.perf_counter())
            for _ in range(200):
                pass

    counter = threading.Thread(target=count)
    counter.start()
    started.wait()
    begin = time.perf_counter()
    call()
    end = time.perf_counter()
    stop.set()
    counter.join()
    inside = [stamp for stamp in stamps if begin < stamp < end]
    edges = [begin, *inside, end]
    return Pace(end - begin, max(b - a for a, b in itertools.pairwise(edges)), len(inside))


def assert_keeps_pace(call: Callable[[], object], name: str) -> None:
    call()  # the first call starts threads and fills caches
    attempts = []
    for _ in range(ATTEMPTS):
        attempts.append(pace_during(call))
        if attempts[-1].share < KEEPS_PACE:
            return
    pytest.fail(
        f"{name}: the counting thread was stopped for {[round(each.share, 2) for each in attempts]} of the call"
    )


@pytest.fixture(scope="module")
def pre() -> clipprep.Preprocess:
    return clipprep.Preprocess("ViT-B/32")


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """36 megapixels, made of one small photo: a call of a tenth of a second or more."""
    return np.tile(photo(600, 600, 3), (10, 10, 1))


@pytest.fixture(scope="module")
def large_jpeg(large) -> bytes:
    return saved(Image.fromarray(large), "JPEG", quality=90)


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python has no GIL to hold"
)
def test_the_measure_sees_a_call_that_holds_the_gil() -> None:
    """The control: one C function that never lets go stops the counting thread for all of its time."""
    numbers = range(20_000_000)
    for _ in range(3):
        pace = pace_during(lambda: sum(numbers))
        assert pace.share > 2 * KEEPS_PACE, f"{pace}: the control does not hold the GIL"


def test_the_measure_sees_a_call_that_does_not_hold_it() -> None:
    """The other control: sleeping is the model of letting go."""
    assert_keeps_pace(lambda: time.sleep(0.2), "sleep")


def test_an_encoded_image(pre, large_jpeg) -> None:
    assert_keeps_pace(lambda: pre(large_jpeg), "JPEG bytes")


def test_a_progressive_jpeg(pre, large) -> None:
    data = saved(Image.fromarray(large[:3000, :4000]), "JPEG", progressive=True, quality=90)
    assert_keeps_pace(lambda: pre(data), "progressive JPEG bytes")


def test_a_png(pre, large) -> None:
    data = saved(Image.fromarray(large[:3000, :3000]), "PNG", compress_level=1)
    assert_keeps_pace(lambda: pre(data), "PNG bytes")


def test_a_file(pre, large_jpeg, tmp_path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(large_jpeg)
    assert_keeps_pace(lambda: pre(path), "JPEG file")
    assert_keeps_pace(lambda: pre.explain(path) and pre(str(path)), "JPEG file by name")


def test_an_array(pre, large) -> None:
    double = np.concatenate([large, large])
    assert_keeps_pace(lambda: pre(double), "array")
    assert_keeps_pace(lambda: pre(double[:, ::-1]), "array with a negative stride")


def test_an_array_by_other_filters(large) -> None:
    lanczos = clipprep.Preprocess("ViT-B/32", interpolation="lanczos")
    assert_keeps_pace(lambda: lanczos(large), "array by lanczos")
    torch = clipprep.Preprocess("ViT-B/32", profile="hf-torchvision")
    assert_keeps_pace(lambda: torch(large), "array as torchvision")


def test_a_pil_image(pre, large) -> None:
    image = Image.fromarray(large)
    assert_keeps_pace(lambda: pre(image), "PIL image")


@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_batch(pre, large, large_jpeg, num_threads: int) -> None:
    sources = [large_jpeg, large, large[:2000], large_jpeg]
    assert_keeps_pace(
        lambda: pre.batch(sources, num_threads=num_threads), f"batch of {num_threads} threads"
    )
    assert_keeps_pace(lambda: pre.batch(large[None], num_threads=num_threads), "batch of one array")
