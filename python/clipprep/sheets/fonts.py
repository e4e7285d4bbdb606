"""Text in pictures, in any script that a font of this machine has; what no font has is escaped."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_FOLDERS = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": (r"C:\Windows\Fonts",),
}
#: Fonts that are looked at.
_MOST = 400
#: A character that no font has: it looks like every other that a font has not.
_ABSENT = "\U0010fffd"


def draw(
    canvas: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    fill: str,
    width: int,
) -> None:
    """Writes a line, shortened to so many pixels."""
    x, y = at
    for font, piece in _runs(_shortened(text, size, width), size):
        if isinstance(font, ImageFont.FreeTypeFont):  # fonts side by side share a base line
            canvas.text((x, y + size), piece, fill, font, anchor="ls")
        else:
            canvas.text((x, y), piece, fill, font)
        x += font.getlength(piece)


def lines(text: str, size: int, width: int, most: int) -> list[str]:
    """A text in lines of so many pixels; after the last one it ends in dots."""
    found: list[str] = []
    rest = " ".join(text.split())
    while rest and len(found) < most - 1:
        line = rest[:width]  # no letter is narrower than a pixel
        while _length(line, size) > width:
            cut = line.rstrip().rfind(" ")
            line = line[: min(cut if cut > 0 else len(line), max(1, len(line) * 7 // 8))]
        if " " in line and len(line) < len(rest) and rest[len(line)] != " ":
            line = line[: line.rindex(" ")]  # at the end of a word
        found.append(line.strip())
        rest = rest[len(line) :].strip()
    return [*found, rest] if rest else found


def _shortened(text: str, size: int, width: int) -> str:
    text = " ".join(text.split())
    if len(text) <= width and _length(text, size) <= width:
        return text
    low, high = 0, min(len(text), width)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        if _length(text[:middle] + "...", size) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low] + "..."


def _length(text: str, size: int) -> float:
    return sum(font.getlength(piece) for font, piece in _runs(text, size))


def _runs(text: str, size: int) -> Iterator[tuple[Font, str]]:
    """A text in pieces, each with a font that has its characters."""
    current: Font | None = None
    piece = ""
    for character in text:
        # Marks that join a character are written with it.
        joins = current is not None and unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf")
        font = current if joins else _font(character, size)
        if font is None:
            font, character = _default(size), _escaped(character)
        if font is not current and piece and current is not None:
            yield current, piece
            piece = ""
        current, piece = font, piece + character
    if piece and current is not None:
        yield current, piece


def _escaped(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return f"\\x{ord(character) & 0xFF:02x}"
    return character.encode("unicode_escape").decode()


@cache
def _default(size: int) -> Font:
    return ImageFont.load_default(size)


@cache
def _font(character: str, size: int) -> Font | None:
    """The first font that has a character."""
    if not character.isprintable():
        return None
    if character == " " or _has(_default(size), character):
        return _default(size)
    for path in _files():
        try:
            font = _opened(path, size)
        except (OSError, ValueError):  # of pictures, damaged, of another kind
            continue
        if _has(font, character):
            return font
    return None


@cache
def _opened(path: str, size: int) -> Font:
    return ImageFont.truetype(path, size)


def _has(font: Font, character: str) -> bool:
    try:
        drawn, absent = font.getmask(character), font.getmask(_ABSENT)
    except (OSError, ValueError):
        return False
    return drawn.getbbox() is not None and (drawn.size, bytes(drawn)) != (
        absent.size,
        bytes(absent),
    )


@cache
def _files() -> tuple[str, ...]:
    """The fonts of this machine, plain ones first."""
    found = []
    for folder in _FOLDERS.get(sys.platform, ()):
        for path in Path(os.path.expanduser(folder)).rglob("*"):
            if path.suffix.lower() in (".ttf", ".otf", ".ttc"):
                found.append(path)
    styled = ("bold", "italic", "oblique", "light", "black", "thin", "condensed", "mono")

    def order(path: Path) -> tuple[bool, str]:
        return any(style in path.name.lower() for style in styled), str(path)

    return tuple(map(str, sorted(found, key=order)[:_MOST]))
