"""Find and read the JSON files of a config."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from .._messages import kind, message, said, shown, system_error, type_error, value_error
from . import hub, libraries

#: How open_clip and timm write that a folder follows.
_LOCAL = "local-dir:"
#: The most bytes of a config that are read.
_MAX_BYTES = 16 * 2**20


def is_name(config: object) -> TypeGuard[str]:
    """Whether a text is a model's name, not the path of a file or a folder."""
    if not isinstance(config, str) or config.startswith(_LOCAL):
        return False
    form = hub.is_name(config) or (os.sep not in config and not config.endswith(".json"))
    return form and not os.path.exists(config)


def read(
    config: object,
    wanted: tuple[str, ...],
    beside: tuple[str, ...] = (),
    *,
    download: bool = True,
) -> dict[str, dict[str, Any]]:
    """The files of a config by name. A mapping or a file stands for the first one `wanted`; a folder, or a model
    of the Hub by name, has at least one of `wanted`, and others `beside`."""
    if isinstance(config, Mapping):
        return {wanted[0]: dict(config)}
    expected = "expected a config as a dict, a file, a folder, a name or an object of its library"
    if not isinstance(config, (str, os.PathLike)):
        raise type_error(f"{expected}, found {kind(config)}")
    try:
        path = Path(config)
    except Exception as error:  # what the object's own code raises
        raise type_error(f"{expected}, found {kind(config)} that raises {said(error)}") from error
    if isinstance(config, str):
        path = Path(config.removeprefix(_LOCAL))
    if is_name(config):
        if not hub.is_name(config):
            raise FileNotFoundError(message(f"{expected}, found {shown(config)}, which is none"))
        path = hub.folder(config, wanted, beside, download=download)
    if not os.path.isdir(path):  # which does not raise for names that no file can have
        return {wanted[0]: load(path)}
    path = hub.root(path)
    for inside in hub.FOLDERS:
        folder = path / inside
        there = [file for file in wanted if (folder / file).is_file()]
        if there:
            there += [file for file in beside if (folder / file).is_file()]
            return {file: load(folder / file) for file in there}
    expected = f"expected {' or '.join(wanted)} in the folder {str(path)!r}"
    hint = libraries.hint(libraries_of(path))
    raise FileNotFoundError(message(f"{expected}; {hint}" if hint else expected))


def libraries_of(config: object) -> list[str]:
    """The libraries whose config a mapping, a file or a folder is; none where that is not known."""
    try:
        if isinstance(config, Mapping):
            return _libraries_of_fields(config)
        path = Path(config)  # type: ignore[arg-type]
        if not path.is_dir():
            return _libraries_of_fields(load(path))
        root = hub.root(path)
        for inside in hub.FOLDERS:
            there = [root / inside / file for file in libraries.ALL]
            found = libraries.of({file.name: load(file) for file in there if file.is_file()})
            if found:
                return found
    except Exception:  # what the object's own code raises, and files that cannot be read
        pass
    return []


def _libraries_of_fields(content: Mapping[str, Any]) -> list[str]:
    """The same of a config whose file's name says nothing."""
    named = "image_processor_type" in content
    return libraries.of({libraries.FILES["transformers" if named else "timm"][0]: content})


def load(path: Path) -> dict[str, Any]:
    """A JSON object from a file."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise value_error(f"expected a file or a folder, found {str(path)!r}")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise system_error(error, str(path)) from None
    if len(data) > _MAX_BYTES:
        raise value_error(f"expected a config of {_MAX_BYTES} bytes at most in {str(path)!r}")
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise value_error(f"expected JSON in {str(path)!r}, found {said(error)}") from None
    if not isinstance(content, dict):
        raise value_error(f"expected a JSON object in {str(path)!r}, found {kind(content)}")
    return content
