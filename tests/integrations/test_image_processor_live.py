"""The image processor where transformers is installed: a real one, with the bits of the class that it replaces."""

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
from PIL import Image

import clipprep
from support.pictures import photo

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

from transformers import AutoImageProcessor  # noqa: E402
from transformers.image_processing_utils import BaseImageProcessor, BatchFeature  # noqa: E402

import clipprep.transformers as ours  # noqa: E402
from clipprep.transformers import ClipPrepImageProcessor  # noqa: E402
from clipprep.transformers import live as lives  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")

BACKENDS = ("torchvision", "pil")
CONFIGS: dict[str, dict[str, Any]] = {
    "CLIP": {"size": {"shortest_edge": 40}, "crop_size": 33},
    "Siglip": {"size": {"height": 40, "width": 48}},
    "ViT": {"size": {"height": 40, "width": 48}, "do_convert_rgb": True},
    "DeiT": {"size": {"height": 50, "width": 50}, "crop_size": 41, "do_convert_rgb": True},
    "ConvNext": {"size": {"shortest_edge": 40}, "crop_pct": 0.875, "do_convert_rgb": True},
    "Blip": {"size": {"height": 40, "width": 48}},
    "ChineseCLIP": {"size": {"height": 40, "width": 48}, "crop_size": 33, "do_center_crop": True},
}
#: transformers 4.50 has no fast class of ChineseCLIP's.
KINDS = [(name, backend) for name in CONFIGS for backend in BACKENDS if lives.find(name, backend)]
#: Refusals of transformers 4: ours takes with every version what version 5 takes.
NEW_IN_5 = (
    "Only returning PyTorch tensors is currently supported",  # fast classes
    "Invalid image type",  # nested lists
    "only a single or a list of entries",  # a tuple of images
    *("stack expects each tensor", "The size of tensor a"),  # input_data_format beside PIL images
)
#: Fast classes whose instances of version 4 are left to themselves, since they have other bits than version 5.
VERSION = tuple(int(part) for part in transformers.__version__.split(".")[:2])
LEFT = {
    **dict.fromkeys(("CLIP", "DeiT"), VERSION < (4, 57)),
    "ConvNext": VERSION < (5, 0),
}


def is_left(name: str, backend: str) -> bool:
    return backend == "torchvision" and LEFT.get(name, False)


#: A backend whose CLIP is read with every version.
READ = "pil" if is_left("CLIP", "torchvision") else "torchvision"

A, B = photo(61, 90, 3), photo(120, 50, 3)
PIL = [Image.fromarray(A), Image.fromarray(B)]
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


def pair(name: str, backend: str, **more: Any) -> tuple[Any, Any]:
    """Ours and the live one."""
    config = {"image_processor_type": f"{name}ImageProcessor", **CONFIGS[name], **more}
    mine = ClipPrepImageProcessor(backend=backend, **config)
    found = lives.find(name, backend)
    del config["image_processor_type"]
    return mine, found(**config)


def outcome(call: Any) -> Any:
    """The result of a call, or that it fails."""
    try:
        return call()
    except Exception as error:
        return error


def compare(mine: Any, theirs: Any, what: str) -> None:
    """Equal features, or an error of both."""
    if isinstance(theirs, Exception):
        # One array of two axes is an image here; there it is an error, and within a list none.
        wider = what.startswith("grey") or (lives.VERSION < 5 and str(theirs).startswith(NEW_IN_5))
        assert wider or isinstance(mine, Exception), f"{what}: only ours works: {theirs}"
        return
    assert not isinstance(mine, Exception), f"{what}: {mine!r}"
    assert type(mine) is type(theirs)
    assert mine.keys() == theirs.keys()
    mine, theirs = mine["pixel_values"], theirs["pixel_values"]
    assert type(mine) is type(theirs), what
    assert len(mine) == len(theirs), what
    for one, other in zip(mine, theirs, strict=True):
        assert type(one) is type(other), what
        assert one.dtype == other.dtype, what
        assert np.array_equal(np.asarray(one), np.asarray(other)), what


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


def test_features() -> None:
    mine, _ = pair("CLIP", "torchvision")
    features = mine(PIL, return_tensors="pt")
    assert isinstance(features, BatchFeature)
    assert features.data["pixel_values"] is features.pixel_values
    assert features.to("cpu", torch.float16).pixel_values.dtype == torch.float16
    assert mine(PIL, return_tensors="pt", device="cpu").pixel_values.shape == (2, 3, 33, 33)


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


def test_what_is_no_class_of_transformers() -> None:
    for name in ("NoSuchImageProcessor", "nothing", "_private"):
        with pytest.raises(AttributeError, match=name):
            getattr(ours, name)
    with pytest.raises(ValueError, match="NoSuchImageProcessor"):
        ClipPrepImageProcessor(image_processor_type="NoSuchImageProcessor")
    with pytest.raises((TypeError, ValueError)):
        ClipPrepImageProcessor(3)


def test_configs_that_only_the_live_class_honours() -> None:
    config = {"image_processor_type": "CLIPImageProcessor", "do_center_crop": False}
    mine = ClipPrepImageProcessor.from_pretrained(config)
    theirs = lives.find("CLIP", "torchvision")(do_center_crop=False)
    compare(mine(PIL), theirs(PIL), "images of several sizes")
    with pytest.raises(ValueError, match="size"):
        ClipPrepImageProcessor.from_pretrained(config, dtype="float16")
