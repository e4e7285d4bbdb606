#!/usr/bin/env python3
"""Runs the attacks of tests/support/attacks and prints the cost of each, as a table for docs/reliability.md.

scripts/attacks.py [--markdown FILE] [--only WORD]

Each runs in a process of its own, under the default limits and under a `max_memory` of 256 MiB. The exit status is 1 where
one goes beyond the bounds that the tests have.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import clipprep
from clipprep.verify import report
from support.attacks import ALL
from support.attacks.attack import GROWTH, LIMITS, SECONDS, Attack
from support.programs import Outcome

NAME = "make reliability: attacks"


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e3:,.0f} KB" if count < 1e6 else f"{count / 1e6:,.0f} MB"


def ended(outcome: Outcome) -> str:
    return {"error": outcome.type, "result": "a result"}.get(outcome.kind, outcome.kind)


def row(attack: Attack, outcomes: dict[str, Outcome]) -> str:
    file = size(len(attack.file())) if attack.made else "-"
    ends = list(dict.fromkeys(map(ended, outcomes.values())))
    seconds = [f"{outcome.seconds:.2f}" for outcome in outcomes.values()]
    grown = [f"{outcome.growth >> 20}" for outcome in outcomes.values()]
    name = attack.name.replace("|", "\\|")
    return f"| {name} | {file} | {', '.join(seconds)} | {', '.join(grown)} | {', '.join(ends)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, help="write the table into this file")
    parser.add_argument("--only", default="", help="attacks with this word in their names")
    args = parser.parse_args()
    rows, wrong = [], 0
    for attack in ALL:
        if args.only not in attack.name:
            continue
        outcomes = attack.run()
        rows.append(row(attack, outcomes))
        print(rows[-1], flush=True)
        for limits, outcome in outcomes.items():
            for fault in attack.faults(outcome, limits):
                wrong += 1
                print(f"WRONG under {limits}: {fault}", file=sys.stderr, flush=True)
    head = [
        f"| attack | file | seconds ({', '.join(LIMITS)}) | MB | outcome |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    bounds = (
        f"clipprep {clipprep.__version__}, Python {platform.python_version()}. Bounds: {SECONDS:g} s of processor time; "
        f"{GROWTH['default'] >> 20} MB under the default limits, {GROWTH['256 MiB'] >> 20} MB under 256 MiB."
    )
    if args.markdown is not None:
        report.write_markdown(args.markdown, "\n".join([*head, *rows, "", bounds]), NAME)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
