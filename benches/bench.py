"""Times one thread from JPEG bytes or arrays to tensors, all peers in one run.

    python benches/bench.py FOLDER [FOLDER ...] [--size 224] [--rounds 9] [--json records.json]

Each peer's output is compared with live Pillow before it is timed. The peers take turns, so that a
machine that changes its pace changes it for all; a ratio is the median of the ratios of each round.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from peers import PEERS, Job, Peer, pillow_reference
from PIL import Image

import clipprep


def machine() -> dict[str, Any]:
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "clipprep": clipprep.build_info(),
    }


def drift(peer: Peer, job: Job, sources: list[Any], references: list[np.ndarray]) -> str:
    """How far a peer's bytes are from the reference's; the float part is undone."""
    if not peer.whole:
        return "not the whole job"
    std = np.array(clipprep.STD, np.float32).reshape(3, 1, 1) * 255
    values, differing, worst = 0, 0, 0
    for source, reference in zip(sources, references, strict=True):
        tensor = np.array(job(source), copy=True)
        values += reference.size
        if np.array_equal(tensor, reference):
            continue
        levels = np.rint(np.abs(tensor - reference) * std).astype(int)
        differing += max(1, int((levels > 0).sum()))
        worst = max(worst, int(levels.max()))
    if not differing:
        return "exact"
    return f"up to {worst} levels off, {100 * differing / values:.2f} % of values"


def one_round(job: Job, sources: list[Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        for source in sources:
            job(source)
    return (time.perf_counter() - start) / (repeats * len(sources))


def measure(
    kind: str, corpus: str, sources: list[Any], references: list[np.ndarray], size: int, rounds: int
) -> list[dict[str, Any]]:
    jobs: dict[str, tuple[Peer, Job]] = {}
    for peer in PEERS:
        if peer.takes != kind:
            continue
        try:
            jobs[peer.name] = (peer, peer.make(size))
        except ImportError as error:
            print(f"{corpus} {kind}: {peer.name} skipped: {error}")
    checks = {name: drift(peer, job, sources, references) for name, (peer, job) in jobs.items()}
    if checks["clipprep"] != "exact":
        sys.exit(f"{corpus} {kind}: clipprep is {checks['clipprep']}")
    # Rounds of a fifth of a second or more.
    repeats = max(1, round(0.2 / (one_round(jobs["clipprep"][1], sources, 1) * len(sources))))
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, (_, job) in jobs.items():
            times[name].append(one_round(job, sources, repeats))
    records = []
    for name, taken in times.items():
        ratios = [own / theirs for own, theirs in zip(times["clipprep"], taken, strict=True)]
        records.append(
            {
                "corpus": corpus,
                "kind": kind,
                "peer": name,
                "check": checks[name],
                "images": len(sources),
                "seconds": taken,
                "clipprep_over_peer": statistics.median(ratios),
            }
        )
    return records


def show(records: list[dict[str, Any]]) -> None:
    print(
        f"\n{'corpus':14} {'from':6} {'peer':32} {'ms':>8} {'spread':>7} {'clipprep / peer':>16}  check"
    )
    for record in records:
        taken = record["seconds"]
        middle = statistics.median(taken)
        spread = (max(taken) - min(taken)) / middle
        print(
            f"{record['corpus']:14} {record['kind']:6} {record['peer']:32} {1000 * middle:8.3f} "
            f"{spread:7.0%} {record['clipprep_over_peer']:16.3f}  {record['check']}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, help="folders of JPEG files, a corpus each; or NAME=GLOB"
    )
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="where the raw records go")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(machine()))
    records: list[dict[str, Any]] = []
    reference = pillow_reference(options.size)
    for folder in options.folders:
        name, _, pattern = str(folder).rpartition("=")
        paths = sorted(
            Path("/").glob(str(Path(pattern).absolute())[1:]) if name else folder.glob("*.jpg")
        )
        if not paths:
            sys.exit(f"no JPEG file in {folder}")
        data = [path.read_bytes() for path in paths]
        images = [Image.open(io.BytesIO(encoded)).convert("RGB") for encoded in data]
        references = [reference(Image.open(io.BytesIO(encoded))) for encoded in data]
        records += measure(
            "jpeg", name or folder.name, data, references, options.size, options.rounds
        )
        arrays = [np.array(image) for image in images]
        references = [reference(image) for image in images]
        records += measure(
            "array", name or folder.name, arrays, references, options.size, options.rounds
        )
    show(records)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "records": records}, indent=1))


if __name__ == "__main__":
    main()
