"""Replacements for OpenAI's transform and for an image processor of transformers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest

import clipprep
from clipprep import openai
from clipprep.transformers import ClipPrepImageProcessor
from support.compare import assert_equal_bits
from support.named_configs import HUGGING_FACE
from support.pictures import picture

CLIP = HUGGING_FACE["CLIP ViT-B/32"]


class Tensor:
    """Enough of a tensor to see the wrapped array."""

    def __init__(self, array: np.ndarray, moved: tuple[object, ...] = ()) -> None:
        self.array, self.moved = array, moved

    def to(self, *args: object) -> Tensor:
        return Tensor(self.array, args)


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("torch")
    module.from_numpy = Tensor
    monkeypatch.setitem(sys.modules, "torch", module)


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


#: Where transformers is installed, its own class makes the tensors: test_image_processor_live.py.
without_transformers = pytest.mark.skipif(
    find_spec("transformers") is not None, reason="transformers is installed"
)


@without_transformers
def test_torch_is_not_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, clipprep.openai, clipprep.transformers as t;"
        "clipprep.openai.transform(224); t.ClipPrepImageProcessor(clipprep.Preprocess(32));"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_openai_transform(torch) -> None:
    image = picture("RGB", 90, 61)
    transform = openai.transform(32)
    tensor = transform(image)
    assert isinstance(tensor, Tensor)
    assert_equal_bits(tensor.array, clipprep.Preprocess(32)(image), "transform")
    assert repr(transform) == "Transform(n_px=32)"
    assert pickle.loads(pickle.dumps(transform)) == transform
    assert_equal_bits(pickle.loads(pickle.dumps(transform))(image).array, tensor.array, "pickled")
    with pytest.raises(ValueError, match="size"):
        openai.transform(0)


def test_openai_transform_without_torch(no_torch) -> None:
    with pytest.raises(ImportError, match="torch"):
        openai.transform(32)(picture("RGB", 90, 61))


@without_transformers
@pytest.mark.parametrize("backend", ["torchvision", "pil"])
def test_image_processor(backend: str, torch) -> None:
    images = [picture("RGB", 90, 61), picture("RGBA", 61, 90)]
    processor = ClipPrepImageProcessor.from_pretrained(CLIP, backend=backend)
    expected = clipprep.Preprocess.from_hf(CLIP, backend=backend).batch(images)
    arrays = processor(images=images, return_tensors="np")
    assert list(arrays) == ["pixel_values"]
    assert_equal_bits(arrays.pixel_values, expected, "np")
    assert_equal_bits(processor(images, return_tensors="np")["pixel_values"], expected, "mapping")
    assert_equal_bits(
        processor.preprocess(images, return_tensors="pt").pixel_values.array, expected, "pt"
    )
    listed = processor(images)["pixel_values"]
    assert isinstance(listed, list)
    assert_equal_bits(np.stack(listed), expected, "a list")
    one = processor(images=images[0], return_tensors="np").pixel_values
    assert_equal_bits(one, expected[:1], "one image")
    moved = processor(images, return_tensors="pt").to("cuda", "float16")
    assert moved.pixel_values.moved == ("cuda", "float16")
    assert_equal_bits(
        processor(images, return_tensors="np").to("cpu").pixel_values, expected, "NumPy has no to"
    )
    with pytest.raises(AttributeError, match="labels"):
        _ = arrays.labels


def test_arrays() -> None:
    processor = ClipPrepImageProcessor(clipprep.Preprocess(8))
    batch = np.arange(2 * 9 * 11 * 3, dtype=np.uint8).reshape(2, 9, 11, 3)
    expected = clipprep.Preprocess(8).batch(batch)
    for images in (batch, list(batch), tuple(batch)):
        assert_equal_bits(processor(images, return_tensors="np").pixel_values, expected, "arrays")
    assert processor(batch[0], return_tensors="np").pixel_values.shape == (1, 3, 8, 8)
    assert processor([], return_tensors="np").pixel_values.shape == (0, 3, 8, 8)
    assert repr(processor) == "ClipPrepImageProcessor(Preprocess(8))"


def test_mistakes(no_torch) -> None:
    processor = ClipPrepImageProcessor(clipprep.Preprocess(8))
    image = picture("RGB", 9, 9)
    with pytest.raises(ValueError, match="return_tensors"):
        processor(image, return_tensors="tf")
    with pytest.raises(ImportError, match="torch"):
        processor(image, return_tensors="pt")
    with pytest.raises(TypeError, match="do_resize"):
        processor(image, do_resize=False)
    with pytest.raises(clipprep.BatchError):
        processor([image, b"no image"])


@without_transformers
def test_a_class_of_transformers_without_it() -> None:
    import clipprep.transformers as ours

    for name in ("CLIPImageProcessor", "SiglipImageProcessorFast", "CLIPImageProcessorPil"):
        with pytest.raises(ModuleNotFoundError, match=rf"{name} .*'clipprep\[transformers\]'"):
            getattr(ours, name)
    for name in ("CLIP", "NoImageProcessor", "CLIPImageProcesor"):
        with pytest.raises(AttributeError, match=name):
            getattr(ours, name)
