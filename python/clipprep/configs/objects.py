"""Tell the objects of other libraries apart without importing these."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["hf", "open_clip", "timm", "torchvision"]

#: The class of torchvision's enums of weights: its package and its name.
_WEIGHTS = ("torchvision", "WeightsEnum")
#: The kind of an object by a class that it derives from: its package and its name.
_CLASSES: Mapping[tuple[str, str], Kind] = {
    ("transformers", "BaseImageProcessor"): "hf",
    ("transformers", "ProcessorMixin"): "hf",
    ("transformers", "Pipeline"): "hf",
    ("sentence_transformers", "SentenceTransformer"): "hf",
    ("open_clip", "PreprocessCfg"): "open_clip",
    ("timm", "PretrainedCfg"): "timm",
    ("torchvision", "Compose"): "torchvision",
    _WEIGHTS: "torchvision",
}
#: The classes that torchvision's `weights.transforms()` makes, of which some are read.
_PRESETS = "torchvision.transforms._presets"


def _classes(value: object) -> list[tuple[str, str]]:
    """The package and the name of an object's class, and of those that it derives from."""
    return [(cls.__module__.partition(".")[0], cls.__name__) for cls in type(value).__mro__]


def is_weights(value: object) -> bool:
    """Whether an object is one of torchvision's enums of weights, which gives their transform."""
    return _WEIGHTS in _classes(value)


def kind(value: object) -> Kind | None:
    """Which reader takes an object; None for one that none takes."""
    classes = _classes(value)
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


#: Attributes of a module of torch that hold functions to call before it and after it.
_HOOKS = ("_forward_pre_hooks", "_forward_hooks")


def changed(value: object) -> str | None:
    """The name of a method that an object has in the place of its class's, or of hooks that it has: such an object
    does something else than its class and its fields say. None for any other."""
    cls: type = type(value)
    own = getattr(value, "__dict__", {})
    methods = _methods(cls) & own.keys()
    return min(methods, default=None) or next((name for name in _HOOKS if own.get(name)), None)


@functools.lru_cache(maxsize=256)
def _methods(cls: type) -> frozenset[str]:
    return frozenset(n for n in dir(cls) if inspect.isroutine(inspect.getattr_static(cls, n, None)))
