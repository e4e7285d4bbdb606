"""Plug-ins that a program registers with Pillow cost nobody but themselves, and a stack that is full is no file's fault."""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageFile

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import picture
from support.reference import reference
from support.writers import saved

MAGIC = b"PLUG"
FILE = MAGIC + bytes(range(64))
TGA = saved(picture("RGB", 60, 40), "TGA")


class Plug(ImageFile.ImageFile):
    """Grey, 8 x 8, after four bytes."""

    format = "PLUG"

    def _open(self) -> None:
        self._size, self._mode = (8, 8), "L"
        self.tile = [("raw", (0, 0, 8, 8), 4, ("L", 0, 1))]


class Slots(Plug):
    __slots__ = ("more",)


class NoSubclass(Plug):
    def __init_subclass__(cls) -> None:
        raise RuntimeError("no subclass")


class Calling:
    def __call__(self, file: io.BytesIO, name: str) -> Image.Image:
        return Plug(file, name)


class NoModule(Plug):
    __module__ = 1  # type: ignore[assignment]


FACTORIES: dict[str, Callable[..., Image.Image]] = {
    "a class": Plug,
    "a function": lambda file, name: Plug(file, name),
    "a partial": functools.partial(Plug),
    "a partial of a function": functools.partial(lambda _, file, name: Plug(file, name), 0),
    "a cached function": functools.lru_cache(lambda file, name: Plug(file, name)),
    "an object": Calling(),
    "a class with slots": Slots,
    "a function that gives slots": lambda file, name: Slots(file, name),
    "a class that takes no subclass": NoSubclass,
    "a class of a module that is none": NoModule,
}


@pytest.fixture
def registered() -> Iterator[Callable[..., None]]:
    Image.init()
    yield lambda factory, accept=lambda head: head[:4] == MAGIC: Image.register_open(
        "PLUG", factory, accept
    )
    Image.OPEN.pop("PLUG", None)
    Image.ID.remove("PLUG")


@pytest.mark.parametrize("truncated", ["error", "pad"])
@pytest.mark.parametrize("factory", FACTORIES)
def test_a_plug_in_is_read_and_so_are_others(registered, factory: str, truncated: str) -> None:
    registered(FACTORIES[factory])
    pre = clipprep.Preprocess(32, pillow="installed", truncated=truncated)
    assert_equal_bits(pre(FILE), reference(opened(FILE), 32), factory)
    assert_equal_bits(pre(TGA), reference(opened(TGA), 32), f"a TGA beside {factory}")


@pytest.mark.parametrize("error", [SyntaxError, IndexError, TypeError])
def test_what_accept_may_raise(registered, small, error: type[Exception]) -> None:
    """As Pillow has it: these say that the file is of another format."""

    def accept(head: bytes) -> bool:
        raise error("of another format")

    registered(Plug, accept)
    assert_equal_bits(small(TGA), reference(opened(TGA), 32), error.__name__)


@pytest.mark.parametrize("answer", [1, "a warning", b"", None], ids=repr)
def test_what_accept_may_answer(registered, small, answer: object) -> None:
    """Whatever is true but a text."""
    registered(Plug, lambda head: answer)
    if answer == 1:
        assert_equal_bits(small(FILE), reference(opened(FILE), 32), "true")
    else:
        with pytest.raises(clipprep.UnsupportedError):
            small(FILE)


def test_a_full_stack_is_not_the_files_fault(small) -> None:
    def deep(calls: int) -> np.ndarray:
        return deep(calls - 1) if calls else small(TGA)

    expected, outcomes = small(TGA), set()
    depth = len(__import__("inspect").stack())
    for calls in range(sys.getrecursionlimit() - depth - 120, sys.getrecursionlimit() - depth):
        try:
            assert np.array_equal(deep(calls), expected)
            outcomes.add("result")
        except RecursionError:
            outcomes.add("RecursionError")
        except clipprep.LimitError as error:
            outcomes.add(str(error).partition(";")[0])
    said = f"<bytes of length {len(TGA)}>: expected a call with room on Python's stack for Pillow, found its recursion limit reached"
    assert outcomes == {"result", "RecursionError", said}
    assert np.array_equal(small(TGA), expected)
