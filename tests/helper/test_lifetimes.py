"""Helpers begin when they are needed, and end with their work, their thread's process and their interpreter."""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep._helper import job, pool
from clipprep._helper.pool import POOL
from support import plug
from support.helped import asked_helpers, end_helpers, program
from support.pictures import picture
from support.waiting import NEVER, children, is_there, wait_for
from support.writers import saved

TGA = saved(picture("RGB", 60, 40), "TGA")
METHODS = multiprocessing.get_all_start_methods()

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture
def process() -> clipprep.Preprocess:
    return clipprep.Preprocess(16, fallback="process")


def test_none_is_started_before_it_is_needed() -> None:
    done = program("""
pre(saved(picture("RGB", 60, 40), "PNG"))
assert not POOL.helpers() and threading.active_count() == 1
pre(TGA)
assert len(POOL.helpers()) == 1
""")
    assert done.returncode == 0, done.stderr


def test_idle_helpers_end(monkeypatch: pytest.MonkeyPatch, process: clipprep.Preprocess) -> None:
    process(TGA)
    pids = [helper.pid for helper in POOL.helpers()]
    assert all(map(is_there, pids))
    monkeypatch.setattr(pool, "IDLE", 0.05)
    process(TGA)  # so that the time is looked at
    wait_for(lambda: not POOL.helpers(), "the end of idle helpers")
    # Its last work is to wait for the helpers' ends.
    wait_for(
        lambda: "clipprep-helpers" not in [thread.name for thread in threading.enumerate()],
        "the end of the pool's thread",
    )
    assert not children(os.getpid()) & set(pids), "nobody waited for them"
    assert process(TGA).any(), "another one is started"


def test_there_are_as_many_as_threads(process: clipprep.Preprocess) -> None:
    result = process.try_batch([TGA] * 40, num_threads=3)
    assert result.ok.all()
    assert 1 <= len(POOL.helpers()) <= max(3, clipprep.build_info()["threads"])


def test_nothing_leaks(process: clipprep.Preprocess) -> None:
    def held() -> tuple[int, set[int]]:
        end_helpers()  # how many there are depends on how busy the machine is
        gc.collect()
        return len(os.listdir("/proc/self/fd")), children(os.getpid())

    process.batch([TGA] * 10, num_threads=2)
    before = held()
    for _ in range(3):
        process.try_batch([TGA, b"bad", TGA] * 5, num_threads=2)
        for helper in POOL.helpers():
            os.kill(helper.pid, signal.SIGKILL)
        process.try_batch([TGA, b"bad", TGA] * 5, num_threads=2)
    files, processes = held()
    assert files <= before[0]
    assert processes <= before[1]


@pytest.mark.skipif("fork" not in METHODS, reason="this system does not fork")
def test_a_forked_child_has_helpers_of_its_own(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE", NEVER)  # the child may take long
    expected = process(TGA)
    used = {helper.pid for helper in POOL.helpers()}
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = b"failed"
        try:
            assert not POOL.helpers()
            same = np.array_equal(process(TGA), expected)
            said = b"same" if same and not used & {h.pid for h in POOL.helpers()} else b"other"
        finally:
            os.write(write, said)
            os._exit(0)
    os.close(write)
    assert os.read(read, 10) == b"same"
    os.close(read)
    os.waitpid(child, 0)
    assert np.array_equal(process(TGA), expected)
    assert used <= {helper.pid for helper in POOL.helpers()}, "the parent's go on"


def work(pre: clipprep.Preprocess, results) -> None:
    results.put((pre.batch([TGA] * 4, num_threads=2), [h.pid for h in POOL.helpers()]))


@pytest.mark.parametrize("method", METHODS)
def test_in_a_worker_of_a_loader(process: clipprep.Preprocess, method: str) -> None:
    """It is daemonic, and so may not have children of multiprocessing's."""
    context = multiprocessing.get_context(method)
    results = context.SimpleQueue()
    worker = context.Process(target=work, args=(process, results), daemon=True)
    worker.start()
    pixels, pids = results.get()
    worker.join(NEVER)
    assert worker.exitcode == 0
    assert np.array_equal(pixels, process.batch([TGA] * 4))
    wait_for(lambda: not any(map(is_there, pids)), "the end of a worker's helpers")


def test_a_script_without_a_guard(tmp_path: Path) -> None:
    """It is not run again in a helper."""
    script = tmp_path / "script.py"
    script.write_text(f"""
print("begun")
import clipprep
print(clipprep.Preprocess(16, fallback="process")({TGA!r}).shape)
""")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=NEVER)
    assert (done.stdout, done.returncode) == ("begun\n(3, 16, 16)\n", 0), done.stderr


def test_a_module_of_the_working_directory_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit('the wrong module')")
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong module')")
    done = program("""
os.chdir(sys.argv[1] if len(sys.argv) > 1 else ".")
print(pre(TGA).shape)
""", cwd=tmp_path, env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": ""})  # fmt: skip
    assert done.stdout == "(3, 16, 16)\n", done.stderr


END = """
threading.Thread(target=lambda: pre.try_batch([plug.file("sleep")] * 3, num_threads=2), daemon=True).start()
while len([helper for helper in POOL.helpers() if helper.bounds]) < 2:  # those at work
    time.sleep(0.02)
print(*[helper.pid for helper in POOL.helpers()], flush=True)
"""


@pytest.mark.parametrize("end", ["", "os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit(3)"])
def test_the_end_with_helpers_at_work(end: str) -> None:
    """However a process ends, it neither waits for its helpers nor leaves any."""
    done = program(END + end)
    assert done.returncode == {"": 0, "os._exit(0)": 0, "sys.exit(3)": 3}.get(end, -9), done.stderr
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    wait_for(lambda: not any(map(is_there, pids)), "the end of its helpers")


AT_THE_END = f"""
import atexit
def late():
    try:
        print(pre().shape)
    except clipprep.HelperError as error:
        print(error)
atexit.register(late)
import clipprep
pre = lambda: clipprep.Preprocess(16, fallback="process")({TGA!r})
"""


@pytest.mark.parametrize(("before", "said"), [("", "(3, 16, 16)"), ("pre()", "about to end")])
def test_in_a_handler_of_an_interpreters_end(before: str, said: str) -> None:
    """Handlers that were registered before the package was imported come after all of its own."""
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END + before], capture_output=True, text=True, timeout=NEVER
    )
    assert said in done.stdout, done.stderr
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_thread_that_ends_takes_no_helper_with_it(process: clipprep.Preprocess) -> None:
    end_helpers()
    thread = threading.Thread(target=process, args=(TGA,))
    thread.start()
    thread.join()
    (helper,) = POOL.helpers()
    time.sleep(0.1)
    assert helper.is_alive()


def test_no_handler_of_a_signal_runs_between_two_steps_of_the_pool(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in the main thread, and what it raises may come anywhere there: so the pool's work is done elsewhere."""
    threads = set()

    class Watched(job.Job):
        def _poll(self, end: float) -> object:
            threads.add(threading.get_ident())
            return super()._poll(end)

    monkeypatch.setattr("clipprep._helper.Job", Watched)
    for call in (
        lambda: process(TGA),
        lambda: process.batch([TGA] * 3, num_threads=1),
        lambda: process(Image.open(io.BytesIO(TGA))),
    ):
        threads.clear()
        call()
        assert threads
        assert threading.get_ident() not in threads


def test_a_handler_that_raises_at_any_time_costs_its_call_alone() -> None:
    done = program("""
class Late(Exception):
    pass
def late(*_):
    raise Late
signal.signal(signal.SIGALRM, late)
for round in range(40):
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-4 * (1 + round))
        pre(TGA)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Late:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
assert pre(TGA).any()
assert set(POOL.helpers()) == set(POOL.idle())
""")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def registered() -> Iterator[None]:
    plug.register()
    yield
    plug.unregister()


@pytest.mark.usefixtures("registered")
def test_a_helper_that_ends_is_not_waited_for_with_what_it_started(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that it has forked, which sleeps, keeps its pipe open."""
    asked = asked_helpers(monkeypatch)
    with pytest.raises(clipprep.HelperError, match="ended by SIGABRT"):
        process(plug.file("split"))
    # It is in the helper's group, and raises where it has ended, and so was waited for.
    os.killpg(asked.get().pid, signal.SIGKILL)


@pytest.mark.usefixtures("registered")
def test_a_helper_that_is_ended_takes_with_it_what_it_started(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_helpers(monkeypatch)
    cancel, ends = clipprep._core._Cancel(), []

    def run() -> None:
        try:
            process._batch([plug.file("run")], num_threads=1, cancel=cancel)
        except CancelledError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    helper = asked.get(timeout=NEVER)
    wait_for(lambda: children(helper.pid), "a program that the file starts")
    pids = children(helper.pid)
    cancel.cancel()
    thread.join()
    assert len(ends) == 1
    wait_for(lambda: not any(map(is_there, pids)), "the end of the program")


def test_an_embedded_interpreter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for executable in ("", None, "/usr/bin/uwsgi"):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(
            ValueError, match=r"run by Python for fallback=\"process\", found sys.exec"
        ):
            clipprep.Preprocess(16, fallback="process")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ValueError, match="a frozen application"):
        clipprep.Preprocess(16, fallback="process")
