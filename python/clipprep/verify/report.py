"""The report of ``clipprep verify``: tables, the files that stand out, and where it ran."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import PIL
from PIL import features

from clipprep import Preprocess, build_info
from clipprep.verify.compare import DIFFER, EQUAL, FAILURES, OUTCOMES, SKIPPED, THEIRS, Verdict

#: The name of this report in the marking lines of a Markdown file.
NAME = "clipprep verify"


def environment(preprocess: Preprocess) -> dict[str, str]:
    """The versions that decide about bits."""
    build = build_info()
    turbo = features.version("libjpeg_turbo")
    codecs = {name: features.version(name) for name in ("webp", "libtiff", "jpg_2000", "avif")}
    return {
        "clipprep": f"{build['version']}, {build['target']}, {build['simd']} kernels, JPEG "
        + ("with SIMD" if build["jpeg_simd"] else "without SIMD"),
        "transform": repr(preprocess),
        "Pillow": PIL.__version__,
        "Pillow's JPEG": f"libjpeg-turbo {turbo}"
        if turbo
        else "another library than libjpeg-turbo",
        "Pillow's codecs": ", ".join(f"{name} {found or 'none'}" for name, found in codecs.items()),
        "NumPy": np.__version__,
        "Python": platform.python_version(),
    }


def table(
    verdicts: Iterable[Verdict], heads: Sequence[str], key: Callable[[Verdict], tuple[str, ...]]
) -> str:
    """Counts by `key`, one row each and a last one for all, as Markdown that reads well as text."""
    groups: dict[tuple[str, ...], Counter[str]] = {}
    for verdict in verdicts:
        for name in (key(verdict), ("all", *[""] * (len(heads) - 1))):
            counts = groups.setdefault(name, Counter())
            counts.update(["files", verdict.outcome])
            if verdict.decoder:
                counts.update(["ours", "pillow" if verdict.decoder == "pillow" else "native"])
    rows = [[*heads, "files", *OUTCOMES, "native"]]
    for name, counts in sorted(groups.items(), key=lambda group: (group[0][0] == "all", group[0])):
        native = f"{counts['native'] / counts['ours']:.1%}" if counts["ours"] else "-"
        cells = [
            f"{counts[column]:,}" if counts[column] else "" for column in rows[0][len(heads) : -1]
        ]
        rows.append([*name, *cells, native])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)][: len(heads)]
        right = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)][len(heads) :]
        lines.append("| " + " | ".join(left + right) + " |")
    bars = [
        "-" * width if i < len(heads) else "-" * (width - 1) + ":" for i, width in enumerate(widths)
    ]
    lines.insert(1, "| " + " | ".join(bars) + " |")
    return "\n".join(lines)


def tables(verdicts: Sequence[Verdict]) -> list[str]:
    """By format and mode, by folder where there are several, and what is decoded natively."""
    found = [table(verdicts, ["format", "mode"], lambda verdict: (verdict.format, verdict.mode))]
    native = {v.format for v in verdicts if v.decoder not in (None, "pillow")}
    both = [v for v in verdicts if v.outcome in (EQUAL, DIFFER) and v.format in native]
    if both:
        found.append("Of the files that both read, in the formats that have a native decoder:")
        found.append(table(both, ["format"], lambda verdict: (verdict.format,)))
    folders = {verdict.source.split("/")[0] for verdict in verdicts}
    if len(folders) > 1:
        found.append(table(verdicts, ["folder"], lambda verdict: (verdict.source.split("/")[0],)))
    return found


def as_text(verdicts: Sequence[Verdict], reference: str) -> str:
    """The files that stand out, a line or two each, and the answer in a sentence."""
    odd = [str(verdict) for verdict in verdicts if verdict.outcome in (SKIPPED, THEIRS, *FAILURES)]
    return "\n".join([*odd, sentence(verdicts, reference)])


def sentence(verdicts: Sequence[Verdict], reference: str) -> str:
    """The number of files that are equal to the reference, and the outcomes of the others."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    text = (
        f"{counts.pop(EQUAL, 0):,} of {len(verdicts):,} files are equal to {reference}, bit for bit"
    )
    others = [f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES if counts[outcome]]
    return "; ".join([text, ", ".join(others)]) if others else text


def as_json(
    verdicts: Sequence[Verdict], where: dict[str, str], reference: str
) -> dict[str, object]:
    """The whole report, for programs: every file with what was found."""
    files = [asdict(verdict) for verdict in verdicts]
    return {"environment": where, "result": sentence(verdicts, reference), "files": files}


def as_markdown(verdicts: Sequence[Verdict], where: dict[str, str]) -> str:
    """Where it ran, the tables, and every file on which the two sides do not agree."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in where.items()), *tables(verdicts)]
    odd = [v for v in verdicts if v.outcome in (THEIRS, *FAILURES)]
    if odd:
        listed = "\n".join(map(str, odd))
        parts.append(f"The files on which the two do not agree:\n\n```text\n{listed}\n```")
    else:
        parts.append("There is no file on which the two do not agree.")
    return "\n\n".join(parts)


def marks(name: str) -> tuple[str, str]:
    """The lines between which a Markdown file has the report of that name."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def write_markdown(path: Path, text: str, name: str = NAME) -> None:
    """Puts `text` between the two marking lines of a file; makes the file where there is none."""
    begin, end = marks(name)
    old = path.read_text(encoding="utf-8") if path.exists() else f"{begin}\n{end}\n"
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"expected the lines {begin} and {end} in {path}, found neither or one")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
