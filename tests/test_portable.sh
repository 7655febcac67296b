#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The same bits with every instruction set of this machine and, with a cross
# compiler and an emulator, on 64-bit ARM, whose compilers use NEON throughout.
#
# usage: test_portable.sh NATIVE_PROGRAM FOLDER
set -euo pipefail
native=$1 folder=$2
root=$(dirname "${BASH_SOURCE[0]}")/..
cc=aarch64-linux-gnu-gcc

mkdir -p "$folder"
HANSE_CPU=scalar "$native" >"$folder/scalar.txt"
for cpu in avx2 avx512; do # ceilings: what is missing is not used
    HANSE_CPU=$cpu "$native" | cmp - "$folder/scalar.txt" || {
        echo "$cpu gives other bits than scalar"
        exit 1
    }
done
echo "$(wc -w <"$folder/scalar.txt") values are the same with every" \
    "instruction set here"

if ! command -v $cc >/dev/null || ! command -v qemu-aarch64 >/dev/null; then
    echo "skipped: 64-bit ARM needs gcc-aarch64-linux-gnu and qemu-user"
    exit 77
fi
flags=(-std=gnu17 -D_GNU_SOURCE "-I$root" -O2 -fopenmp -ffp-contract=off
    -fno-math-errno -Wall -Wextra -Wconversion -Wshadow -Werror)
sources=("$root"/engine/*.c "$root"/engine/{base,kernels}/*.c
    "$root/tests/portable_bits.c")
objects=()
for source in "${sources[@]}"; do
    objects+=("$folder/$(echo "${source#"$root"/}" | tr / _).o")
done
for i in "${!sources[@]}"; do
    printf '%s\0%s\0' "${sources[$i]}" "${objects[$i]}"
done | xargs -0 -n 2 -P "$(nproc)" sh -c \
    "$cc ${flags[*]} -c \"\$1\" -o \"\$2\"" compile
$cc "${objects[@]}" -fopenmp -lm -o "$folder/arm"
qemu-aarch64 -L /usr/aarch64-linux-gnu "$folder/arm" |
    cmp - "$folder/scalar.txt"
echo "and on 64-bit ARM"
