#!/usr/bin/env bash
# Runs the fuzz targets of fuzz/targets/, with AddressSanitizer in Rust and C, and UndefinedBehaviorSanitizer in C.
#   fuzz/targets.sh SECONDS [TARGET ...]
# gives each target, by default all of them, so many seconds. Needs a nightly compiler, cargo-fuzz and clang. An input
# that fails is written to fuzz/artifacts/TARGET; `CLIPPREP_FUZZ=TARGET PROGRAM FILE` runs it again. Inputs that reach
# new code are kept in fuzz/corpus/TARGET for the next run.
set -euo pipefail
seconds=$1 targets=("${@:2}")
cd "$(dirname "$0")/.."

export CC=clang CFLAGS="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -g1"
cargo +nightly fuzz build targets
program=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release/targets
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("$program" 2>/dev/null)

# The library asks for memory that may not be there, and takes no for an answer.
export ASAN_OPTIONS=detect_odr_violation=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
for target in "${targets[@]}"; do
    echo "== $target"
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    # No input may take more at once than LIMITS in targets/main.rs allows for all of it.
    CLIPPREP_FUZZ=$target "$program" -max_total_time="$seconds" -max_len=262144 -timeout=10 -malloc_limit_mb=32 \
        -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" \
        "fuzz/corpus/$target" tests/data/seeds tests/data/jpeg
done
