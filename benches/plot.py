"""The plot of docs/benchmarks.md: time over the time of the bare decode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import timing
from matplotlib.figure import Figure
from peers import FAST, FLOOR, OURS

#: A file that is the same for the same records.
mpl.rcParams.update({"svg.hashsalt": "clipprep", "svg.fonttype": "none"})
COLOURS = {OURS: "#0b6e4f", FAST: "#6bbf8f"}
OTHER, INEXACT = "#4a6fa5", "#b8c4d6"


def bars(run: dict[str, Any], path: Path) -> None:
    """One panel for each corpus of JPEG bytes, one thread, one image at a time."""
    floor = FLOOR["jpeg"]
    cells = [
        cell
        for cell in run["cells"]
        if (cell["kind"], cell["threads"], cell["batch"]) == ("jpeg", 1, 1)
        and floor in cell["peers"]
    ]
    if not cells:
        return
    figure = Figure(figsize=(11, 1.2 + 0.27 * max(len(c["peers"]) for c in cells)))
    axes = figure.subplots(1, len(cells), squeeze=False, sharey=True)[0]
    names = [name for name in cells[0]["peers"] if name != floor]
    for axis, cell in zip(axes, cells, strict=True):
        under = timing.of(cell, floor)
        for y, name in enumerate(names):
            if name not in cell["peers"]:
                continue
            peer = cell["peers"][name]
            middle, lower, upper = timing.ratio(timing.of(cell, name), under)
            plain = OTHER if peer["check"]["exact"] else INEXACT
            axis.barh(y, middle, color=COLOURS.get(name, plain), height=0.72)
            axis.plot([lower, upper], [y, y], color="black", linewidth=0.8)
            axis.annotate(
                f"{middle:.2f}",
                (max(middle, upper), y),
                xytext=(3, 0),
                va="center",
                fontsize=7,
                textcoords="offset points",
            )
        axis.axvline(1, color="black", linewidth=0.8, linestyle=":")
        axis.set_title(cell["corpus"], fontsize=9)
        axis.margins(x=0.18)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    axes[0].invert_yaxis()
    figure.suptitle(
        "JPEG bytes to tensor, one thread: time / bare libjpeg-turbo decode (pale: not exact)",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
