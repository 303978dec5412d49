#!/usr/bin/env bash
# What the tests need beside Rust and a C compiler: installs it where that is possible, else says in one line
# what is missing.
set -u
wanted=(cc:gcc c++:g++ make:make python3:python3 nm:binutils readelf:binutils openssl:openssl curl:curl chromium:chromium strace:strace mount:mount valgrind:valgrind git:git mcs:mono-mcs mono:mono-runtime abidiff:abigail-tools)
missing=()
for pair in "${wanted[@]}"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair##*:}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null && exit 0
fi
echo "missing: install ${missing[*]} (on Debian: apt-get install ${missing[*]})" >&2
exit 1
