"""Read image processors that live: those of transformers 4 and 5, also inside a processor, a pipeline or a model of
sentence-transformers."""

from __future__ import annotations

from typing import Any

from .. import check, objects
from . import version_4

#: Where the classes are whose configs say all that they do.
_MODULES = ("transformers.", "clipprep.transformers")


def fields_of(processor: object) -> tuple[dict[str, Any], str, dict[str, Any]] | None:
    """The config of an image processor of transformers, the backend that it has, and the options that its version
    decides; None for another object.

    Raises ValueError for a class that is not of transformers itself, and for an object with a method of its own: these
    may do anything.
    """
    if objects.kind(processor) != "hf":
        return None
    processor = _inside(processor)
    cls = type(processor)
    if objects.kind(processor) != "hf" or not cls.__module__.startswith(_MODULES):
        raise check.refuse("the image processor", cls.__name__, "to be one of transformers itself")
    if name := objects.changed(processor):
        raise check.refuse("the image processor", f"another {name}", "to have its class's methods")
    fields = dict(processor.to_dict())  # type: ignore[attr-defined]
    backend = getattr(processor, "backend", None)
    if backend is not None:
        return fields, backend, {}
    # Version 4, whose processors drop transparency.
    return fields, "torchvision" if cls.__name__.endswith("Fast") else "pil", {"over_white": False}


def _inside(holder: Any) -> Any:
    """The image processor of a processor, a pipeline or a model of sentence-transformers; of one, itself."""
    if not hasattr(holder, "image_processor"):
        holder = getattr(holder, "processor", holder)
    return getattr(holder, "image_processor", holder)


def honoured(processor: object) -> tuple[dict[str, Any], str, dict[str, Any]] | None:
    """The same with the fields alone that the class reads.

    Raises ValueError for a class whose bits no options of `Preprocess` express.
    """
    found = fields_of(processor)
    if found is None or not found[2]:
        return found
    cls = type(_inside(processor))
    # An image processor of clipprep's stands for a class of transformers.
    cls = getattr(cls, "live", None) or cls
    return version_4.fields(cls, found[0]), *found[1:]
