#!/usr/bin/env bash
# Builds the Rust library for another processor and runs its tests under emulation (qemu), on an x86-64 Debian machine, as root:
#
#   scripts/cross.sh s390x cargo test --locked --lib
#
# s390x (big-endian), riscv64, ppc64el, armhf and arm64 are those that Debian's development branch has Rust's library for. The
# first call makes a Debian of that branch in CROSS_DIR (default: $TMPDIR/clipprep-cross; about 2 GB), and each processor's
# first call installs its compiler there. Emulation shows bits, never speed: what is fast here need not be fast there.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A triples=(
    [s390x]=s390x-linux-gnu [riscv64]=riscv64-linux-gnu [ppc64el]=powerpc64le-linux-gnu
    [armhf]=arm-linux-gnueabihf [arm64]=aarch64-linux-gnu
)
declare -A targets=(
    [s390x]=s390x-unknown-linux-gnu [riscv64]=riscv64gc-unknown-linux-gnu [ppc64el]=powerpc64le-unknown-linux-gnu
    [armhf]=armv7-unknown-linux-gnueabihf [arm64]=aarch64-unknown-linux-gnu
)
declare -A emulators=([s390x]=s390x [riscv64]=riscv64 [ppc64el]=ppc64le [armhf]=arm [arm64]=aarch64)

processor=${1:-} triple=${triples[${1:-none}]:-}
if [ -z "$triple" ] || [ "${2:-}" != cargo ] || [ $# -lt 3 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
fi
target=${targets[$processor]} command=$3
shift 3
root=${CROSS_DIR:-${TMPDIR:-/tmp}/clipprep-cross}

inside() {
    local mount
    for mount in proc dev; do mountpoint -q "$root/$mount" || mount --bind "/$mount" "$root/$mount"; done
    local name kept=()
    for name in PROPTEST_CASES CLIPPREP_SIMD QEMU_CPU QEMU_LOG QEMU_LOG_FILENAME; do
        [ -z "${!name:-}" ] || kept+=("$name=${!name}")
    done
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "${kept[@]}" "$@"
}

if ! [ -e "$root/.made" ]; then
    [ -x /usr/sbin/debootstrap ] || apt-get install -qq -y debootstrap >/dev/null
    # The mirror that this machine uses, at its development branch.
    mirror=$({ grep -rhoE '^(URIs:|deb) +\S*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null || true; } |
        grep -oE '[a-z]+://\S*' | sed -n 1p)
    mkdir -p "$root"
    debootstrap --variant=minbase --include=ca-certificates sid "$root" ${mirror:+"$mirror"} >/dev/null
    cp /etc/resolv.conf "$root/etc/"
    cp --remove-destination /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    inside apt-get update -qq
    inside apt-get install -qq -y --no-install-recommends rustc cargo gcc git make qemu-user >/dev/null
    touch "$root/.made"
fi
if ! [ -e "$root/.made-$processor" ]; then
    inside dpkg --add-architecture "$processor"
    inside apt-get update -qq
    inside apt-get install -qq -y --no-install-recommends \
        "libstd-rust-dev:$processor" "gcc-${triple/_/-}" "libc6-dev:$processor" >/dev/null
    touch "$root/.made-$processor"
fi

mkdir -p "$root/src"
mountpoint -q "$root/src" && umount "$root/src"
mount --bind . "$root/src"
trap 'umount "$root/src"' EXIT
variable=${target//-/_}
inside CARGO_TARGET_DIR=/target "CC_$variable=$triple-gcc" "CARGO_TARGET_${variable^^}_LINKER=$triple-gcc" \
    "CARGO_TARGET_${variable^^}_RUNNER=qemu-${emulators[$processor]} -L /usr/$triple" \
    bash -c 'cd /src && cargo "$@"' cargo "$command" --target "$target" "$@"
