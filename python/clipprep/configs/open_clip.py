"""`Preprocess.from_open_clip`: open_clip's `preprocess_cfg`, read as its `image_transform` reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from .._core import MEAN, STD
from .._messages import type_error
from . import build, check, files, hub, libraries, objects, torchvision
from .names import tables

#: `open_clip.transform.PreprocessCfg`.
DEFAULTS: dict[str, Any] = {
    "size": 224,
    "mode": "RGB",
    "mean": MEAN,
    "std": STD,
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 0,
}

#: Fields by which other libraries change pixels. open_clip ignores these too, against the will of whoever wrote them.
_OTHERS = frozenset(
    {
        "crop_mode", "crop_pct", "crop_size", "image_mean", "image_size", "image_std", "input_size",
        "resample", "rescale_factor",
    }
)  # fmt: skip


def read(
    config: object, options: Mapping[str, object], pretrained: str | None = None
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of what `Preprocess.from_open_clip` returns."""
    if objects.kind(config) == "torchvision":
        return torchvision.read(config, options)
    size, arguments = arguments_of(find(config, pretrained))
    return build.join(size, arguments, options)


def find(config: object, pretrained: str | None = None) -> dict[str, Any]:
    """The `preprocess_cfg`, whose size is the model's where there is a `model_cfg`."""
    if files.is_name(config):
        named = tables.open_clip(config, pretrained)
        if named is not None:
            return named
        if not hub.is_name(config):
            known = tables.listed("open_clip")
            raise tables.unknown(config, known, "a name of open_clip, a file or a folder")
    if pretrained is not None:
        raise type_error(f"expected pretrained= beside a name of open_clip, found {pretrained!r}")
    if objects.kind(config) == "open_clip":  # a model, or its config
        visual = getattr(config, "visual", config)
        config = getattr(visual, "preprocess_cfg", config)
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        config = dataclasses.asdict(config)
    found = next(iter(files.read(config, libraries.FILES["open_clip"]).values()))
    if "preprocess_cfg" not in found and "model_cfg" not in found:
        return found
    _check_ignored(found, ("preprocess_cfg", "model_cfg"), "open_clip_config.json")
    cfg = check.mapping("preprocess_cfg", found.get("preprocess_cfg"))
    if found.get("model_cfg") is not None:
        vision = check.mapping("model_cfg", found["model_cfg"]).get("vision_cfg")
        if vision is None:
            raise check.refuse("model_cfg.vision_cfg", vision, "an object")
        size = check.mapping("model_cfg.vision_cfg", vision).get("image_size")
        cfg["size"] = DEFAULTS["size"] if size is None else size
    return cfg


def arguments_of(cfg: Mapping[str, Any]) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of `Preprocess` that a `preprocess_cfg` means.

    Raises ValueError for a field that cannot be honoured.
    """
    _check_ignored(cfg, DEFAULTS, "open_clip's preprocess_cfg")
    fields = DEFAULTS | {name: value for name, value in cfg.items() if value is not None}
    for name, known in {
        "mode": ("RGB",),
        "interpolation": ("bicubic", "bilinear", "random"),
        "resize_mode": ("shortest", "longest", "squash"),
    }.items():
        if fields[name] not in known:
            raise check.refuse(name, fields[name], f"of {', '.join(known)}")
    size, fill = check.pair("size", fields["size"]), fields["fill_color"]
    mode, interpolation = fields["resize_mode"], fields["interpolation"]
    # open_clip draws a filter in training alone, and does not pass its own on for a pair.
    if interpolation == "random" or (mode == "shortest" and size[0] != size[1]):
        interpolation = "bicubic"
    arguments = {
        "mean": check.three("mean", fields["mean"]),
        "std": check.three("std", fields["std"]),
        "interpolation": interpolation,
        "resize_mode": mode,
    }
    if mode == "longest":  # the others have no use for it
        arguments["fill_color"] = tuple(fill) if isinstance(fill, list) else fill
    return size, arguments


def _check_ignored(fields: Mapping[str, Any], known: Collection[str], of: str) -> None:
    """Raises ValueError for a field that open_clip ignores and that was meant to be read: another library's, a
    misspelt one, and any where no field is open_clip's."""
    ignored = [name for name in fields if name not in known]
    nothing_known = len(ignored) == len(fields) and "image_processor_type" not in fields
    for name in ignored:
        foreign = name in _OTHERS or str(name).startswith("do_")
        if foreign or nothing_known or get_close_matches(str(name), known, 1, 0.8):
            check.known({name: fields[name]}, known, of)
