"""Tell the objects of other libraries apart without importing these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["hf", "open_clip", "timm", "torchvision"]

#: The kind of an object by a class that it derives from: its package and its name.
_CLASSES: Mapping[tuple[str, str], Kind] = {
    ("transformers", "BaseImageProcessor"): "hf",
    ("transformers", "ProcessorMixin"): "hf",
    ("transformers", "Pipeline"): "hf",
    ("sentence_transformers", "SentenceTransformer"): "hf",
    ("open_clip", "PreprocessCfg"): "open_clip",
    ("timm", "PretrainedCfg"): "timm",
    ("torchvision", "Compose"): "torchvision",
}
#: The classes that torchvision's `weights.transforms()` makes, of which some are read.
_PRESETS = "torchvision.transforms._presets"


def kind(value: object) -> Kind | None:
    """Which reader takes an object; None for one that none takes."""
    classes = [(cls.__module__.partition(".")[0], cls.__name__) for cls in type(value).__mro__]
    for cls in classes:
        if cls in _CLASSES:
            return _CLASSES[cls]
    if type(value).__module__ == _PRESETS or classes[0] == ("torch", "Sequential"):
        return "torchvision"
    if ("torch", "Module") not in classes:
        return None
    # A model says what it was trained with.
    if hasattr(getattr(value, "visual", value), "preprocess_cfg"):
        return "open_clip"
    return "timm" if hasattr(value, "pretrained_cfg") else None
