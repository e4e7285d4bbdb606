#!/usr/bin/env bash
# Builds the Rust library for another processor or system and runs its tests, on an x86-64 Debian machine, as root:
#
#   scripts/cross.sh s390x cargo test --locked --lib
#
# s390x (big-endian), riscv64, ppc64el, armhf (32 bits) and arm64 are those that Debian's development branch has Rust's library
# for; their programs run under emulation (qemu). For windows, whose programs run under Wine, and musl, whose programs need
# nothing, Rust's library is built, too. The first call makes a Debian of that branch in CROSS_DIR (default:
# $TMPDIR/clipprep-cross; about 2 GB), and the first call for each system installs its compiler there.
# Emulation shows bits, never speed: what is fast here need not be fast there.
set -euo pipefail
cd "$(dirname "$0")/.."

# Rust's target, the prefix of the C compiler, and the command that runs a program.
declare -A systems=(
    [s390x]="s390x-unknown-linux-gnu s390x-linux-gnu qemu-s390x"
    [riscv64]="riscv64gc-unknown-linux-gnu riscv64-linux-gnu qemu-riscv64"
    [ppc64el]="powerpc64le-unknown-linux-gnu powerpc64le-linux-gnu qemu-ppc64le"
    [armhf]="armv7-unknown-linux-gnueabihf arm-linux-gnueabihf qemu-arm"
    [arm64]="aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64"
    [windows]="x86_64-pc-windows-gnu x86_64-w64-mingw32 wine64"
    [musl]="x86_64-unknown-linux-musl zig env"
)

system=${1:-none}
if [ -z "${systems[$system]:-}" ] || [ "${2:-}" != cargo ] || [ $# -lt 3 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
fi
read -r target prefix runner <<<"${systems[$system]}"
command=$3
shift 3
export root=${CROSS_DIR:-${TMPDIR:-/tmp}/clipprep-cross}

# Runs a command in that Debian. Its mounts are its own, so that several calls may run at the same time.
inside() {
    local name kept=()
    for name in PROPTEST_CASES CLIPPREP_SIMD QEMU_CPU QEMU_LOG QEMU_LOG_FILENAME; do
        [ -z "${!name:-}" ] || kept+=("$name=${!name}")
    done
    # shellcheck disable=SC2016
    unshare --mount bash -ec '
        mount --bind /proc "$root/proc"
        mount --bind /dev "$root/dev"
        mkdir -p "$root/src"
        mount --bind . "$root/src"
        exec chroot "$root" /usr/bin/env -i "$@"' mounts \
        HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PATH=/zig/bin:/usr/sbin:/usr/bin:/sbin:/bin "${kept[@]}" "$@"
}

install() {
    inside apt-get install -qq -y --no-install-recommends "$@" >/dev/null
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
    install rustc cargo gcc git make qemu-user
    touch "$root/.made"
fi
if ! [ -e "$root/.made-$system" ]; then
    inside apt-get update -qq
    case $system in
        windows) install rust-src nasm gcc-mingw-w64-x86-64-posix wine64 ;;
        musl)
            install rust-src nasm python3-venv
            inside python3 -m venv /zig
            inside /zig/bin/pip install -q ziglang cargo-zigbuild
            ;;
        *)
            # Of Rust's library the files alone: what its package depends on, a compiler's library, is not needed, and not
            # there in the same version for all processors at all times.
            inside dpkg --add-architecture "$system"
            inside apt-get update -qq
            install "gcc-${prefix/_/-}" "libc6-dev-$system-cross"
            inside bash -ec 'cd /var/tmp && apt-get -qq download "$1" && dpkg-deb -x libstd-rust-dev_*.deb / &&
                rm libstd-rust-dev_*.deb' download "libstd-rust-dev:$system"
            ;;
    esac
    touch "$root/.made-$system"
fi

variable=${target//-/_}
settings=("CARGO_TARGET_DIR=/target/$system" "CARGO_TARGET_${variable^^}_RUNNER=$runner")
tool=cargo
if [ "$prefix" = zig ]; then
    tool=cargo-zigbuild
else
    settings+=("CC_$variable=$prefix-gcc" "CARGO_TARGET_${variable^^}_LINKER=$prefix-gcc")
fi
case $system in
    # Debian has Rust's library for these in source alone.
    windows | musl)
        settings+=("RUSTC_BOOTSTRAP=1" "WINEDEBUG=-all" "CARGO_TARGET_${variable^^}_RUSTFLAGS=-C link-self-contained=no")
        set -- -Zbuild-std=std,panic_unwind,test "$@"
        ;;
    *) settings+=("QEMU_LD_PREFIX=/usr/$prefix") ;;
esac
# shellcheck disable=SC2016
inside "${settings[@]}" bash -c 'cd /src && exec "$@"' cargo "$tool" "$command" --target "$target" "$@"
