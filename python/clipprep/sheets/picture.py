"""The contact sheet: a picture with a cell for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageDraw

from clipprep import Preprocess
from clipprep.sheets import fonts
from clipprep.sheets.seen import MAX_IMAGES, SIDE, Seen, Shown, common_folder, reasons, see

COLUMNS = 3
GAP = 12
CAPTION = 40
CELL_WIDTH = 2 * SIDE + GAP
CELL_HEIGHT = SIDE + CAPTION
HEADER = 48

BACKGROUND = "white"
TEXT = "black"
FAINT = "#666666"
BOX = "#ff0040"
BAD = "#fdeef1"

LEGEND = "Left: the source, resized; the box is the crop, what is pale is lost. Right: what the model sees."


def draw(
    preprocess: Preprocess,
    shown: Sequence[Shown],
    tensors: NDArray[Any],
    errors: Mapping[int, object],
    model: str = "",
) -> Image.Image:
    """Draw a cell for each of the first `MAX_IMAGES` images, left to right, top to bottom.

    `tensors` has row i for `shown[i]`; `errors` has the rows that hold no image. `model` stands above.
    """
    shown = shown[:MAX_IMAGES]
    why = reasons(shown, {row: error for row, error in errors.items() if row < len(shown)})
    columns = max(1, min(len(shown), COLUMNS))
    rows = ceil(len(shown) / columns)
    step_x, step_y = CELL_WIDTH + 2 * GAP, CELL_HEIGHT + GAP
    sheet = Image.new("RGB", (columns * step_x, HEADER + rows * step_y + GAP), BACKGROUND)
    canvas = ImageDraw.Draw(sheet)
    width = sheet.width - 2 * GAP
    fonts.draw(canvas, (GAP, 8), model or repr(preprocess), 15, TEXT, width)
    fonts.draw(canvas, (GAP, 28), LEGEND, 11, FAINT, width)
    folder = common_folder(shown)
    for i, one in enumerate(shown):
        seen = see(preprocess, one, tensors[i], why.get(i))
        cell = _bad(seen) if isinstance(seen, str) else _good(seen)
        fonts.draw(
            ImageDraw.Draw(cell), (0, SIDE + 4), one.name[len(folder) :], 14, TEXT, CELL_WIDTH
        )
        sheet.paste(cell, (GAP + i % columns * step_x, HEADER + GAP + i // columns * step_y))
    return sheet


def _good(seen: Seen) -> Image.Image:
    cell = Image.new("RGB", (CELL_WIDTH, CELL_HEIGHT), BACKGROUND)
    left, top, right, bottom = seen.box
    pale = Image.blend(seen.source, Image.new("RGB", seen.source.size, BACKGROUND), 0.6)
    square = Image.new("RGB", (SIDE, SIDE), BACKGROUND)
    square.paste(pale, seen.at)
    whole = square.copy()
    whole.paste(seen.source, seen.at)
    square.paste(whole.crop(seen.box), (left, top))
    ImageDraw.Draw(square).rectangle((left, top, right - 1, bottom - 1), outline=BOX, width=2)
    cell.paste(square, (0, 0))
    view = seen.view
    scale = SIDE / max(view.size)
    cell.paste(
        view.resize((max(1, round(view.width * scale)), max(1, round(view.height * scale)))),
        (SIDE + GAP, 0),
    )
    fonts.draw(ImageDraw.Draw(cell), (0, SIDE + 23), seen.facts, 11, FAINT, CELL_WIDTH)
    return cell


def _bad(reason: str) -> Image.Image:
    """The reason in the place of the pictures."""
    cell = Image.new("RGB", (CELL_WIDTH, CELL_HEIGHT), BACKGROUND)
    canvas = ImageDraw.Draw(cell)
    canvas.rectangle((0, 0, CELL_WIDTH - 1, SIDE - 1), fill=BAD, outline=BOX)
    for number, line in enumerate(fonts.lines(reason, 14, CELL_WIDTH - 2 * GAP, 9)):
        at = (GAP, GAP + 22 * number)
        fonts.draw(canvas, at, line, 14, BOX, CELL_WIDTH - 2 * GAP)
    return cell
