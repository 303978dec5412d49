#!/usr/bin/env bash
# dlltool as rustc calls it to make the import stubs of a static library, for build.sh. rustc names a folder with a
# random name, and dlltool writes that into the stubs; from inside of the folder there is nothing to write.
set -euo pipefail
prefix=i686
arguments=()
folder=.
while [ $# -gt 0 ]; do
    case $1 in
    -l | --output-lib)
        folder=$(dirname "$2")
        arguments+=("$1" "$(basename "$2")")
        shift
        ;;
    --temp-prefix)
        arguments+=("$1" "$(basename "$2")")
        shift
        ;;
    *)
        [ "$1" != i386:x86-64 ] || prefix=x86_64
        arguments+=("$1")
        ;;
    esac
    shift
done
cd "$folder"
exec "$prefix-w64-mingw32-dlltool" --deterministic-libraries "${arguments[@]}"
