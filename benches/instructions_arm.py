"""Counts the instructions of one image on 64-bit ARM, by stage: those of each level beside those of the scalar kernels.

    python benches/instructions_arm.py [--only TEXT] [--functions N]

The program of instructions.py runs under emulation, which logs each block of instructions that it executes;
scripts/cross.sh says what that needs. This is no measure of time: instructions differ in what they cost.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from instructions import INPUTS, ROOT, by_stage, shortened, stage

LEVELS = ("neon", "neon-dotprod", "neon-i8mm")
# A stage of fewer instructions than this share is not printed.
LEAST = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="inputs whose names contain this text")
    parser.add_argument("--functions", type=int, default=0, help="also prints the N costliest")
    options = parser.parse_args()
    for name, words in INPUTS.items():
        if options.only not in name:
            continue
        scalar = by_stage(count("scalar", words))
        print(f"{name}: scalar {sum(scalar.values()):,}", flush=True)
        for level in LEVELS:
            functions = count(level, words)
            found = by_stage(functions)
            shares = [
                f"{part} {found[part] / scalar[part]:.2f}"
                for part in sorted(scalar, key=lambda part: -scalar[part])
                if scalar[part] >= LEAST * scalar.total()
            ]
            print(
                f"    {level:12} {found.total() / scalar.total():.2f}  {', '.join(shares)}",
                flush=True,
            )
            for function, instructions in functions.most_common(options.functions):
                print(f"        {instructions:12,}  {stage(function):12} {shortened(function)}")


def count(level: str, words: list[str]) -> Counter[str]:
    """Instructions by function, without those of functions that they call."""
    with TemporaryDirectory(dir=ROOT / "target") as folder:
        # A pipe: the log of a photo has gigabytes.
        log = Path(folder) / "log"
        os.mkfifo(log)
        environment = os.environ | {
            "CLIPPREP_SIMD": level,
            "QEMU_CPU": "max",
            "QEMU_LOG": "in_asm,exec,nochain",
            "QEMU_LOG_FILENAME": str(Path("/src") / log.relative_to(ROOT)),
        }
        found: list[Counter[str]] = []

        def read() -> None:
            with log.open("rb") as lines:
                found.append(executed(lines))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        command = [
            "scripts/cross.sh",
            "arm64",
            "cargo",
            "bench",
            "--quiet",
            "--locked",
            "--bench",
            "instructions",
        ]
        subprocess.run([*command, "--", *words], cwd=ROOT, env=environment, check=True)
        reader.join()
    if not found or not found[0]:
        sys.exit(f"the emulator logged nothing of {words}")
    return found[0]


def executed(lines: Iterable[bytes]) -> Counter[str]:
    """Instructions by function from the beginning of `counted` on."""
    # A block is listed when it is translated, an instruction a line, and named each time it is executed.
    sizes: dict[bytes, int] = {}
    blocks: Counter[tuple[bytes, bytes]] = Counter()
    block = None
    begun = False
    for line in lines:
        if line.startswith(b"Trace"):
            state, _, function = line.partition(b"[")[2].partition(b"]")
            begun = begun or b"counted" in function
            if begun:
                blocks[function.strip(), state.split(b"/")[1].lstrip(b"0")] += 1
        elif line.startswith(b"IN:"):
            block = None
        elif line.startswith(b"0x"):
            address = line[2 : line.index(b":")].lstrip(b"0")
            if block is None:
                block = address
                sizes[block] = 0
            sizes[block] += 1
    functions: Counter[str] = Counter()
    for (function, address), times in blocks.items():
        functions[function.decode()] += times * sizes[address]
    return functions


if __name__ == "__main__":
    main()
