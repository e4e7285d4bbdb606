"""Results in a notebook: thumbnails of what the model sees. All text is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._unnormalize import unnormalize

if TYPE_CHECKING:  # names of annotations alone
    from ._core import Preprocess

#: The most rows that are shown, and the longest side of each in pixels.
MAX_ROWS = 24
SIDE = 112

_CELL = "display:inline-block;vertical-align:top;margin:2px;font-size:11px"


def page(
    text: str, preprocess: Preprocess | None, pixels: NDArray[Any], errors: Mapping[int, object]
) -> str:
    """The text, and a cell for each of the first rows: a thumbnail, or the error."""
    cells = []
    pixels = pixels if hasattr(pixels, "dtype") else np.asarray(pixels)
    for row in range(min(len(pixels), MAX_ROWS)):
        if row in errors:
            error = escape(f"{type(errors[row]).__name__}: {errors[row]}"[:300])
            size = f"width:{SIDE}px;height:{SIDE}px;overflow:hidden;color:#b00020"
            inside = f'<div style="{size}">{error}</div>'
        elif preprocess is not None:
            image = Image.fromarray(unnormalize(preprocess, pixels[row]))
            inside = f'<img alt="row {row}" src="{_address(image)}">'
        else:
            continue
        cells.append(f'<div style="{_CELL}">{inside}<div>{row}</div></div>')
    return f"<pre>{escape(text)}</pre><div>{''.join(cells)}</div>"


def _address(image: Image.Image) -> str:
    """A thumbnail as a data: URI."""
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
