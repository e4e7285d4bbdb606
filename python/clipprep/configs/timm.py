"""`Preprocess.from_timm`: timm's data config, read as its transform for evaluation reads it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from . import build, check, files, hub, libraries, objects, torchvision
from .names import tables

#: `timm.data.resolve_data_config` without a config.
DEFAULTS: dict[str, Any] = {
    "input_size": (3, 224, 224),
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "crop_pct": 0.875,
    "crop_mode": "center",
}
_FILTERS = ("nearest", "bilinear", "bicubic", "box", "hamming", "lanczos")

#: Fields of a `pretrained_cfg` that say nothing about the transform for evaluation.
MEANINGLESS = frozenset(
    {
        "architecture", "classifier", "custom_load", "description", "file", "first_conv",
        "fixed_input_size", "hf_hub_filename", "hf_hub_id", "label_descriptions", "label_names",
        "label_offset", "license", "min_input_size", "notes", "num_classes", "origin_url", "paper_ids",
        "paper_name", "pool_size", "source", "state_dict", "tag", "test_crop_pct",
        "test_input_size", "test_pool_size", "url",
    }
)  # fmt: skip

#: Fields of an early config.json that are the model's, not those of its `pretrained_cfg`.
LEGACY = frozenset({"architecture", "labels", "num_features"})


def read(config: object, options: Mapping[str, object]) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of what `Preprocess.from_timm` returns."""
    if objects.kind(config) == "torchvision":
        # A data config is of images in RGB, to which this converts.
        return torchvision.read(config, {"convert_rgb": True} | dict(options))
    size, arguments = arguments_of(find(config))
    return build.join(size, arguments, options)


def find(config: object) -> dict[str, Any]:
    """The data config, or the `pretrained_cfg` of a `config.json`, as timm's loader makes it from one."""
    if files.is_name(config):
        named = tables.timm(hub.without_prefix(config))
        if named is not None:
            return named
        if not hub.is_name(config):
            known = tables.listed("timm")
            raise tables.unknown(config, known, "a name of timm, a file or a folder")
    if objects.kind(config) == "timm":  # a model, or its config
        config = getattr(config, "pretrained_cfg", config)
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        config = dataclasses.asdict(config)
    (found,) = files.read(config, libraries.FILES["timm"]).values()
    nested = found.get("pretrained_cfg")
    if not isinstance(nested, Mapping):
        # The config.json of early versions has everything at one level.
        return {name: value for name, value in found.items() if name not in LEGACY}
    cfg, built = dict(nested), check.mapping("model_args", found.get("model_args"))
    channels, height, width = _input_size(cfg.get("input_size") or DEFAULTS["input_size"])
    channels = built.get("in_chans") or channels
    dynamic = built.get("dynamic_img_size") or built.get("use_naflex")
    fixed = (
        cfg.get("fixed_input_size") and not dynamic and built.get("strict_img_size") is not False
    )
    if built.get("img_size") is not None and fixed:
        height, width = check.pair("model_args.img_size", built["img_size"])
    return cfg | {"input_size": [channels, height, width]}


def _input_size(size: object) -> tuple[Any, int, int]:
    """Channels, height, width."""
    if not isinstance(size, (list, tuple)) or len(size) != 3:
        raise check.refuse("input_size", size, "[3, height, width]")
    height, width = check.pair("input_size", size[1:])
    return size[0], height, width


def arguments_of(cfg: Mapping[str, Any]) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of `Preprocess` that a data config means.

    Raises ValueError for a field that is unknown, or that cannot be honoured.
    """
    check.known(cfg, {*DEFAULTS, *MEANINGLESS}, "a data config of timm")
    # As timm has it, what is false is absent.
    fields = DEFAULTS | {name: value for name, value in cfg.items() if value}
    channels, height, width = _input_size(fields["input_size"])
    if channels != 3:
        raise check.refuse("input_size", fields["input_size"], "[3, height, width]")
    if fields["interpolation"] not in _FILTERS:
        raise check.refuse("interpolation", fields["interpolation"], f"of {', '.join(_FILTERS)}")
    crop_pct, crop_mode = check.positive("crop_pct", fields["crop_pct"]), fields["crop_mode"]
    modes = {"center": "shortest", "squash": "squash", "border": "longest"}
    if crop_mode not in modes:
        raise check.refuse("crop_mode", crop_mode, f"of {', '.join(modes)}")
    resized = [check.number("crop_pct", math.floor(side / crop_pct)) for side in (height, width)]
    mean = check.three("mean", fields["mean"])
    arguments = {
        "profile": "timm",
        "mean": mean,
        "std": check.three("std", fields["std"]),
        "interpolation": fields["interpolation"],
        "resize_mode": modes[crop_mode],
        "resize_size": tuple(resized),
    }
    if crop_mode == "border":
        arguments["fill_color"] = tuple(round(255 * value) for value in mean)
    return (height, width), arguments
