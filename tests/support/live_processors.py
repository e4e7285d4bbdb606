"""Image processors of transformers in pairs: ours, and the live class that it replaces. It needs transformers and torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import transformers
from PIL import Image

from clipprep.transformers import ClipPrepImageProcessor
from clipprep.transformers import live as lives
from support.pictures import photo

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
