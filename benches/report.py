"""Makes docs/benchmarks.md, docs/goals.md and their pictures from the raw records of bench.py.

python benches/report.py [out/benchmarks.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import chart
import drift
import goals
import numpy as np
import speed
import timing
from kinds import CORPORA, LARGE, SHARED
from kinds import KINDS as FILES
from peers import FLOOR, OURS, TORCHVISION, TORCHVISION_TENSORS

DOCS = Path(__file__).parent.parent / "docs"
KINDS = {
    "jpeg": "JPEG bytes",
    "png": "PNG bytes",
    "array": "uint8 arrays (H, W, 3)",
    "pil": "PIL images",
}

TOP = """# Benchmarks"""

KINDS_OF_FILES = """![Time per image by kind of file and library, as multiples of clipprep's](images/kinds.svg)

A filled mark gives Pillow's bits, a hollow one others. Every file is made from the photos of `hd` (see below) by `benches/kinds.py`. Of each image the shortest of its
rounds counts, and a mark is the ratio of the sums. The figures are [by kind of file](#by-kind-of-file)."""

BY_SOURCE = """![Time per image as multiples of clipprep's, by kind of source and library](images/speed.svg)

Green is clipprep; blue gives the same bits, pale blue other bits. transformers and hf-processors-rs are shown with their torchvision backend,
OpenCV with INTER_AREA; the tables below have the other ways, and every peer.

[Goals of speed](goals.md) has what the figures ought to be."""

GOALS = """# Goals of speed

The figures that [the benchmarks](benchmarks.md) ought to have, and those of the last run. Ratios are of one thread, one image at a time, with the quartiles of
the pairs behind them. Those by kind of file are of the sums of each image's shortest round."""

HEAD = """## How it is measured

Made by `make bench`; no figure here was typed. `benches/bench.py` hands each image to all peers in turn, in one process, with all
threads pinned, in an order drawn anew for each image of each round. So each ratio is of two peers on the same image at the same moment, and a
row has the median of these ratios. Times are for one image: each image's median over the rounds, averaged over the images; ± is half
the distance between the quartiles. On one thread, time is the processor time of the whole process, which leaves out what other programs did
on the machine meanwhile (the wall's clock showed {stolen:.0f} % more in this run's median call); on two it is the wall's. An output is compared with live Pillow's before anything is timed: *exact* means that no bit of
any value differs, else levels of 0 to 255 are told. clipprep, where it is not called otherwise, is the default: exact.

How to read the rows:

- *decode only* does nothing but decode to RGB (`simplejpeg` is libjpeg-turbo, OpenCV has libpng): the floor of what decodes everything.
- *clipprep is* says how many times as fast as that row's peer clipprep's default is, and the quartiles of that.
- transformers rounds the crop's margins down where OpenAI's transform rounds half to even, so its images, and those of hf-processors-rs, which
  follows it, are a row or column off where an odd margin is 3 mod 4: that is most of their drift.
- A batch is a list of images; peers without batches of their own get a pool of as many threads. clipprep and hf-processors-rs have them, transformers
  takes lists.
- {size} x {size} is one image that needs no resizing: what is left is the fixed cost of a call.
"""


BY_KIND = """The times that the first picture shows: clipprep's in milliseconds, over that of a decoder alone (simplejpeg's for JPEG, Pillow's for others
and for CMYK), and the libraries' as multiples of it; in parentheses where the bits are not Pillow's. A library that does not read a kind is left out.
A peer's memory is its own again in the next round. In a process that has it mapped anew for each image, as a new one has, Pillow's decode of WebP in `hd` takes 1.8 times
as long, and clipprep's ratio to it was 0.42 (measured apart from this run)."""


ON_THREADS = f"""One image of `{LARGE}` in a call with `num_threads=2`, by the wall's clock: each image's shortest round. Whatever else runs on the machine makes that longer, on
two threads more than on one; the last column has the processor time of the busier thread, which is what is left where both have a core to themselves.
Other calls, and batches of several images, use one thread for an image."""

#: The heading of that section in docs/architecture.md.
LIMITS = "## What limits the speed of each kind"


def quartiles(cell: dict[str, Any], over: str, under: str) -> tuple[float, float, float]:
    return timing.ratio(timing.of(cell, over), timing.of(cell, under))


def torchvision(kind: str) -> str:
    """The reference of a kind: OpenAI's own transform, but v2 where an array is to be had."""
    return TORCHVISION_TENSORS if kind == "array" else TORCHVISION


def rows(cell: dict[str, Any]) -> list[list[str]]:
    """A table with its head: one row for each peer, the fastest first."""
    kind = cell["kind"]
    bases = {"decode": FLOOR.get(kind), torchvision(kind): torchvision(kind)}
    bases = {label: name for label, name in bases.items() if name in cell["peers"]}
    table = [
        ["peer", "ms", "±", *(f"/ {label}" for label in bases), "clipprep is", "against Pillow"]
    ]
    times = {name: timing.typical(timing.of(cell, name)) for name in cell["peers"]}
    for name, (middle, spread) in sorted(times.items(), key=lambda item: item[1]):
        ratios = (quartiles(cell, name, base) for base in bases.values())
        ahead = quartiles(cell, name, OURS)
        told = f"{ahead[0]:.2f}x ({ahead[1]:.2f} to {ahead[2]:.2f})" if name != OURS else ""
        table.append(
            [
                name,
                f"{middle / 1e6:.3g}" if middle < 1e8 else f"{middle / 1e6:.0f}",
                f"{100 * spread:.0f} %",
                *(f"{found[0]:.2f}" for found in ratios),
                told,
                drift.told(cell["peers"][name]["check"]),
            ]
        )
    return table


def title(cell: dict[str, Any]) -> str:
    many = f"batch of {cell['batch']}" if cell["batch"] > 1 else "one image at a time"
    threads = "1 thread" if cell["threads"] == 1 else f"{cell['threads']} threads"
    return f"{cell['corpus']}, {KINDS.get(cell['kind'], cell['kind'])}, {many}, {threads}"


def cell_as_text(cell: dict[str, Any]) -> str:
    return f"{title(cell)} ({len(timing.of(cell, OURS))} rounds)\n{as_text(rows(cell))}"


def words(head: list[str]) -> set[int]:
    """The columns that are words, and go to the left; figures go to the right."""
    return {0, *(i for i, name in enumerate(head) if name in ("against Pillow", "of", "met"))}


def as_text(table: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    left = words(table[0])
    return "\n".join(
        "  ".join(
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def as_markdown(table: list[list[str]]) -> str:
    left = words(table[0])
    rule = [":--" if i in left else "--:" for i in range(len(table[0]))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [table[0], rule, *table[1:]])


def drifts(run: dict[str, Any]) -> list[list[str]]:
    """How far the inexact are, from the JPEG bytes of each corpus."""
    table = [["peer", "of", "max", "mean", "share", "PSNR", "least cosine"]]
    for cell in run["cells"]:
        if (cell["kind"], cell["threads"], cell["batch"]) != ("jpeg", 1, 1):
            continue
        for name, peer in cell["peers"].items():
            check = peer["check"]
            if check and check.get("share"):
                table.append(
                    [
                        name,
                        cell["corpus"],
                        f"{check['max']:.0f}",
                        f"{check['mean']:.3f}",
                        f"{100 * check['share']:.2g} %",
                        f"{check['psnr']:.1f} dB",
                        f"{check['cosine']:.6f}",
                    ]
                )
    return [table[0], *sorted(table[1:])]


def machine(run: dict[str, Any]) -> str:
    found = run["machine"]
    versions = [f"{name} {version or 'absent'}" for name, version in found["versions"].items()]
    build = ", ".join(f"{key} {value}" for key, value in found["clipprep"].items())
    pictures = [
        f"{c['name']}: {c['images']} image{'s' * (c['images'] > 1)} of {c['megapixels']} megapixels, "
        f"{c['bits_per_pixel']} bits per pixel"
        for c in run["corpora"]
    ]
    return "\n".join(
        [
            f"- {run['date']}, {found['cpu']}, {found['cores']} cores, {found['kernel']}, load {found['load'][0]:.1f} at the start",
            f"- Python {found['python']}, {', '.join(versions)}",
            f"- clipprep: {build}",
            *(f"- {line}" for line in pictures),
        ]
    )


def stolen(run: dict[str, Any]) -> float:
    """By how many percent the wall's clock is ahead of the processor's, in the median call of one thread."""
    more = [
        np.array(peer["wall_ns"]) / np.array(peer["processor_ns"])
        for cell in run["cells"]
        if cell["threads"] == 1
        for peer in cell["peers"].values()
    ]
    return float(100 * np.median(np.concatenate([ratios.ravel() for ratios in more])) - 100)


def memory(run: dict[str, Any]) -> list[list[str]]:
    found = sorted(run["memory"], key=lambda row: row["bytes"])
    return [
        ["peer", "of", "MB"],
        *([r["peer"], r["source"], f"{r['bytes'] / 1e6:.1f}"] for r in found),
    ]


def kinds_of_files(run: dict[str, Any]) -> list[str]:
    """The section of the kinds of files: a table for each corpus."""
    parts = []
    for corpus in CORPORA:
        cells = {c["kind"]: c for c in run["cells"] if c["corpus"] == corpus and c["kind"] in FILES}
        if cells:
            parts += [f"### {corpus}, kinds of files, one image at a time, 1 thread"]
            parts += [as_markdown(kinds_table(cells))]
    return ["## By kind of file", BY_KIND, *parts] if parts else []


def on_threads(run: dict[str, Any]) -> list[str]:
    """The section of one large picture on two threads."""
    table = [["kind", "one thread, ms", "two threads, ms", "two / one", "busier thread / one"]]
    table += [
        [KINDS.get(kind, kind), *(f"{ms:.3g}" for ms in (times.one, times.two))]
        + [f"{ratio:.2f}" for ratio in (times.two / times.one, times.busier)]
        for kind, times in goals.shared(run).items()
        if kind in SHARED
    ]
    return (
        ["## One large picture on two threads", ON_THREADS, as_markdown(table)] if table[1:] else []
    )


def what_limits() -> list[str]:
    """What stands between each kind and less time, as the page on architecture says it."""
    _, _, rest = (DOCS / "architecture.md").read_text(encoding="utf-8").partition(f"{LIMITS}\n")
    return [LIMITS, rest.partition("\n## ")[0].strip()]


def kinds_table(cells: dict[str, dict[str, Any]]) -> list[list[str]]:
    """A row for each kind, a column for each library; other bits than Pillow's are in parentheses."""
    table = [
        [
            "kind",
            "ms",
            "/ decode",
            *(said for name, (said, _) in chart.SHOWN.items() if name != OURS),
        ]
    ]
    for kind, cell in cells.items():
        times = {name: timing.least(timing.of(cell, name)) for name in cell["peers"]}
        row = [kind, f"{times[OURS] / len(cell['peers'][OURS]['wall_ns'][0]) / 1e6:.3g}"]
        row.append(f"{times[OURS] / times[FLOOR[kind]]:.2f}" if FLOOR[kind] in times else "")
        for name in chart.SHOWN:
            if name == OURS:
                continue
            told = f"{times[name] / times[OURS]:.1f}x" if name in times else ""
            exact = name in times and cell["peers"][name]["check"]["exact"]
            row.append(told if exact or not told else f"({told})")
        table.append(row)
    return table


def as_document(run: dict[str, Any]) -> str:
    by_kind = kinds_of_files(run)
    parts = [TOP, *([KINDS_OF_FILES] if by_kind else []), BY_SOURCE]
    parts += [HEAD.format(size=run["size"], stolen=stolen(run)), machine(run)]
    parts += [*what_limits(), *by_kind, *on_threads(run)]
    parts += [
        "## JPEG against the bare decode",
        "Solid bars give OpenAI's bits, pale ones do not; the dotted line is libjpeg-turbo alone, and a thin line has the quartiles.",
        "![Time over the time of the bare decode](benchmarks.svg)",
    ]
    if run.get("memory"):
        parts += ["## Memory", "Growth of the peak (VmHWM) for one JPEG of 101 megapixels."]
        parts += [as_markdown(memory(run))]
    parts += [
        "## Drift of the inexact",
        "From the JPEG bytes, in levels of 0 to 255. The cosine is of a random-projection patch embedding with a fixed seed (`benches/drift.py`); "
        "it is no CLIP model, whose cosines will differ.",
        as_markdown(drifts(run)),
    ]
    for kind, named in KINDS.items():
        cells = [cell for cell in run["cells"] if cell["kind"] == kind]
        parts += [f"## {named}"] if cells else []
        for cell in cells:
            parts += [f"### {title(cell)}", as_markdown(rows(cell))]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    import plot

    records = Path(sys.argv[1] if len(sys.argv) > 1 else "out/benchmarks.json")
    run = json.loads(records.read_text())
    (DOCS / "benchmarks.md").write_text(as_document(run))
    (DOCS / "goals.md").write_text(f"{GOALS}\n\n{as_markdown(goals.table(run))}\n")
    if found := chart.marks(run, speed.CORPUS):
        (DOCS / "images" / "kinds.svg").write_text(chart.chart(found, speed.PIXELS))
    plot.bars(run, DOCS / "benchmarks.svg")
    speed.main()
    print(as_text(goals.table(run)))


if __name__ == "__main__":
    main()
