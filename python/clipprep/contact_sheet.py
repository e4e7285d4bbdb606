"""A picture of what the model sees: each source with its crop beside the tensor's pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import clipprep

#: The most images that a sheet shows: the first ones.
MAX_IMAGES = 100

COLUMNS = 3
SIDE = 224  # of the square for the source, and of that for the model's view
GAP = 12
CAPTION = 40
CELL_WIDTH = 2 * SIDE + GAP
CELL_HEIGHT = SIDE + CAPTION

BACKGROUND = "white"
TEXT = "black"
FAINT = "#666666"
BOX = "#ff0040"


@dataclass(frozen=True)
class Shown:
    """An image of a sheet: what it is called, and where it is read, more than once."""

    name: str
    source: str | bytes


def draw(
    preprocess: clipprep.Preprocess,
    shown: Sequence[Shown],
    tensors: NDArray[Any],
    errors: Mapping[int, object],
) -> Image.Image:
    """Draw one cell for each of the first `MAX_IMAGES` images, left to right, top to bottom.

    `tensors` is (N, 3, n, n), row i for `shown[i]`; `errors` has the rows that hold no image.
    """
    shown = shown[:MAX_IMAGES]
    columns = min(len(shown), COLUMNS)
    rows = ceil(len(shown) / columns)
    step_x, step_y = CELL_WIDTH + 2 * GAP, CELL_HEIGHT + GAP
    sheet = Image.new("RGB", (columns * step_x, rows * step_y + GAP), BACKGROUND)
    for i, one in enumerate(shown):
        if i in errors:
            cell = _captioned(one.name, str(errors[i]), BOX)
        else:
            cell = _cell(preprocess, one, tensors[i])
        sheet.paste(cell, (GAP + i % columns * step_x, GAP + i // columns * step_y))
    return sheet


def _cell(preprocess: clipprep.Preprocess, one: Shown, tensor: NDArray[Any]) -> Image.Image:
    plan = preprocess.explain(one.source)
    cell = _captioned(
        one.name,
        "{} {} {}x{}, resized to {}x{}, decoder {}".format(
            plan.format, plan.mode, *plan.size, *plan.resized, plan.decoder
        ),
        FAINT,
    )
    scale = SIDE / max(plan.resized)
    thumbnail = _thumbnail(one.source, [max(1, round(side * scale)) for side in plan.resized])
    left, top, right, bottom = (round(edge * scale) for edge in plan.crop)
    faded = Image.blend(thumbnail, Image.new("RGB", thumbnail.size, BACKGROUND), 0.6)
    faded.paste(thumbnail.crop((left, top, right, bottom)), (left, top))
    ImageDraw.Draw(faded).rectangle((left, top, right - 1, bottom - 1), outline=BOX, width=2)
    cell.paste(faded, ((SIDE - faded.width) // 2, (SIDE - faded.height) // 2))

    view = Image.fromarray(preprocess.unnormalize(tensor)).resize((SIDE, SIDE))
    cell.paste(view, (SIDE + GAP, 0))
    return cell


def _captioned(name: str, detail: str, colour: str) -> Image.Image:
    cell = Image.new("RGB", (CELL_WIDTH, CELL_HEIGHT), BACKGROUND)
    canvas = ImageDraw.Draw(cell)
    for line, size, fill, y in [
        (Path(name).name, 14, TEXT, SIDE + 4),
        (detail, 11, colour, SIDE + 23),
    ]:
        font = ImageFont.load_default(size)
        canvas.text((0, y), _shortened(line, font), fill, font)
    return cell


def _thumbnail(source: str | bytes, size: Sequence[int]) -> Image.Image:
    with Image.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
        opened.draft(None, (2 * size[0], 2 * size[1]))  # a JPEG need not be decoded in full
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    image = image.resize((size[0], size[1]))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image)
    return image.convert("RGB")


def _shortened(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """`text` on one line, without what fits no cell or no font."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    if font.getlength(text) <= CELL_WIDTH:
        return text
    while text and font.getlength(text + "...") > CELL_WIDTH:
        text = text[:-1]
    return text + "..."
