#!/usr/bin/env bash
# Unpacks dist/zvpos-VERSION-TARGET elsewhere, as who downloads it does, and builds the sample of it by a bare
# command line, by pkg-config and by CMake, each with the shared and with the static library, and runs all six
# against the simulator. Windows also: the .lib by the linker that speaks MSVC. Needs target/release/zv (make zv), or
# another one in ZVPOS_ZV.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
work=$(mktemp -d "$root/target/unpacked.XXXXXX")
simulator=
trap '[ -z "$simulator" ] || kill "$simulator"; rm -rf "$work"' EXIT
"${ZVPOS_ZV:-$root/target/release/zv}" sandbox --listen 127.0.0.1:0 --port-file "$work/ports" --quiet >/dev/null &
simulator=$!
for _ in $(seq 100); do [ -s "$work/ports" ] && break; sleep 0.05; done
endpoint=$(sed 's/.*"gateway":"\([^"]*\)".*/\1/' "$work/ports")/api/v2

# sample HOW PROGRAM: it quotes, pays, is refused, loses an answer, and stops. A static one has no shared library
# to be found beside it.
sample() {
    local folder=$work/run printed
    rm -rf "$folder" && mkdir "$folder" && cp "$2" "$folder/"
    case $1 in
    *static) ;;
    *) cp "$unpacked"/bin/zvpos.dll "$unpacked"/lib/libzvpos.so "$folder/" 2>/dev/null || true ;;
    esac
    # shellcheck disable=SC2086 # several words
    printed=$(cd "$folder" && LD_LIBRARY_PATH=$folder timeout 120 $runner "./$(basename "$2")" "$endpoint" \
        '~reset_after' | tr -d '\r')
    outcomes=$(sed 's/.*outcome \([0-9]\).*/\1/' <<<"$printed" | paste -sd ' ')
    if [ "$outcomes" != "0 0 0 0 1 4 0" ]; then
        printf '%s: %s: outcomes %s\n%s\n' "$target" "$1" "$outcomes" "$printed" >&2
        exit 1
    fi
    built+=("$1")
}

by_command_line() {
    local suffix=$1 static
    # shellcheck disable=SC2086,SC2046 # several words
    {
        $compiler -O2 -I"$unpacked/include" "$source" -o "$work/bare$suffix" -L"$unpacked/lib" -lzvpos
        sample "command line, shared" "$work/bare$suffix"
        static=$(sed -n 's/^Libs.private: //p' "$unpacked/lib/pkgconfig/zvpos.pc")
        $compiler -O2 -I"$unpacked/include" "$source" -o "$work/bare-static$suffix" "$unpacked/lib/libzvpos.a" $static
        sample "command line, static" "$work/bare-static$suffix"
    }
}

by_pkg_config() {
    local suffix=$1
    export PKG_CONFIG_LIBDIR=$unpacked/lib/pkgconfig
    # shellcheck disable=SC2086,SC2046 # several words
    {
        $compiler -O2 "$source" -o "$work/pc$suffix" $(pkg-config --cflags --libs zvpos)
        sample "pkg-config, shared" "$work/pc$suffix"
        # With only the static library to be found, -lzvpos is that one.
        mkdir -p "$work/only" && cp "$unpacked/lib/libzvpos.a" "$work/only/"
        $compiler -O2 "$source" -o "$work/pc-static$suffix" -L"$work/only" \
            $(pkg-config --static --cflags --libs zvpos | sed "s|-L[^ ]*||")
        sample "pkg-config, static" "$work/pc-static$suffix"
    }
}

by_cmake() {
    local suffix=$1 project=$work/project
    rm -rf "$project" && mkdir -p "$project" && cp "$source" "$project/"
    cat >"$project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(till C)
find_package(zvpos 0.1 REQUIRED)
add_executable(cm till.c)
target_link_libraries(cm PRIVATE zvpos::zvpos)
add_executable(cm-static till.c)
target_link_libraries(cm-static PRIVATE zvpos::static)
CMAKE
    local first=${compiler%% *} system_name=Linux
    [ "$system" = linux ] || system_name=Windows
    printf '#!/bin/sh\nexec %s "$@"\n' "$compiler" >"$work/cc" && chmod +x "$work/cc"
    [ "$first" != "$compiler" ] || ln -sf "$(command -v "$first")" "$work/cc"
    cmake -S "$project" -B "$project/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$work/cc" -DCMAKE_SYSTEM_NAME=$system_name \
        -DCMAKE_PREFIX_PATH="$unpacked" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH >"$work/cmake.log" &&
        cmake --build "$project/build" >>"$work/cmake.log" || { cat "$work/cmake.log" >&2; exit 1; }
    sample "CMake, shared" "$project/build/cm$suffix"
    sample "CMake, static" "$project/build/cm-static$suffix"
}

# A program without a C runtime, since Microsoft's is not here: that the names of the .lib are those of the DLL, and
# on x86 those of the twins, too.
by_msvc_linker() {
    local flags=(-O1 -fno-builtin -ffreestanding) twin=
    [ "$dll_machine" != i386 ] || twin='got += zvs_outcome(0) == -1 ? 0 : 1;'
    cat >"$work/bare.c" <<C
#include "zvpos.h"
__declspec(dllimport) void __stdcall ExitProcess(unsigned int code);
void start(void) { unsigned int got = zv_outcome(0) == -1 ? 0 : 1; $twin ExitProcess(got); }
C
    "$compiler" "${flags[@]}" -I"$unpacked/include" -c "$work/bare.c" -o "$work/bare.obj"
    llvm-dlltool -m "$dll_machine" $([ "$dll_machine" != i386 ] || echo --kill-at) \
        -d <(printf 'LIBRARY kernel32.dll\nEXPORTS\nExitProcess%s\n' "$([ "$dll_machine" != i386 ] || echo @4)") \
        -l "$work/kernel32.lib"
    lld-link /nologo /subsystem:console /entry:start /safeseh:no "/out:$work/bare.exe" "$work/bare.obj" \
        "$unpacked/lib/zvpos.lib" "$work/kernel32.lib"
    mkdir -p "$work/msvc" && cp "$work/bare.exe" "$unpacked/bin/zvpos.dll" "$work/msvc/"
    # shellcheck disable=SC2086 # several words
    (cd "$work/msvc" && $runner ./bare.exe)
    built+=("lld-link with zvpos.lib")
}

# shellcheck disable=SC2086 # several words
for target in ${*:-$TARGETS}; do
    describe "$target"
    built=()
    archive=$(ls "$root"/dist/zvpos-*-"$target".*)
    rm -rf "$work/archive" && mkdir "$work/archive"
    case $archive in
    *.zip) unzip -q "$archive" -d "$work/archive" ;;
    *) tar -xzf "$archive" -C "$work/archive" ;;
    esac
    unpacked=$(echo "$work"/archive/*)
    (cd "$unpacked" && sha256sum --quiet -c SHA256SUMS)
    source=$unpacked/examples/c/till.c
    suffix=
    if [ "$system" = windows ]; then
        suffix=.exe
        by_msvc_linker
    fi
    by_command_line "$suffix"
    by_pkg_config "$suffix"
    by_cmake "$suffix"
    printf '%s: %s\n' "$target" "$(printf '%s; ' "${built[@]}")"
done
