#!/usr/bin/env bash
# The main job end to end: the simulator, a C till, a quote, payments, a refusal and a lost answer.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in cc python3; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (on Debian: apt-get install gcc python3)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'kill "$simulator" 2>/dev/null || true; rm -rf "$work"' EXIT

target/release/zvpos-sandbox --listen 127.0.0.1:0 --port-file "$work/ports.json" --quiet > "$work/simulator.log" &
simulator=$!
for _ in $(seq 100); do [ -s "$work/ports.json" ] && break; sleep 0.05; done
read -r gateway admin < <(python3 -c '
import json, sys
ports = json.load(open(sys.argv[1]))
print(ports["gateway"], ports["admin"])' "$work/ports.json")

printf 'The simulator of the gateway listens on %s.\n' "$gateway"
printf 'The till, %s lines of C, links one header and one library:\n\n' "$(wc -l < examples/c/till.c)"
cc -std=c99 -Wall -Wextra -Iinclude examples/c/till.c -o "$work/till" -Ltarget/release -lzvpos -Wl,-rpath,"$PWD/target/release"
"$work/till" "$gateway/api/v2" | tee "$work/out"

printf '\nWhat the gateway did, from its ledger:\n\n'
python3 - "$admin" <<'PYTHON'
import json, sys, urllib.request
for record in json.load(urllib.request.urlopen(sys.argv[1] + "/ledger")):
    for entry in record["entries"]:
        moved = entry["moved"]
        print("  {:32} {:8} {:>8} 元  coupons {}".format(
            record["bizId"], entry["kind"], moved["recharge"], ", ".join(moved["coupons"]) or "-"))
PYTHON
cat <<'TEXT'

Outcome 0 is the only one that completes a sale. Outcome 4, the lost answer, says the truth: the gateway did take
the 10.00, the till cannot know it, and so it neither completes the sale nor charges again.
TEXT
grep -q '^pay: coupon and 23.00 .*outcome 0' "$work/out"
grep -q '^pay: 500.00, has 8.50 .*outcome 1' "$work/out"
grep -q '^pay: the answer gets lost .*outcome 4' "$work/out"
