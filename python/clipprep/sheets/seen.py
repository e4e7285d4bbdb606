"""The pictures of an image: the source, the crop in it, and the model's view."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from clipprep import Explanation, ImageError, Preprocess

#: The most images that a sheet or a page shows: the first ones.
MAX_IMAGES = 100

SIDE = 224  # of the square for the source, and of that for the model's view


@dataclass(frozen=True)
class Shown:
    """An image to show: what it is called, and where it is read, more than once."""

    name: str
    source: str | bytes


@dataclass(frozen=True)
class Seen:
    """The pictures of an image that could be read."""

    plan: Explanation
    source: Image.Image
    """The whole source, RGB, of at most `SIDE` pixels a side together with the crop."""
    at: tuple[int, int]
    """Where its left upper corner stands in the square."""
    box: tuple[int, int, int, int]
    """The crop in the square: left, top, right, bottom."""
    view: Image.Image
    """The model's view, made from the tensor."""
    lost: float
    """The share of the source that the crop leaves out, from 0 to 1."""

    @property
    def facts(self) -> str:
        """Format, sizes and decoder in a line."""
        plan = self.plan
        return "{} {} {}x{}, resized to {}x{}, {:.0%} cropped, decoder {}".format(
            plan.format, plan.mode, *plan.size, *plan.resized, self.lost, plan.decoder
        )


def see(
    preprocess: Preprocess, shown: Shown, tensor: NDArray[Any], why: str | None = None
) -> Seen | str:
    """The pictures of an image whose tensor is given, or why there are none: `why`, if that is given."""
    try:
        return why or _see(preprocess, shown, tensor)
    except (ImageError, OSError) as error:  # it has gone meanwhile
        return str(error)


def _see(preprocess: Preprocess, shown: Shown, tensor: NDArray[Any]) -> Seen:
    plan = preprocess.explain(shown.source)
    width, height = plan.resized
    left, top, right, bottom = plan.crop
    # Where the crop is larger than the image, both have to fit.
    outer = (min(left, 0), min(top, 0), max(right, width), max(bottom, height))
    scale = SIDE / max(outer[2] - outer[0], outer[3] - outer[1])
    x, y = (
        round((SIDE - scale * (outer[axis + 2] - outer[axis])) / 2 - scale * outer[axis])
        for axis in (0, 1)
    )
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    inside = (min(right, width) - max(left, 0)) * (min(bottom, height) - max(top, 0))
    return Seen(
        plan=plan,
        source=_thumbnail(preprocess, shown, small),
        at=(x, y),
        box=(
            x + round(left * scale),
            y + round(top * scale),
            x + round(right * scale),
            y + round(bottom * scale),
        ),
        view=Image.fromarray(preprocess.unnormalize(tensor)),
        lost=1 - max(inside, 0) / (width * height),
    )


def common_folder(shown: Sequence[Shown]) -> str:
    """The folder that all names are in, with its slash; empty where there is none."""
    folders = [one.name.replace(os.sep, "/").split("/")[:-1] for one in shown]
    common: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common) + "/" if common else ""


def reasons(shown: Sequence[Shown], errors: Mapping[int, object]) -> dict[int, str]:
    """Why rows hold no image, without the names that stand there anyway."""
    return {row: _reason(shown[row].name, str(error)) for row, error in errors.items()}


def _reason(name: str, error: str) -> str:
    # A message has escapes for bytes that are not UTF-8.
    escaped = os.fsencode(name).decode("utf-8", "backslashreplace")
    return error.removeprefix(f"{name}: ").removeprefix(f"{escaped}: ")


def _thumbnail(preprocess: Preprocess, shown: Shown, size: tuple[int, int]) -> Image.Image:
    """The whole source in RGB over white, read as `preprocess` reads it, with its limits."""
    small = Preprocess(
        (size[1], size[0]),
        profile="hf-pil",
        resize_mode="squash",
        dtype="uint8",
        layout="NHWC",
        limits=preprocess.limits,
        truncated=preprocess.truncated,
        exif=preprocess.exif,
        formats=preprocess.formats,
    )
    return Image.fromarray(small(shown.source))
