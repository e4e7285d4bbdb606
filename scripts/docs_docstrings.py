"""An extension of griffe: the stub says the types of the compiled core, the core itself the docstrings."""

from __future__ import annotations

import inspect
from operator import attrgetter
from typing import Any

import griffe

import clipprep._core

CORE = "clipprep._core."


class CompiledDocstrings(griffe.Extension):
    """Gives each declaration of the stub its docstring from run time."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        if "__new__" in cls.members:  # where a compiled class has its parameters
            cls.members["__init__"] = cls.members.pop("__new__")

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if not obj.path.startswith(CORE) or obj.docstring is not None:
            return
        names = obj.path.removeprefix(CORE).split(".")
        if any(name.startswith("_") and name != "__call__" for name in names):
            return  # types that only the stub knows, and members that object documents
        found = attrgetter(".".join(names))(clipprep._core)
        if found.__doc__ != type(found).__doc__:  # a constant has its type's
            obj.docstring = griffe.Docstring(inspect.cleandoc(found.__doc__), parent=obj)
