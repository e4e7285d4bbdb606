"""Configs of Hugging Face: read as transformers reads them, refused by name where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clipprep import Preprocess
from clipprep.configs.hf import table
from support.named_configs import HUGGING_FACE, class_configs, golden_images, write

CLIP = HUGGING_FACE["CLIP ViT-B/32"]
NEW = HUGGING_FACE["CLIP, new style"]
IMAGES = golden_images()


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
        ({"do_convert_rgb": None}, {"do_convert_rgb": False}),
        ({"do_normalize": 0}, {"do_normalize": False}),
        ({"use_square_size": True}, {"size": {"height": 224, "width": 224}}),
        ({"image_mean": 0.5}, {"image_mean": [0.5, 0.5, 0.5]}),
        ({"do_pad": True, "pad_size": None, "processor_class": "CLIPProcessor"}, {}),
        ({"do_pad": True, "pad_size": 224}, {}),
        ({"pad_size": 300}, {}),
        ({"crop_pct": 0.9, "do_flip_channel_order": True, "size_divisor": 32}, {}),
        ({"input_data_format": "channels_first", "num_channels": 3, "use_fast": True}, {}),
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
        ("size", {"longest_edge": 224}),
        ("size", {"shortest_edge": 224, "height": 500}),
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
        ("resample", "BICUBIC"),
        ("resample", None),
        ("rescale_factor", None),
        ("rescale_factor", 0),
        ("rescale_factor", "1/255"),
        ("image_mean", [0.5]),
        ("image_mean", None),
        ("image_std", ["a", "b", "c"]),
    ],
)
def test_fields_that_are_refused_by_name(field: str, value: object) -> None:
    expected = "size" if field == "do_center_crop" and value is False else field
    with pytest.raises(ValueError, match=expected):
        Preprocess.from_hf(NEW | {field: value})


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "NEAREST", "no filter"])
def test_any_name_of_a_filter_is_bilinear_on_pil(name: str) -> None:
    """So it is to this backend of transformers."""
    pre = Preprocess.from_hf(NEW | {"resample": name}, backend="pil")
    assert pre == Preprocess.from_hf(NEW | {"resample": 2}, backend="pil")


@pytest.mark.parametrize(
    ("size", "mode", "resize_size"),
    [
        ({"shortest_edge": 224, "longest_edge": 500}, "detr", (224, 500)),
        ({"max_height": 224, "max_width": 300}, "fit", (224, 300)),
    ],
)
def test_sizes_that_a_crop_follows(
    size: dict[str, int], mode: str, resize_size: tuple[int, int]
) -> None:
    pre = Preprocess.from_hf(NEW | {"size": size})
    assert (pre.size, pre.resize_mode, pre.resize_size) == (224, mode, resize_size)


def test_padding_at_the_end() -> None:
    pad = {"do_pad": True, "pad_size": {"height": 300, "width": 320}}
    with pytest.raises(ValueError, match="pad_size"):  # a crop decides the size already
        Preprocess.from_hf(NEW | pad)
    whole = NEW | pad | {"do_center_crop": False}
    for size, mode in (
        ({"height": 200, "width": 250}, "squash"),
        ({"shortest_edge": 200}, "shortest"),
        ({"shortest_edge": 200, "longest_edge": 300}, "detr"),
        ({"max_height": 200, "max_width": 320}, "fit"),
    ):
        pre = Preprocess.from_hf(whole | {"size": size})
        assert (pre.size, pre.resize_mode) == ((300, 320), mode)
        assert (pre.position, pre.fill_color) == ("top-left", None)
    for field, config in (
        ("pad_size", {"size": {"height": 301, "width": 250}}),
        ("size", {"size": {"longest_edge": 200}}),
        ("size", {"size": {"shortest_edge": 200}, "pad_size": None}),
        ("pad_size", {"pad_size": {"shortest_edge": 300}}),
    ):
        with pytest.raises(ValueError, match=field):
            Preprocess.from_hf(whole | config)


def test_a_field_that_no_class_knows_warns() -> None:
    with pytest.warns(UserWarning, match=r"bar, foo") as caught:
        pre = Preprocess.from_hf(NEW | {"foo": None, "bar": 3})
    assert pre == Preprocess.from_hf(NEW)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("stem", "backend"),
    [(stem, backend) for backend in ("torchvision", "pil") for stem in class_configs(backend)],
)
def test_every_field_of_every_class(stem: str, backend: str) -> None:
    """One that the class does not read changes nothing; one that no option expresses is refused by name."""
    config = class_configs(backend)[stem]
    row = table.row(stem, backend)
    pre = Preprocess.from_hf(config, backend=backend)
    ignored = table.names() - set(row.defaults) - set(row.aliases) - set(config)
    ignored -= {"image_processor", "feature_extractor_type", *row.implied}
    odd = {name: ["no value that means anything"] for name in ignored}
    assert Preprocess.from_hf(odd | config, backend=backend) == pre
    for name, values in row.neutral.items():
        for value in values:
            assert Preprocess.from_hf(config | {name: value}, backend=backend) == pre
        with pytest.raises(ValueError, match=name):
            Preprocess.from_hf(config | {name: ["no value"]}, backend=backend)
    for name, default in row.defaults.items():
        if name not in row.neutral and name not in config:
            written = config | {name: default}
            assert Preprocess.from_hf(written, backend=backend) == pre, name


def test_classes_that_are_not_read_say_why() -> None:
    unread = [stem for stem in table.classes() if table.row(stem, "pil").kind is None]
    assert 40 < len(unread) < len(table.classes())
    for stem in unread:
        with pytest.raises(ValueError, match=f"{stem}ImageProcessor") as caught:
            Preprocess.from_hf({"image_processor_type": f"{stem}ImageProcessor"}, backend="pil")
        assert table.row(stem, "pil").why in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_std", [0, 1, 1]), ("image_std", -1), ("image_std", float("nan")),
        ("image_mean", float("inf")), ("image_mean", [0.5, float("nan"), 0.5]),
    ],
)  # fmt: skip
def test_numbers_of_channels_that_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Preprocess.from_hf(NEW | {field: value})


def test_a_whole_rescale_factor_is_refused_where_bytes_would_wrap() -> None:
    """A tensor of bytes times a whole number is one of bytes to torchvision."""
    for config in (
        NEW | {"do_normalize": False},
        {"image_processor_type": "DINOv3ViTImageProcessor"},
    ):
        with pytest.raises(ValueError, match="rescale_factor"):
            Preprocess.from_hf(config | {"rescale_factor": 2})
    assert Preprocess.from_hf(NEW | {"rescale_factor": 2}).rescale_factor == 2
    pil = Preprocess.from_hf(NEW | {"do_normalize": False, "rescale_factor": 2}, backend="pil")
    assert pil.rescale_factor == 2


def test_old_names_of_fields() -> None:
    owl: dict[str, Any] = {"image_processor_type": "OwlViTImageProcessor"}
    for value in (False, None):
        assert Preprocess.from_hf(owl | {"rescale": value}).rescale_factor is None
    with pytest.raises(ValueError, match="rescale"):
        Preprocess.from_hf(owl | {"rescale": False, "do_rescale": True})
    detr = {"image_processor_type": "DetrImageProcessor", "size": {"height": 64, "width": 96}}
    pad = {"pad_size": {"height": 100, "width": 100}}
    assert Preprocess.from_hf(detr | pad).size == 100
    assert Preprocess.from_hf(detr | pad | {"pad_and_return_pixel_mask": False}).size == (64, 96)


@pytest.mark.parametrize("stem", ["Detr", "Yolos", "OneFormer", "Idefics2", "Eomt"])
def test_classes_whose_default_size_depends_on_the_image(stem: str) -> None:
    """They are read where their config fixes the size."""
    config: dict[str, Any] = {"image_processor_type": f"{stem}ImageProcessor"}
    with pytest.raises(ValueError, match="size"):
        Preprocess.from_hf(config)
    assert Preprocess.from_hf(config | {"size": {"height": 64, "width": 96}}).size == (64, 96)


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
    assert Preprocess.from_hf(NEW | {"rescale": False}) == Preprocess.from_hf(NEW)


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
    write(tmp_path, "config.json", {"model_type": "llava_next"})
    with pytest.raises(ValueError, match="LlavaNextImageProcessor"):
        Preprocess.from_hf(tmp_path)
    write(tmp_path, "config.json", {"model_type": "no model"})
    with pytest.raises(ValueError, match="no model"):
        Preprocess.from_hf(tmp_path)


def test_the_config_of_a_model_can_name_the_class(tmp_path: Path) -> None:
    """Above its type."""
    model = {"model_type": "clip", "image_processor_type": "ViTImageProcessor"}
    write(tmp_path, "preprocessor_config.json", {"size": 352})
    write(tmp_path, "config.json", model)
    expected = Preprocess.from_hf({"size": 352, "image_processor_type": "ViTImageProcessor"})
    assert Preprocess.from_hf(tmp_path) == expected


@pytest.mark.parametrize(
    ("model_type", "stem"),
    {
        "swin": "ViT", "vit_mae": "ViT", "trocr": "ViT", "ijepa": "ViT", "resnet": "ConvNext",
        "regnet": "ConvNext", "cvt": "ConvNext", "dinov2": "Bit", "hiera": "Bit", "focalnet": "Bit",
        "paligemma": "Siglip", "colpali": "Siglip", "git": "CLIP", "groupvit": "CLIP",
        "kosmos-2": "CLIP", "aimv2": "CLIP", "mlcd": "CLIP", "vipllava": "CLIP", "xclip": "CLIP",
        "instructblip": "Blip", "timesformer": "VideoMAE", "florence2": "CLIP",
    }.items(),
)  # fmt: skip
def test_classes_of_models_whose_config_names_none(
    model_type: str, stem: str, tmp_path: Path
) -> None:
    write(tmp_path, "preprocessor_config.json", {})
    write(tmp_path, "config.json", {"model_type": model_type})
    expected = Preprocess.from_hf({"image_processor_type": f"{stem}ImageProcessor"})
    assert Preprocess.from_hf(tmp_path) == expected


JINA = {
    "auto_map": {"AutoImageProcessor": "a.module.JinaCLIPImageProcessor"},
    "fill_color": 0,
    "image_processor_type": "JinaCLIPImageProcessor",
    "interpolation": "bicubic",
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "processor_class": "JinaCLIPProcessor",
    "resize_mode": "shortest",
    "size": 224,
    "std": [0.26862954, 0.26130258, 0.27577711],
}


def test_a_config_of_open_clip_in_the_clothes_of_an_image_processor(tmp_path: Path) -> None:
    expected = Preprocess.from_open_clip({"resize_mode": "shortest", "size": 224})
    file = write(tmp_path, "preprocessor_config.json", JINA)
    for config in (JINA, file, tmp_path):
        assert Preprocess.from_hf(config) == expected
    assert Preprocess.from_open_clip(JINA) == Preprocess.from_open_clip(file) == expected
    with pytest.raises(ValueError, match="resize_mode"):
        Preprocess.from_hf(JINA | {"resize_mode": "none"})


def test_models_of_timm_are_read_as_timm_reads_them(tmp_path: Path) -> None:
    """They have a config.json alone, and take images in RGB."""
    cfg = {"input_size": [3, 256, 224], "crop_pct": 0.9, "mean": [0.5, 0.4, 0.3], "num_classes": 9}
    model = {"architecture": "resnet50", "model_type": "timm_wrapper", "pretrained_cfg": cfg}
    file = write(tmp_path, "config.json", model)
    expected = Preprocess.from_timm(cfg, convert_rgb=False)
    named = {"image_processor_type": "TimmWrapperImageProcessor", "pretrained_cfg": cfg}
    for config in (tmp_path, file, model, named):
        assert Preprocess.from_hf(config) == expected
    with pytest.raises(ValueError, match="crop_mode"):
        Preprocess.from_hf(model | {"pretrained_cfg": cfg | {"crop_mode": "top"}})
    write(tmp_path, "config.json", {"model_type": "clip"})
    with pytest.raises(FileNotFoundError, match="preprocessor_config"):
        Preprocess.from_hf(tmp_path)


def test_janus_pads_with_its_mean() -> None:
    config = {"image_processor_type": "JanusImageProcessor", "image_mean": [0.5, 0.1, 0.999]}
    assert Preprocess.from_hf(config).fill_color == (127, 25, 254)
    for field, value in {
        "image_mean": 0.5, "size": {"height": 384, "width": 380}, "do_pad": False, "min_size": 20,
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=field):
            Preprocess.from_hf(config | {field: value})


def test_owlv2_has_one_backend() -> None:
    """Blurred tensors of torch have other bits with two threads than with one; SciPy's have not."""
    config: dict[str, Any] = {"image_processor_type": "Owlv2ImageProcessor"}
    with pytest.raises(ValueError, match="blurs float32"):
        Preprocess.from_hf(config)
    pre = Preprocess.from_hf(config, backend="pil")
    assert (pre.size, pre.profile, pre.interpolation) == (960, "hf-scipy", "bilinear")
    for field, value in {
        "do_pad": False, "do_rescale": False, "resample": 0, "size": {"height": 3, "width": 40},
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=field):
            Preprocess.from_hf(config | {field: value}, backend="pil")


def test_a_filter_by_name_where_the_class_takes_its_number_alone() -> None:
    config = {"image_processor_type": "VivitImageProcessor", "resample": "bicubic"}
    with pytest.raises(ValueError, match="resample"):
        Preprocess.from_hf(config, backend="pil")
    assert Preprocess.from_hf(config | {"resample": 3}, backend="pil").rescale_offset


@pytest.mark.parametrize(
    ("config", "field", "value"),
    [
        ("Vivit", "do_rescale", False),  # an offset needs floats
        ("EfficientNet", "do_rescale", False),
        ("BridgeTower", "crop_size", 288),
        ("BridgeTower", "do_center_crop", False),
        ("BridgeTower", "size_divisor", 16),
        ("Perceiver", "crop_size", 200),
        ("Perceiver", "do_resize", False),
        ("PPLCNet", "do_center_crop", False),
        ("LayoutLMv3", "apply_ocr", True),
        ("Donut", "do_align_long_axis", True),
        ("Donut", "do_thumbnail", False),
        ("Donut", "do_pad", False),
        ("Donut", "resample", 0),
        ("Donut", "crop_size", 224),
        ("Sam", "pad_size", 1023),
        ("Sam", "do_center_crop", True),
        ("Mask2Former", "size", {"shortest_edge": 800, "longest_edge": 1333}),
        ("PPDocLayoutV2", "resample", 1),
        ("Aria", "max_image_size", 640),
        ("Aria", "min_image_size", 300),
        ("DeepseekOcr2", "crop_to_patches", True),
        ("DeepseekOcr2", "background_color", 127),
        ("UnlimitedOcr", "crop_to_patches", True),
    ],
)
def test_fields_of_single_classes_that_are_refused(config: str, field: str, value: object) -> None:
    written: dict[str, Any] = {"image_processor_type": f"{config}ImageProcessor"}
    if "Ocr" in config:
        written["crop_to_patches"] = False
    written[field] = value
    if config == "EfficientNet":
        written["do_normalize"] = False
    if field == "crop_size" and config == "Donut":
        written["do_center_crop"] = True
    expected = {"Vivit": "offset", "EfficientNet": "include_top"}.get(config, field)
    with pytest.raises(ValueError, match=expected):
        Preprocess.from_hf(written)
