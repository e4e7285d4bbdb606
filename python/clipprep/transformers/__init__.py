"""Stands in for the image processors of transformers."""

from __future__ import annotations

from typing import Any

from .processor import ClipPrepImageProcessor, Features, class_named

__all__ = ["ClipPrepImageProcessor", "Features"]


def __getattr__(name: str) -> Any:
    """The classes in the places of those of transformers, such as `CLIPImageProcessor`."""
    found = class_named(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
