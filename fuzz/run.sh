#!/usr/bin/env bash
# run.sh SECONDS [TARGET...]: each fuzz target for so many seconds, two at a time; at the end how many inputs each has seen.
# Begins with the seeds in fuzz/corpus and what earlier runs have added in target/fuzz/corpus. An input that breaks a
# rule is kept in target/fuzz/found. Needs cargo-fuzz (cargo install --locked cargo-fuzz) and a C++ compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?run.sh SECONDS [TARGET...]}
shift
work=$PWD/target/fuzz
found=$work/found
if ! type -P cargo-fuzz >/dev/null; then
    echo "run.sh: missing: cargo-fuzz (cargo install --locked cargo-fuzz)" >&2
    exit 2
fi
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo fuzz list)

# Of the library nothing is unsafe in what the targets reach: counters for the coverage, no sanitizer, so that a stable
# compiler will do.
cargo fuzz build --sanitizer none --target-dir "$work"
programs=$work/$(rustc -vV | sed -n 's/^host: //p')/release
mkdir -p "$work/log" "$found"

one() {
    local target=$1
    mkdir -p "$work/corpus/$target"
    exec "$programs/$target" -max_total_time="$seconds" -timeout=20 -print_final_stats=1 -dict=fuzz/words.dict \
        -artifact_prefix="$found/$target-" "$work/corpus/$target" "fuzz/corpus/$target" >"$work/log/$target.txt" 2>&1
}

running=()
failed=()
# Ends those that run when this script is ended.
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT
for ((first = 0; first < ${#targets[@]}; first += 2)); do
    running=()
    pair=("${targets[@]:first:2}")
    for target in "${pair[@]}"; do
        one "$target" &
        running+=($!)
    done
    for index in "${!pair[@]}"; do
        wait "${running[index]}" || failed+=("${pair[index]}")
    done
done
running=()

for target in "${targets[@]}"; do
    log=$work/log/$target.txt
    printf '%-10s %14s inputs  %8s/s  coverage %s\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")" \
        "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d ' ' -f 2)"
done
for target in "${failed[@]}"; do
    echo "==> $target FAILED; the input is in $found"
    grep -A 40 -m 1 -E 'panicked at|^==[0-9]+== ERROR' "$work/log/$target.txt" || tail -n 40 "$work/log/$target.txt"
done
[ ${#failed[@]} = 0 ]
