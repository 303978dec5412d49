#!/usr/bin/env bash
# ThreadSanitizer over the whole library, its dependencies and std: the programs of tests/c that use many threads.
# Needs Debian's rustc-web and rust-web-src (a compiler with the very sources of its std, which it instruments too)
# and the runtime library that comes with rustup's stable toolchain. Takes about three minutes the first time.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-unknown-linux-gnu
debian=${TSAN_RUSTC:-/usr/bin/rustc}
sources=$("$debian" --print sysroot 2>/dev/null || true)/lib/rustlib/src/rust/library
if [ ! -d "$sources" ]; then
    echo "tsan.sh: no $debian with sources of std: apt-get install --no-install-recommends rustc-web rust-web-src" >&2
    exit 2
fi
runtime=$(rustc --print sysroot)/lib/rustlib/$target/lib/librustc-stable_rt.tsan.a
if [ ! -f "$runtime" ]; then
    echo "tsan.sh: no $runtime: it comes with rustup's stable toolchain" >&2
    exit 2
fi

cargo build --quiet --release --package zvpos-cli
export CARGO_TARGET_DIR=$PWD/target/tsan
built=$CARGO_TARGET_DIR/$target/debug
# A cdylib takes the runtime from the program that loads it, so that there is only one.
instrumented() {
    RUSTC=$debian RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread \
        cargo rustc --quiet -Zbuild-std --target "$target" --lib --crate-type cdylib "$@"
}
instrumented --package zvpos
instrumented --manifest-path tests/planted-race/Cargo.toml

# program NAME LIBRARY: tests/c/NAME.c with the runtime inside, linked with the library.
program() {
    gcc -std=c99 -D_GNU_SOURCE -g -O1 -fsanitize=thread -c -Iinclude "tests/c/$1.c" -o "$built/$1.o"
    gcc "$built/$1.o" -o "$built/$1" -rdynamic -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive \
        -L"$built" "-l$2" -Wl,-rpath,"$built" -lpthread -ldl -lm -lrt
}
# The runtime does not know every layout that the kernel may choose at random.
fixed() { setarch -R "$@"; }
nm -D "$built/libzvpos.so" | grep __tsan_write8 > /dev/null || { echo "tsan.sh: the library is not instrumented" >&2; exit 1; }

program race planted_race
if fixed "$built/race" 2> "$built/race.txt" || ! grep -q 'ThreadSanitizer: data race' "$built/race.txt"; then
    echo "tsan.sh: the planted race was not found" >&2
    exit 1
fi
echo "planted race: found"

work=$(mktemp -d)
trap 'kill "$simulator" 2>/dev/null || true; rm -rf "$work"' EXIT
target/release/zv sandbox --listen 127.0.0.1:0 --port-file "$work/ports" --quiet > /dev/null &
simulator=$!
for _ in $(seq 100); do [ -s "$work/ports" ] && break; sleep 0.05; done
endpoint=$(sed 's/.*"gateway":"\([^"]*\)".*/\1/' "$work/ports")/api/v2

export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.suppressions print_suppressions=0"
status=0
for run in "threads $endpoint 300" "lifetime $endpoint"; do
    read -r name arguments <<< "$run"
    program "$name" zvpos
    # shellcheck disable=SC2086 # several words
    if (cd "$work" && fixed "$built/$name" $arguments > out 2> errors) && [ ! -s "$work/errors" ]; then
        echo "$name: no data race"
    else
        status=1
        echo "$name: see below"
        head -150 "$work/errors"
    fi
done
exit $status
