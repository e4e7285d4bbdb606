"""Pillow's answers in this process: the pixels of a file, and of an image that was opened lazily.

`clipprep._helper` has the same two functions, which may give a job in place of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from PIL import Image

from .memory import Found, Rgb, pixels, size
from .opening import open_again, open_image

if TYPE_CHECKING:
    from .guard import Guard

#: Pixels, and Pillow's name of the format; or None twice, and the kind of a refusal, our words and its cause.
Answer: TypeAlias = tuple[Found | None, str | None, tuple[str, str, BaseException | None]]


def decode(
    data: Any,
    formats: Iterable[str] | None,
    pad: bool,
    rgb: Rgb,
    exif: bool,
    guard: Guard,
    _threads: int = 1,
) -> Answer:
    """Pixels of an encoded file of the allowed formats, as `open_image` opens and `pixels` hands them out."""
    image, refused = open_image(data, formats, pad, guard)
    if image is None:
        return None, None, refused
    found = pixels(image, True, rgb, exif, guard)
    name = getattr(image, "format", None)
    return found, name if isinstance(name, str) else None, refused


def load(
    image: Image.Image, pad: bool, rgb: Rgb, exif: bool, guard: Guard, _threads: int = 1
) -> Answer:
    """Pixels of an image of the caller's. One that was opened lazily stays as it is, where its file can be read
    anew: else the pixels of a whole batch would stay in the caller's objects."""
    own = None if size(image)[2] else open_again(image, pad, guard)
    return in_place(image if own is None else own, rgb, exif, guard)


def in_place(image: Image.Image, rgb: Rgb, exif: bool, guard: Guard) -> Answer:
    """Pixels of an image itself."""
    return pixels(image, True, rgb, exif, guard), None, ("", "", None)
