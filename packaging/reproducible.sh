#!/usr/bin/env bash
# Builds the library for the targets that are named once more, from a clone in another folder with nothing built in
# it, and compares: the same sources and tools give the same bytes, wherever they lie.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
cd "$root"
again=$root/target/again/with-another-path
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
rm -rf "$again" && mkdir -p "$(dirname "$again")"
git clone --quiet --shared . "$again"
mkdir -p "$again/target" && ln -s "$tools" "$again/target/tools"
packaging/build.sh --library "$@"
(cd "$again" && packaging/build.sh --library "$@")
status=0
for target in "$@"; do
    for file in "target/shipped/$target"/*; do
        # The import stubs that rustc has dlltool make for it are named after a folder with a random name.
        if [[ $file == *windows*/libzvpos.a ]]; then
            echo "$target: libzvpos.a is not compared"
        elif cmp -s "$file" "$again/$file"; then
            echo "$target: $(basename "$file") is the same, $(sha256sum "$file" | cut -c1-16)"
        else
            echo "$target: $(basename "$file") is another" >&2
            status=1
        fi
    done
done
[ $status != 0 ] || rm -rf "$again"
exit $status
