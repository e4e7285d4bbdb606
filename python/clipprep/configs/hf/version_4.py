"""Image processors of transformers 4, by what they do otherwise than those of version 5 with their names."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from .. import check

#: Classes, without their suffix, whose bits were compared with the reader's, in 4.50 and in 4.57.
_SLOW = frozenset(
    {
        "Beit", "Bit", "Blip", "CLIP", "Chameleon", "ChineseCLIP", "ConvNext", "DPT", "DeiT",
        "EfficientNet", "Flava", "Gemma3", "GotOcr2", "Levit", "Llava", "MobileNetV1", "MobileNetV2",
        "MobileViT", "Ovis2", "OwlViT", "Perceiver", "PoolFormer", "PromptDepthAnything", "Pvt", "RTDetr",
        "SegGpt", "Segformer", "Siglip", "SuperPoint", "ViT",
    }
)  # fmt: skip
_FAST = frozenset(
    {
        "Beit", "Bit", "Blip", "BridgeTower", "CLIP", "ChineseCLIP", "DINOv3ViT", "DPT", "DeiT",
        "EfficientNet", "Flava", "Gemma3", "Levit", "Llava", "MobileNetV1", "MobileNetV2", "MobileViT",
        "Ovis2", "OwlViT", "Perceiver", "PoolFormer", "PromptDepthAnything", "Pvt", "RTDetr", "Sam2",
        "Segformer", "Siglip", "SuperPoint", "ViT",
    }
)  # fmt: skip
#: The first version whose fast processors round the margins of a crop down.
_ROUNDS_DOWN = (4, 57)


def fields(processor: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a class reads, of those that an instance holds.

    Raises ValueError for a class, or a crop, that has other bits than version 5 has.
    """
    name = processor.__name__
    fast = name.endswith("Fast")
    stem = name.removesuffix("Fast").removesuffix("ImageProcessor")
    if stem not in (_FAST if fast else _SLOW):
        expected = (
            "of transformers 5, or one of 4 that was compared; its to_dict() is read as that of 5"
        )
        raise check.refuse("the image processor", name, f"to be {expected}")
    if fast:
        if given.get("do_center_crop") and _version() < _ROUNDS_DOWN:
            expected = "to be of transformers 4.57 or newer, since older ones crop otherwise"
            raise check.refuse("an image processor that crops", name, expected)
        return dict(given)
    # Others are attributes of the instance that its class never asks for.
    read = {*inspect.signature(processor).parameters, "image_processor_type"}
    return {name: value for name, value in given.items() if name in read}


def _version() -> tuple[int, ...]:
    """The version of the transformers that is loaded; of objects that only look like its, the last of 4."""
    found = getattr(sys.modules.get("transformers"), "__version__", "4.57")
    return tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
