"""Pillow as it is while `ImageFile.LOAD_TRUNCATED_IMAGES` is true, beside the Pillow that everybody uses.

That switch is a global of Pillow's, so setting it would change what other threads and other code read. The
functions that look at it run here over copies of their modules' globals, in which it is true. They are
Pillow's own functions: what the installed Pillow does with truncated files, these do. Nothing of Pillow's
is written to.

Not reached are readers that a class keeps in a table of its own: pictures inside an ICNS file stay strict.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from functools import cache
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from PIL import Image, ImageFile


class _Copies:
    """Copies of `Image.open` and of the modules that read files; each copy sees the others."""

    def __init__(self) -> None:
        self._globals: dict[str, dict[str, Any]] = {}
        openers = {
            name: (self.copy(factory), accept) for name, (factory, accept) in Image.OPEN.items()
        }
        self.open_image = _function(Image.open, {**vars(Image), "OPEN": openers})

    def copy(self, value: Any) -> Any:
        """The copy of a function or class of a module that reads files; anything else itself."""
        if isinstance(value, ModuleType):
            return SimpleNamespace(**self._copied(value)) if _reads_files(value) else value
        module = sys.modules.get(getattr(value, "__module__", None) or "")
        name = getattr(value, "__name__", "")
        if module is None or not _reads_files(module) or vars(module).get(name) is not value:
            return value
        return self._copied(module)[name]

    def _copied(self, module: ModuleType) -> dict[str, Any]:
        name = module.__name__
        if name not in self._globals:
            self._globals[name] = names = dict(vars(module))
            # In the order of their definition, so that a class comes behind its bases.
            for key, value in vars(module).items():
                own = getattr(value, "__module__", None) == name
                names[key] = self._made(value, names) if own else self.copy(value)
            if module is ImageFile:
                names["LOAD_TRUNCATED_IMAGES"] = True
        return self._globals[name]

    def _made(self, value: Any, names: dict[str, Any]) -> Any:
        if isinstance(value, FunctionType):
            return _function(value, names)
        # Enums, named tuples, exceptions and the like have no code that matters.
        if type(value) in (type, ABCMeta) and not issubclass(value, (tuple, str, BaseException)):
            methods = {
                key: _function(f, names)
                for key, f in vars(value).items()
                if isinstance(f, FunctionType)
            }
            # The copies of its bases stand behind it, where its `super()` finds them.
            copies = [copy for base in value.__bases__ if (copy := self.copy(base)) is not base]
            return type(value)(
                value.__name__, (value, *copies), {"__module__": __name__, **methods}
            )
        return value


def _reads_files(module: ModuleType) -> bool:
    # MPO has no opener of its own, since the JPEG reader finds its files.
    return (
        module is ImageFile
        or module.__name__ == "PIL.MpoImagePlugin"
        or any(
            getattr(factory, "__module__", None) == module.__name__
            for factory, _ in Image.OPEN.values()
        )
    )


def _function(function: Any, names: dict[str, Any]) -> Any:
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@cache
def _copies(_formats: tuple[str, ...]) -> _Copies:
    return _Copies()


def open_image(fp: Any, formats: tuple[str, ...]) -> Image.Image:
    """`Image.open`, of whose image every method is lenient."""
    copies = _copies(tuple(Image.OPEN))
    image: Image.Image = copies.open_image(fp, formats=formats)
    if type(image).__module__ != __name__:
        # A factory chose another class: a JPEG with more pictures in it.
        image.__class__ = copies.copy(type(image))
    return image
