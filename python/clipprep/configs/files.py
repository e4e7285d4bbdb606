"""Find and read the JSON files of a config."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read(config: object, name: str, *beside: str) -> dict[str, dict[str, Any]]:
    """The files of a config by name: `name`, which a mapping or a file stands for, and those `beside` it in
    a folder. A file that is not there is an empty dict; of `name` and the first one beside it, one is."""
    if isinstance(config, Mapping):
        return {name: dict(config)}
    if not isinstance(config, (str, os.PathLike)):
        raise TypeError(
            f"expected a config as a dict, a file or a folder, found {type(config).__name__}"
        )
    path = Path(config)
    if not path.is_dir():
        return {name: load(path)}
    found = {file: load(path / file) for file in (name, *beside) if (path / file).is_file()}
    wanted = (name, *beside[:1])
    if not any(file in found for file in wanted):
        raise FileNotFoundError(f"expected {' or '.join(wanted)} in the folder {str(path)!r}")
    return found


def load(path: Path) -> dict[str, Any]:
    """A JSON object from a file."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"expected JSON in {str(path)!r}, found {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"expected a JSON object in {str(path)!r}, found {type(content).__name__}")
    return content
