# shellcheck shell=bash
# Sourced by .ci/run: a bare Debian of this machine's release, in which commands run as on a machine that was installed
# an hour ago. Of this machine it has the Rust toolchain (read-only), the crates that cargo has fetched, and the way
# to the registries: apt's sources, proxies, certificates, the settings of pip, npm and cargo.
# What it mounts and starts lives in namespaces of its own, so that nothing of it outlives the command, however that ends.

# The base system as a tarball, the packages that were fetched, the root that is in use, and a lock.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/zvpos-ci
bare=$cache/root
packages=$cache/packages
# In the root.
clone=/root/zvpos
rust=/opt/rust
inside=
ours=

trap bare_remove EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# COMMAND...: five tries, because a mirror may have a bad minute.
tried() {
    local pause
    for pause in 5 15 30 60 0; do
        "$@" && return 0
        sleep $pause
    done
    return 1
}

# Makes the root, with a clone of HEAD in it.
bare_make() {
    bare_lock && bare_base && bare_settings && bare_clone
}

# One run has the root at a time.
bare_lock() {
    mkdir -p "$cache" && exec 9>"$cache/lock" || return 1
    if ! flock -n 9; then
        echo "another run has $bare: waiting for its end"
        flock 9 || return 1
    fi
    ours=yes
    # What a run left that was killed.
    bare_keep
    rm -rf --one-file-system "$bare"
}

# The packages that were fetched, for the next run. apt compares each with its index before it takes it.
bare_keep() {
    compgen -G "$bare/var/cache/apt/archives/*.deb" >/dev/null || return 0
    rm -rf "$packages"
    mkdir "$packages" && ln "$bare"/var/cache/apt/archives/*.deb "$packages"
}

# Unpacks the base system, which is fetched once a month.
bare_base() {
    local release base
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    base=$cache/$release-$(dpkg --print-architecture).tar
    if [ -z "$(find "$base" -mtime -30 2>/dev/null)" ]; then
        tried bare_fetch "$release" "$base" || [ -e "$base" ] || return 1
        rm -rf --one-file-system "$bare"
    fi
    mkdir "$bare" && tar -C "$bare" -xf "$base" && apt_sources "$release" >"$bare/etc/apt/sources.list" || return 1
    ln "$packages"/*.deb "$bare/var/cache/apt/archives/" 2>/dev/null || true
}

bare_fetch() {
    local release=$1 base=$2 mirror
    mirror=$(apt_sources "$release" | awk -v release="$release" '$3 == release && $4 == "main" { print $2; exit }')
    if [ -z "$mirror" ]; then
        echo "missing: $release main among the sources in /etc/apt" >&2
        return 1
    fi
    rm -rf --one-file-system "$bare"
    # In namespaces of its own: it mounts, and leaves that behind when it fails.
    if unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
        debootstrap --variant=minbase "$release" "$bare" "$mirror" >"$cache/debootstrap.log" 2>&1 9>&- &&
        rm -f "$bare"/var/cache/apt/archives/*.deb &&
        tar -C "$bare" --one-file-system -cf "$base.new" . && mv "$base.new" "$base"; then
        return 0
    fi
    tail -n 5 "$cache/debootstrap.log" >&2
    return 1
}

# RELEASE: this machine's sources of it with its updates, one a line; not those of other vendors.
apt_sources() {
    apt-get indextargets --format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' |
        awk -v release="$1" '$2 == release || index($2, release "-") == 1 { print "deb", $0 }' | sort -u
}

# The way to the registries, as this machine has it: files at the same place, and what of apt's settings is about it.
bare_settings() {
    local file
    for file in /etc/hosts /etc/resolv.conf /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/apt/keyrings \
        /etc/apt/trusted.gpg.d /usr/local/share/ca-certificates /etc/ssl/certs/ca-certificates.crt \
        /etc/pip.conf /etc/npmrc /usr/etc/npmrc; do
        copied "$file" "$file" || return 1
    done
    for file in .config/pip/pip.conf .pip/pip.conf .npmrc .cargo/config.toml .cargo/config \
        .cargo/registry/index .cargo/registry/cache; do
        copied "$HOME/$file" "/root/$file" || return 1
    done
    {
        apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Force)'
        printf '%s\n' 'Acquire::Retries "5";' 'Acquire::Languages "none";' 'APT::Get::Assume-Yes "true";'
    } >"$bare/etc/apt/apt.conf.d/99machine"
    # It need not outlive a power cut.
    echo force-unsafe-io >"$bare/etc/dpkg/dpkg.cfg.d/99machine"
}

# FROM TO: a file or folder of this machine, if it is there, in the root.
copied() {
    [ -e "$1" ] || return 0
    mkdir -p "$bare${2%/*}" && cp -aLT "$1" "$bare$2"
}

bare_clone() {
    if [ -n "$(git status --porcelain)" ]; then
        echo "what is not committed is not in the clone"
    fi
    git clone --quiet --no-local . "$bare$clone" && git -C "$bare$clone" checkout --quiet --detach "$(git rev-parse HEAD)"
}

# FOLDER COMMAND...: runs it there, as root, with the variables of a new machine, those that lead to the registries,
# and what makes a build by hand faster (CARGO_PROFILE_RELEASE_LTO=off).
bare_run() {
    local toolchain status
    toolchain=$(rustc --print sysroot) || return 1
    if [ ! -x "$toolchain/bin/cargo" ] || [ "$toolchain" = /usr ]; then
        echo "missing: a Rust toolchain in a folder of its own, as rustup installs it" >&2
        return 1
    fi
    (
        for name in $(compgen -e); do
            case $name in
            *_proxy | *_PROXY | CI | SSL_CERT_* | CURL_CA_BUNDLE | REQUESTS_CA_BUNDLE | NODE_EXTRA_CA_CERTS | GIT_SSL_*) ;;
            PIP_CERT | PIP_*INDEX_URL | PIP_TRUSTED_HOST | PIP_*TIMEOUT | PIP_RETRIES | GOPROXY | GOSUMDB) ;;
            npm_config_registry | npm_config_cafile | NPM_CONFIG_REGISTRY | NPM_CONFIG_CAFILE) ;;
            CARGO_TERM_* | CARGO_HTTP_* | CARGO_NET_* | CARGO_REGISTRIES_* | CARGO_SOURCE_* | CARGO_PROFILE_*) ;;
            *) unset "$name" ;;
            esac
        done
        export HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
        export PATH=$rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        # Ends with this script, even if that is killed, and everything in its namespaces ends with it.
        exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private \
            .ci/enter "$bare" "$toolchain" "$rust" "$@" </dev/null 9>&-
    ) &
    inside=$!
    wait "$inside"
    status=$?
    inside=
    return $status
}

# Ends what runs in the root and removes it; what was fetched stays.
bare_remove() {
    if [ -n "$inside" ]; then
        kill -KILL "$inside" 2>/dev/null
        wait "$inside" 2>/dev/null
        inside=
    fi
    [ -n "$ours" ] || return 0
    bare_keep
    # Of those that were killed one may still write its last.
    rm -rf --one-file-system "$bare" 2>/dev/null || { sleep 2 && rm -rf --one-file-system "$bare"; }
    ours=
    exec 9>&-
}
