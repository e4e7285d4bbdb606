"""Configs of Hugging Face, open_clip and timm: read as their libraries read them, refused by name where not."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep import Preprocess
from support.named_configs import HUGGING_FACE, OPEN_CLIP, TIMM, digest, golden_images
from support.paths import DATA

GOLDENS = json.loads((DATA / "config_goldens.json").read_text())
CLIP = HUGGING_FACE["CLIP ViT-B/32"]
NEW = HUGGING_FACE["CLIP, new style"]
IMAGES = golden_images()
READERS = {
    "transformers": (HUGGING_FACE, Preprocess.from_hf),
    "open_clip": (OPEN_CLIP, Preprocess.from_open_clip),
    "timm": (TIMM, Preprocess.from_timm),
}
CASES = sorted({tuple(key.split("; ")[:3]) for key in GOLDENS} - {("OpenAI",)})


@pytest.mark.parametrize(("library", "name", "backend"), CASES)
def test_named_configs(library: str, name: str, backend: str) -> None:
    """What the live library made of each image, recorded by benches/configs.py."""
    if library == "OpenAI":
        size = int(name.removeprefix("clip._transform(").removesuffix(")"))
        pre = Preprocess(size)
    else:
        configs, read = READERS[library]
        pre = read(configs[name], **({"backend": backend} if backend else {}))
    assert pickle.loads(pickle.dumps(pre)) == pre
    for title, image in IMAGES.items():
        golden = GOLDENS["; ".join((library, name, backend, title))]
        if golden == "refused":
            with pytest.raises(clipprep.UnsupportedError):
                pre(image)
        else:
            assert digest(pre(image)) == golden, f"{library} {name} {backend} {title}"


def test_every_named_config_has_goldens() -> None:
    for library, (configs, _) in READERS.items():
        assert {name for of, name, _ in CASES if of == library} == set(configs)
    refused = [key for key, value in GOLDENS.items() if value == "refused"]
    assert len(GOLDENS) == len(CASES) * len(IMAGES)
    assert 0 < len(refused) < len(GOLDENS) / 8


def test_backends_differ() -> None:
    image = IMAGES["RGB 301 x 200"]
    assert Preprocess.from_hf(CLIP) == Preprocess.from_hf(CLIP, backend="torchvision")
    assert Preprocess.from_hf(CLIP).profile == "hf-torchvision"
    assert (Preprocess.from_hf(CLIP)(image) != Preprocess.from_hf(CLIP, backend="pil")(image)).any()
    with pytest.raises(ValueError, match="backend"):
        Preprocess.from_hf(CLIP, backend="tensorflow")


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ({"size": [224, 224], "do_center_crop": False}, {"size": {"height": 224, "width": 224}}),
        ({"size": 224, "default_to_square": True}, {"size": {"height": 224, "width": 224}}),
        ({"size": 224, "default_to_square": None}, {"size": {"shortest_edge": 224}}),
        ({"crop_size": [224, 224]}, {"crop_size": 224}),
        ({"resample": "bicubic"}, {"resample": 3}),
        ({"resample": "BILINEAR"}, {"resample": 2}),
        ({"resample": None}, {"resample": 2}),
        ({"do_convert_rgb": None}, {"do_convert_rgb": False}),
        ({"do_normalize": 0}, {"do_normalize": False}),
        ({"use_square_size": True}, {"size": {"height": 224, "width": 224}}),
        ({"image_mean": 0.5}, {"image_mean": [0.5, 0.5, 0.5]}),
        ({"do_pad": False, "pad_size": None, "processor_class": "CLIPProcessor"}, {}),
        ({"feature_extractor_type": "CLIPFeatureExtractor"}, {}),
    ],
)
def test_ways_to_write_the_same(written: dict[str, Any], same: dict[str, Any]) -> None:
    for backend in ("torchvision", "pil"):
        if backend == "pil" and isinstance(written.get("resample"), str):
            continue
        one = Preprocess.from_hf(NEW | written, backend=backend)
        other = Preprocess.from_hf(NEW | same, backend=backend)
        assert one == other


@pytest.mark.parametrize("suffix", ["ImageProcessor", "ImageProcessorFast", "ImageProcessorPil"])
def test_names_of_processors(suffix: str) -> None:
    for stem in ("CLIP", "Bit", "Siglip", "Blip", "OwlViT", "ChineseCLIP"):
        new = Preprocess.from_hf({"image_processor_type": stem + suffix})
        old = Preprocess.from_hf({"feature_extractor_type": f"{stem}FeatureExtractor"})
        assert new == old


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("do_pad", True),
        ("input_data_format", "channels_first"),
        ("size", {"longest_edge": 224}),
        ("size", {"shortest_edge": 224, "longest_edge": 500}),
        ("size", {"max_height": 224, "max_width": 224}),
        ("size", None),
        ("size", "224"),
        ("size", 224.0),
        ("size", [224]),
        ("size", True),
        ("size", 0),
        ("crop_size", {"shortest_edge": 224}),
        ("crop_size", None),
        ("crop_size", [1, 2, 3]),
        ("do_center_crop", False),  # each image would have its own size
        ("do_center_crop", "yes"),
        ("resample", 6),
        ("resample", -1),
        ("resample", 4),  # torchvision has no box for tensors
        ("resample", "cubic"),
        ("rescale_factor", None),
        ("rescale_factor", 0),
        ("rescale_factor", "1/255"),
        ("image_mean", [0.5]),
        ("image_mean", None),
        ("image_std", ["a", "b", "c"]),
        ("crop_pct", 0.9),  # ConvNeXt's
        ("do_flip_channel_order", True),
        ("foo", None),
    ],
)
def test_fields_that_are_refused_by_name(field: str, value: object) -> None:
    expected = "size" if field == "do_center_crop" and value is False else field
    with pytest.raises(ValueError, match=expected):
        Preprocess.from_hf(NEW | {field: value})


def test_a_name_of_a_filter_on_pil() -> None:
    """This backend of transformers takes every name for bilinear."""
    assert (
        Preprocess.from_hf(NEW | {"resample": "bilinear"}, backend="pil").interpolation
        == "bilinear"
    )
    with pytest.raises(ValueError, match="resample"):
        Preprocess.from_hf(NEW | {"resample": "bicubic"}, backend="pil")


def test_std_of_zero() -> None:
    with pytest.raises(ValueError, match="std"):
        Preprocess.from_hf(NEW | {"image_std": [0, 1, 1]})


@pytest.mark.parametrize(
    "name", ["Siglip2ImageProcessor", "LlavaNextImageProcessor", "CLIP", "CLIPProcessor", ""]
)
def test_processors_that_are_not_known(name: str) -> None:
    with pytest.raises(ValueError, match="image_processor_type"):
        Preprocess.from_hf({"image_processor_type": name})


def test_convnext() -> None:
    config = {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}}
    assert Preprocess.from_hf(config).resize_size == 256
    assert Preprocess.from_hf(config | {"crop_pct": 0.9}).resize_size == 248
    assert Preprocess.from_hf(config | {"size": 384}).resize_mode == "squash"
    cropped = config | {"do_center_crop": True}
    assert Preprocess.from_hf(cropped | {"crop_size": 224}) == Preprocess.from_hf(config)
    for field, value in {"crop_size": 200, "crop_pct": 0, "size": [224, 224]}.items():
        with pytest.raises(ValueError, match=field):
            Preprocess.from_hf(cropped | {"crop_size": 224, field: value})


def test_owlvit_of_early_versions() -> None:
    config = {"image_processor_type": "OwlViTImageProcessor"}
    assert Preprocess.from_hf(config | {"rescale": False}).rescale_factor is None
    with pytest.raises(ValueError, match="rescale"):
        Preprocess.from_hf(NEW | {"rescale": False})


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_files_and_folders_of_hugging_face(tmp_path: Path) -> None:
    file = write(tmp_path, "preprocessor_config.json", CLIP)
    expected = Preprocess.from_hf(CLIP)
    for config in (file, str(file), tmp_path, str(tmp_path)):
        assert Preprocess.from_hf(config) == expected
    # A config of the whole processor comes first, if it holds one of the image processor.
    write(tmp_path, "processor_config.json", {"processor_class": "CLIPProcessor"})
    assert Preprocess.from_hf(tmp_path) == expected
    holder = {"image_processor": NEW | {"size": 336, "crop_size": 336}}
    file = write(tmp_path, "processor_config.json", holder)
    assert Preprocess.from_hf(tmp_path).size == 336
    assert Preprocess.from_hf(file).size == 336
    assert Preprocess.from_hf(holder).size == 336


def test_a_model_type_names_the_processor(tmp_path: Path) -> None:
    fields = {"do_resize": True, "size": 352}
    write(tmp_path, "preprocessor_config.json", fields)
    with pytest.raises(ValueError, match="image_processor_type"):
        Preprocess.from_hf(tmp_path)
    write(tmp_path, "config.json", {"model_type": "clipseg"})
    expected = Preprocess.from_hf(fields | {"image_processor_type": "ViTImageProcessor"})
    assert Preprocess.from_hf(tmp_path) == expected
    write(tmp_path, "config.json", {"model_type": "llava"})
    with pytest.raises(ValueError, match="image_processor_type"):
        Preprocess.from_hf(tmp_path)


def test_files_that_are_none(tmp_path: Path) -> None:
    for read in (Preprocess.from_hf, Preprocess.from_open_clip, Preprocess.from_timm):
        with pytest.raises(FileNotFoundError):
            read(tmp_path)
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none.json")
        for content in ("{", "[]", "3"):
            with pytest.raises(ValueError, match="JSON"):
                read(write(tmp_path, "bad.json", content))
        with pytest.raises(TypeError, match="config"):
            read(3)


def test_options_beside_a_config() -> None:
    limits = clipprep.Limits(max_pixels=10_000)
    pre = Preprocess.from_hf(CLIP, dtype="float16", layout="NHWC", exif=True, limits=limits)
    assert (pre.dtype, pre.layout, pre.exif, pre.limits) == ("float16", "NHWC", True, limits)
    vit = HUGGING_FACE["ViT base 224"]
    grey = np.zeros((9, 9), np.uint8)
    with pytest.raises(clipprep.UnsupportedError, match="convert_rgb"):
        Preprocess.from_hf(vit)(grey)
    assert Preprocess.from_hf(vit, convert_rgb=True)(grey).shape == (3, 224, 224)
    for option in ("mean", "size", "interpolation", "profile", "resize_mode", "rescale_factor"):
        with pytest.raises(TypeError, match=option):
            Preprocess.from_hf(CLIP, **{option: None})
    with pytest.raises(TypeError, match="mean"):
        Preprocess.from_open_clip({}, mean=(0, 0, 0))
    with pytest.raises(TypeError, match="std"):
        Preprocess.from_timm({}, std=(1, 1, 1))


@dataclass
class PreprocessCfg:
    size: Any = 224
    mode: str = "RGB"
    mean: Any = (0.5, 0.5, 0.5)
    std: Any = (0.5, 0.5, 0.5)
    interpolation: str = "bicubic"
    resize_mode: str = "squash"
    fill_color: int = 0


def test_forms_of_open_clip(tmp_path: Path) -> None:
    cfg = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
    expected = Preprocess.from_open_clip(cfg)
    whole = {
        "model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 224}},
        "preprocess_cfg": cfg,
    }
    file = write(tmp_path, "open_clip_config.json", whole)
    for config in (PreprocessCfg(), whole, file, tmp_path, {"preprocess_cfg": cfg}):
        assert Preprocess.from_open_clip(config) == expected
    # The model decides the size.
    model = {"vision_cfg": {"image_size": [336, 300]}}
    config = {"model_cfg": model, "preprocess_cfg": cfg | {"size": 224}}
    assert Preprocess.from_open_clip(config).size == (336, 300)
    config = {"model_cfg": {"vision_cfg": {}}, "preprocess_cfg": cfg | {"size": 256}}
    assert Preprocess.from_open_clip(config).size == 224
    nulls = dict.fromkeys(OPEN_CLIP["ViT-B-16-SigLIP"])
    assert Preprocess.from_open_clip(nulls) == Preprocess.from_open_clip({}) == Preprocess(224)


def test_open_clip_takes_its_default_filter_for_a_pair() -> None:
    cfg = {"size": [200, 320], "interpolation": "bilinear"}
    assert Preprocess.from_open_clip(cfg).interpolation == "bicubic"
    for mode in ("squash", "longest"):
        assert Preprocess.from_open_clip(cfg | {"resize_mode": mode}).interpolation == "bilinear"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("interpolation", "random"),
        ("interpolation", "lanczos"),
        ("mode", "L"),
        ("resize_mode", "middle"),
        ("size", [1, 2, 3]),
        ("size", "224"),
        ("mean", [1, 2]),
        ("crop_pct", 0.9),
    ],
)
def test_fields_of_open_clip_that_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Preprocess.from_open_clip({field: value})


def test_a_fill_of_open_clip_that_is_refused() -> None:
    with pytest.raises(ValueError, match="fill_color"):
        Preprocess.from_open_clip({"resize_mode": "longest", "fill_color": 300})


def test_forms_of_timm(tmp_path: Path) -> None:
    cfg = {"input_size": [3, 256, 256], "crop_pct": 0.95, "interpolation": "bilinear"}
    more = {"architecture": "resnet50", "num_classes": 1000, "test_input_size": [3, 288, 288]}
    expected = Preprocess.from_timm(cfg)
    assert (expected.size, expected.resize_size, expected.profile) == (256, 269, "timm")
    whole = {"architecture": "resnet50", "pretrained_cfg": cfg | more}
    file = write(tmp_path, "config.json", whole)
    for config in (cfg | more, whole, file, tmp_path):
        assert Preprocess.from_timm(config) == expected
    assert Preprocess.from_timm({}).mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("interpolation", "random"),
        ("crop_mode", "top"),
        ("crop_pct", -1.0),
        ("input_size", [1, 224, 224]),
        ("input_size", [224, 224]),
        ("mean", [0.5]),
        ("crop_border_pixels", 3),
    ],
)
def test_fields_of_timm_that_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Preprocess.from_timm({field: value})
