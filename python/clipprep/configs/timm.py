"""`Preprocess.from_timm`: timm's data config, read as its transform for evaluation reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from . import build, check, files

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
        "license", "min_input_size", "notes", "num_classes", "origin_url", "paper_ids",
        "paper_name", "pool_size", "source", "state_dict", "tag", "test_crop_pct",
        "test_input_size", "url",
    }
)  # fmt: skip


def read(config: object, options: dict[str, Any]) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of what `Preprocess.from_timm` returns."""
    size, arguments = arguments_of(find(config))
    return build.join(size, arguments, options)


def find(config: object) -> dict[str, Any]:
    """The data config, or the `pretrained_cfg` of a `config.json`."""
    found = files.read(config, "config.json")["config.json"]
    nested = found.get("pretrained_cfg")
    return dict(nested) if isinstance(nested, Mapping) else found


def arguments_of(cfg: Mapping[str, Any]) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of `Preprocess` that a data config means.

    Raises ValueError for a field that is unknown, or that cannot be honoured.
    """
    check.known(cfg, {*DEFAULTS, *MEANINGLESS}, "a data config of timm")
    # As timm has it, what is false is absent.
    fields = DEFAULTS | {name: value for name, value in cfg.items() if value}
    size = fields["input_size"]
    if not isinstance(size, (list, tuple)) or len(size) != 3 or size[0] != 3:
        raise check.refuse("input_size", size, "[3, height, width]")
    height, width = check.pair("input_size", size[1:])
    if fields["interpolation"] not in _FILTERS:
        raise check.refuse("interpolation", fields["interpolation"], f"of {', '.join(_FILTERS)}")
    crop_pct, crop_mode = fields["crop_pct"], fields["crop_mode"]
    if isinstance(crop_pct, bool) or not isinstance(crop_pct, (int, float)) or not crop_pct > 0:
        raise check.refuse("crop_pct", crop_pct, "a number above 0")
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
