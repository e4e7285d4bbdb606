"""`out=` may be anything that lends writeable memory of the host; a wrong one says what was expected and found."""

from __future__ import annotations

import array
import ctypes
import mmap
from typing import Any

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo

IMAGES = [photo(40 + seed, 61 - seed, 3, seed) for seed in range(2)]
SHAPE = (2, 3, 32, 32)


class Interface:
    """Numba's and others' way."""

    def __init__(self, memory: np.ndarray) -> None:
        self.memory = memory
        self.__array_interface__ = memory.__array_interface__


class DLPack:
    """A tensor that speaks DLPack 1.0."""

    def __init__(self, memory: np.ndarray) -> None:
        self.memory = memory

    def __dlpack__(self, **options: Any) -> object:
        return self.memory.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.memory.__dlpack_device__()


class Tensor(DLPack):
    """A tensor as torch's was for years: DLPack before 1.0, which says nothing about writing, and `__array__`."""

    def __dlpack__(self, **options: Any) -> object:
        return self.memory.__dlpack__()

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.memory


class Copies(Tensor):
    """One whose array is a copy of it."""

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.memory.copy()


class OnADevice(DLPack):
    def __dlpack__(self, **options: Any) -> object:
        raise BufferError("the memory is a GPU's")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0


class Hollow:
    """A tensor of a shape whose memory is nowhere: torch's fake ones, and those of classes that wrap others."""

    def __init__(self, shape: tuple[int, ...], code: int, bits: int) -> None:
        sides = (ctypes.c_int64 * len(shape))(*shape)
        managed = _Managed(None, 1, 0, len(shape), code, bits, 1, ctypes.addressof(sides))
        self.kept = sides, managed

    def __dlpack__(self, **options: Any) -> object:
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = (
            ctypes.py_object,
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
        )
        return new(ctypes.addressof(self.kept[1]), b"dltensor", None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


class _Managed(ctypes.Structure):
    """`DLManagedTensor`."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("device", "device_id", "ndim")),
        *(("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)),
        *((name, ctypes.c_void_p) for name in ("shape", "strides")),
        ("byte_offset", ctypes.c_uint64),
        *((name, ctypes.c_void_p) for name in ("manager", "deleter")),
    )


needs_writeable = pytest.mark.skipif(
    not np.from_dlpack(DLPack(np.zeros(1))).flags.writeable,
    reason="this NumPy says that all that DLPack lends is read-only",
)


def typed(memory: np.ndarray) -> memoryview:
    return memoryview(memory)


@pytest.fixture(scope="module")
def expected(small) -> np.ndarray:
    return small.batch(IMAGES)


@pytest.mark.parametrize(
    "lend", [Interface, pytest.param(DLPack, marks=needs_writeable), Tensor, typed]
)
def test_what_lends_its_memory(small, expected, lend) -> None:
    memory = np.full(SHAPE, np.nan, np.float32)
    out = lend(memory)
    assert small.batch(IMAGES, out=out) is out
    assert_equal_bits(memory, expected, "batch")
    memory[:] = np.nan
    result = small.try_batch([IMAGES[0], b"no image"], out=out)
    assert result.pixels is out
    assert_equal_bits(memory[0], expected[0], "try_batch")
    assert not memory[1].any()
    one = np.full(SHAPE[1:], np.nan, np.float32)
    lent = lend(one)
    assert small(IMAGES[1], out=lent) is lent
    assert_equal_bits(one, expected[1], "one")


def test_shared_memory(small, expected) -> None:
    with mmap.mmap(-1, expected.nbytes) as shared:
        view = memoryview(shared).cast("B").cast("f", SHAPE)
        assert small.batch(IMAGES, out=view) is view
        assert bytes(shared) == expected.tobytes()
        view.release()


@needs_writeable
@pytest.mark.parametrize("dtype", ["float16", "uint8"])
def test_other_types(dtype: str) -> None:
    pre = clipprep.Preprocess(32, dtype=dtype, layout="NHWC")
    memory = np.zeros((2, 32, 32, 3), dtype)
    pre.batch(IMAGES, out=DLPack(memory))
    assert_equal_bits(memory, pre.batch(IMAGES), dtype)


WRONG = {
    "another type": (lambda: DLPack(np.zeros(SHAPE)), TypeError, ["float32", "float64", "DLPack"]),
    "a flat buffer": (lambda: bytearray(8), TypeError, ["float32", "uint8", "bytearray"]),
    "another shape": (
        lambda: array.array("f", bytes(2 * 3 * 32 * 32 * 4)),
        ValueError,
        ["(2, 3, 32, 32)", "(6144,)"],
    ),
    "read-only": (
        lambda: memoryview(np.zeros(SHAPE, np.float32)).toreadonly(),
        ValueError,
        ["writeable", "read-only"],
    ),
    "a copy": (
        lambda: Copies(np.zeros(SHAPE, np.float32)),
        ValueError,
        ["writeable", "read-only"],
    ),
    "a GPU's": (
        lambda: OnADevice(np.zeros(SHAPE, np.float32)),
        TypeError,
        ["OnADevice", "does not lend its memory"],
    ),
    "strided": (
        lambda: DLPack(np.zeros((*SHAPE[:3], 64), np.float32)[..., ::2]),
        ValueError,
        ["C-contiguous"],
    ),
    "memory that is nowhere": (
        lambda: Hollow(SHAPE, code=2, bits=32),
        TypeError,
        ["Hollow", "does not lend its memory"],
    ),
    "no memory": (lambda: object(), TypeError, ["float32", "(2, 3, 32, 32)", "object"]),
}


@pytest.mark.parametrize("call", ["batch", "try_batch"])
@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit(small, name: str, call: str) -> None:
    make, kind, words = WRONG[name]
    if name == "a copy" and np.from_dlpack(make()).flags.writeable:
        pytest.skip("this NumPy takes DLPack before 1.0 for writeable")
    with pytest.raises(kind) as caught:
        getattr(small, call)(IMAGES, out=make())
    for word in ["expected out=", *words]:
        assert word in str(caught.value)


def test_a_source_whose_memory_is_nowhere(small) -> None:
    hollow = Hollow((20, 30, 3), code=1, bits=8)
    with pytest.raises(clipprep.errors.SourceError, match="a Hollow that does not lend its memory"):
        small(hollow)
    assert list(small.try_batch([IMAGES[0], hollow]).ok) == [True, False]


def test_torch() -> None:
    """Where torch is installed: its tensors are written in place, and view results without a copy."""
    torch = pytest.importorskip("torch")
    pre = clipprep.Preprocess(32)
    expected = pre.batch(IMAGES)
    tensors = [torch.full(SHAPE, float("nan"))]
    if torch.cuda.is_available():
        tensors.append(tensors[0].pin_memory())
    for tensor in tensors:
        assert pre.batch(IMAGES, out=tensor) is tensor
        assert_equal_bits(tensor.numpy(), expected, "a tensor")
    assert torch.from_numpy(expected).data_ptr() == expected.ctypes.data
    fake = pytest.importorskip("torch._subclasses").FakeTensorMode()
    with pytest.raises(clipprep.errors.SourceError, match="FakeTensor that does not lend"):
        pre(fake.from_tensor(torch.zeros(3, 20, 30, dtype=torch.uint8)))
    half = clipprep.Preprocess(32, dtype="bfloat16")
    tensor = torch.zeros(SHAPE, dtype=torch.bfloat16)
    assert half.batch(IMAGES, out=tensor) is tensor
    assert torch.equal(tensor, torch.from_numpy(expected).to(torch.bfloat16))
