"""The models that `Preprocess` knows by name."""

from __future__ import annotations

from typing import Literal


def available_models(library: Literal["openai", "open_clip", "timm"] | None = None) -> list[str]:
    """List the names that `Preprocess` takes without `pretrained=`, OpenAI's first.

    A name that open_clip and timm both have is written as `open_clip:NAME` and `timm/NAME`; where weights of
    open_clip differ in their preprocessing, each is written as `NAME:TAG`.

    Args:
        library: Whose names; None stands for all.

    Raises:
        ValueError: No library has this name.

    Example:
        >>> available_models()[:3]
        ['RN50', 'RN101', 'RN50x4']
        >>> "vit_base_patch16_siglip_224.webli" in available_models("timm")
        True
    """
    from .configs.names import tables

    return tables.available(library)
