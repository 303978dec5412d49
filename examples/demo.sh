#!/usr/bin/env bash
# The main job end to end: the simulator, a C till, a quote, payments, a refusal, a lost answer, a crash, and what
# becomes of it.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in cc python3; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (on Debian: apt-get install gcc python3)" >&2; exit 1; }
done
root=$PWD
work=$(mktemp -d)
simulator=
trap 'kill $simulator 2>/dev/null || true; rm -rf "$work"' EXIT

for program in till stored morning; do
    cc -std=c99 -Wall -Wextra -Iinclude "examples/c/$program.c" -o "$work/$program" \
        -Ltarget/release -lzvpos -Wl,-rpath,"$root/target/release"
done
target/release/zv sandbox --listen 127.0.0.1:0 --admin 127.0.0.1:0 --port-file "$work/ports.json" --quiet \
    > "$work/simulator.log" &
simulator=$!
for _ in $(seq 100); do [ -s "$work/ports.json" ] && break; sleep 0.05; done
read -r gateway admin < <(python3 -c '
import json, sys
ports = json.load(open(sys.argv[1]))
print(ports["gateway"], ports["admin"])' "$work/ports.json")

ledger() {
    python3 - "$admin" <<'PYTHON'
import json, sys, urllib.request
for record in json.load(urllib.request.urlopen(sys.argv[1] + "/ledger")):
    for entry in record["entries"]:
        moved = entry["moved"]
        coupons = ", ".join(moved["coupons"]) or "-"
        print("  {:30} {:8} {:>8}  coupons {}".format(record["bizId"], entry["kind"], moved["recharge"], coupons))
PYTHON
}
cd "$work"

printf 'The simulator of the gateway listens on %s.\n' "$gateway"
printf 'The till, %s lines of C, links one header and one library:\n\n' "$(wc -l < "$root/examples/c/till.c")"
./till "$gateway/api/v2" "$work/till.db" '~reset_after' | tee out
printf '\nOutcome 0 alone completes a sale. The lost answer is outcome 4: the 10.00 were taken, the till cannot know it,\n'
printf 'so their reversal was on disk before it was told, and the customer pays in another way. The ledger:\n\n'
ledger
grep -q '^pay: coupon and 23.00 .*outcome 0' out
grep -q '^pay: 500.00 of 8.50 .*outcome 1' out
grep -q '^pay: the answer gets lost .*outcome 4' out

printf '\nA customer returns goods, and the sale of 3.00 is refunded. The second refund is refused. With V3 and no configured\n'
printf 'codes, a refusal may also mean that the sale was refunded before:\n\n'
cat > v3.json <<CONFIG
{"openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001", "openKey": "fake-open-key-for-test-only-0001",
 "api": "v3", "endpoint": "$gateway", "journal": "$work/v3.db"}
CONFIG
# Runs one command of zv, which ends with the exit code that is given first, and prints the answer on one line.
call() {
    local expected=$1 command=$2 biz_id=$3 code=0
    "$root/target/release/zv" "$command" --config v3.json --bizId "$biz_id" "${@:4}" > answer 2>> warned || code=$?
    [ "$code" = "$expected" ]
    awk -v what="$command $biz_id" '
        $1 == "outcome" { outcome = $2 }
        $1 == "next" { next_step = $2 }
        $1 == "cashier" { sub(/^cashier +/, ""); cashier = $0 }
        END { printf "  %-36s outcome %-9s  next %-14s  %s\n", what, outcome, next_step, cashier }' answer
}
sale=(--customerId 383933091455959041 --amount 3.00)
{
    call 0 consume R1-000001 "${sale[@]}"
    call 6 reverse R1-000001
    call 0 consume 'R1-000002~reverse_too_late' "${sale[@]}"
    call 7 reverse 'R1-000002~reverse_too_late'
    call 0 lookup 'R1-000002~reverse_too_late'
} > refund
cat refund
grep -q '已退回 3.00 元到会员账户' refund
grep -q '平台拒绝退款（代码 920004）' refund

printf '\nWorse: the gateway takes 10.00 and never answers, and the till loses its power meanwhile (kill -9):\n\n'
./morning "$gateway/api/v2" "$work/till.db" > /dev/null # settles what the first run left, so that the member is free again
./stored "$gateway/api/v2" "$work/till.db" T1-taken
./stored "$gateway/api/v2" "$work/till.db" 'T1-crash~hang_after' > out &
till=$!
for _ in $(seq 100); do ledger > seen; grep -q hang_after seen && break; sleep 0.05; done
disown "$till" # bash would report the kill as if it were a failure
kill -9 "$till"
while kill -0 "$till" 2>/dev/null; do sleep 0.01; done
cat out
# And one that dies between storing its attempt and sending it: the attempt is all there is.
./stored "$gateway/api/v2" "$work/till.db" T1-stored-never-sent power-failure
printf '(killed)\n\nThe next morning the till looks up what it has stored, each with the identity of its journal:\n\n'
./morning "$gateway/api/v2" "$work/till.db" | tee out
grep -q 'hang_after .*outcome 4  next other_tender ' out
grep -q 'stored-never-sent .*outcome 3  next retry ' out
printf '\nAnd the ledger:\n\n'
ledger | tee out
printf '\nThe money is back. "reversing" becomes "reversed" when a till has run for two minutes and has asked once more.\n'
[ "$(grep -c 'hang_after.*consume' out)" = 1 ] && [ "$(grep -c 'hang_after.*reverse' out)" = 1 ]

printf '\nThe till comes back with an empty journal. What it has stored was attempted with another one: nothing is guessed,\n'
printf 'and nothing is sent again (outcome 4, for a person):\n\n'
rm till.db till.db.mark
tail -n 2 till.db.attempts > last && mv last till.db.attempts
./morning "$gateway/api/v2" "$work/till.db" | tee out
[ "$(grep -c 'outcome 4 .*ZV-OTHER-JOURNAL' out)" = 2 ]
