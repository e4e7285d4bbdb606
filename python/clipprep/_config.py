"""What the readers of model configs share: where a config is, and which of its fields are known."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ._core import Preprocess

#: What a caller may add to a config: how files are read and results are written, not what is computed.
OPTIONS = frozenset(
    {
        "convert_rgb",
        "dtype",
        "exif",
        "formats",
        "layout",
        "limits",
        "pillow",
        "precision",
        "truncated",
    }
)


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


def refuse(name: str, value: object, expected: str) -> ValueError:
    """The error about a field that cannot be honoured."""
    return ValueError(f"expected {name} {expected}, found {value!r}")


def check_known(config: Mapping[str, Any], known: Collection[str], of: str) -> None:
    """Raises ValueError for a field that is neither honoured nor known to mean nothing."""
    for name, value in config.items():
        if name not in known:
            raise ValueError(f"expected the fields of {of}, found {name}={value!r}")


def number(name: str, value: object) -> int:
    """A size in pixels."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refuse(name, value, "a number of pixels from 1")
    return value


def pair(name: str, value: object) -> tuple[int, int]:
    """Height and width, of a number or of two."""
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise refuse(name, list(value), "one number or two")
        return number(name, value[0]), number(name, value[1])
    return number(name, value), number(name, value)


def three(name: str, value: object) -> tuple[float, ...]:
    """A number for each channel; one stands for all."""
    numbers: list[Any] = list(value) if isinstance(value, (list, tuple)) else [value] * 3
    if len(numbers) != 3 or not all(isinstance(number, (int, float)) for number in numbers):
        raise refuse(name, value, "a number or three")
    return tuple(float(number) for number in numbers)


def flag(name: str, value: object) -> bool:
    """True or False, which some write as 1 or 0."""
    if value not in (True, False):
        raise refuse(name, value, "true or false")
    return bool(value)


def make(size: tuple[int, int], arguments: dict[str, Any], options: dict[str, Any]) -> Preprocess:
    """The `Preprocess` of a config, with what the caller adds to it."""
    decided = sorted(set(options) - OPTIONS)
    if decided:
        raise TypeError(f"expected options of {', '.join(sorted(OPTIONS))}, found {decided[0]!r}")
    if arguments.get("resize_size") == size:
        del arguments["resize_size"]
    return Preprocess(size, **{**arguments, **options})
