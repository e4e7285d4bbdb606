"""Processes: forked, spawned and from a fork server, as dataloaders make them; threads that die with a process.

Each test that could hang runs in a process of its own, with a time limit.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.paths import TESTS
from support.pictures import photo, picture
from support.waiting import NEVER, wait_for
from support.writers import saved

FORMATS = {"JPEG": {}, "PNG": {}, "WEBP": {}, "GIF": {}, "TIFF": {}}
METHODS = multiprocessing.get_all_start_methods()

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(scope="module")
def sources() -> list[object]:
    made = [
        saved(picture("P" if name == "GIF" else "RGB", 150 + seed, 90), name, **options)
        for seed in range(2)
        for name, options in FORMATS.items()
    ]
    return [*made, photo(80, 90, 3)]


def run_program(program: str, timeout: float = NEVER) -> subprocess.CompletedProcess[str]:
    """Runs Python code that has the test helpers at hand; fails where it does not end well."""
    setup = f"import sys\nsys.path.insert(0, {str(TESTS)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", setup + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done


class Dataset:
    """As torch's: items by index; the loader's workers are handed lists of indices."""

    def __init__(self, pre: clipprep.Preprocess, sources: list[object]) -> None:
        self.pre = pre
        self.sources = sources

    def batch(self, indices: list[int]) -> tuple[np.ndarray, np.ndarray]:
        result = self.pre.try_batch([self.sources[i] for i in indices], num_threads=2)
        return result.pixels, result.ok

    def item(self, index: int) -> np.ndarray:
        return self.pre(self.sources[index])


def worker(dataset: Dataset, tasks, results) -> None:
    for number, indices in iter(tasks.get, None):
        results.put((number, dataset.batch(indices), dataset.item(indices[0])))


def load(dataset: Dataset, method: str, workers: int, batches: list[list[int]]) -> Iterator[tuple]:
    """The loop of torch's DataLoader: persistent workers, a queue of tasks, one of results."""
    context = multiprocessing.get_context(method)
    tasks, results = context.Queue(), context.Queue()
    processes = [
        context.Process(target=worker, args=(dataset, tasks, results), daemon=True)
        for _ in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        for number, indices in enumerate(batches):
            tasks.put((number, indices))
        for _ in batches:
            yield results.get(timeout=NEVER)
        for _ in processes:
            tasks.put(None)
        for process in processes:
            process.join(NEVER)
            assert process.exitcode == 0
    finally:
        for process in processes:
            process.kill()


@pytest.mark.parametrize("method", METHODS)
def test_a_dataloader(small, sources, method: str) -> None:
    expected = small.batch(sources, num_threads=2)  # the pool has been used when it is forked
    items = [*sources, b"no image"]
    batches = [[(start + i) % len(items) for i in range(5)] for start in range(11)]
    seen = set()
    for number, (pixels, ok), first in load(Dataset(small, items), method, 2, batches):
        seen.add(number)
        for row, index in enumerate(batches[number]):
            assert ok[row] == (index < len(sources))
            if ok[row]:
                assert_equal_bits(pixels[row], expected[index], f"{method}, source {index}")
        assert_equal_bits(first, expected[batches[number][0]], f"{method}, one source")
    assert seen == set(range(len(batches)))
    assert_equal_bits(small.batch(sources, num_threads=2), expected, "the parent goes on")


@pytest.mark.skipif("fork" not in METHODS, reason="this system does not fork")
def test_a_fork_of_a_fork(small, sources) -> None:
    expected = small.batch(sources, num_threads=2).tobytes()
    read, write = os.pipe()

    def check() -> None:
        os.write(write, b"y" if small.batch(sources, num_threads=2).tobytes() == expected else b"n")

    child = os.fork()
    if child == 0:
        try:
            check()
            grandchild = os.fork()
            check()
            if grandchild:
                os.waitpid(grandchild, 0)
                check()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert os.read(read, 100) == b"yyyy"
    os.close(read)


@pytest.mark.skipif("fork" not in METHODS, reason="this system does not fork")
def test_a_thousand_forks_under_load() -> None:
    """Forked in the middle of whatever the pool and other threads do, with every decoder at work."""
    done = run_program(
        """
        import os, signal, threading, warnings
        import numpy as np
        from support.pictures import photo, picture
        from support.waiting import NEVER
        from support.writers import saved
        import clipprep

        warnings.simplefilter("ignore", DeprecationWarning)
        pre = clipprep.Preprocess(32)
        sources = [saved(picture("RGB", 90, 70), name) for name in ("JPEG", "PNG", "WEBP", "TIFF")]
        sources += [saved(picture("P", 90, 70), "GIF"), photo(80, 90, 3)]
        begun, stop = threading.Event(), False

        def load(size):
            while not stop:
                pre.try_batch(sources * size, num_threads=2)
                begun.set()

        threads = [
            threading.Thread(target=load, args=(size,), daemon=True) for size in (1, 5, 20)
        ]
        for thread in threads:
            thread.start()  # the first forks come while the first pool is being made
        forks = 0
        while forks < 1000:
            children = []
            for _ in range(4):
                child = os.fork()
                if child == 0:
                    signal.alarm(NEVER)  # one that hangs is killed, and counted
                    ok = forks >= 8 and forks % 50 or pre.try_batch(sources, num_threads=2).ok.all()
                    ok = ok and pre.batch(sources[forks % 6 :: 6] * 2, num_threads=2).any()
                    os._exit(0 if ok else 1)
                children.append(child)
                forks += 1
            for child in children:
                status = os.waitpid(child, 0)[1]
                assert status == 0, f"fork {forks}: status {status}"
        stop = True
        for thread in threads:
            thread.join()
        print(forks)
        """,
        timeout=600,
    )
    assert done.stdout.strip() == "1000"


DAEMON = """
import threading, time
from support.pictures import photo, picture
from support.writers import saved
import clipprep
pre = clipprep.Preprocess(32)
native = [photo(1500, 2000, 3), saved(picture("RGB", 900, 700), "JPEG")]
by_pillow = [saved(picture("RGB", 900, 700), "TGA")]
def load(sources, num_threads):
    while True:
        pre.try_batch(sources * 50, num_threads=num_threads)
def endless(sources):
    while True:
        yield from sources
for sources in (native, by_pillow, native + by_pillow):
    for num_threads in (1, 2):
        threading.Thread(target=load, args=(sources, num_threads), daemon=True).start()
stream = pre.stream(endless(native + by_pillow), batch_size=8)
next(stream)
time.sleep({delay})
"""


@pytest.mark.parametrize("delay", [0, 0.05, 0.3])
def test_the_interpreter_ends_with_work_in_flight(delay: float) -> None:
    done = run_program(DAEMON.format(delay=delay), timeout=NEVER)
    assert done.stderr == ""


def test_sys_exit_in_the_main_thread_waits_for_no_daemon() -> None:
    run_program(DAEMON.format(delay=0.1) + "\nraise SystemExit(0)\n", timeout=NEVER)


def test_a_batch_in_a_thread_that_is_no_daemon_is_finished() -> None:
    done = run_program(
        """
        import threading
        from support.pictures import photo
        import clipprep
        pre = clipprep.Preprocess(32)
        images = [photo(1500, 2000, 3)] * 40
        threading.Thread(target=lambda: print(pre.batch(images, num_threads=2).shape)).start()
        """
    )
    assert done.stdout.strip() == "(40, 3, 32, 32)"


def test_the_pools_threads_are_named_and_few() -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("this system does not show threads by name")
    run_program(
        """
        from pathlib import Path
        from support.pictures import photo
        from support.waiting import wait_for
        import clipprep
        pre = clipprep.Preprocess(32)
        def names():
            found = []
            for task in Path("/proc/self/task").iterdir():
                try:
                    found.append((task / "comm").read_text().strip())
                except OSError:
                    pass
            return sorted(name for name in found if name.startswith("clipprep"))
        pre.batch([photo(30, 40, 3)] * 50, num_threads=1)
        assert names() == [], names()
        for num_threads in (2, 3, 4, 2, 3):  # one core has 4 at most
            pre.batch([photo(30, 40, 3)] * 50, num_threads=num_threads)
        # A thread names itself when it first runs, and those of earlier pools end when they next look for work.
        wanted = [f"clipprep-{i}" for i in range(4)]
        wait_for(lambda: names() == wanted, "the last pool's threads, and no others")
        """
    )


def test_a_small_batch_is_not_stuck_behind_a_large_one() -> None:
    """Nor is a single call. The large one, of half a minute, is under way when all of the small ones are done."""
    tiny = clipprep.Preprocess(8, dtype="uint8")
    image = photo(500, 700, 3)
    sources, cancel = [image] * 200_000, clipprep._core._Cancel()
    out = np.zeros((len(sources), 3, 8, 8), np.uint8)
    cancelled = threading.Event()

    def large() -> None:
        with suppress(CancelledError):
            tiny._batch(sources, out=out, num_threads=2, cancel=cancel)
            return
        cancelled.set()

    thread = threading.Thread(target=large)
    thread.start()
    wait_for(lambda: out[0].any() or not thread.is_alive(), "the large one's first row")
    for _ in range(5):
        tiny.batch([image] * 4, num_threads=2)
        tiny(image)
    cancel.cancel()
    thread.join()
    assert cancelled.is_set(), "the large one had come to its end"
    assert not out[-1].any()


def test_64_threads_share_the_pool(small) -> None:
    """Nobody is left out: all keep the pool busy until each of them has had its turn three times."""
    images = [photo(60, 70, 3, seed) for seed in range(8)]
    expected = small.batch(images)
    finished = [0] * 64
    barrier = threading.Barrier(64)
    deadline = time.monotonic() + NEVER

    def work(me: int) -> None:
        barrier.wait()
        while min(finished) < 3 and time.monotonic() < deadline:
            assert_equal_bits(small.batch(images, num_threads=2), expected, f"thread {me}")
            finished[me] += 1

    threads = [threading.Thread(target=work, args=(me,)) for me in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(finished) >= 3, finished
