"""Python code that clipprep itself runs, and that calls clipprep: signal handlers, `read`, `__fspath__`, properties."""

from __future__ import annotations

import pytest

from support.pictures import picture
from support.programs import run
from support.writers import saved


def file(kind: str) -> bytes:
    return saved(picture("RGB", 1800, 1800), kind, compress_level=1)  # PNG's alone


HANDLER = """
import signal
pre, small = clipprep.Preprocess(32), np.zeros((9, 9, 3), np.uint8)
expected, sound = pre(data).tobytes(), pre(small).tobytes()
assert {inner} == sound  # a handler may interrupt itself while it imports, which is Python's own trap
hits, wrong, busy = [], [], []
def handler(*_):
    if busy:  # the timer may be quicker than the handler
        return
    busy.append(True)
    try:
        hits.append({inner} == sound)
    except BaseException as error:
        wrong.append(repr(error))
    finally:
        busy.clear()
signal.signal(signal.SIGALRM, handler)
def called(call):
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        for _ in range(40):
            result = call()
            if hits or wrong: break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert not wrong, wrong
    assert hits and all(hits)
    return result
"""
INNER = {
    "a call": "pre(small).tobytes()",
    "a batch": "pre.batch([small] * 3)[1].tobytes()",
    "a batch of one thread": "pre.batch([small] * 3, num_threads=1)[2].tobytes()",
    "a stream": "next(iter(pre.stream([small]))).pixels[0].tobytes()",
    "another object": "clipprep.Preprocess(32)(small).tobytes()",
    "a large file": "(pre(data), pre(small))[1].tobytes()",
}
CALLS = {
    "a call": "called(lambda: pre(data)).tobytes() == expected",
    "a batch": "called(lambda: pre.batch([data] * 4)).tobytes() == expected * 4",
    "a batch of one thread": "called(lambda: pre.batch([data] * 2, num_threads=1)).tobytes() == expected * 2",
    "try_batch": "called(lambda: pre.try_batch([data] * 2)).pixels.tobytes() == expected * 2",
    "a stream": "called(lambda: list(pre.stream([data] * 4, batch_size=2)))[1].pixels.tobytes() == expected * 2",
    "explain": "called(lambda: [pre.explain(data) for _ in range(200)])[0].size[0] > 0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "inner"),
    [*(("JPEG", inner) for inner in INNER), ("PNG", "a call"), ("TIFF", "a batch")],
)
def test_a_signal_handler_may_call(kind: str, inner: str) -> None:
    outcomes = run(HANDLER.format(inner=INNER[inner]), CALLS, data=file(kind), processor_time=60)
    assert {name: outcome.text for name, outcome in outcomes.items()} == dict.fromkeys(
        CALLS, "True"
    )


IMPORTS = """
import sys
from concurrent.futures import CancelledError
ours = lambda: {name for name in sys.modules if name.partition(".")[0] == "clipprep"}
before = ours()
pre, small = clipprep.Preprocess(32), np.zeros((9, 9, 3), np.uint8)
sources = [small, data, io.BytesIO(data), "nosuch", b"none", None, {"bytes": data}, Image.fromarray(small), b"\\0" * 99]
"""


def test_no_call_imports_anything() -> None:
    """Else a signal handler may call while the module is imported in part, in the frame below."""
    calls = {
        name: f"({call}, sorted(ours() - before))[1]"
        for name, call in {
            "try_batch": "pre.try_batch(sources, out=np.zeros((len(sources), 3, 32, 32), np.float32))",
            "a stream": "list(pre.stream(sources))",
            "explain": "pre.explain(data)",
            "a call": "pre(data, out=memoryview(bytearray(4 * 3 * 32 * 32)).cast('f', (3, 32, 32)))",
            "an object": "clipprep.Preprocess('ViT-B/32', formats=['JPEG'], limits=clipprep.Limits())",
        }.items()
    }
    outcomes = run(IMPORTS, calls, data=file("TIFF"))
    assert {name: outcome.text for name, outcome in outcomes.items()} == dict.fromkeys(calls, "[]")


CALLBACKS = """
pre = clipprep.Preprocess(32)
expected = pre(data).tobytes()
class Reader:
    def __init__(self, work): self.work, self.left = work, data
    def read(self, size=-1):
        self.work()
        part, self.left = (self.left, b"") if size < 0 else (self.left[:size], self.left[size:])
        return part
class Nested:
    def __init__(self, depth): self.depth, self.left = depth, data
    def read(self, size=-1):
        depth, self.depth = self.depth, 0  # the first of several reads goes deeper
        if depth: pre(Nested(depth - 1))
        part, self.left = (self.left, b"") if size < 0 else (self.left[:size], self.left[size:])
        return part
class Path:
    def __fspath__(self):
        pre.batch([data] * 2)
        return path
import tempfile
path = tempfile.mkstemp()[1]
open(path, "wb").write(data)
out = np.zeros((2, 3, 32, 32), np.float32)
"""


def test_read_and_fspath_may_call() -> None:
    calls = {
        "read calls": "pre(Reader(lambda: pre(data))).tobytes() == expected",
        "read runs a batch": "pre(Reader(lambda: pre.batch([data] * 8))).tobytes() == expected",
        "read in a batch": "pre.batch([Reader(lambda: pre.batch([data] * 2)), data]).tobytes() == expected * 2",
        "read streams": "pre(Reader(lambda: list(pre.stream([data] * 4)))).tobytes() == expected",
        "read of the same out": "pre.batch([Reader(lambda: pre.batch([data] * 2, out=out)), data], out=out).tobytes() == expected * 2",
        "__fspath__ runs a batch": "pre(Path()).tobytes() == expected",
        "100 deep": "pre(Nested(100)).tobytes() == expected",
        "too deep": "[pre.try_batch([Nested(100_000)]).ok.any(), pre(data).tobytes() == expected][1]",
    }
    outcomes = run(CALLBACKS, calls, data=saved(picture("RGB", 90, 60), "JPEG"), processor_time=20)
    deep = outcomes.pop("too deep")
    assert (deep.kind, deep.text) == ("result", "True") or "RecursionError" in deep.bases, deep
    assert {outcome.text for outcome in outcomes.values()} == {"True"}, outcomes
