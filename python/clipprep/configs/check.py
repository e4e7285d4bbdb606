"""Check the values of a config's fields; each error names its field."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from .._messages import shown, value_error


def refuse(name: str, value: object, expected: str) -> ValueError:
    """The error about a field that cannot be honoured."""
    return value_error(f"expected {name} {expected}, found {shown(value)}")


def known(config: Mapping[str, Any], names: Collection[str], of: str) -> None:
    """Raises ValueError for a field that is neither honoured nor known to mean nothing."""
    for name, value in config.items():
        if name not in names:
            raise value_error(f"expected the fields of {of}, found {shown(name)}={shown(value)}")


def mapping(name: str, value: object) -> dict[str, Any]:
    """An object of fields; null has none."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise refuse(name, value, "an object")
    return dict(value)


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


def three(name: str, value: object, *, above: float = -math.inf) -> tuple[float, ...]:
    """A finite number for each channel, above a bound; one number stands for all."""
    numbers: list[Any] = list(value) if isinstance(value, (list, tuple)) else [value] * 3
    numeric = all(isinstance(number, (int, float)) for number in numbers)
    if len(numbers) != 3 or not numeric or not all(above < number < math.inf for number in numbers):
        kind = "" if above == -math.inf else f" above {above:g}"
        raise refuse(name, value, f"a finite number or three{kind}")
    return tuple(float(number) for number in numbers)


def positive(name: str, value: object) -> float:
    """A number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e300:
        raise refuse(name, value, "a number above 0")
    return float(value)


def backend(value: object) -> None:
    """Raises ValueError for what is no backend of transformers."""
    if value not in ("torchvision", "pil"):
        raise refuse("backend=", value, 'of "torchvision" and "pil"')


def wanted(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a step is wanted: its field is true, not false, null or absent."""
    value = fields.get(name)
    return value is not None and flag(name, value)


def flag(name: str, value: object) -> bool:
    """True or False, which some write as 1 or 0."""
    if value not in (True, False):
        raise refuse(name, value, "true or false")
    return bool(value)
