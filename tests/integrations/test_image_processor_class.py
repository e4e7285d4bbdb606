"""How the image processor is made, saved and found where transformers is installed, and which options it has."""

from __future__ import annotations

import copy
import functools
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

from transformers import AutoImageProcessor  # noqa: E402
from transformers.image_processing_utils import BaseImageProcessor  # noqa: E402

import clipprep.transformers as ours  # noqa: E402
from clipprep.transformers import ClipPrepImageProcessor  # noqa: E402
from clipprep.transformers import live as lives  # noqa: E402
from support.live_processors import BACKENDS, CONFIGS, KINDS, PIL, READ, A, compare, is_left, pair  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize(("name", "backend"), KINDS)
def test_it_is_a_real_image_processor(name: str, backend: str, tmp_path: Path) -> None:
    mine, theirs = pair(name, backend)
    assert isinstance(mine, ClipPrepImageProcessor)
    assert isinstance(mine, BaseImageProcessor)
    assert isinstance(mine, type(theirs))
    assert issubclass(ClipPrepImageProcessor, BaseImageProcessor)
    assert mine.to_dict() == theirs.to_dict()
    assert mine.to_json_string() == theirs.to_json_string()
    for attribute in (
        "size",
        "crop_size",
        "image_mean",
        "image_std",
        "do_resize",
        "rescale_factor",
        "resample",
    ):
        assert getattr(mine, attribute, "none") == getattr(theirs, attribute, "none")
    (file,) = mine.save_pretrained(tmp_path)
    assert (
        json.loads(Path(file).read_text())["image_processor_type"]
        == theirs.to_dict()["image_processor_type"]
    )
    again = ClipPrepImageProcessor.from_pretrained(tmp_path, backend=backend)
    assert type(again) is type(mine)
    assert again.to_dict() == mine.to_dict()
    assert type(mine).from_pretrained(tmp_path).to_dict() == mine.to_dict()
    assert type(theirs).from_pretrained(tmp_path).to_dict() == theirs.to_dict()
    assert not isinstance(AutoImageProcessor.from_pretrained(tmp_path), ClipPrepImageProcessor)
    for made in (
        ClipPrepImageProcessor(theirs),
        ClipPrepImageProcessor.from_pretrained(theirs),
        pickle.loads(pickle.dumps(mine)),
        copy.deepcopy(mine),
        getattr(ours, type(theirs).__name__)(**CONFIGS[name]),
    ):
        assert type(made) is type(mine)
        compare(made(PIL), theirs(PIL), repr(made))
    if is_left(name, backend):
        with pytest.raises(ValueError, match=r"to be of transformers (5|4\.57)"):
            clipprep.Preprocess.from_hf(theirs)
    else:
        read = clipprep.Preprocess.from_hf(theirs)(PIL[0])
        assert read.shape == mine(PIL[0])["pixel_values"][0].shape


def test_another_process_reads_its_pickle(tmp_path: Path) -> None:
    mine, _ = pair("CLIP", "pil", dtype="float16")
    (tmp_path / "processor").write_bytes(pickle.dumps((mine, PIL)))
    code = (
        "import pickle, sys; processor, images = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(type(processor).__mro__[1].__name__, processor(images)['pixel_values'][0].dtype)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "processor")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == ["ClipPrepImageProcessor", "float16"], done.stderr


def test_options_of_clipprep() -> None:
    for dtype in ("float32", "float16", "bfloat16", "uint8"):
        for backend in BACKENDS:
            if is_left("CLIP", backend):
                continue
            config = {"image_processor_type": "CLIPImageProcessor"}
            mine = ClipPrepImageProcessor.from_pretrained(config, backend=backend, dtype=dtype)
            assert str(mine(PIL, return_tensors="pt").pixel_values.dtype) == f"torch.{dtype}"
    made = functools.partial(ClipPrepImageProcessor.from_pretrained, config, backend=READ)
    exact = made()(PIL, return_tensors="pt").pixel_values
    half = made(dtype="bfloat16")(PIL, return_tensors="pt")
    assert torch.equal(half.to("cpu", torch.bfloat16).pixel_values, exact.to(torch.bfloat16))
    limited = made(limits=clipprep.Limits(max_pixels=100))
    with pytest.raises(clipprep.BatchError):
        limited(PIL)
    # Classes that are left to the live one have no such options.
    with pytest.raises(ValueError, match="size"):
        limited(PIL, do_center_crop=False)
    assert "limits" not in limited.to_dict()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "option", [{"dtype": "float16"}, {"limits": clipprep.Limits(max_pixels=9)}]
)
def test_no_option_of_clipprep_is_dropped(option: dict[str, Any], backend: str) -> None:
    """What only the live class does, which knows none of them, is an error that names the option."""
    config = {"image_processor_type": "CLIPImageProcessor", **CONFIGS["CLIP"]}
    [name] = option
    if is_left("CLIP", backend):
        with pytest.raises(ValueError, match=rf"transformers 4\.57 .* leave out {name}="):
            ClipPrepImageProcessor.from_pretrained(config, backend=backend, **option)
        return
    mine = ClipPrepImageProcessor.from_pretrained(config, backend=backend, **option)
    plain = ClipPrepImageProcessor.from_pretrained(config, backend=backend)
    floats = A.astype(np.float32) / 255
    for images in (floats, torch.from_numpy(floats), [PIL[0], floats], []):
        with pytest.raises(ValueError, match=f"{name}="):
            mine(images)
    for call in ({"do_resize": None}, {"no_such_option": 1}):
        with pytest.raises(ValueError, match=f"{name}=.*{next(iter(call))}"):
            mine(PIL, **call)
    with pytest.raises(ValueError, match=f"expected {name}= where the processor is made"):
        plain(PIL, **option)
    assert plain(floats, return_tensors="pt").pixel_values.dtype == torch.float32


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", [{}, {"foo": 1}, {"size": {"shortest_edge": 50}, "foo": [1]}])
def test_unused_options(options: dict[str, Any], backend: str, tmp_path: Path) -> None:
    mine, theirs = pair("CLIP", backend)
    theirs.save_pretrained(tmp_path)
    expected, left = type(theirs).from_pretrained(tmp_path, return_unused_kwargs=True, **options)
    config = json.loads((tmp_path / "preprocessor_config.json").read_text())
    for made in (ClipPrepImageProcessor, type(mine)):
        for where in (tmp_path, config):
            for own in ({}, {"dtype": "float16"})[: 1 if is_left("CLIP", backend) else 2]:
                keywords = {"backend": backend, **options, **own}
                found, unused = made.from_pretrained(where, return_unused_kwargs=True, **keywords)
                assert isinstance(found, type(mine))
                assert unused == left
                assert found.size == expected.size
                assert not hasattr(found, "foo")
                assert found.clipprep_options == own
                alone = made.from_pretrained(where, **keywords)
                assert alone.to_dict() == found.to_dict() == expected.to_dict()


@pytest.mark.parametrize("backend", ["Pil", "numpy", 5])
def test_a_backend_that_there_is_not(backend: Any, tmp_path: Path) -> None:
    mine, _ = pair("CLIP", "pil")
    mine.save_pretrained(tmp_path)
    makes = (ClipPrepImageProcessor.from_pretrained, lambda _, **o: ClipPrepImageProcessor(**o))
    for make in makes:
        with pytest.raises(ValueError, match='backend= of "torchvision" and "pil", found'):
            make(tmp_path, backend=backend)


def test_auto_image_processor_takes_it(tmp_path: Path) -> None:
    class Config(transformers.PretrainedConfig):
        model_type = "clipprep-test"

    by_backend = (
        {"fast_image_processor_class": ClipPrepImageProcessor}
        if lives.VERSION >= 5
        else {"slow_image_processor_class": ClipPrepImageProcessor}
    )
    AutoImageProcessor.register(Config, **by_backend)
    Config().save_pretrained(tmp_path)
    config = {
        "size": {"shortest_edge": 40},
        "crop_size": 33,
        "image_processor_type": "ClipPrepImageProcessor",
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    made = AutoImageProcessor.from_pretrained(tmp_path)
    assert isinstance(made, ClipPrepImageProcessor)
    assert made(PIL, return_tensors="pt").pixel_values.shape == (2, 3, 33, 33)


def test_what_is_no_class_of_transformers() -> None:
    for name in ("NoSuchImageProcessor", "nothing", "_private"):
        with pytest.raises(AttributeError, match=name):
            getattr(ours, name)
    with pytest.raises(ValueError, match="NoSuchImageProcessor"):
        ClipPrepImageProcessor(image_processor_type="NoSuchImageProcessor")
    with pytest.raises((TypeError, ValueError)):
        ClipPrepImageProcessor(3)
