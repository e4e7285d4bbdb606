"""Record the steps of the live libraries' transforms for models by name.

Run `python tests/data/make_names.py` where open_clip and timm are installed; writes names.json beside itself: every
pair of open_clip, and the first and last name of timm for each transform.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import timm
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict
from timm.models import _registry
from torchvision.transforms import Compose

Meaning = dict[str, Any]


def pair(size: Any) -> list[int]:
    """Height and width."""
    return [size, size] if isinstance(size, int) else list(size)


def single(value: Any) -> float:
    """A number as float32 has it, in the digits that say which."""
    return float(
        f"{float(value):.9g}" if isinstance(value, torch.Tensor) else f"{np.float32(value):.9g}"
    )


def meaning(transform: Compose, given: Meaning) -> Meaning:
    """The facts of a transform's steps; a step that is missing raises."""
    steps = {type(step).__name__: step for step in transform.transforms}
    normalize = steps["Normalize"]
    resize = steps.get("Resize") or steps.get("ResizeKeepRatio")
    filters = resize.interpolation
    crop = steps.get("CenterCrop") or steps.get("CenterCropOrPad")
    size = pair(crop.size if crop is not None else resize.size)
    resized = pair(resize.size)
    if "ResizeKeepRatio" in steps:
        mode = "longest" if resize.longest == 1.0 else "shortest"
    else:
        mode = "shortest" if isinstance(resize.size, int) else "squash"
    if mode == "shortest" and "CenterCrop" not in steps and "CenterCropOrPad" not in steps:
        raise ValueError(f"no crop in {transform}, {given}")
    return {
        "size": size,
        "mean": [single(value) for value in normalize.mean],
        "std": [single(value) for value in normalize.std],
        "interpolation": filters if isinstance(filters, str) else filters.value,
        "resize_mode": mode,
        "resized": resized,
    }


def of_open_clip(name: str, tag: str) -> Meaning:
    """As `create_model_and_transforms` makes it, without the model."""
    cfg = merge_preprocess_dict(
        PreprocessCfg(), open_clip.get_pretrained_cfg(name, tag) if tag else {}
    )
    cfg["size"] = open_clip.get_model_config(name)["vision_cfg"].get("image_size", 224)
    return meaning(image_transform_v2(PreprocessCfg(**cfg), is_train=False), cfg)


def of_timm(full: str) -> Meaning:
    """As `create_transform(**resolve_model_data_config(model))` makes it, without the model."""
    cfg = timm.data.resolve_data_config({}, _registry._model_pretrained_cfgs[full].to_dict())
    return meaning(timm.data.create_transform(**cfg), cfg)


def main() -> None:
    """Write the file."""
    with_weights = {name for name, _ in open_clip.list_pretrained()}
    names = [*open_clip.list_pretrained()]
    names += [(name, "") for name in open_clip.list_models() if name not in with_weights]
    goldens = {
        "open_clip": grouped(
            (f"{name}:{tag}".rstrip(":"), of_open_clip(name, tag)) for name, tag in names
        ),
        "timm": [
            (sorted({full[0], full[-1]}), found)
            for full, found in grouped(
                (full, of_timm(full))
                for full, cfg in _registry._model_pretrained_cfgs.items()
                if cfg.input_size[0] == 3
            )
        ],
        "versions": {
            "open_clip": open_clip.__version__,
            "timm": timm.__version__,
            "torch": torch.__version__,
        },
    }
    text = (
        json.dumps(goldens, separators=(",", ":"))
        .replace("]],[[", "]],\n[[")
        .replace("],[[", "],\n[[")
    )
    path = Path(__file__).with_name("names.json")
    path.write_text(text + "\n", "utf-8")
    print({name: len(rows) for name, rows in goldens.items()}, path.stat().st_size)


def grouped(rows: Iterable[tuple[str, Meaning]]) -> list[tuple[list[str], Meaning]]:
    """The names of each transform."""
    by_meaning: dict[str, list[str]] = {}
    for name, found in rows:
        by_meaning.setdefault(json.dumps(found), []).append(name)
    return [(names, json.loads(found)) for found, names in by_meaning.items()]


if __name__ == "__main__":
    main()
