#!/usr/bin/env bash
# Unpacks the archive of each target in dist elsewhere, as who downloads it does, and uses nothing but what is in it: builds the
# sample of it by a bare command line, by pkg-config and by CMake, each with the shared and with the static library, and
# the program of the C++ header's page by CMake, and runs all seven against the simulator in the archive's own `zv`.
# Windows also: the .lib by the linker that speaks MSVC.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
work=$(mktemp -d "$root/target/unpacked.XXXXXX")
simulator=
trap 'simulator_stops; rm -rf "$work"' EXIT

# The archive's own `zv`, run as the target's programs are; it ends when its standard input does.
simulator_starts() {
    rm -rf "$work/simulator" && mkdir "$work/simulator" && mkfifo "$work/simulator/stdin"
    # shellcheck disable=SC2086 # several words
    (cd "$work/simulator" && exec $runner "$unpacked/bin/zv$suffix" sandbox --listen 127.0.0.1:0 \
        --admin 127.0.0.1:0 --port-file ports --quiet --exit-with-stdin <stdin >/dev/null) &
    simulator=$!
    exec 3>"$work/simulator/stdin"
    for _ in $(seq 1200); do
        [ ! -s "$work/simulator/ports" ] || break
        sleep 0.05
    done
    endpoint=$(sed 's/.*"gateway":"\([^"]*\)".*/\1/' "$work/simulator/ports")/api/v2
}

simulator_stops() {
    [ -n "$simulator" ] || return 0
    exec 3>&-
    wait "$simulator" || true
    simulator=
}

# run HOW PROGRAM ARGUMENTS…: what it prints, from a folder where it lies alone; a static one has no shared library
# to be found beside it.
run() {
    local folder=$work/run how=$1 program=$2
    shift 2
    rm -rf "$folder" && mkdir "$folder" && cp "$program" "$folder/"
    case $how in
    *static) ;;
    *) cp "$shared" "$folder/" ;;
    esac
    # shellcheck disable=SC2086 # several words
    (cd "$folder" && LD_LIBRARY_PATH=$folder timeout 120 $runner "./$(basename "$program")" "$@" | tr -d '\r')
    built+=("$how")
}

# is HOW GOT EXPECTED
is() {
    [ "$2" = "$3" ] || { printf '%s: %s: %s\nand not: %s\n' "$target" "$1" "$2" "$3" >&2; exit 1; }
}

# sample HOW PROGRAM: it quotes, pays, is refused, loses an answer, and stops.
sample() {
    run "$1" "$2" "$endpoint" "$drive$work/run/till.db" '~reset_after' >"$work/printed"
    is "$1" "$(sed 's/.*outcome \([0-9]\).*/\1/' "$work/printed" | paste -sd ' ')" "0 0 0 0 1 4 0"
}

by_command_line() {
    local static
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

# cmake_builds PROJECT: CMake takes a compiler in one word.
cmake_builds() {
    local system_name=Linux
    [ "$system" = linux ] || system_name=Windows
    printf '#!/bin/sh\nexec %s "$@"\n' "$compiler" >"$work/cc"
    printf '#!/bin/sh\nexec %s "$@"\n' "$compiler_of_cpp" >"$work/c++"
    chmod +x "$work/cc" "$work/c++"
    cmake --no-warn-unused-cli -S "$1" -B "$1/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$work/cc" \
        -DCMAKE_CXX_COMPILER="$work/c++" -DCMAKE_SYSTEM_NAME=$system_name -DCMAKE_PREFIX_PATH="$unpacked" \
        -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH >"$work/cmake.log" &&
        cmake --build "$1/build" >>"$work/cmake.log" || { cat "$work/cmake.log" >&2; exit 1; }
}

by_cmake() {
    local project=$work/project
    rm -rf "$project" && mkdir "$project" && cp "$source" "$project/"
    cat >"$project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(till C)
find_package(zvpos 0.1 REQUIRED)
add_executable(cm till.c)
target_link_libraries(cm PRIVATE zvpos::zvpos)
add_executable(cm-static till.c)
target_link_libraries(cm-static PRIVATE zvpos::static)
CMAKE
    cmake_builds "$project"
    sample "CMake, shared" "$project/build/cm$suffix"
    sample "CMake, static" "$project/build/cm-static$suffix"
}

# The first program of the page of the C++ binding, and the page's CMakeLists.txt; what it prints stands there, too.
# A simulator of its own: the program takes a coupon that can be taken once.
by_cpp() {
    local project=$work/cpp page=$unpacked/bindings/cpp/README.md
    simulator_stops && simulator_starts
    rm -rf "$project" && mkdir "$project" && ln -s "$unpacked" "$project/zvpos"
    block cpp "$page" | sed "s|http://127.0.0.1:8080/api/v2|$endpoint|; s|/var/tmp/zvpos|$drive$project|" >"$project/sale.cpp"
    block cmake "$page" >"$project/CMakeLists.txt"
    # A DLL of mingw's own would have to lie beside the program.
    [ "$system" = linux ] || compiler_of_cpp="$compiler_of_cpp -static"
    cmake_builds "$project"
    run "C++" "$project/build/sale$suffix" >"$work/printed"
    is "C++" "$(cat "$work/printed")" "$(block output "$page")"
}

# block LANGUAGE PAGE: the first fenced block of that language.
block() {
    awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } inside && /^```$/ { exit } inside' "$2"
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
    lld-link /nologo /subsystem:console /entry:start /safeseh:no "/out:$work/by-lld.exe" "$work/bare.obj" \
        "$unpacked/lib/zvpos.lib" "$work/kernel32.lib"
    run "lld-link with zvpos.lib" "$work/by-lld.exe"
}

unpack() {
    local archive
    archive=$(ls "$root/dist/$(archive_of "$target")".*)
    rm -rf "$work/archive" && mkdir "$work/archive"
    case $archive in
    *.zip) unzip -q "$archive" -d "$work/archive" ;;
    *) tar -xzf "$archive" -C "$work/archive" ;;
    esac
    unpacked=$(echo "$work"/archive/*)
    source=$unpacked/examples/c/till.c
    suffix= drive= shared=$unpacked/lib/libzvpos.so
    [ "$system" = linux ] || suffix=.exe shared=$unpacked/bin/zvpos.dll drive=Z: # wine's, of the whole machine
    (cd "$unpacked" && sha256sum --quiet -c SHA256SUMS)
}

# The version of the archive's own name.
zv_runs() {
    local said
    # shellcheck disable=SC2086 # several words
    said=$($runner "$unpacked/bin/zv$suffix" --version | tr -d '\r')
    is "zv --version" "$said" "zv $(basename "$unpacked" | sed "s/^$product-\(.*\)-$platform$/\1/")"
    built+=("$said")
    [ "$system" = windows ] || return 0
    # shellcheck disable=SC2086 # several words
    said=$($runner "$unpacked/bin/zv$suffix" journal move --from zvpos.db --to postgres://zv@127.0.0.1/zv 2>&1 || true)
    is "what zv says of a database" "$(grep -c 'this zv has no database' <<<"$said")" 1
}

# Only the library for servers has a table of a database in it, and both have the same name for the linker.
library_is_the_products() {
    local has_table=yes
    grep -q zv_entry "$shared" || has_table=no
    is "a database's table in the library" "$has_table" "$([ -n "$features" ] && echo yes || echo no)"
}

# `zv` starts on the oldest system, too; tests/abi_watch.rs sees to the library. The lists of functions are kept by
# hand: before a line is added, Microsoft's page says that Windows 7 has it.
zv_needs_no_newer_system() {
    local newer
    if [ "$system" = windows ]; then
        newer=$(objdump -p "$unpacked/bin/zv.exe" | awk '
            /DLL Name:/ { library = tolower($3) }
            NF == 3 && $1 ~ /^[0-9a-f]+$/ && $2 ~ /^[0-9]+$/ { print library, $3 }' | sort -u |
            comm -23 - <(sort -u "$root/tests/abi/windows7.txt" "$root/tests/abi/windows7-zv.txt"))
    else
        newer=$( (readelf -V "$unpacked/bin/zv" | grep -o 'GLIBC_[0-9.]*' || true) | sort -u |
            awk -F. '$2 > 17')
    fi
    is "zv on the oldest system" "$newer" ""
}

# shellcheck disable=SC2086 # several words
for target in ${*:-$TARGETS}; do
    describe "$target"
    started=$SECONDS built=()
    unpack
    zv_runs
    library_is_the_products
    zv_needs_no_newer_system
    simulator_starts
    [ "$system" = linux ] || by_msvc_linker
    by_command_line
    by_pkg_config
    by_cmake
    by_cpp
    simulator_stops
    printf '%s: %s%s s\n' "$target" "$(printf '%s; ' "${built[@]}")" $((SECONDS - started))
done
