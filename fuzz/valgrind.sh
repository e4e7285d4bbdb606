#!/usr/bin/env bash
# Files, whole and damaged, cropped in both directions, through the installed wheel under memcheck: by default those
# of the formats whose decoders have C in them.
#   fuzz/valgrind.sh PYTHON [INPUTS [FORMAT ...]]
# Fails on an invalid read or write, or a branch on memory that was never written, in clipprep's library.
set -euo pipefail
python=$(realpath -s "$1") inputs=${2:-400}
formats=("${@:3}")
[ ${#formats[@]} -gt 0 ] || formats=(jpeg webp)
cd "$(dirname "$0")"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The interpreter's own arenas would hide errors. valgrind does not know AVX-512.
PYTHONMALLOC=malloc CLIPPREP_SIMD=${CLIPPREP_SIMD:-avx2} \
  valgrind --tool=memcheck --log-file="$log" --num-callers=30 --error-limit=no \
  "$python" - "$inputs" "${formats[@]}" <<'PYTHON'
import sys
from collections import Counter

from mutate import inputs
from seeds import SEEDS

import clipprep

strict, lenient = (clipprep.Preprocess(16, truncated=how) for how in ("error", "pad"))
counts = Counter()
for format in sys.argv[2:]:
    kinds = [kind for kind in SEEDS if kind.startswith(format)]
    files = [SEEDS[kind]() for kind in kinds]
    files += [item.source for item in inputs(kinds, 1, int(sys.argv[1]))]
    for data in files:
        for pre in (strict, lenient):
            try:
                pre(data)
                counts[format, "opened"] += 1
            except clipprep.ImageError:
                counts[format, "refused"] += 1
for (format, outcome), count in counts.items():
    print(f"{format}: {count} {outcome}")
print(f"{clipprep.build_info()['simd']} kernels")
PYTHON

# An error is a paragraph; ours has a frame in our library.
awk -v RS='\n==[0-9]+== \n' '/_core[.a-z0-9]*\.so/ && /Invalid|uninitialised|overlap/ { print; found++ }
  END { printf "%d errors in clipprep\n", found; exit found > 0 }' "$log"
