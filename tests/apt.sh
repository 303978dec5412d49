#!/usr/bin/env bash
# apt.sh PACKAGE...: installs those of Debian's packages that are not installed, where it may (as root), else says in one
# line what is missing. Tries five times: a mirror may have a bad minute.
set -u
missing=()
for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && type -P apt-get >/dev/null; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    for pause in 5 15 30 60 0; do
        if DEBIAN_FRONTEND=noninteractive apt-get update -q >"$log" 2>&1 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 \
                -o DPkg::Lock::Timeout=300 "${missing[@]}" >>"$log" 2>&1 </dev/null; then
            exit 0
        fi
        sleep $pause
    done
    tail -n 20 "$log" >&2
fi
echo "missing: install ${missing[*]} (on Debian, as root: apt-get install ${missing[*]})" >&2
exit 1
