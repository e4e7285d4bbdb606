#!/usr/bin/env bash
# Checks for the tools that the build needs and makes the project's own
# environment with the build backend in it:
#
#   scripts/setup.sh VENV
#
# PYTHON=/path/to/python3 chooses the interpreter.
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

# Rust and C
min_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
for tool in cargo rustc; do
    has "$tool" || die "$tool is missing: install Rust $min_rust or newer (rustup is the usual way)"
done
rust=$(rustc --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$min_rust" "${rust%%-*}" | sort -V | head -n1)" = "$min_rust" ] ||
    die "rustc is $rust, but $min_rust or newer is needed: run 'rustup update'"
has "${CC:-cc}" || die "no C compiler (${CC:-cc}): install one, on Debian 'apt-get install build-essential'"

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
say "$("$python" --version), rustc $rust, environment in $venv"
"$python" -m venv --clear "$venv"

# A pip that knows dependency groups, and the build backend in the versions that pyproject.toml allows
backend=$("$venv/bin/python" -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
# shellcheck disable=SC2086 # one word per requirement
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "pip>=25.1" $backend
