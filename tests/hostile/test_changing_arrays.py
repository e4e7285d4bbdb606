"""Arrays whose shape, strides or dtype change after they were checked: the call works on what it checked."""

from __future__ import annotations

import pytest

from support.programs import run

CHANGES = {
    "channels": "a.shape = (64, 1, 240)",
    "one axis": "a.shape = (64 * 240,)",
    "four axes": "a.shape = (64, 30, 2, 4)",
    "wider numbers": "a.dtype = np.uint32",
    "other numbers": "a.dtype = np.float32",
    "strides of 1": "a.strides = (1, 1, 1)",
    "strides of 0": "a.strides = (0, 0, 0)",
    "rows from the end": "a.strides = (240, 4, 0)",
    "read-only": "a.flags.writeable = False",
}
#: NumPy 2.4 warns of some of the changes.
SETUP = """
import threading, time, warnings
warnings.simplefilter("ignore")
pre = clipprep.Preprocess(32)
def change(a):
    {change}
def of_a_source():
    a = np.arange(64 * 240, dtype=np.uint8).reshape(64, 60, 4)
    expected = pre(a.copy())
    class File(io.BytesIO):
        def read(self, *size):
            change(a)
            return b""
    result = pre.try_batch([a, File()])
    return bool((result.pixels[0] == expected).all()), result.ok.tolist()
def of_a_thread(a, call):
    stop = threading.Event()
    def work():
        while not stop.is_set():
            change(a)
            time.sleep(0.0005)
    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(20):
        try:
            call()
        except (clipprep.ClipPrepError, ValueError, TypeError):
            pass
    stop.set()
    thread.join()
    return True
def of_a_thread_in():
    a = np.zeros((64, 60, 4), np.uint8)
    return of_a_thread(a, lambda: pre.batch([a] * 8))
def of_a_thread_out():
    pre = clipprep.Preprocess((64, 20), dtype="uint8")
    a, source = np.zeros((3, 64, 20), np.uint8), np.zeros((640, 200, 3), np.uint8)
    return of_a_thread(a, lambda: pre(source, out=a))
"""


@pytest.mark.parametrize("name", CHANGES)
def test_the_call_works_on_what_it_checked(name: str) -> None:
    setup = SETUP.format(change=CHANGES[name])
    calls = {"source": "of_a_source()", "in": "of_a_thread_in()", "out": "of_a_thread_out()"}
    outcomes = run(setup, calls, processor_time=30)
    assert outcomes["source"].text == "(True, [True, False])", outcomes["source"]
    assert [outcomes[call].text for call in ("in", "out")] == ["True", "True"], outcomes


def test_pieces_of_a_file_are_bytes() -> None:
    """Not the addresses of objects."""
    setup = """
class File:
    def read(self, size=-1):
        return np.array([1, "a", None], object)
"""
    outcome = run(setup, {"read": "clipprep.Preprocess(32)(File())"})["read"]
    assert outcome.type == "SourceError", outcome
    assert "a buffer of format" in outcome.text
