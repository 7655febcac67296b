#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_package.sh BUILD_DIR CMAKE CC NM
#
# Installs the build to a temporary prefix and uses it from outside: the names
# that the libraries show are those of hanse.h; a C and a C++ program build
# and run through pkg-config and through find_package, with the shared and the
# static library; the installed program says its version.
set -euo pipefail

build=$1 cmake=$2 cc=$3 nm=$4
cxx=${CXX:-c++}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() {
    echo "package: $*" >&2
    exit 1
}

"$cmake" --install "$build" --prefix "$prefix" >"$work/install.log" ||
    fail "install failed: $(tail -n 5 "$work/install.log")"
pc=$(find "$prefix" -name hanse.pc)
[ -n "$pc" ] || fail "hanse.pc is not installed"
export PKG_CONFIG_PATH=${pc%/*}
lib=$(pkg-config --variable=libdir hanse)
include=$(pkg-config --variable=includedir hanse)
version=$(pkg-config --modversion hanse)

# Shared library: its name, the version in it, and the two links to it.
soname=$(objdump -p "$lib/libhanse.so" | awk '$1 == "SONAME" { print $2 }')
[ "$soname" = "libhanse.so.${version%%.*}" ] || fail "soname is '$soname'"
[ -f "$lib/libhanse.so.$version" ] || fail "no libhanse.so.$version"
[ -e "$lib/$soname" ] || fail "no link $soname"

# The name before the first parenthesis after each HANSE_API.
tr '\n' ' ' <"$include/hanse.h" | grep -oE 'HANSE_API [^(;]*\(' |
    sed -nE 's/.*[ *](hanse_[a-z0-9_]+)\($/\1/p' | sort >"$work/declared"
[ "$(wc -l <"$work/declared")" -ge 20 ] || fail "found too few declarations"
"$nm" -D --defined-only "$lib/libhanse.so" | awk '{ print $3 }' |
    sort >"$work/shared"
"$nm" -g --defined-only "$lib/libhanse.a" | awk 'NF == 3 { print $3 }' |
    sort >"$work/static"
for kind in shared static; do
    diff "$work/declared" "$work/$kind" >"$work/diff" ||
        fail "$kind library and hanse.h differ in names:
$(sed -n 's/^</missing:/p; s/^>/not public:/p' "$work/diff")"
done
echo "names: $(wc -l <"$work/declared") public ones, no others"

# The program prints the version and the two totals, and checks them itself.
check() { # NAME KIND COMMAND
    local needed output
    needed=$(objdump -p "$3" | awk '$1 == "NEEDED" { print $2 }')
    case $2 in
    shared) grep -qx "$soname" <<<"$needed" || fail "$1 is not linked to it" ;;
    static) ! grep -q '^libhanse' <<<"$needed" || fail "$1 is not static" ;;
    esac
    output=$(LD_LIBRARY_PATH=$lib "$3") || fail "$1 failed"
    [ "${output%% *}" = "$version" ] || fail "$1 printed '$output'"
    echo "$1, $2: $output"
}

flags=(-Wall -Wextra -Wpedantic -Werror)
read -ra compile <<<"$(pkg-config --cflags hanse)"
cp "$here/use_hanse.c" "$work/use_hanse.cc"
for kind in shared static; do
    # With both installed -lhanse is the shared one.
    case $kind in
    shared) libs=$(pkg-config --libs hanse) ;;
    static) libs=$(pkg-config --static --libs hanse |
        sed 's/-lhanse\b/-l:libhanse.a/') ;;
    esac
    read -ra link <<<"$libs"
    "$cc" -std=c17 "${flags[@]}" "${compile[@]}" "$here/use_hanse.c" \
        -o "$work/c_$kind" "${link[@]}"
    "$cxx" -std=c++17 "${flags[@]}" "${compile[@]}" "$work/use_hanse.cc" \
        -o "$work/cxx_$kind" "${link[@]}"
    check "pkg-config C" "$kind" "$work/c_$kind"
    check "pkg-config C++" "$kind" "$work/cxx_$kind"
done

{
    "$cmake" -S "$here/consumer" -B "$work/consumer" -G Ninja \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix" &&
        "$cmake" --build "$work/consumer"
} >"$work/consumer.log" 2>&1 || fail "find_package: $(cat "$work/consumer.log")"
for language in c cxx; do
    check "find_package $language" shared "$work/consumer/${language}_hanse"
    check "find_package $language" static \
        "$work/consumer/${language}_hanse_static"
done

output=$("$prefix/bin/hanse" version) || fail "the installed program failed"
grep -qF "$version" <<<"$output" || fail "hanse version printed '$output'"
echo "program: ${output%%$'\n'*}"
