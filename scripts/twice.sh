#!/usr/bin/env bash
# Builds the wheel of the last commit twice, from nothing each time, and compares the two byte for byte:
#
#   scripts/twice.sh MATURIN
set -euo pipefail

maturin=$(realpath -s "$1")
commit=$(git rev-parse HEAD) # once, so that both builds have the same even if somebody commits meanwhile
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600}

for time in first second; do
    mkdir "$work/source"
    git archive "$commit" | tar -x -C "$work/source"
    (cd "$work/source" && "$maturin" build --quiet --release --locked --target-dir "$work/target" --out "$work/$time")
    rm -rf "$work/source" "$work/target"
done
cd "$work"
sha256sum first/*.whl second/*.whl
cmp first/*.whl second/*.whl
