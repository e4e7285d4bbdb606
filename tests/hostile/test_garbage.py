"""What a call made is gone when it returns: nothing waits for Python to look for cycles, and errors keep no frames.

A frame would keep an image's pixels, its file, and its decoder with all its threads; a forked child that came upon such a
decoder would wait for threads that it does not have.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Iterator

import pytest

import clipprep
from support.paths import FUZZ
from support.pictures import picture
from support.waiting import NEVER
from support.writers import saved

sys.path.insert(0, str(FUZZ))

from mutations import mutated

KINDS: list[tuple[str, str, dict[str, object]]] = [
    *(("AVIF", "RGB", {}), ("AVIF", "RGBA", {}), ("JPEG2000", "RGB", {}), ("ICNS", "RGBA", {})),
    *(("TIFF", "CMYK", {}), ("TIFF", "L", {"compression": "jpeg"}), ("TGA", "RGB", {})),
    *(("WEBP", "RGB", {}), ("MPO", "RGB", {}), ("PCX", "RGB", {}), ("IM", "F", {}), ("DDS", "RGB", {})),
]  # fmt: skip


def harmed(data: bytes) -> list[bytes]:
    """A file as it is, cut, with wrong bytes, and no more than its head."""
    half = len(data) // 2
    wrong = data[:half] + b"\xff" * 200 + data[half + 200 :]
    return [data, data[: len(data) * 2 // 3], wrong, data[:60]]


def chained(error: BaseException | None) -> list[BaseException]:
    """An error, its causes and what it was raised during."""
    return [] if error is None else [error, *chained(error.__cause__ or error.__context__)]


@pytest.fixture
def only_new_objects() -> Iterator[None]:
    """Has Python look for cycles among what a test makes alone: to look through all that is loaded takes long."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("only_new_objects")
@pytest.mark.parametrize("limits", [{}, {"max_pixels": 100}, {"max_memory": 20_000}], ids=str)
@pytest.mark.parametrize("fallback", ["inline", "process"])
@pytest.mark.parametrize(("name", "mode", "options"), KINDS, ids=str)
@pytest.mark.filterwarnings("ignore")
def test_a_call_leaves_no_garbage(
    name: str, mode: str, options: dict[str, object], fallback: str, limits: dict[str, int]
) -> None:
    pre = clipprep.Preprocess(32, fallback=fallback, limits=clipprep.Limits(**limits))
    found = set()
    for data in harmed(saved(picture(mode, 60, 50), name, **options)):
        for kind in (bytes, io.BytesIO):
            pre.try_batch([kind(data)], num_threads=1)  # what first calls leave, they leave once
            gc.collect()
            gc.disable()
            try:
                result = pre.try_batch([kind(data)], num_threads=1)
                found.update(result.ok.tolist())
                assert not any(error.__traceback__ for error in chained(result.errors.get(0)))
                del result
                assert gc.collect() == 0, f"{kind} of {len(data)} bytes"
            finally:
                gc.enable()
    assert False in found


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
)
@pytest.mark.filterwarnings("ignore")
def test_a_fork_after_bad_files_ends() -> None:
    """The threads of a decoder whose first image is wrong and whose second, the alpha, is right."""
    data = saved(picture("RGBA", 200, 150), "AVIF", speed=10)
    rng, bad = random.Random(1), 0
    gc.disable()
    try:
        for _ in range(80):
            try:
                clipprep.Preprocess(32)(mutated(rng, data, data)[1])
            except clipprep.ImageError as error:
                bad += "col" in str(error)
        child = os.fork()
        if child == 0:
            signal.alarm(NEVER)
            gc.collect()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        gc.enable()
    assert bad
