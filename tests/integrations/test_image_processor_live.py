"""Calls of the image processor where transformers is installed: a real one, with the bits of the class that it replaces."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

from transformers.image_processing_utils import BatchFeature  # noqa: E402

from clipprep.transformers import ClipPrepImageProcessor  # noqa: E402
from clipprep.transformers import live as lives  # noqa: E402
from support.live_processors import (  # noqa: E402
    BACKENDS,
    CONFIGS,
    KINDS,
    PIL,
    READ,
    A,
    B,
    compare,
    outcome,
    pair,
)

pytestmark = pytest.mark.filterwarnings("default")

CHW = [np.ascontiguousarray(a.transpose(2, 0, 1)) for a in (A, B)]
INPUTS: dict[str, Any] = {
    "a PIL image": PIL[0],
    "a list": PIL,
    "a tuple": tuple(PIL),
    "nested lists": [PIL, PIL[:1]],
    "other modes": [PIL[0].convert(mode) for mode in ("L", "LA", "RGBA", "CMYK")],
    "arrays": [A, B],
    "CHW arrays": CHW,
    "a batch": np.stack([A, A]),
    "a CHW batch": np.stack([CHW[0]] * 3),
    "grey": A[..., 0],
    "RGBA": np.dstack([A, A[..., :1]]),
    "none": [],
    "floats": A.astype(np.float32) / 255,
    "int64": A.astype(np.int64),
    "a tensor": torch.from_numpy(CHW[0]),
    "tensors": [torch.from_numpy(a) for a in CHW],
    "an HWC tensor": torch.from_numpy(A),
    "an NCHW tensor": torch.from_numpy(np.stack([CHW[0]] * 2)),
    "all kinds": [PIL[0], B, torch.from_numpy(CHW[1])],
}
CALLS: list[dict[str, Any]] = [
    {},
    {"do_resize": False},
    {"do_normalize": False},
    {"do_rescale": False},
    {"do_rescale": False, "do_normalize": False},
    {"rescale_factor": 1 / 127.5},
    {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7]},
    {"resample": 2},
    {"do_convert_rgb": False},
    {"input_data_format": "channels_last"},
]


@pytest.mark.parametrize(("name", "backend"), KINDS)
def test_every_kind_of_image_has_the_live_bits(name: str, backend: str) -> None:
    mine, theirs = pair(name, backend)
    for what, images in INPUTS.items():
        for tensors in ("pt", "np", None):
            compare(
                outcome(lambda i=images, t=tensors: mine(images=i, return_tensors=t)),
                outcome(lambda i=images, t=tensors: theirs(images=i, return_tensors=t)),
                f"{what}, {tensors}",
            )
    for images in (None, [None], 3, [PIL[0], None], {"a": 1}, "no such file.jpg"):
        assert isinstance(outcome(lambda i=images: mine(images=i)), Exception), images


@pytest.mark.parametrize(("name", "backend"), KINDS)
def test_options_in_the_call(name: str, backend: str) -> None:
    mine, theirs = pair(name, backend)
    size = (
        {"height": 20, "width": 20} if "height" in CONFIGS[name]["size"] else {"shortest_edge": 20}
    )
    for options in (*CALLS, {"size": size}, {"crop_size": 21}, {"do_center_crop": False}):
        for images in (PIL, [A, B]):
            compare(
                outcome(lambda i=images, o=options: mine(i, return_tensors="pt", **o)),
                outcome(lambda i=images, o=options: theirs(i, return_tensors="pt", **o)),
                str(options),
            )
    for options in ({"no_such_option": 1}, {"return_tensors": "numbers"}, {"size": "large"}):
        for processor in (mine, theirs):
            made = outcome(lambda p=processor, o=options: p(PIL, **o))
            assert isinstance(made, Exception) == isinstance(
                outcome(lambda o=options: theirs(PIL, **o)), Exception
            )


def test_features() -> None:
    mine, _ = pair("CLIP", "torchvision")
    features = mine(PIL, return_tensors="pt")
    assert isinstance(features, BatchFeature)
    assert features.data["pixel_values"] is features.pixel_values
    assert features.to("cpu", torch.float16).pixel_values.dtype == torch.float16
    assert mine(PIL, return_tensors="pt", device="cpu").pixel_values.shape == (2, 3, 33, 33)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_device_in_the_call(backend: str) -> None:
    """The backend "pil" has none, and ignores it."""
    mine, theirs = pair("CLIP", backend)
    for device in ("cpu", "meta", torch.device("meta")):
        call = {"return_tensors": "pt", "device": device}
        found, expected = (made(PIL[0], **call).pixel_values for made in (mine, theirs))
        assert found.device == expected.device


def test_files_are_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PIL[0].convert("RGBA").save(path)
    mine, theirs = pair("CLIP", READ)
    expected = mine(PIL[0].convert("RGB"), return_tensors="np").pixel_values
    for source in (str(path), path, path.read_bytes(), path.open("rb")):
        assert np.array_equal(mine(source, return_tensors="np").pixel_values, expected)
    if lives.VERSION >= 5:
        compare(mine([str(path)] * 2), theirs([str(path)] * 2), "a path")
    with pytest.raises(ValueError, match="URL"):
        mine("https://example.com/a.jpg")


def test_pipelines_take_it() -> None:
    config = transformers.ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=32,
        patch_size=16,
    )
    model = transformers.ViTForImageClassification(config).eval()
    mine, theirs = pair("ViT", "torchvision", size={"height": 32, "width": 32})
    scores = [
        transformers.pipeline("image-classification", model=model, image_processor=processor)(
            PIL[0]
        )
        for processor in (mine, theirs)
    ]
    assert scores[0] == scores[1]


def test_clip_processor_takes_it(tmp_path: Path) -> None:
    words = ["a", "b", "a</w>", "b</w>", "<|startoftext|>", "<|endoftext|>"]
    (tmp_path / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer.from_pretrained(tmp_path)
    mine, theirs = pair("CLIP", READ)
    found, expected = (
        transformers.CLIPProcessor(image_processor=processor, tokenizer=tokenizer)(
            text=["a"], images=PIL, return_tensors="pt"
        )
        for processor in (mine, theirs)
    )
    assert torch.equal(found.pixel_values, expected.pixel_values)
    assert torch.equal(found.input_ids, expected.input_ids)
    whole = transformers.CLIPProcessor(image_processor=mine, tokenizer=tokenizer)
    assert clipprep.Preprocess(whole) == clipprep.Preprocess.from_hf(theirs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("where", ["a derived class", "a class mixed in", "the instance"])
def test_methods_of_others_are_called(where: str, backend: str) -> None:
    def resize(self: Any, image: Any, *args: Any, **options: Any) -> Any:
        return image

    mine, theirs = pair("CLIP", backend)
    plain = mine(PIL[0], return_tensors="pt").pixel_values
    mixin = type("Mixin", (), {"resize": resize})
    for made in (mine, theirs):
        if where == "the instance":
            made.resize = functools.partial(resize, made)
        elif where == "a derived class":
            made.__class__ = type("Own", (type(made),), {"resize": resize})
        else:
            made.__class__ = type("Own", (mixin, type(made)), {})
    found = mine(PIL[0], return_tensors="pt").pixel_values
    assert torch.equal(found, theirs(PIL[0], return_tensors="pt").pixel_values)
    assert not torch.equal(found, plain)
    for made in (mine, theirs):
        with pytest.raises(ValueError, match="expected the image processor to"):
            clipprep.Preprocess(made)
    mine.clipprep_options = {"dtype": "float16"}
    with pytest.raises(ValueError, match="beside dtype=, found another resize"):
        mine(PIL[0])


def test_configs_that_only_the_live_class_honours() -> None:
    config = {"image_processor_type": "CLIPImageProcessor", "do_center_crop": False}
    mine = ClipPrepImageProcessor.from_pretrained(config)
    theirs = lives.find("CLIP", "torchvision")(do_center_crop=False)
    compare(mine(PIL), theirs(PIL), "images of several sizes")
    with pytest.raises(ValueError, match="size"):
        ClipPrepImageProcessor.from_pretrained(config, dtype="float16")
