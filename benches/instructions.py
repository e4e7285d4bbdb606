"""Counts the instructions of one image, by stage: a regression shows on a machine however busy.

    python benches/instructions.py [--save FILE] [--against FILE]

It needs valgrind and builds benches/instructions.rs. valgrind has no AVX-512, so this is the AVX2 path. The inputs are
fixed: photos of this repository and arrays, and the counts repeat to within a few instructions of a million.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
INPUTS = {
    "JPEG 4:2:0, 451 x 300": ["file", "photos/cat.jpg"],
    "JPEG 4:4:4, progressive": ["file", "photos/astronaut.jpg"],
    "JPEG, 640 x 427": ["file", "photos/rocket.jpg"],
    "PNG, RGBA": ["file", "photos/retina.png"],
    "PNG, palette": ["file", "photos/hubble.png"],
    "WebP": ["file", "photos/coffee.webp"],
    "array 224 x 224": ["array", "224", "224"],
    "array 500 x 375": ["array", "500", "375"],
    "array 1920 x 1280": ["array", "1920", "1280"],
    "array 4032 x 2700": ["array", "4032", "2700"],
}
# The first that is found in `file:function` says which stage an instruction belongs to.
STAGES = {
    "Huffman": r"jd[ap]?huff|jdarith|jdmarker|decode_mcu|fill_bit_buffer",
    "IDCT": r"idct|inverse_dct",
    "chroma": r"upsample|jdsample|jdmerge",
    "YCbCr": r"ycc|rgb_row|_rgb_convert|jdcolor",
    "JPEG rest": r"jd[a-z]+\.c|jpeg_|decompress_onepass|jcomapi|jmem|jzero|jcopy",
    "inflate": r"inflate|deflate|adler|crc32",
    "PNG filters": r"png|unfilter",
    "WebP": r"libwebp|VP8|WebP|_sse",
    "horizontal": r"resample.*horizontal",
    "vertical": r"resample.*vertical",
    "resample": r"resample",
    "normalise": r"normalise",
    "colour": r"colour|Mapped",
    "memory": r"mem(cpy|set|move|cmp)|malloc|calloc|free|realloc",
}
LINE = re.compile(r"^\s*([\d,]+) \([^)]*\)\s+(\S.*)$")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--save", type=Path, help="writes the counts as JSON")
    parser.add_argument("--against", type=Path, help="an earlier --save: prints the changes")
    parser.add_argument("--functions", type=int, default=0, help="also prints the N costliest")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed")
    program = build()
    counts = {}
    for name, words in INPUTS.items():
        functions = count(program, words)
        counts[name] = dict(by_stage(functions))
        print(row(name, counts[name]), flush=True)
        for function, instructions in functions.most_common(options.functions):
            print(f"    {instructions:12,}  {stage(function):12} {shortened(function)}")
    if options.save:
        options.save.write_text(json.dumps(counts, indent=1) + "\n")
    if options.against:
        changes(json.loads(options.against.read_text()), counts)


def build() -> str:
    """The program with line tables, so that inlined code is counted where it was written."""
    environment = os.environ | {"CARGO_PROFILE_BENCH_DEBUG": "1"}
    command = ["cargo", "bench", "--locked", "--bench", "instructions"]
    done = subprocess.run(
        [*command, "--no-run", "--message-format=json-render-diagnostics"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    made = [json.loads(line).get("executable") for line in done.stdout.splitlines()]
    return next(path for path in made if path)


def count(program: str, words: list[str]) -> Counter[str]:
    """Instructions by `file:function`, without those of functions that they call."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        valgrind = [
            *("valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}"),
            *("--collect-atstart=no", "--toggle-collect=*counted*"),
        ]
        environment = os.environ | {"CLIPPREP_SIMD": "avx2"}
        subprocess.run([*valgrind, program, *words], cwd=ROOT, env=environment, check=True)
        annotate = ["callgrind_annotate", "--threshold=100", "--auto=no", str(out)]
        done = subprocess.run(annotate, capture_output=True, text=True, check=True)
    functions: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        found = LINE.match(line)
        if found and "PROGRAM TOTALS" not in line:
            functions[found[2]] += int(found[1].replace(",", ""))
    if not functions:
        sys.exit(f"callgrind collected nothing of {words}")
    return functions


def stage(function: str) -> str:
    return next(
        (name for name, words in STAGES.items() if re.search(words, function, re.IGNORECASE)),
        "other",
    )


def shortened(function: str) -> str:
    """Without folders and the name of the program."""
    return re.sub(r" \[.*", "", function.rpartition("/")[2] if "<" not in function else function)


def by_stage(functions: Counter[str]) -> Counter[str]:
    stages: Counter[str] = Counter()
    for function, instructions in functions.items():
        stages[stage(function)] += instructions
    return stages


def row(name: str, stages: dict[str, int]) -> str:
    total = sum(stages.values())
    shares = [
        f"{part} {100 * instructions / total:.0f} %"
        for part, instructions in sorted(stages.items(), key=lambda item: -item[1])
        if instructions >= total / 200
    ]
    return f"{name:24} {total:13,}  {', '.join(shares)}"


def changes(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> None:
    print("\nchanges of a thousandth or more:")
    for name in before.keys() & after.keys():
        whole = sum(before[name].values())
        parts = {
            part: after[name].get(part, 0) - before[name].get(part, 0)
            for part in before[name].keys() | after[name].keys()
        }
        for part, change in {"all": sum(parts.values()), **parts}.items():
            if abs(change) >= whole / 1000:
                print(f"{name:24} {part:12} {change:+13,} ({100 * change / whole:+.1f} %)")


if __name__ == "__main__":
    main()
