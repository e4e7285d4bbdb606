"""`--config`: a file, a folder or a name, read by the library whose config it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from clipprep import Preprocess
from clipprep.configs import files, hub, open_clip, timm
from clipprep.configs.hf.find import FILES as HF_FILES

#: Prefixes of a config, which say the library where a folder has the files of several.
LIBRARIES = ("transformers", "open_clip", "timm")
#: Fields of a config.json, and of a `preprocess_cfg`, that only one library writes.
_TIMM = frozenset({"pretrained_cfg", "input_size", "crop_pct"})
_OPEN_CLIP = frozenset({"preprocess_cfg", "resize_mode", "fill_color"})


def preprocess(config: str, backend: Any, options: Mapping[str, Any]) -> Preprocess:
    """The `Preprocess` of a config, with the options that may stand beside it.

    Raises ValueError where it is no config, or one of several libraries; OSError where it cannot be read.
    """
    library, colon, rest = config.partition(":")
    if colon and library in LIBRARIES:
        config = rest
    else:
        library = _library(config)
    if backend is not None and library != "transformers":
        raise ValueError(f"expected --backend beside a config of transformers, found {library}'s")
    readers: dict[str, Callable[..., Preprocess]] = {
        "transformers": partial(Preprocess.from_hf, backend=backend),
        "open_clip": Preprocess.from_open_clip,
        "timm": Preprocess.from_timm,
    }
    return readers[library](config, **options)


def _library(config: str) -> str:
    """The library of a config, by its files and their fields."""
    if hub.is_name(config) and files.is_name(config) and config.startswith("timm/"):
        return "timm"
    found = files.read(config, (*HF_FILES, *open_clip.FILES, *timm.FILES))
    libraries = {_of_file(name, content) for name, content in found.items()}
    if len(libraries) > 1:  # a model's own config.json beside those of its images
        libraries.discard(None)
    names = sorted(filter(None, libraries))
    if len(names) > 1:
        choices = " or ".join(f"--config {name}:{config}" for name in names)
        raise ValueError(f"expected the config of one library, found {len(names)}: {choices}")
    if not names:
        raise ValueError(
            f"expected a config of {', '.join(LIBRARIES)}, found none of their fields in {config!r}"
        )
    return names[0]


def _of_file(name: str, content: Mapping[str, Any]) -> str | None:
    if not _TIMM.isdisjoint(content):
        return "timm"
    if name in open_clip.FILES or not _OPEN_CLIP.isdisjoint(content):
        return "open_clip"
    return None if name in timm.FILES else "transformers"
