"""The classes in the places of those of transformers with the backend "pil", as `clipprep.transformers` has them too.

A module of their own, since both backends of a class name the type of its options alike.
"""

from __future__ import annotations

from typing import Any

from .processor import class_named


def __getattr__(name: str) -> Any:
    """A class, such as `CLIPImageProcessorPil`."""
    found = class_named(name) if name.endswith("Pil") else None
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
