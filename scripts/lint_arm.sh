#!/usr/bin/env bash
# Lints the Rust code for 64-bit ARM on another processor, so that the kernels which are compiled there alone stay buildable.
#
# It needs Rust's library for that target (`rustup target add aarch64-unknown-linux-gnu`), and passes where that is missing. It needs
# no C compiler for ARM: nothing is linked, so the libraries in C are not built, and `true` stands in for their tools.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
if [ "$(uname -m)" = aarch64 ] || [ "$(uname -m)" = arm64 ]; then
    exit # it is what the other lints compile
fi
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    echo "not linted for ARM: Rust's library for $target is not installed"
    exit
fi
CC_aarch64_unknown_linux_gnu=true AR_aarch64_unknown_linux_gnu=true \
    exec cargo clippy --locked --features image,python --lib --tests --target "$target" -- -D warnings
