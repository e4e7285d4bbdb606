"""Draw the chart of speed from the tables of docs/benchmarks.md.

    python benches/speed.py [--check]

`report.py` calls it; with --check it says whether the chart would change, and changes nothing.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "images" / "speed.svg"

CORPUS, PIXELS = "hd", "2 megapixels"
KINDS = {
    "JPEG files": "JPEG bytes",
    "PNG files": "PNG bytes",
    "arrays": "uint8 arrays (H, W, 3)",
    "PIL images": "PIL images",
}
PEERS = {
    "torchvision, PIL": "torchvision, PIL",
    "torchvision, tensors": "torchvision v2, uint8 tensors",
    "transformers": "transformers, torchvision",
    "hf-processors-rs": "hf-processors-rs, torchvision",
    "OpenCV": "OpenCV, INTER_AREA",
}

OURS, EXACT, INEXACT, INK, PAPER = "#0b6e4f", "#4a6fa5", "#b8c4d6", "#222", "#fff"
WIDTH, LABELS, ROW, BAR = 480, 134, 19, 14


@dataclass(frozen=True)
class Figure:
    """A peer's time as a multiple of clipprep's, and whether its bits are Pillow's."""

    times: float
    exact: bool


def figures(text: str) -> dict[str, dict[str, Figure]]:
    """By kind of source and peer, from the tables of one image at a time on one thread."""
    found = {}
    for kind, named in KINDS.items():
        title = f"### {CORPUS}, {named}, one image at a time, 1 thread\n"
        table = text.split(title)[1].split("\n### ")[0]
        rows = [
            [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line
        ]
        ahead = next(row for row in rows if row[0] == "peer").index("clipprep is")
        peers = {row[0]: Figure(float(row[ahead].split("x")[0]), row[-1] == "exact")
                 for row in rows if re.match(r"[\d.]+x", row[ahead])}  # fmt: skip
        found[kind] = {short: peers[name] for short, name in PEERS.items() if name in peers}
    return found


def chart(found: dict[str, dict[str, Figure]]) -> str:
    """A bar for each peer, in a panel for each kind; narrow, so that a phone shows it whole."""
    parts: list[str] = []

    def text(x: float, y: float, said: str, more: str = "") -> None:
        parts.append(f'<text x="{x:g}" y="{y:g}" {more}>{escape(said)}</text>')

    def bar(x: float, y: float, width: float, colour: str) -> None:
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
        )

    text(12, 24, "Time per image, as multiples of clipprep's", 'font-size="15" font-weight="bold"')
    text(12, 43, f"photos of {PIXELS}, one thread; shorter is faster")
    x = 12
    for said, colour in (("clipprep", OURS), ("the same bits", EXACT), ("other bits", INEXACT)):
        bar(x, 54, BAR, colour)
        text(x + BAR + 5, 66, said)
        x += BAR + 28 + 7 * len(said)
    y = 80
    unit = (WIDTH - LABELS - 50) / max(f.times for peers in found.values() for f in peers.values())
    for kind, peers in found.items():
        y += 20
        text(12, y, kind, 'font-weight="bold"')
        y += 6
        for name, figure in {"clipprep": Figure(1, True), **peers}.items():
            colour = OURS if name == "clipprep" else EXACT if figure.exact else INEXACT
            text(LABELS - 6, y + BAR - 3, name, 'text-anchor="end"')
            bar(LABELS, y, figure.times * unit, colour)
            text(LABELS + figure.times * unit + 5, y + BAR - 3, f"{figure.times:.1f}")
            y += ROW
    height = y + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="12" fill="{INK}" role="img">\n'
        f"<title>Time per image as multiples of clipprep's, by kind of source and library</title>\n"
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{PAPER}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def main() -> int:
    drawn = chart(figures(BENCHMARKS.read_text(encoding="utf-8")))
    if CHART.exists() and CHART.read_text(encoding="utf-8") == drawn:
        return 0
    if "--check" in sys.argv:
        print(
            f"not as docs/benchmarks.md has it: {CHART.name}: run benches/speed.py", file=sys.stderr
        )
        return 1
    CHART.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
