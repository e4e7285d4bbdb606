"""The chart of the kinds of files: a row for each kind, a mark for each library, on a scale of multiples.

`report.py` draws it from the raw records. It has a paper of its own, so that it is readable on a dark page too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import timing
from kinds import KINDS
from peers import OURS, PILLOW, TORCHVISION

#: The libraries, by the names of their peers: the legend's words and the colour.
SHOWN = {
    OURS: ("clipprep", "#0b6e4f"),
    PILLOW: ("Pillow and NumPy", "#6b4c9a"),
    TORCHVISION: ("torchvision", "#c44e1f"),
    "transformers, torchvision": ("transformers", "#b8860b"),
    "hf-processors-rs, torchvision": ("hf-processors-rs", "#2f6db5"),
    "OpenCV, INTER_AREA": ("OpenCV", "#8a8a8a"),
}
INK, PALE, PAPER = "#222", "#ddd", "#fff"
WIDTH, LABELS, ROW, RADIUS, RIGHT = 640, 144, 22, 5, 24
TICKS = (0.5, 1, 2, 5, 10, 20, 50)


@dataclass(frozen=True)
class Mark:
    """A library's time as a multiple of clipprep's, and whether its bits are Pillow's."""

    times: float
    exact: bool


def marks(run: dict[str, Any], corpus: str) -> dict[str, dict[str, Mark]]:
    """By kind and peer: the ratio of the times of all images of a corpus."""
    found: dict[str, dict[str, Mark]] = {}
    for cell in run["cells"]:
        if cell["kind"] not in KINDS or (cell["corpus"], cell["threads"]) != (corpus, 1):
            continue
        ours = timing.least(timing.of(cell, OURS))
        found[cell["kind"]] = {
            name: Mark(timing.least(timing.of(cell, name)) / ours, peer["check"]["exact"])
            for name, peer in cell["peers"].items()
            if name in SHOWN
        }
    return found


def chart(found: dict[str, dict[str, Mark]], pixels: str) -> str:
    """The picture as SVG; filled marks have Pillow's bits, hollow ones have others."""
    times = [mark.times for peers in found.values() for mark in peers.values()]
    low, high = math.log(min(*times, 0.9)), math.log(max(*times, 2) * 1.1)
    parts: list[str] = []

    def x_of(multiple: float) -> float:
        return LABELS + (WIDTH - LABELS - RIGHT) * (math.log(multiple) - low) / (high - low)

    def text(x: float, y: float, said: str, more: str = "") -> None:
        parts.append(f'<text x="{x:.1f}" y="{y:g}" {more}>{escape(said)}</text>')

    def mark(x: float, y: float, colour: str, exact: bool) -> None:
        fill = colour if exact else PAPER
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:g}" r="{RADIUS}" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
        )

    text(12, 24, "Time per image by kind of file", 'font-size="15" font-weight="bold"')
    text(12, 43, f"as multiples of clipprep's, one thread, photos of {pixels}; left is faster")
    x, y = 18.0, 62
    for said, colour in SHOWN.values():
        mark(x, y, colour, exact=True)
        text(x + 10, y + 4, said)
        x += 28 + 6.6 * len(said)
    y += 20
    for x, said, exact in ((18, "Pillow's bits", True), (120, "other bits", False)):
        mark(x, y, INK, exact)
        text(x + 10, y + 4, said)
    top = y + 22
    bottom = top + 16 + ROW * len(found)
    for tick in (tick for tick in TICKS if low <= math.log(tick) <= high):
        x = x_of(tick)
        parts.append(
            f'<line x1="{x:.1f}" y1="{top + 6}" x2="{x:.1f}" y2="{bottom}" stroke="{PALE}"/>'
        )
        text(x, top, f"{tick:g}x", 'text-anchor="middle"')
    for row, (kind, peers) in enumerate(found.items()):
        y = top + 20 + ROW * row
        text(LABELS - 14, y + 4, kind, 'text-anchor="end"')
        # clipprep comes last, so that no other mark covers it.
        for name in reversed(SHOWN):
            if name in peers:
                mark(x_of(peers[name].times), y, SHOWN[name][1], peers[name].exact)
    height = bottom + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="12" fill="{INK}" role="img">\n'
        f"<title>Time per image by kind of file and library, as multiples of clipprep's</title>\n"
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{PAPER}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
