#!/usr/bin/env bash
# wine.sh 64|32 PROGRAM ARGUMENTS…: runs a Windows program in the current folder. Debian's 64-bit wine stands on the
# machine; the 32-bit one cannot stand beside it and lives in an i386 Debian of its own (packaging/tools.sh makes it).
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml="
bits=$1
shift
if [ "$bits" = 64 ]; then
    export WINEPREFIX=$root/target/tools/wine64 WINEARCH=win64
    exec "$(command -v wine64 || echo /usr/lib/wine/wine64)" "$@"
fi
# The working copy is seen at its own path there.
# shellcheck disable=SC2016 # for the inner shell
exec unshare -m sh -c '
    here=$PWD root=$1 inner=$2 && shift 2
    mkdir -p "$inner$root" && mount --bind "$root" "$inner$root" && mount -t proc proc "$inner/proc"
    exec chroot "$inner" env HOME=/root WINEPREFIX=/root/.wine WINEARCH=win32 sh -c "cd \"\$1\" && shift && exec wine \"\$@\"" sh "$here" "$@"
' sh "$root" "$wine_root" "$@"
