"""`out=` over the memory of a source: refused, whatever objects the two came from, and never a crash."""

from __future__ import annotations

import pytest

from clipprep._pillow import memory
from support.pictures import picture
from support.programs import Outcome, run
from support.writers import saved

JPEG = saved(picture("RGB", 640, 480), "JPEG")
SETUP = """
import array, ctypes, gc, mmap, tempfile
pre = clipprep.Preprocess(8, dtype="uint8")
SHAPE, AT, SIZE = (3, 8, 8), 600, 192
kept = []
def part(memory):
    return np.frombuffer(memory, np.uint8)[AT:AT + SIZE].reshape(SHAPE)
def mapped(data, access=None):
    file = tempfile.TemporaryFile()
    file.write(data)
    file.flush()
    kept.append(file)
    return mmap.mmap(file.fileno(), 0)
def lent(data):
    memory = (ctypes.c_ubyte * len(data)).from_buffer_copy(data)
    kept.append(memory)
    return memory
"""
#: Lines that make `source`, encoded bytes, and `out` over them.
ENCODED = {
    "bytearray, array over it": "source = bytearray(data); out = part(source)",
    "bytearray, view of it": "source = bytearray(data); out = memoryview(source)[AT:AT + SIZE].cast('B', SHAPE)",
    "view, view": "owner = bytearray(data); source = memoryview(owner); out = memoryview(owner)[AT:AT + SIZE].cast('B', SHAPE)",
    "read-only view, view": "owner = bytearray(data); source = memoryview(owner).toreadonly(); out = part(owner)",
    "array, array": "source = np.frombuffer(data, np.uint8).copy(); out = source[AT:AT + SIZE].reshape(SHAPE)",
    "array, strided array": "source = np.frombuffer(data, np.uint8).copy(); out = np.lib.stride_tricks.as_strided(source[AT:], SHAPE, (64, 8, 1))",
    "read-only array, array": "owner = np.frombuffer(data, np.uint8).copy(); source = owner.view(); source.flags.writeable = False; out = owner[AT:AT + SIZE].reshape(SHAPE)",
    "mmap, array": "source = mapped(data); out = part(source)",
    "mmap, view": "source = mapped(data); out = memoryview(source)[AT:AT + SIZE].cast('B', SHAPE)",
    "array.array, array": "source = array.array('B', data); out = part(source)",
    "ctypes, array": "source = lent(data); out = part(source)",
    "the last byte of the source": "source = bytearray(data); out = np.frombuffer(bytearray(SIZE), np.uint8); owner = np.frombuffer(bytearray(data) + bytearray(SIZE - 1), np.uint8); source = memoryview(owner)[:len(data)]; out = owner[len(data) - 1:][:SIZE].reshape(SHAPE)",
}  # fmt: skip
#: The same with pixels as the source.
PIXELS = {
    "array of pixels": "source = np.zeros((40, 40, 3), np.uint8); out = source.reshape(-1)[:SIZE].reshape(SHAPE)",
    "strided pixels": "source = np.zeros((40, 80, 3), np.uint8)[:, ::2]; out = source.base.reshape(-1)[:SIZE].reshape(SHAPE)",
    "pixels upside down": "source = np.zeros((40, 40, 3), np.uint8)[::-1]; out = source.base.reshape(-1)[-SIZE:].reshape(SHAPE)",
    "pixels back to front": "source = np.zeros((40, 40, 3), np.uint8)[:, ::-1]; out = source.base.reshape(-1)[-SIZE:].reshape(SHAPE)",
    "pixels on their side": "source = np.zeros((3, 40, 40), np.uint8).T; out = source.base.reshape(-1)[-SIZE:].reshape(SHAPE)",
    "grey PIL image over an array": "pixels = np.zeros((64, 64), np.uint8); source = Image.frombuffer('L', (64, 64), pixels, 'raw', 'L', 0, 1); out = pixels.reshape(-1)[:SIZE].reshape(SHAPE)",
    "PIL image over an array": "pixels = np.zeros((64, 64, 4), np.uint8); source = Image.frombuffer('RGBX', (64, 64), pixels, 'raw', 'RGBX', 0, 1); out = pixels.reshape(-1)[:SIZE].reshape(SHAPE)",
    "bytearray of pixels": "owner = bytearray(40 * 40 * 3); source = memoryview(owner).cast('B', (40, 40, 3)); out = part(owner)",
}  # fmt: skip
CALLS = {
    "one": "pre(source, out=out)",
    "batch": "pre.batch([source], out=np.asarray(out)[None])",
    "try_batch": "pre.try_batch([source], out=np.asarray(out)[None])",
}


def refused(outcome: Outcome) -> bool:
    return outcome.kind == "error" and "ValueError" in outcome.bases and "out" in outcome.text


COPIED = pytest.mark.skipif(
    memory.major_version() < 13, reason="this Pillow lends no memory, so there is no overlap"
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[COPIED] if "PIL image" in name else [])
        for name in (*ENCODED, *PIXELS)
    ],
)
def test_out_over_a_source_is_refused(name: str) -> None:
    make = {**ENCODED, **PIXELS}[name]
    outcomes = run(f"{SETUP}\n{make}", CALLS, data=JPEG)
    assert all(map(refused, outcomes.values())), outcomes


def test_out_over_another_source_of_the_batch_is_refused() -> None:
    setup = f"{SETUP}\nsource = bytearray(data); out = np.frombuffer(source, np.uint8)[:2 * SIZE].reshape(2, *SHAPE)"
    outcomes = run(setup, {"batch": "pre.batch([data, source], out=out)"}, data=JPEG)
    assert refused(outcomes["batch"]), outcomes


def test_out_beside_a_source_is_written() -> None:
    """In the same memory, after the last byte of the source or before the first."""
    setup = f"""{SETUP}
owner = np.zeros(2 * SIZE + len(data), np.uint8)
owner[SIZE:-SIZE] = np.frombuffer(data, np.uint8)
source = owner[SIZE:-SIZE]
before, after = owner[:SIZE].reshape(SHAPE), owner[-SIZE:].reshape(SHAPE)
"""
    same = "np.array_equal(pre(source, out={0}), pre(data)) and np.array_equal({0}, pre(data))"
    outcomes = run(setup, {name: same.format(name) for name in ("before", "after")}, data=JPEG)
    assert [outcome.text for outcome in outcomes.values()] == ["True", "True"], outcomes


@pytest.mark.parametrize("turn", ["[:]", "[::-1]", "[:, ::-1]", ".transpose(1, 0, 2)"])
def test_out_beside_pixels_is_written(turn: str) -> None:
    """After the last byte that a view reaches, or before the first, whatever its strides."""
    setup = f"""{SETUP}
owner = np.zeros(2 * SIZE + 40 * 40 * 3, np.uint8)
source = owner[SIZE:-SIZE].reshape(40, 40, 3){turn}
before, after = owner[:SIZE].reshape(SHAPE), owner[-SIZE:].reshape(SHAPE)
before[:] = after[:] = 9
"""
    same = "np.array_equal(pre(source, out={0}), pre(np.zeros((40, 40, 3), np.uint8)))"
    outcomes = run(setup, {name: same.format(name) for name in ("before", "after")})
    assert [outcome.text for outcome in outcomes.values()] == ["True", "True"], outcomes
