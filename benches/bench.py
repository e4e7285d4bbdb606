"""Measures clipprep against its peers: who is exact, and how long each takes for the same images.

    python benches/bench.py                                  # the made set, see corpora.py
    python benches/bench.py photos web=photos/web/*.jpg      # folders of JPEG files, or NAME=GLOB
    python benches/bench.py --quick --kinds jpeg --corpora web

Every output is compared with live Pillow before anything is timed. The raw records go to a JSON file, of which
report.py makes docs/benchmarks.md and the plot.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import re
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corpora
import drift
import goals
import machine
import memory
import numpy as np
import report
import timing
from kinds import CORPORA, KINDS, LARGE, SHARED
from peers import ALL, MAIN, OURS, PEERS, PIXELS, Peer
from peers_of_torch import opened

from clipprep.verify.reference import pixels

say = functools.partial(print, flush=True)


def main() -> None:
    options = arguments()
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # torch
    run: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "size": options.size,
        "machine": machine.describe(),
        "corpora": [],
        "cells": [],
    }
    say(json.dumps(run["machine"], indent=1))
    for corpus in chosen_corpora(options):
        run["corpora"].append(corpus.describe())
        say(run["corpora"][-1])
        for kind in options.kinds:
            tables = list(chosen_tables(corpus, kind, options))
            sources = corpus.sources(kind) if tables else []
            references = [pixels(opened(source), options.size) for source in sources]
            for table in tables:
                cell = table | measure(table, sources, references, options)
                run["cells"].append(cell)
                say("\n" + report.cell_as_text(cell))
                save(run, options.json)
    if options.memory:
        run["memory"] = memory.measure(options.made, options.size)
        say("\n" + report.as_text(report.memory(run)))
    save(run, options.json)
    say(f"\n{report.as_text(goals.table(run))}\n\n{options.json}: the raw records")


def save(run: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("given", nargs="*", help="folders of JPEG files or NAME=GLOB, instead of the made set")
    add("--size", type=int, default=224, help="side of the output")
    add(
        "--kinds",
        nargs="+",
        choices=(*ALL, "files", "all"),
        default=["all"],
        help='"files" stands for the kinds of files that are a section of their own',
    )
    add("--corpora", nargs="+", help="only these, such as web or huge")
    add("--peers", nargs="+", help="only peers whose name contains one of these; always clipprep")
    add("--threads", nargs="+", type=int, default=[1, 2])
    add("--batches", nargs="+", type=int, default=[1, 64], help="1 is one image, without a list")
    add("--skip", help="no tables whose title matches, such as 'PNG.*batch|huge.*2 threads'")
    add("--seconds", type=float, default=20, help="for each table, if three rounds take no longer")
    add("--quick", action="store_true", help="one thread, one image, two seconds, no huge image")
    add("--no-memory", dest="memory", action="store_false")
    add("--made", type=Path, default=Path("out/bench"), help="where the made set is kept")
    add("--json", type=Path, default=Path("out/benchmarks.json"), help="where the records go")
    options = parser.parse_args()
    groups = {"files": list(KINDS), "all": list(ALL)}
    options.kinds = [kind for name in options.kinds for kind in groups.get(name, [name])]
    if options.quick:
        options.threads, options.batches, options.seconds, options.memory = [1], [1], 2, False
    return options


def chosen_corpora(options: argparse.Namespace) -> list[corpora.Corpus]:
    """The given images or the made set, then the huge image and the one that needs no resizing."""
    names = ["web", "hd", "camera"]
    makers = {name: functools.partial(corpora.made, name, options.made) for name in names}
    if options.given:
        makers = {corpus.name: lambda c=corpus: c for corpus in map(corpora.given, options.given)}
    if not options.quick:
        makers["huge"] = functools.partial(corpora.made, "huge", options.made)
    makers[corpora.fixed_name(options.size)] = functools.partial(corpora.fixed, options.size)
    wanted = options.corpora or list(makers)
    if unknown := set(wanted) - set(makers):
        sys.exit(f"no corpus {', '.join(sorted(unknown))}; there are {', '.join(makers)}")
    return [makers[name]() for name in wanted]


def chosen_tables(
    corpus: corpora.Corpus, kind: str, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    for threads, batch in itertools.product(options.threads, options.batches):
        table = {"corpus": corpus.name, "kind": kind, "threads": threads, "batch": batch}
        if corpus.name == corpora.fixed_name(options.size) and kind not in PIXELS:
            continue  # the fixed cost has nothing to decode
        by_kind = corpus.name in CORPORA and (threads, batch) == (1, 1)
        on_threads = corpus.name == LARGE and kind in SHARED and batch == 1
        if kind not in MAIN and not by_kind and not on_threads:
            continue  # the kinds of files are told by one image at a time
        if batch > 1 and corpus.megapixels > 50:
            continue  # 64 images of 100 megapixels tell what one tells
        if not (options.skip and re.search(options.skip, report.title(table))):
            yield table


def chosen_peers(kind: str, options: argparse.Namespace) -> list[Peer]:
    wanted = [peer for peer in PEERS if kind in peer.kinds]
    if options.peers:
        wanted = [p for p in wanted if p.name == OURS or any(w in p.name for w in options.peers)]
    return wanted


@functools.cache
def skipped(name: str, why: str) -> None:
    """Said once for each peer."""
    say(f"{name} skipped: {why}")


def measure(
    table: dict[str, Any],
    sources: list[Any],
    references: list[drift.Pixels],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """One table: every peer on the same images, checked and then timed in turns."""
    kind, threads, batch = table["kind"], table["threads"], table["batch"]
    items = sources
    if batch > 1:  # the corpus over and over, as one list
        order = [i % len(sources) for i in range(batch)]
        items, references = [[sources[i] for i in order]], references[:batch]
    jobs, checks = {}, {}
    for peer in chosen_peers(kind, options):
        try:
            job = (peer.batch_job if batch > 1 else peer.make)(kind, options.size, threads)
            machine.pin(threads)  # the pools that were started just now, too
            checks[peer.name] = check(peer, job, items, references)
        except (ImportError, TypeError, ValueError) as error:
            skipped(peer.name, str(error))
            continue
        except Exception as error:
            if kind in MAIN or peer.name == OURS:
                raise
            skipped(f"{peer.name}, {kind}", f"it reads no such files ({str(error)[:100]})")
            continue
        jobs[peer.name] = job
    if not checks[OURS]["exact"]:
        sys.exit(f"{report.title(table)}: clipprep is {drift.told(checks[OURS])}")
    machine.pin(threads)
    times = timing.rounds(
        jobs,
        items,
        seconds=options.seconds,
        fewest=2 if batch > 1 else 3,
        most=25,
        # Short, or the branch predictor would know a small file by heart; long where calls are counted in microseconds.
        shortest=1e-2 if table["corpus"] == corpora.fixed_name(options.size) else 1e-3,
    )
    return {
        "peers": {
            name: {
                "check": checks[name],
                # for one image, (rounds, images)
                **{
                    clock: nanoseconds(seconds / batch)
                    for clock, seconds in zip(timing.CLOCKS, taken, strict=True)
                },
            }
            for name, taken in times.items()
        },
    }


def nanoseconds(taken: np.ndarray) -> list[list[int]]:
    return (taken * 1e9).round().astype(int).tolist()


def check(
    peer: Peer, job: timing.Job, items: list[Any], references: list[drift.Pixels]
) -> dict[str, Any] | None:
    if peer.floor:
        job(items[0])
        return None
    if isinstance(items[0], list):  # one list of them all, the corpus at its start
        outputs = job(items[0])[: len(references)]
    else:
        outputs = [job(item).copy() for item in items]
    return drift.compare(outputs, references, peer.expected)


if __name__ == "__main__":
    main()
