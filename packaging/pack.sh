#!/usr/bin/env bash
# Packs target/shipped/TARGET of the targets that are named (all without a name) into dist/zvpos-VERSION-TARGET, a
# .zip for Windows and a .tar.gz for Linux, and those for servers into dist/zvpos-server-VERSION-TARGET. The same files give the same bytes: names sorted, no owner, one time.
set -euo pipefail
# shellcheck source=packaging/targets.sh
. "$(dirname "$0")/targets.sh"
cd "$root"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
# What a user reads and builds against. As git knows it: nothing that was built there.
sources=(README.md README.zh-CN.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE docs include ':!include/*.def'
    bindings examples/c examples/certify tests/cases)

# What a program that links the static library needs beside it.
static_libraries() {
    case $1 in
    *windows*) echo "-lws2_32 -lbcrypt -lcrypt32 -ladvapi32 -luserenv -lntdll -lkernel32" ;;
    *musl) echo "-lgcc_eh -lc" ;;
    *) echo "-lgcc_s -lpthread -ldl -lm -lc" ;;
    esac
}

# fill TEMPLATE TO: with what this target says.
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@STATIC_LIBRARIES@|$libraries|g" -e "s|@SYSTEM@|$system|g" "$1" >"$2"
}

pack() {
    local shipped=target/shipped/$1 name folder libraries library
    describe "$1"
    name=$(archive_of "$1")
    libraries=$(static_libraries "$1")
    folder=dist/$name
    rm -rf "$folder" && mkdir -p "$folder/lib/pkgconfig" "$folder/lib/cmake/zvpos" "$folder/bin"
    git ls-files -z -- "${sources[@]}" | tar --null --files-from=- -c | tar -C "$folder" -x
    cp "$shipped"/*.a "$folder/lib/"
    if [ "$system" = windows ]; then
        cp "$shipped"/*.lib "$shipped"/*.def "$folder/lib/"
        cp "$shipped"/*.dll "$shipped/zv.exe" "$folder/bin/"
        library=$shipped/zvpos.dll
    else
        cp "$shipped"/*.so "$folder/lib/"
        cp "$shipped/zv" "$folder/bin/"
        library=$shipped/libzvpos.so
    fi
    fill packaging/zvpos.pc.in "$folder/lib/pkgconfig/zvpos.pc"
    fill packaging/zvposConfig.cmake.in "$folder/lib/cmake/zvpos/zvposConfig.cmake"
    fill packaging/zvposConfigVersion.cmake.in "$folder/lib/cmake/zvpos/zvposConfigVersion.cmake"
    wheel "$library" "$folder/bindings/python"
    python3 packaging/sbom.py "$platform" "$version" "$SOURCE_DATE_EPOCH" "$folder" "$features"
    # The standard library is linked in, too.
    cp /usr/share/doc/libstd-rust-web-dev/copyright "$folder/licences/rust-std.txt"
    (cd "$folder" && find . -type f ! -name SHA256SUMS | sort | sed 's|^\./||' | xargs -d '\n' sha256sum >SHA256SUMS)
    archive "$name"
    echo "$name: $(stat -c '%n %s bytes' dist/"$name".*)"
}

# wheel LIBRARY FOLDER: the Python package with the library in it, to be installed without building anything.
wheel() {
    (cd bindings/python && ZVPOS_LIBRARY=$root/$1 PYTHONPATH=$tools/hatchling PYTHONDONTWRITEBYTECODE=1 \
        python3 -m hatchling build --target wheel --directory "$root/$2" >"$root/target/wheel.log" 2>&1) ||
        { cat target/wheel.log >&2; exit 1; }
}

archive() {
    find "dist/$1" -print0 | xargs -0 touch --no-dereference --date "@$SOURCE_DATE_EPOCH"
    chmod -R u=rwX,go=rX "dist/$1"
    rm -f "dist/$1.zip" "dist/$1.tar.gz"
    if [ "$system" = windows ]; then
        (cd dist && find "$1" -type f | sort | zip --quiet -X -9 "$1.zip" -@)
    else
        tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --format=ustar --mtime="@$SOURCE_DATE_EPOCH" -c "$1" |
            gzip -9 -n >"dist/$1.tar.gz"
    fi
    rm -rf "dist/${1:?}"
}

mkdir -p dist
# shellcheck disable=SC2086 # several words
for target in ${*:-$TARGETS}; do
    pack "$target"
done
# The archives' own sums, beside them.
(cd dist && find . -maxdepth 1 -name 'zvpos-*' -type f | sort | sed 's|^\./||' | xargs -d '\n' sha256sum >SHA256SUMS)
