"""`--config`: a file, a folder or a name, read by the library whose config it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from clipprep import Preprocess
from clipprep.configs import files, hub, libraries

#: Prefixes of a config, which say the library where a folder has the files of several.
LIBRARIES = tuple(libraries.FILES)


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
    found = files.read(config, libraries.ALL)
    names = libraries.of(found) or files.libraries_of(config)
    if len(names) > 1:
        choices = " or ".join(f"--config {name}:{config}" for name in names)
        raise ValueError(f"expected the config of one library, found {len(names)}: {choices}")
    if not names:
        raise ValueError(
            f"expected a config of {', '.join(LIBRARIES)}, found none of their fields in {config!r}"
        )
    return names[0]
