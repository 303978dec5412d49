#!/usr/bin/env bash
# Every target that is shipped, in one table: how it is built, and how its programs are compiled and run here.
# Sourced by the other scripts; called with a target it prints what tests/targets.rs needs to know.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/target/tools
zig=$tools/ziglang/zig
wine_root=$root/target/wine32

TARGETS="x86_64-win7-windows-gnu i686-win7-windows-gnu x86_64-unknown-linux-gnu i686-unknown-linux-gnu
aarch64-unknown-linux-gnu armv7-unknown-linux-gnueabihf x86_64-unknown-linux-musl
server-x86_64-unknown-linux-gnu server-aarch64-unknown-linux-gnu"

# Sets for one target, whose name begins with `server-` if it is that of the library for servers:
#   platform   the target without that
#   product    what its archive's name begins with
#   features   those of the library
#   system     windows or linux
#   triple     what cargo is asked for; behind the point the oldest glibc that the result needs
#   compiler, compiler_of_cpp   a C and a C++ compiler for it
#   runner     what stands before a program's name to run it on this machine
#   dll_machine, mingw   of a Windows target: for llvm-dlltool, and the prefix of the mingw tools
describe() {
    platform=${1#server-} product=zvpos features=
    [ "$platform" = "$1" ] || product=zvpos-server features=postgres
    system=linux triple=$platform runner= mingw= dll_machine=
    case $1 in
    x86_64-win7-windows-gnu)
        system=windows mingw=x86_64-w64-mingw32 dll_machine=i386:x86-64 runner="$root/packaging/wine.sh 64"
        ;;
    i686-win7-windows-gnu)
        system=windows mingw=i686-w64-mingw32 dll_machine=i386 runner="$root/packaging/wine.sh 32"
        ;;
    x86_64-unknown-linux-gnu | server-x86_64-unknown-linux-gnu)
        triple=$platform.2.17 compiler="$zig cc -target x86_64-linux-gnu.2.17"
        ;;
    i686-unknown-linux-gnu)
        triple=$platform.2.17 compiler="$zig cc -target x86-linux-gnu.2.17"
        ;;
    aarch64-unknown-linux-gnu | server-aarch64-unknown-linux-gnu)
        triple=$platform.2.17 compiler="$zig cc -target aarch64-linux-gnu.2.17"
        runner="qemu-aarch64 -L /usr/aarch64-linux-gnu"
        ;;
    armv7-unknown-linux-gnueabihf)
        triple=$platform.2.17 compiler="$zig cc -target arm-linux-gnueabihf.2.17 -mcpu=generic+v7a+vfp3d16"
        runner="qemu-arm -L /usr/arm-linux-gnueabihf"
        ;;
    x86_64-unknown-linux-musl)
        compiler="$zig cc -target x86_64-linux-musl"
        ;;
    *)
        echo "no target $1; there are: $TARGETS" >&2
        exit 2
        ;;
    esac
    [ -z "$mingw" ] || compiler=$mingw-gcc-win32
    compiler_of_cpp=${compiler/$zig cc/$zig c++}
    compiler_of_cpp=${compiler_of_cpp/-gcc-/-g++-}
}

# archive_of TARGET: the name of what `pack.sh` makes of it, without its ending.
archive_of() {
    describe "$1"
    echo "$product-$version-$platform"
}
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    describe "${1:?a target}"
    printf 'system=%s\ncompiler=%s\nrunner=%s\nlibrary=%s\n' "$system" "$compiler" "$runner" "$root/target/shipped/$1"
fi
