"""Pillow's plug-ins that a program registered, by the names under which a helper imports them."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias

from PIL import Image

from .._messages import shown
from .._pillow.formats import known_formats

#: `Image.OPEN` at one time.
Registry: TypeAlias = tuple[tuple[str, Any], ...]
#: A format, and the modules and names of what opens its files and of what accepts them.
_Row: TypeAlias = tuple[str, tuple[str, str], tuple[str, str] | None]


@dataclass
class Plugins:
    """The plug-ins of a registry."""

    registry: Registry
    rows: list[_Row] = field(default_factory=list)
    """Those that have names."""
    lost: dict[str, str] = field(default_factory=dict)
    """The others, with the reason."""


def registry() -> Registry:
    """What is registered now."""
    known_formats()
    return tuple(Image.OPEN.items())


def named(found: Registry) -> Plugins:
    """Names for all plug-ins that have some."""
    plugins = Plugins(found)
    for name, (factory, accept) in found:
        if str(getattr(factory, "__module__", "")).startswith("PIL."):
            continue
        try:
            row = name, _name(factory), None if accept is None else _name(accept)
        except LookupError as error:
            plugins.lost[name] = str(error.args[0])
        else:
            plugins.rows.append(row)
    return plugins


def _name(value: Any) -> tuple[str, str]:
    """The module and the name of a function or class, where importing gives the same one."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module == "__main__":
        raise LookupError("it is part of the program itself: put it into a module of its own")
    try:
        same = attrgetter(name)(sys.modules[module]) is value  # type: ignore[arg-type, index]
    except (AttributeError, KeyError, TypeError):
        same = False
    if not same:
        raise LookupError(f"{shown(value)} has no name in a module by which it could be imported")
    return str(module), str(name)


def load(rows: list[Any]) -> tuple[int, str]:
    """Registers plug-ins in a helper. Returns those that fail, by bit, and the reason of the first."""
    known_formats()
    lost, why = 0, ""
    for bit, (name, factory, accept) in enumerate(rows):
        try:
            Image.register_open(name, _value(factory), accept and _value(accept))
        except Exception as error:
            lost |= 1 << min(bit, 63)
            why = why or f"{type(error).__name__}: {error}"
    return lost, why


def _value(name: list[str]) -> Any:
    return attrgetter(name[1])(importlib.import_module(name[0]))
