"""The goals for the figures, and whether they are met: docs/goals.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import corpora
import numpy as np
import timing
from kinds import LARGE
from peers import FAST, FLOOR, OURS, TORCHVISION_TENSORS

DECODE = FLOOR["jpeg"]
RATIOS = (  # who, over whom, of what, at most, by corpus
    (OURS, DECODE, "jpeg", {"web": 1.15, "hd": 1.00, "camera": 0.90}),
    (FAST, DECODE, "jpeg", {"web": 0.90, "hd": 0.72, "camera": 0.65}),
    (OURS, TORCHVISION_TENSORS, "array", {"web": 0.4, "hd": 0.5, "camera": 0.6}),
)
# What one kind of files takes, over what only decodes them, at most: each image's least time, summed.
KIND_RATIOS = {
    "JPEG 4:2:0": {"web": 0.72, "hd": 0.58},
    "JPEG 4:2:2": {"web": 0.72, "hd": 0.58},
    "JPEG 4:4:4": {"web": 0.72, "hd": 0.58},
    "JPEG, grey": {"web": 0.72, "hd": 0.58},
    "JPEG, progressive": {"web": 0.38, "hd": 0.35},
    "JPEG, CMYK": {"web": 0.75, "hd": 0.75},
    "PNG RGB": {"web": 0.31, "hd": 0.30},
    "PNG RGBA": {"web": 0.38, "hd": 0.35},
    "PNG, grey": {"web": 0.31, "hd": 0.29},
    "PNG, palette": {"web": 0.62, "hd": 0.53},
    "PNG, flat": {"web": 0.33, "hd": 0.28},
    "GIF": {"web": 0.35, "hd": 0.35},
    "TIFF, uncompressed": {"web": 0.60, "hd": 0.60},
    "TIFF, LZW": {"web": 0.60, "hd": 0.60},
    "TIFF, deflate": {"web": 0.65, "hd": 0.65},
    "WebP": {"web": 0.70, "hd": 0.42},
}
# One large picture on two threads, over that on one, at most: by the wall's clock, which counts what else the machine does,
# and by the processor time of the busier thread, which does not.
SHARED_RATIOS = {"jpeg": 0.65, "JPEG, progressive": 0.65, "png": 0.75}
# In every table where both are: twice as fast as the one, and the fast tier ahead of the others.
AHEAD = (
    (OURS, "hf-processors-rs, pil", 0.5),
    (OURS, "hf-processors-rs, torchvision", 0.5),
    (OURS, "OpenCV, INTER_AREA", 1.0),
    (OURS, TORCHVISION_TENSORS, 1.0),
    (FAST, "pyvips, thumbnail", 1.0),
    (FAST, "Pillow, draft mode", 1.0),
)
#: Times that spread more than this, between the quartiles of their rounds, decide nothing.
NOISY = 0.05
FIXED_US, PIL_OVER_ARRAY, SPEEDUP, MEMORY_MB = 35.0, 1.1, 1.9, 16.0

Cells = dict[tuple[str, str, int, int], dict[str, np.ndarray]]


def table(run: dict[str, Any]) -> list[list[str]]:
    """A row for each goal whose figures are in the records; the worst table stands for a goal of all."""
    cells: Cells = {
        (cell["corpus"], cell["kind"], cell["threads"], cell["batch"]): {
            name: timing.of(cell, name) for name in cell["peers"]
        }
        for cell in run["cells"]
    }
    found = [["goal", "of", "figure", "quartiles", "at most", "met"]]
    found += (
        _ratios(cells)
        + _kinds(cells)
        + _ahead(cells)
        + _fixed(cells, run["size"])
        + _threads(cells)
        + _shared(run)
    )
    for row in run.get("memory", []):
        if row["peer"] == OURS:
            megabytes = row["bytes"] / 1e6
            found.append(_row("memory, MB", f"huge, {row['source']}", (megabytes,), MEMORY_MB))
    return found


def _row(
    what: str, where: str, figures: tuple[float, ...], most: float, *times: np.ndarray
) -> list[str]:
    quartiles = f"{figures[1]:.2f} to {figures[2]:.2f}" if len(figures) == 3 else ""
    met = "yes" if figures[0] <= most else "no"
    if any(timing.typical(taken)[1] > NOISY for taken in times):
        met = "too noisy to tell"
    return [what, where, f"{figures[0]:.2f}", quartiles, f"{most:.2f}", met]


def _ratios(cells: Cells) -> list[list[str]]:
    rows = []
    for who, over, kind, by_corpus in RATIOS:
        for corpus, most in by_corpus.items():
            times = cells.get((corpus, kind, 1, 1), {})
            if who in times and over in times:
                ratio = timing.ratio(times[who], times[over])
                pair = times[who], times[over]
                rows.append(_row(f"{who} / {over}", f"{corpus}, {kind}", ratio, most, *pair))
    return rows


def _kinds(cells: Cells) -> list[list[str]]:
    rows = []
    for kind, by_corpus in KIND_RATIOS.items():
        floor = FLOOR[kind]
        for corpus, most in by_corpus.items():
            times = cells.get((corpus, kind, 1, 1), {})
            if OURS in times and floor in times:
                pair = times[OURS], times[floor]
                ratio = timing.least(pair[0]) / timing.least(pair[1])
                rows.append(_row(f"{OURS} / {floor}", f"{corpus}, {kind}", (ratio,), most, *pair))
    return rows


def _ahead(cells: Cells) -> list[list[str]]:
    rows = []
    for who, whom, most in AHEAD:
        ratios = [
            (timing.ratio(times[who], times[whom]), f"{key[0]}, {key[1]}, {key[2]} thr., {key[3]}")
            for key, times in cells.items()
            if who in times and whom in times
        ]
        if ratios:
            worst, where = max(ratios)
            rows.append(_row(f"{who} / {whom}", f"the worst: {where}", worst, most))
    return rows


def _fixed(cells: Cells, n: int) -> list[list[str]]:
    rows = []
    corpus = corpora.fixed_name(n)
    arrays = cells.get((corpus, "array", 1, 1), {}).get(OURS)
    if arrays is not None:
        lower, middle, upper = np.percentile(arrays / 1e3, [25, 50, 75]).tolist()
        rows.append(
            _row("one call, microseconds", f"{corpus}, array", (middle, lower, upper), FIXED_US)
        )
    for (name, kind, threads, batch), times in cells.items():
        arrays = cells.get((name, "array", threads, batch), {}).get(OURS)
        if (kind, threads, batch) == ("pil", 1, 1) and arrays is not None:
            # Two tables, minutes apart: medians over the rounds, not pairs.
            ratio = np.median(times[OURS], axis=0).sum() / np.median(arrays, axis=0).sum()
            rows.append(_row("PIL image / array", name, (float(ratio),), PIL_OVER_ARRAY))
    return rows


def _threads(cells: Cells) -> list[list[str]]:
    rows = []
    for (corpus, kind, threads, batch), times in cells.items():
        one = cells.get((corpus, kind, 1, batch), {}).get(OURS)
        if threads == 2 and batch > 1 and one is not None:
            ratio = float(np.median(times[OURS]) / np.median(one))
            rows.append(
                _row(
                    "two threads / one",
                    f"{corpus}, {kind}, {batch}",
                    (ratio,),
                    round(1 / SPEEDUP, 3),
                )
            )
    return rows


@dataclass(frozen=True)
class Shared:
    """A large picture on one thread and on two: the shortest times of its images, summed."""

    #: Milliseconds of an image by the wall's clock.
    one: float
    two: float
    #: The processor time of the busier of two threads, over that of one thread alone.
    busier: float
    #: The times by the wall's clock, on one thread and on two.
    walls: tuple[np.ndarray, np.ndarray]


def shared(run: dict[str, Any]) -> dict[str, Shared]:
    """One large picture on one thread and on two, by kind."""
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for cell in run["cells"]:
        if (cell["corpus"], cell["batch"]) == (LARGE, 1):
            times = [np.array(cell["peers"][OURS][clock], np.float64) for clock in timing.CLOCKS]
            found[cell["kind"], cell["threads"]] = times
    pairs = {
        kind: (one, found[kind, 2])
        for (kind, threads), one in found.items()
        if threads == 1 and (kind, 2) in found
    }
    return {kind: _of_pair(one, two) for kind, (one, two) in pairs.items()}


def _of_pair(one: list[np.ndarray], two: list[np.ndarray]) -> Shared:
    (wall, processor, _), (both_wall, both, caller) = one, two
    images = 1e6 * wall.shape[1]
    return Shared(
        timing.least(wall) / images,
        timing.least(both_wall) / images,
        timing.least(np.maximum(caller, both - caller)) / timing.least(processor),
        (wall, both_wall),
    )


def _shared(run: dict[str, Any]) -> list[list[str]]:
    rows = []
    for kind, times in shared(run).items():
        if kind in SHARED_RATIOS:
            where, most = f"{LARGE}, {kind}", SHARED_RATIOS[kind]
            ratio = (times.two / times.one,)
            rows.append(_row("one picture on two threads / one", where, ratio, most, *times.walls))
            rows.append(_row("the busier of two threads / one", where, (times.busier,), most))
    return rows
