#!/usr/bin/env bash
# Finds or fetches the tools that the build needs, and makes the project's own
# environment with the build backend in it:
#
#   scripts/setup.sh VENV
#
# PYTHON=/path/to/python3 chooses the interpreter. Rust is fetched into VENV where
# there is none; nothing else on the machine changes, but for Debian's packages
# gcc, nasm and python3-venv, where they are missing and that needs no password.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages where that needs no password; fails quietly elsewhere.
apt_install() {
    local as_root=()
    has apt-get || return 1
    if [ "$(id -u)" -ne 0 ]; then
        has sudo && sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    say "installing $* with apt-get"
    {
        "${as_root[@]}" apt-get -qq update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get -qq install -y --no-install-recommends "$@"
    } </dev/null >/dev/null
}

find_python() {
    local python
    for python in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

# Compilers: C, and an assembler
has "${CC:-cc}" || { [ -z "${CC:-}" ] && apt_install gcc libc6-dev; } ||
    die "no C compiler (${CC:-cc}): install one, on Debian 'apt-get install build-essential'"

# nasm assembles the SIMD code of the JPEG decoder on x86; without it the C code is used.
case $(uname -m) in
x86_64 | i?86)
    has nasm || apt_install nasm ||
        say "nasm is missing, JPEG decoding will be slow: install nasm, then 'make clean'"
    ;;
esac

# Python
python=$(find_python) || die "no Python 3.11 or newer: install python3, or set PYTHON=/path/to/python3"
"$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv ||
    die "$python cannot make a virtual environment: on Debian 'apt-get install python3-venv'"
say "$("$python" --version), environment in $venv"
"$python" -m venv --clear "$venv"

# A pip that knows dependency groups, and the build backend in the versions that pyproject.toml allows
backend=$("$venv/bin/python" -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
# shellcheck disable=SC2086 # one word per requirement
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "pip>=25.1" $backend

# Rust: what is there, else rustup's stable, else a Rust inside the environment
min_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
components=(--profile minimal --component clippy --component rustfmt)

fetch_rust() {
    local rust tool
    rust=$(cd "$venv" && pwd)/rust
    say "cargo is missing: fetching Rust into $rust"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check puccinialin &&
        "$venv/bin/python" -m puccinialin --location "$rust" --info-json /dev/null &&
        RUSTUP_HOME=$rust/rustup CARGO_HOME=$rust/cargo \
            "$rust/cargo/bin/rustup" toolchain install stable "${components[@]}" || return
    for tool in "$rust"/cargo/bin/*; do
        # The Makefile has the environment's bin last in PATH.
        printf '#!/bin/sh\nRUSTUP_HOME=%q CARGO_HOME=%q exec %q "$@"\n' \
            "$rust/rustup" "$rust/cargo" "$tool" >"$venv/bin/${tool##*/}"
        chmod +x "$venv/bin/${tool##*/}"
    done
}

if ! has cargo || ! has rustc; then
    fetch_rust >&2 || die "cargo is missing, and could not be fetched: install Rust $min_rust or newer (rustup is the usual way)"
elif ! rustc --version >/dev/null 2>&1 && has rustup; then
    say "rustup has no toolchain: installing stable"
    rustup toolchain install stable "${components[@]}" >/dev/null 2>&1 ||
        die "rustup has no toolchain, and could not fetch one: run 'rustup default stable'"
fi
rust=$(PATH=$PATH:$venv/bin rustc --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$min_rust" "${rust%%-*}" | sort -V | head -n1)" = "$min_rust" ] ||
    die "rustc is $rust, but $min_rust or newer is needed: run 'rustup update'"
say "rustc $rust"
