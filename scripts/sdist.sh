#!/usr/bin/env bash
# Makes the source distribution, with the sources of all crates in it, so that it builds without a
# network (with maturin installed and build isolation off):
#
#   scripts/sdist.sh MATURIN DIST          makes DIST/clipprep-*.tar.gz of the last commit
#   scripts/sdist.sh --check PYTHON DIST   builds and imports it with cargo kept off the network
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "$1" = --check ]; then
    python=$(realpath -s "$2") sdist=$(realpath "$3"/clipprep-*.tar.gz)
    # An empty CARGO_HOME holds no crate that was fetched before.
    CARGO_HOME=$work/cargo CARGO_NET_OFFLINE=true "$python" -m pip install --quiet --no-index --no-deps \
        --no-build-isolation --target "$work/site" "$sdist"
    cd "$work"
    PYTHONPATH=$work/site "$python" -c 'import clipprep; print(clipprep.__file__, clipprep.build_info())'
    exit
fi

maturin=$(realpath -s "$1") dist=$(realpath -m "$2")
rm -f "$dist"/clipprep-*.tar.gz
git archive HEAD | tar -x -C "$work"
cd "$work"
mkdir -p .cargo
cargo vendor --locked vendor >.cargo/config.toml 2>/dev/null
"$maturin" sdist --out "$dist"
