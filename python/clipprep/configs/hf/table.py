"""The classes of transformers: which fields each reads, and how; `benches/hf_table.py` makes the data."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from .. import check


@dataclass(frozen=True)
class Row:
    """How a class reads a config with some of its backends."""

    #: The profile that has the arithmetic of each backend.
    profiles: Mapping[str, str]
    #: The geometry, by its name in `kinds`; None for a class that no option of `Preprocess` expresses.
    kind: str | None = None
    #: Whether the class reverses the channels, whatever its config says.
    bgr: bool = False
    #: Whether the class takes a filter by its number alone, not by a name.
    numbered: bool = False
    #: Whether the class resizes without antialiasing.
    samples: bool = False
    #: Steps that the class takes whatever its config says of them.
    always: list[str] = field(default_factory=list)
    #: The forms of `size` that the class takes.
    sizes: list[list[str]] = field(default_factory=list)
    #: The fields that the class reads, with its own defaults.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Fields that the class reads and `Preprocess` cannot honour: the values that change nothing.
    neutral: Mapping[str, list[Any]] = field(default_factory=dict)
    #: Old names of fields.
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: Old fields which, where they are true, stand for others.
    implied: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Why there is no kind.
    why: str = ""


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(
        files(__package__).joinpath("processors.json").read_text("utf-8")
    )
    return table


def stem(name: str) -> str:
    """The name of a class without the suffix that says how it is implemented.

    Raises ValueError for a name that no image processor of transformers has.
    """
    found = name.removesuffix("Fast").removesuffix("Pil")
    found = found.removesuffix("ImageProcessor").removesuffix("FeatureExtractor")
    if found == name or found not in _table()["classes"]:
        raise check.refuse(
            "image_processor_type",
            name,
            f"of an image processor of transformers {_table()['transformers']}",
        )
    return found


def of_model_type(model_type: str) -> str | None:
    """The class of a model whose config names none."""
    found = _table()["model_types"].get(model_type)
    return None if found is None else f"{found}ImageProcessor"


def names() -> frozenset[str]:
    """The fields that any class of transformers knows."""
    return frozenset(_table()["fields"])


def classes() -> tuple[str, ...]:
    """The names of all classes without a suffix."""
    return tuple(_table()["classes"])


@functools.cache
def row(processor: str, backend: str) -> Row:
    """How a class reads a config with a backend."""
    for found in _table()["classes"][processor]:
        if backend in found["profiles"]:
            return Row(**found)
    raise AssertionError(f"{processor} has no row for {backend}")
