"""Types of arguments. Only type checkers import this module."""

from __future__ import annotations

from os import PathLike
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from typing_extensions import Buffer


class Readable(Protocol):
    """A binary file."""

    def read(self) -> bytes: ...


#: What one image may come from.
Source: TypeAlias = str | PathLike[str] | Buffer | Readable | Image | NDArray[np.uint8]
