"""Pillow's readers with an `ImageFile.LOAD_TRUNCATED_IMAGES` of their own, beside the Pillow that everybody uses.

That switch is a global of Pillow's, which any library may set, and setting it would change what other threads and
other code read. The functions that look at it run here over copies of their modules' globals, in which it is what
the option `truncated` says, and in which `Image.open` is ours. They are Pillow's own functions: what the installed
Pillow does, these do. Nothing of Pillow's is written to.

Not reached are readers that a class keeps in a table of its own: pictures inside an ICNS file read Pillow's switch.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, TypeAlias

from PIL import Image, ImageFile

Open: TypeAlias = Callable[..., Image.Image]


class _Copies:
    """Copies of the modules that read files; each copy sees the others."""

    def __init__(self, pad: bool, open_inside: Open) -> None:
        self._pad = pad
        self._image_module = SimpleNamespace(**{**vars(Image), "open": open_inside})
        self._globals: dict[str, dict[str, Any]] = {}
        # MPO has no opener of its own, since the JPEG reader finds its files.
        self._homes = {ImageFile.__name__, "PIL.MpoImagePlugin"}
        self._homes.update(filter(None, (_home(factory) for factory, _ in Image.OPEN.values())))
        self.readers: dict[str, tuple[Any, Any]] = {
            name: (self._reader(factory), accept) for name, (factory, accept) in Image.OPEN.items()
        }

    def _reader(self, factory: Any) -> Open:
        """A format's copy of what opens a file."""
        opener = self._copy_or_itself(factory)

        def open_file(file: Any, name: str) -> Image.Image:
            image: Image.Image = opener(file, name)
            copy = self._copy_or_itself(type(image))
            if copy is not type(image):
                # A factory chose another class: a JPEG with more pictures in it.
                with suppress(TypeError):  # of a class with slots
                    image.__class__ = copy
            return image

        return open_file

    def _copy_or_itself(self, value: Any) -> Any:
        """The copy, or itself where a plug-in is made so that copying fails: that costs this plug-in alone."""
        try:
            return self.copy(value)
        except (MemoryError, RecursionError):
            raise
        except Exception:
            return value

    def copy(self, value: Any) -> Any:
        """The copy of a function or class of a module that reads files; anything else itself."""
        if value is Image:
            return self._image_module
        if isinstance(value, ModuleType):
            return (
                SimpleNamespace(**self._copied(value)) if value.__name__ in self._homes else value
            )
        home = _home(value)
        module = sys.modules.get(home) if home in self._homes else None
        if module is None or vars(module).get(name := value.__name__) is not value:
            return value
        return self._copied(module)[name]

    def _copied(self, module: ModuleType) -> dict[str, Any]:
        name = module.__name__
        if name not in self._globals:
            self._globals[name] = names = dict(vars(module))
            # In the order of their definition, so that a class comes after its bases.
            for key, value in vars(module).items():
                own = _home(value) == name
                names[key] = self._made(value, names) if own else self.copy(value)
            if module is ImageFile:
                names["LOAD_TRUNCATED_IMAGES"] = self._pad
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
            # The copies of its bases stand after it, where its `super()` finds them.
            copies = [copy for base in value.__bases__ if (copy := self.copy(base)) is not base]
            names = {"__module__": __name__, **methods}
            try:
                return type(value)(value.__name__, (value, *copies), names)
            except (MemoryError, RecursionError):
                raise
            except Exception:  # it takes no subclass
                return value
        return value


def _home(value: Any) -> str | None:
    """The name of the module that defines a function or class; of any other object, `__module__` is its class's."""
    module = value.__module__ if isinstance(value, (type, FunctionType)) else None
    return module if isinstance(module, str) else None


def _function(function: Any, names: dict[str, Any]) -> Any:
    if function.__globals__.get("__name__") != names["__name__"]:
        # Another library has put its own in place of Pillow's.
        return function
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@cache
def _copies(_openers: tuple[Any, ...], pad: bool, open_inside: Open) -> _Copies:
    return _Copies(pad, open_inside)


def readers(pad: bool, open_inside: Open) -> dict[str, tuple[Open, Any]]:
    """The readers of all formats that are registered, each with what says whether a file begins as one; those
    that open files inside theirs do so by `open_inside`."""
    return _copies(tuple(Image.OPEN.items()), pad, open_inside).readers
