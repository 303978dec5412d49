#!/usr/bin/env bash
# build.sh [--library] [TARGET…]: builds the library, and without --library the command zv, for the targets that are
# named (all without a name) into target/shipped/TARGET.
# Debian's rustc-web and rust-web-src are a compiler and the very sources of its std, which is built along: so no
# target has to be installed, and std fits the oldest system that is promised.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
cd "$root"
compiler_of_rust=${ZVPOS_RUSTC:-/usr/bin/rustc}
std_sources=$("$compiler_of_rust" --print sysroot)/lib/rustlib/src/rust

# Paths of this machine do not get into the files: two machines build the same bytes.
prefixes=("$root=/zvpos" "${CARGO_HOME:-$HOME/.cargo}=/cargo" "$(realpath "$std_sources")=/rust" "$std_sources=/rust")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
rust_flags=
# Zig's debug information has a path of its own headers in it.
c_flags=-g0
for prefix in "${prefixes[@]}"; do
    rust_flags+=" --remap-path-prefix=$prefix"
    c_flags+=" -ffile-prefix-map=$prefix"
done

# cargo_for TARGET ARGUMENTS…: cargo with everything that the target needs.
cargo_for() {
    describe "$1"
    local name=${platform//-/_} cargo=(cargo) flags=$rust_flags
    local upper=${name^^} set=(RUSTC="$compiler_of_rust" RUSTC_BOOTSTRAP=1)
    set+=("CFLAGS_$name=$c_flags")
    if [ "$system" = windows ]; then
        set+=("CC_$name=$compiler" "AR_$name=$mingw-ar" "CARGO_TARGET_${upper}_LINKER=$compiler")
        flags+=" -Cdlltool=$root/packaging/dlltool.sh"
    else
        cargo=(cargo-zigbuild)
        # No exception passes through C. Windows needs the tables to walk the stack.
        set+=("CFLAGS_$name=$c_flags -fno-asynchronous-unwind-tables -fno-unwind-tables")
        set+=("CARGO_ZIGBUILD_ZIG_PATH=$zig")
    fi
    [ "$platform" != x86_64-unknown-linux-musl ] || flags+=" -Ctarget-feature=-crt-static"
    set+=("RUSTFLAGS=$flags")
    env "${set[@]}" "${cargo[@]}" "$2" -Zbuild-std=std,panic_unwind --target "$triple" --profile dist "${@:3}"
}

build() {
    local out=target/shipped/$1 timeless=() built
    describe "$1"
    built=target/$platform/dist
    # Both libraries of a platform have one name there; cargo builds one again after the other.
    cargo_for "$1" build --quiet --package zvpos --lib --features "$features"
    # build.rs says the same for the library.
    [ "$system" = linux ] || timeless=(-Clink-arg=-Wl,--no-insert-timestamp)
    [ "$only_library" = yes ] || cargo_for "$1" rustc --quiet --package zvpos-cli --bin zv -- "${timeless[@]}"
    rm -rf "$out" && mkdir -p "$out"
    cp "$built/libzvpos.a" "$out/"
    if [ "$system" = linux ]; then
        cp "$built/libzvpos.so" "$out/"
        [ "$only_library" = yes ] || cp "$built/zv" "$out/"
    else
        cp "$built/zvpos.dll" "$out/"
        [ "$only_library" = yes ] || cp "$built/zv.exe" "$out/"
        import_libraries "$out"
    fi
}

# For mingw, and for MSVC, Delphi and whatever else reads .lib files. `--kill-at`: the twins' names are decorated in
# the program and not in the DLL.
import_libraries() {
    local definition=include/zvpos.def kill=()
    [ "$dll_machine" != i386 ] || definition=include/zvpos-x86.def kill=(--kill-at)
    "$mingw-dlltool" "${kill[@]}" --deterministic-libraries -d "$definition" -l "$1/libzvpos.dll.a"
    llvm-dlltool -m "$dll_machine" "${kill[@]}" -d "$definition" -l "$1/zvpos.lib"
    cp "$definition" "$1/zvpos.def"
}

only_library=no
if [ "${1:-}" = --library ]; then
    only_library=yes
    shift
fi
# shellcheck disable=SC2086 # several words
for target in ${*:-$TARGETS}; do
    started=$SECONDS
    build "$target"
    echo "$target: $((SECONDS - started)) s, $(cd "target/shipped/$target" && stat -c '%n %s' -- * | paste -sd ' ')"
done
