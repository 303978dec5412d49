#!/usr/bin/env bash
# reproducible.sh [--library] [TARGET…]: builds the targets that are named (all without a name) once more, from a clone
# in another folder with nothing built in it, and compares: the same sources and tools give the same bytes, wherever
# they lie. The archives, or with --library, which is several times faster, the libraries that go into them.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
cd "$root"
again=$root/target/again/with-another-path
only=()
if [ "${1:-}" = --library ]; then
    only=(--library)
    shift
fi
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $TARGETS
# The clone has what is committed.
if ! git diff --quiet HEAD; then
    git diff --stat HEAD >&2
    echo "commit this first: it is compared with a clone" >&2
    exit 1
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# What is compared, in the folder where it is called.
build() {
    packaging/build.sh "${only[@]}" "$@"
    [ ${#only[@]} -gt 0 ] || packaging/pack.sh "$@"
}

results() {
    local target
    for target in "$@"; do
        if [ ${#only[@]} -gt 0 ]; then
            ls -d "target/shipped/$target"/*
        else
            ls "dist/$(archive_of "$target")".*
        fi
    done
}

rm -rf "$again" && mkdir -p "$(dirname "$again")"
git clone --quiet --shared . "$again"
mkdir -p "$again/target" && ln -s "$tools" "$again/target/tools"
build "$@"
(cd "$again" && build "$@")
status=0
for file in $(results "$@"); do
    if cmp "$file" "$again/$file"; then
        echo "$file: the same twice, $(sha256sum "$file" | cut -c1-16)"
    else
        status=1
    fi
done
[ $status != 0 ] || rm -rf "$again"
exit $status
