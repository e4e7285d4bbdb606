#!/usr/bin/env python3
"""Runs targets of the Makefile one after another and prints a summary: each target, how it ended, how long it took.

    scripts/checks.py [--keep-going] TARGET ...

Ends with an error where a target fails: at once, or with --keep-going after the others.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

#: "test result: ok. 161 passed; 0 failed; ..." of cargo, and "4725 passed, 4 skipped in 301.22s" of pytest.
RUST = re.compile(r"^test result: \w+\. (.*); finished in")
PYTHON = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s")
COUNT = re.compile(r"(\d+) ([a-z]+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: Counts in the order in which they are printed; others, such as warnings, are left out.
WORDS = ("passed", "failed", "errors", "xfailed", "skipped", "ignored")


@dataclass
class Ran:
    target: str
    status: int
    seconds: float
    counts: Counter[str]

    def __str__(self) -> str:
        counts = ", ".join(f"{self.counts[word]:,} {word}" for word in WORDS if self.counts[word])
        end = "ok" if self.status == 0 else "FAILED"
        return f"{self.target:14} {end:6} {self.seconds:6.0f} s  {counts}"


def counted(line: str) -> dict[str, int]:
    """The tests that a line of a test program's output sums up."""
    found = RUST.match(line) or PYTHON.match(line)
    numbers = COUNT.findall(found[1]) if found else []
    return {{"error": "errors"}.get(word, word): int(number) for number, word in numbers}


def run(target: str) -> Ran:
    """Runs one target, shows its output as it comes, and counts its tests."""
    started, counts = time.monotonic(), Counter[str]()
    process = subprocess.Popen(
        [os.environ.get("MAKE", "make"), "--no-print-directory", target],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        counts.update(counted(COLOUR.sub("", line)))
    return Ran(target, process.wait(), time.monotonic() - started, counts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep-going", action="store_true", help="run the others after a failure")
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    args = parser.parse_args()
    ran: list[Ran] = []
    for target in args.targets:
        ran.append(run(target))
        if ran[-1].status and not args.keep_going:
            break
    print("\n" + "\n".join(map(str, ran)))
    left = args.targets[len(ran) :]
    if left:
        print(f"not run after the failure: {' '.join(left)}")
    if len(ran) > 1:
        counts = sum((each.counts for each in ran), Counter[str]())
        print(Ran("all", max(each.status for each in ran), sum(r.seconds for r in ran), counts))
    return 1 if any(each.status for each in ran) else 0


if __name__ == "__main__":
    sys.exit(main())
