"""Make the options of `Preprocess` from the fields of an image processor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from .. import check, timm
from . import table
from .kinds import Geometry, geometry, size_dict
from .table import Row

#: Pillow's numbers of its filters.
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
#: torchvision's names of those that a tensor is resized with; Pillow's number of the nearest pixel is "nearest-exact".
_TORCH = {
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    "lanczos": "lanczos",
    "nearest-exact": "nearest",
    "nearest": "nearest-floor",
}
#: The filters of each profile.
_KNOWN = {
    "hf-pil": _FILTERS,
    "hf-torchvision": (*_FILTERS[:4], "nearest-floor"),
    "hf-torchvision-floats": ("bilinear",),
    "hf-scipy": ("bilinear",),
}


def arguments_of(fields: Mapping[str, Any], processor: str, backend: str) -> Geometry:
    """The size and the options of `Preprocess` that a config means.

    Raises ValueError for a class or a field that cannot be honoured; warns of a field that no class knows.
    """
    check.backend(backend)
    unknown = sorted(set(fields) - table.names())
    if unknown:
        warnings.warn(
            f"ignored {', '.join(unknown)}: no image processor of transformers reads it",
            stacklevel=4,
        )
    return arguments_by(table.row(processor, backend), fields, processor, backend)


def arguments_by(row: Row, config: Mapping[str, Any], processor: str, backend: str) -> Geometry:
    """The same by a row of the table."""
    if row.kind is None:
        raise check.refuse(
            "image_processor_type", f"{processor}ImageProcessor", f"that is read: {row.why}"
        )
    if row.kind == "timm":
        # It takes images that are RGB already.
        cfg = check.mapping("pretrained_cfg", config.get("pretrained_cfg"))
        size, arguments = timm.arguments_of(cfg)
        return size, {**arguments, "convert_rgb": False}
    config = _renamed(config, row.aliases)
    for name, others in row.implied.items():
        if config.get(name):
            config |= others
    for name, values in row.neutral.items():
        value = config.get(name, row.defaults.get(name))
        if not any(value is known or value == known for known in values):
            raise check.refuse(name, value, f"of {', '.join(map(repr, values))}")
    # A null is one to transformers too, and no default: nothing is done that it stands for.
    fields = {name: config.get(name, default) for name, default in row.defaults.items()}
    fields |= dict.fromkeys(row.always, True)
    profile = row.profiles[backend]
    if profile == "hf-torchvision-floats" and not check.wanted(fields, "do_rescale"):
        if check.wanted(fields, "do_normalize"):
            raise check.refuse("do_rescale", False, "true where do_normalize is true")
        profile = "hf-torchvision"  # bytes that nothing rescales are resized as bytes
    sized = "size" in fields and check.wanted(fields, "do_resize")
    if sized and sorted(size_dict(fields, "size")) not in row.sizes:
        forms = ", or ".join(" and ".join(form) for form in row.sizes)
        raise check.refuse("size", fields.get("size"), f"to have {forms}")
    size, arguments = geometry(row.kind, fields)
    arguments |= {
        "profile": profile,
        "convert_rgb": check.wanted(fields, "do_convert_rgb"),
        "normalize": check.wanted(fields, "do_normalize"),
        "rescale_factor": None,
    }
    if arguments.get("resize_mode") != "none":
        arguments["interpolation"] = _filter(fields.get("resample"), profile, row)
        arguments["antialias"] = not row.samples
    if row.bgr or check.wanted(fields, "do_flip_channel_order"):
        arguments["channel_order"] = "BGR"
    if check.wanted(fields, "do_rescale"):
        arguments["rescale_offset"] = check.wanted(fields, "rescale_offset")
        arguments["rescale_factor"] = _factor(fields, profile)
    if check.wanted(fields, "offset"):
        if arguments["rescale_factor"] is None:
            raise check.refuse("offset", True, "false where do_rescale is false")
        arguments["rescale_offset"] = True
    if arguments["normalize"]:
        arguments["mean"] = check.three("image_mean", fields.get("image_mean"))
    if check.wanted(fields, "include_top"):
        if arguments["rescale_factor"] is None and not arguments["normalize"]:
            raise check.refuse("include_top", True, "false where nothing makes floats of the bytes")
        arguments["std_twice"] = True
    if arguments["normalize"] or arguments.get("std_twice"):
        arguments["std"] = check.three("image_std", fields.get("image_std"), above=0)
    elif arguments["rescale_factor"] is None:
        arguments["dtype"] = "uint8"  # nothing made floats of the bytes
    return size, arguments


def _renamed(config: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    """The config with the new names of old fields."""
    renamed = {name: value for name, value in config.items() if name not in aliases}
    for old, new in aliases.items():
        if old not in config or (config[old] is None and not new.startswith("do_")):
            continue  # a null is no size, and no step
        if config.get(new, config[old]) != config[old]:
            raise check.refuse(old, config[old], f"{config[new]!r} as {new}, its new name")
        renamed[new] = config[old]
    return renamed


def _factor(fields: Mapping[str, Any], profile: str) -> float:
    """The factor of each byte."""
    factor = fields.get("rescale_factor")
    folded = profile == "hf-torchvision" and check.wanted(fields, "do_normalize")
    if isinstance(factor, int) and profile.startswith("hf-torchvision") and not folded:
        # A tensor of bytes times a whole number is one of bytes, which wrap around.
        raise check.refuse(
            "rescale_factor", factor, "with a decimal point where do_normalize is false"
        )
    return check.positive("rescale_factor", factor)


def _filter(resample: object, profile: str, row: Row) -> str:
    """The filter that a number of Pillow's or a name means."""
    if profile == "hf-scipy":
        return "bilinear"  # whatever the config says
    known = [name for name in _KNOWN[profile] if name != "lanczos" or not row.samples]
    name = ""
    if isinstance(resample, str) and row.numbered:
        raise check.refuse("resample", resample, "Pillow's number of a filter")
    if isinstance(resample, str):
        # On Pillow transformers takes any name for bilinear.
        name = "bilinear" if profile == "hf-pil" else _TORCH.get(resample, "")
    elif isinstance(resample, int) and 0 <= resample < len(_FILTERS):
        name = _FILTERS[resample]
    if name not in known:
        raise check.refuse(
            "resample", resample, f"of {', '.join(known)}, or Pillow's number of one"
        )
    return name
