"""What a file does to the process that decodes it costs its row, and the others are read."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageFile

import clipprep
from clipprep._helper.pool import POOL
from support import plug
from support.helped import asked_helpers
from support.pictures import picture
from support.waiting import NEVER, wait_for
from support.writers import saved

TGA = saved(picture("RGB", 60, 40), "TGA")


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    plug.register()
    yield
    plug.unregister()


@pytest.fixture
def process() -> clipprep.Preprocess:
    return clipprep.Preprocess(16, fallback="process")


def test_a_plug_in_is_found_by_name(process: clipprep.Preprocess) -> None:
    data = plug.file("nothing")
    assert np.array_equal(process(data), clipprep.Preprocess(16)(data))


@pytest.mark.parametrize(
    ("what", "error", "said"),
    [
        ("abort", clipprep.HelperError, "ended by SIGABRT"),
        ("crash", clipprep.HelperError, "ended by SIGSEGV"),
        ("exit", clipprep.HelperError, "ended with status 0"),
        ("leave", clipprep.HelperError, "ended with status 1"),
        ("raise", clipprep.DecodeError, "this plug-in fails"),
        ("allocate", clipprep.LimitError, "memory"),
    ],
)
def test_harm_costs_its_row(
    process: clipprep.Preprocess, what: str, error: type[Exception], said: str
) -> None:
    limits = clipprep.Limits(max_memory=1 << 28)
    process = clipprep.Preprocess(16, fallback="process", limits=limits)
    result = process.try_batch([TGA, plug.file(what), TGA, plug.file("nothing")], num_threads=2)
    assert result.ok.tolist() == [True, False, True, True]
    assert type(result.errors[1]) is error
    assert said in str(result.errors[1])
    assert np.array_equal(result.pixels[0], process(TGA))


def test_what_a_plug_in_prints_is_no_answer(process: clipprep.Preprocess) -> None:
    assert np.array_equal(process(plug.file("speak")), process(plug.file("nothing")))


def test_a_loop_ends_by_max_seconds() -> None:
    limits = clipprep.Limits(max_seconds=1)
    process = clipprep.Preprocess(16, fallback="process", limits=limits)
    process(TGA)
    own, start = time.process_time(), time.monotonic()
    with pytest.raises(clipprep.LimitError, match="1 seconds of processor time"):
        process(plug.file("loop"))
    # On a busy machine it may be waited for long.
    most = 0.3 + 0.05 * (time.monotonic() - start)
    assert time.process_time() - own < most, "the time is the helper's"
    # The time of a file is its own.
    assert process.try_batch([TGA] * 5).ok.all()


def test_sleep_ends_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    clipprep.Preprocess(16, fallback="process")(TGA)  # one that has started
    limits = clipprep.Limits(max_seconds=1)
    process = clipprep.Preprocess(16, fallback="process", limits=limits)
    with monkeypatch.context() as patch:
        patch.setattr("clipprep._helper.job._PATIENCE", 0)
        patch.setattr("clipprep._helper.job._SPARE", 0.3)
        with pytest.raises(clipprep.LimitError, match="expected an answer of a helper"):
            process(plug.file("sleep"))
    assert process(TGA).any()


def test_a_helper_that_is_killed(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(TGA)
    asked = asked_helpers(monkeypatch)
    errors: list[Exception] = []

    def run() -> None:
        try:
            process(plug.file("sleep"))
        except clipprep.ImageError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    os.kill(asked.get(timeout=NEVER).pid, signal.SIGKILL)
    thread.join(NEVER)
    assert [type(error) for error in errors] == [clipprep.HelperError]
    assert "SIGKILL" in str(errors[0])
    # One that is killed while it has nothing to do is noticed before it is asked.
    process(TGA)
    helper = POOL.idle()[-1]
    os.kill(helper.pid, signal.SIGKILL)
    wait_for(lambda: not helper.is_alive(), "the end of a helper that was killed")
    assert process(TGA).any()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Has Ctrl-C raise in this process: a shell has its background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_wait(process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else would end it: no limit says for how long a file may sleep."""
    asked = asked_helpers(monkeypatch)

    def press() -> None:
        asked.get(timeout=NEVER)
        os.kill(os.getpid(), signal.SIGINT)

    for call in (
        lambda: process.batch([plug.file("sleep")] * 3, num_threads=2),
        lambda: process(plug.file("sleep")),
    ):
        process(TGA)
        asked.queue.clear()
        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            call()
        thread.join()
    assert process(TGA).any()


class Local(plug.Plug):
    format = "LOCAL"


LOCAL = plug.MAGIC + plug.file("nothing")[4:]


@pytest.mark.parametrize("kind", ["main", "closure"])
def test_a_plug_in_without_a_name_is_refused_with_the_reason(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    factory: object = Local
    if kind == "main":
        monkeypatch.setattr(Local, "__module__", "__main__")
    else:
        factory = lambda file, name: Local(file, name)  # noqa: E731
    plug.unregister()
    try:
        Image.register_open("LOCAL", factory, plug.accept)
        with pytest.raises(
            clipprep.UnsupportedError, match="a plug-in for LOCAL that works in a helper"
        ):
            process(LOCAL)
        assert process(TGA).any()
    finally:
        Image.OPEN.pop("LOCAL")
        Image.ID.remove("LOCAL")
        plug.register()


def test_a_plug_in_that_cannot_be_imported(
    process: clipprep.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its module is there in this process alone."""
    import sys
    import types

    module = types.ModuleType("only_here")
    module.Plug = type("Plug", (ImageFile.ImageFile,), {"__module__": "only_here"})
    monkeypatch.setitem(sys.modules, "only_here", module)
    monkeypatch.setitem(Image.OPEN, "PLUG", (module.Plug, plug.accept))
    with pytest.raises(clipprep.UnsupportedError, match="cannot import it: ModuleNotFoundError"):
        process(plug.file("nothing"))
    assert process(TGA).any()
