"""Tell which library a config is of, by its files and their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The files of each library's configs.
FILES: Mapping[str, tuple[str, ...]] = {
    "transformers": ("preprocessor_config.json", "processor_config.json"),
    "open_clip": ("open_clip_config.json", "preprocess_cfg.json"),  # the second one is immich's
    "timm": ("config.json",),
}
#: All of them.
ALL = tuple(name for names in FILES.values() for name in names)
#: The methods of `Preprocess` that read them.
METHODS: Mapping[str, str] = {
    "transformers": "from_hf",
    "open_clip": "from_open_clip",
    "timm": "from_timm",
}

#: Fields of a config.json, and of a `preprocess_cfg`, that only one library writes.
_TIMM = frozenset({"pretrained_cfg", "input_size", "crop_pct"})
_OPEN_CLIP = frozenset({"preprocess_cfg", "resize_mode", "fill_color"})


def of(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The libraries whose configs are among files, by name and content. A model's own config.json is of none."""
    return sorted(set(filter(None, (_of_file(name, content) for name, content in found.items()))))


def _of_file(name: str, content: Mapping[str, Any]) -> str | None:
    if not _TIMM.isdisjoint(content):
        return "timm"
    if name in FILES["open_clip"] or not _OPEN_CLIP.isdisjoint(content):
        return "open_clip"
    return None if name in FILES["timm"] else "transformers"


def hint(found: list[str]) -> str:
    """How to read a config of these libraries, for an error that one was not expected."""
    methods = " or ".join(f"Preprocess.{METHODS[library]}" for library in found)
    return f"{methods} reads its config" if methods else ""
