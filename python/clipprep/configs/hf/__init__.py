"""Read `preprocessor_config.json` of Hugging Face, as transformers 5 reads it.

`find` finds the fields and the name of the class, `table` knows each class of transformers, `kinds` has the
geometry of each kind of class, `arguments` makes the options of `Preprocess`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import build, open_clip
from . import table
from .arguments import arguments_of
from .find import find
from .live import honoured

__all__ = ["read"]

#: Classes of published models that are no part of transformers and read open_clip's `preprocess_cfg`.
OPEN_CLIP = ("JinaCLIPImageProcessor",)


def read(
    config: object, backend: str | None, options: Mapping[str, object]
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of what `Preprocess.from_hf` returns."""
    live = honoured(config)
    if live is not None:
        config, found, decided = live
        backend, options = backend or found, decided | dict(options)
    backend = "torchvision" if backend is None else backend
    fields, name = find(config)
    if name in OPEN_CLIP:
        return open_clip.read(fields, options)
    size, arguments = arguments_of(fields, table.stem(name), backend)
    return build.join(size, arguments, options)
