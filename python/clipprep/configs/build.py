"""Join what a config decides with the options of the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core import describe_options
from .._messages import shown, type_error

#: Options that a caller may add to a config: how files are read and results are written, not what is computed.
OPTIONS = frozenset(row["name"] for row in describe_options() if row["beside_config"])


def join(
    size: tuple[int, int], decided: dict[str, Any], options: Mapping[str, object]
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of `Preprocess`: those that a config decided, and those of the caller."""
    wrong = sorted(set(options) - OPTIONS)
    if wrong:
        raise type_error(
            f"expected options of {', '.join(sorted(OPTIONS))}, found {shown(wrong[0])}"
        )
    return size, {**decided, **options}
