"""`Preprocess.from_hf`: Hugging Face's `preprocessor_config.json`, read as transformers 5 reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core import MEAN, STD
from . import build, check, files

_HALF = (0.5, 0.5, 0.5)
_BASE: dict[str, Any] = {
    "do_resize": True,
    "do_center_crop": None,
    "crop_size": None,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "do_convert_rgb": None,
    "default_to_square": True,
}
_CLIP = _BASE | {
    "resample": 3,
    "image_mean": MEAN,
    "image_std": STD,
    "size": {"shortest_edge": 224},
    "default_to_square": False,
    "crop_size": 224,
    "do_center_crop": True,
    "do_convert_rgb": True,
}
_VIT = _BASE | {"resample": 2, "image_mean": _HALF, "image_std": _HALF, "size": 224}

#: What each image processor of transformers has where its config has nothing.
PROCESSORS: dict[str, dict[str, Any]] = {
    "CLIP": _CLIP,
    "ChineseCLIP": _CLIP,
    "Bit": _CLIP,
    "Siglip": _VIT
    | {"resample": 3, "default_to_square": False, "do_convert_rgb": True}
    | {"size": {"height": 224, "width": 224}},
    "ViT": _VIT,
    "DeiT": _VIT | {"resample": 3, "size": 256, "crop_size": 224, "do_center_crop": True},
    "Blip": _VIT
    | {"resample": 3, "image_mean": MEAN, "image_std": STD, "size": 384}
    | {"do_convert_rgb": True},
    "ConvNext": _VIT
    | {"resample": 3, "size": {"shortest_edge": 384}, "crop_pct": 224 / 256}
    | {"default_to_square": False},
    "VideoMAE": _VIT
    | {"size": {"shortest_edge": 224}, "crop_size": 224, "do_center_crop": True}
    | {"default_to_square": False},
    "OwlViT": _VIT
    | {"resample": 3, "image_mean": MEAN, "image_std": STD, "size": 768}
    | {"crop_size": 768, "do_center_crop": False, "do_convert_rgb": True},
}

#: The processor of a model whose config names none (transformers' `IMAGE_PROCESSOR_MAPPING_NAMES`).
MODEL_TYPES = {
    "altclip": "CLIP",
    "blip": "Blip",
    "blip-2": "Blip",
    "chinese_clip": "ChineseCLIP",
    "clip": "CLIP",
    "clipseg": "ViT",
    "convnext": "ConvNext",
    "convnextv2": "ConvNext",
    "deit": "DeiT",
    "dinov2": "Bit",
    "metaclip_2": "CLIP",
    "owlvit": "OwlViT",
    "siglip": "Siglip",
    "vit": "ViT",
    "xclip": "CLIP",
}

#: Fields that say nothing about the numbers: names, and how arguments and batches are handed around.
MEANINGLESS = frozenset(
    {
        "_commit_hash",
        "_name_or_path",
        "_processor_class",
        "_valid_processor_keys",
        "auto_map",
        "data_format",  # read by neither backend: the output has channels first
        "device",
        "disable_grouping",
        "feature_extractor_type",
        "image_processor_type",
        "image_seq_length",
        "model_input_names",
        "processor_class",
        "return_tensors",
        "transformers_version",
    }
)

#: Pillow's numbers of its filters.
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")


def read(
    config: object, backend: str, options: dict[str, Any]
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of what `Preprocess.from_hf` returns."""
    size, arguments = arguments_of(*find(config), backend)
    return build.join(size, arguments, options)


def find(config: object) -> tuple[dict[str, Any], str]:
    """The config of an image processor, and the processor's name without its suffix."""
    read = files.read(config, "preprocessor_config.json", "processor_config.json", "config.json")
    found = read.get("preprocessor_config.json", {})
    # A config of the whole processor holds the image processor's, which then comes first.
    for holder in (read.get("processor_config.json", {}), found):
        if isinstance(holder.get("image_processor"), Mapping):
            found = dict(holder["image_processor"])
            break
    name = found.get("image_processor_type") or found.get("feature_extractor_type")
    if name is None:
        model_type = read.get("config.json", {}).get("model_type")
        if model_type not in MODEL_TYPES:
            raise check.refuse("image_processor_type", name, "that names the processor")
        return found, MODEL_TYPES[model_type]
    stem = str(name).removesuffix("Fast").removesuffix("Pil")
    stem = stem.removesuffix("ImageProcessor").removesuffix("FeatureExtractor")
    if stem == name or stem not in PROCESSORS:
        known = ", ".join(f"{known}ImageProcessor" for known in PROCESSORS)
        raise check.refuse("image_processor_type", name, f"of {known}")
    return found, stem


def arguments_of(
    config: Mapping[str, Any], processor: str, backend: str
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of `Preprocess` that a config means.

    Raises ValueError for a field that is unknown, or that cannot be honoured.
    """
    if backend not in ("torchvision", "pil"):
        raise check.refuse("backend=", backend, 'of "torchvision" and "pil"')
    config = dict(config)
    defaults = PROCESSORS[processor]
    if processor == "OwlViT" and "rescale" in config:  # of early versions
        config["do_rescale"] = config.pop("rescale")
    if processor == "CLIP" and config.pop("use_square_size", None):  # of KOSMOS-2
        config["size"] = {"height": 224, "width": 224}
    for name in ("do_pad", "pad_size", "input_data_format"):
        if config.get(name):
            raise check.refuse(name, config[name], "to be false or absent")
    known = {*defaults, *MEANINGLESS, "do_pad", "pad_size", "input_data_format"}
    check.known(config, known, f"{processor}ImageProcessor")
    # A null is one to transformers too, and no default: nothing is done that it stands for.
    fields = defaults | config

    def wanted(name: str) -> bool:
        return fields[name] is not None and check.flag(name, fields[name])

    size, arguments = _geometry(fields, processor, wanted("do_resize"), wanted("do_center_crop"))
    arguments |= {
        "profile": f"hf-{backend}",
        "interpolation": _filter(fields["resample"], backend),
        "convert_rgb": wanted("do_convert_rgb"),
        "rescale_factor": None,
        "normalize": wanted("do_normalize"),
    }
    if wanted("do_rescale"):
        factor = fields["rescale_factor"]
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not factor > 0:
            raise check.refuse("rescale_factor", factor, "a number above 0")
        arguments["rescale_factor"] = float(factor)
    if arguments["normalize"]:
        arguments["mean"] = check.three("image_mean", fields["image_mean"])
        arguments["std"] = check.three("image_std", fields["image_std"])
    elif arguments["rescale_factor"] is None:
        arguments["dtype"] = "uint8"  # nothing made floats of the bytes
    return size, arguments


def _geometry(
    fields: Mapping[str, Any], processor: str, resize: bool, crop: bool
) -> tuple[tuple[int, int], dict[str, Any]]:
    crop_size = _size_dict("crop_size", fields["crop_size"], True) if crop else None
    if crop_size is not None and set(crop_size) != {"height", "width"}:
        raise check.refuse("crop_size", fields["crop_size"], "to have a height and a width")
    cropped = None if crop_size is None else (crop_size["height"], crop_size["width"])
    if not resize:
        if cropped is None:
            raise check.refuse(
                "do_resize", False, "or do_center_crop, or no output is like another"
            )
        return cropped, {"resize_mode": "none"}
    square = fields["default_to_square"]
    square = square is not None and check.flag("default_to_square", square)
    size = _size_dict("size", fields["size"], square)
    if processor == "ConvNext":
        return _convnext(size, fields, cropped)
    if set(size) == {"height", "width"}:
        resized = size["height"], size["width"]
        return cropped or resized, {"resize_mode": "squash", "resize_size": resized}
    if set(size) != {"shortest_edge"}:
        raise check.refuse("size", fields["size"], "a shortest_edge, or a height and a width")
    if cropped is None:
        raise check.refuse(
            "size", fields["size"], "a height and a width where do_center_crop is off"
        )
    return cropped, {"resize_size": (size["shortest_edge"],) * 2}


def _convnext(
    size: Mapping[str, int], fields: Mapping[str, Any], cropped: tuple[int, int] | None
) -> tuple[tuple[int, int], dict[str, Any]]:
    """Below 384 a crop of its own follows the resize; from 384 on the image is stretched."""
    if set(size) != {"shortest_edge"}:
        raise check.refuse("size", fields["size"], "a shortest_edge")
    side = size["shortest_edge"]
    if side >= 384:
        return cropped or (side, side), {"resize_mode": "squash", "resize_size": (side, side)}
    if cropped not in (None, (side, side)):
        raise check.refuse("crop_size", fields["crop_size"], f"{side}, which is cropped already")
    crop_pct = fields["crop_pct"]
    if isinstance(crop_pct, bool) or not isinstance(crop_pct, (int, float)) or not crop_pct > 0:
        raise check.refuse("crop_pct", crop_pct, "a number above 0")
    return (side, side), {"resize_size": (check.number("crop_pct", int(side / crop_pct)),) * 2}


def _size_dict(name: str, size: object, square: bool) -> dict[str, int]:
    """A size in the form that transformers writes it today (`get_size_dict`)."""
    if isinstance(size, Mapping):
        return {str(key): check.number(f"{name}.{key}", value) for key, value in size.items()}
    if isinstance(size, (list, tuple)):
        height, width = check.pair(name, size)
        return {"height": height, "width": width}
    side = check.number(name, size)
    return {"height": side, "width": side} if square else {"shortest_edge": side}


def _filter(resample: object, backend: str) -> str:
    if resample is None:
        name = "bilinear"
    elif isinstance(resample, str):
        name = resample.lower()
        if backend == "pil" and name != "bilinear":
            raise check.refuse(
                "resample", resample, "a number: this backend takes any name for bilinear"
            )
    elif isinstance(resample, int) and 0 <= resample < len(_FILTERS):
        name = _FILTERS[resample]
    else:
        name = ""
    known = _FILTERS if backend == "pil" else _FILTERS[:4]
    if name not in known:
        raise check.refuse(
            "resample", resample, f"of {', '.join(known)}, or Pillow's number of one"
        )
    return name
