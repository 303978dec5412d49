#!/usr/bin/env bash
# tools.sh [--build]: installs what building the targets needs, and without --build what packing and running them
# needs, too; where that is possible without asking (Debian, as root).
# Zig is the C compiler and linker of the Linux targets: it brings every glibc back to 2.17, and musl.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
packages=(rustc-web rust-web-src gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 llvm)
[ "${1:-}" = --build ] ||
    packages+=(g++-mingw-w64-x86-64-win32 g++-mingw-w64-i686-win32 lld wine64 qemu-user libc6-arm64-cross
        libc6-armhf-cross libc6-i386 musl debootstrap abigail-tools cmake pkg-config zip unzip)
"$root/tests/apt.sh" "${packages[@]}"
command -v cargo-zigbuild >/dev/null || cargo install --locked --quiet cargo-zigbuild
[ -x "$zig" ] || python3 -m pip install --quiet --root-user-action=ignore --target "$tools" ziglang
[ "${1:-}" != --build ] || exit 0

# What builds the Python wheel.
[ -d "$tools/hatchling" ] ||
    python3 -m pip install --quiet --root-user-action=ignore --target "$tools/hatchling" hatchling
if [ ! -x "$wine_root/usr/bin/wine" ]; then
    # Debian's 32-bit wine cannot stand beside the 64-bit one. Not at its own place before it is whole.
    mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
    rm -rf "$wine_root.new"
    debootstrap --arch=i386 --variant=minbase --include=wine32,wine bookworm "$wine_root.new" \
        "${mirror:-http://deb.debian.org/debian}" >"$root/target/debootstrap.log"
    mv "$wine_root.new" "$wine_root"
fi
for bits in 64 32; do
    "$root/packaging/wine.sh" $bits wineboot -i 2>/dev/null
done
