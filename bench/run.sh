#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# All benchmarks of a build: JSON in the build's folder, tables on the screen.
#
#   bench/run.sh [--build DIR] [OPTIONS OF hanse_bench]
#
# With --benchmark_filter only those cases run, without the comparisons of whole
# processes. README.md tells what to look at.
set -euo pipefail

build=build/bench
if [ "${1:-}" = --build ]; then
    build=${2:?--build wants a folder}
    shift 2
fi
here=$(dirname "${BASH_SOURCE[0]}")
if [ ! -x "$build/bench/hanse_bench" ]; then
    echo "bench: error: $build has no benchmarks; type: ./dev build bench" >&2
    exit 1
fi

rows=10000000 compare=yes previous=
for word in "$@"; do
    case $word in --benchmark_filter*) compare=no ;; esac
    [ "$previous" != --rows ] || rows=$word
    previous=$word
done

"$build/bench/hanse_bench" "$@" --benchmark_out="$build/results.json" \
    --benchmark_out_format=json >"$build/results.txt"
python3 "$here/table.py" "$build/results.json"
echo "written: $build/results.json"

[ $compare = yes ] || exit 0
echo
# Debian's Python, for its h5py and numpy.
/usr/bin/python3 "$here/compare_numpy.py" "$build/cli/hanse" --rows "$rows" \
    --folder "$build/bench/data" --json "$build/compare_numpy.json"
echo "written: $build/compare_numpy.json"
echo
/usr/bin/python3 "$here/limit/limit.py" "$build/cli/hanse" \
    "$build/bench/hanse_limit" --rows "$((2 * rows))" \
    --folder "$build/bench/data" --json "$build/limit.json"
echo "written: $build/limit.json"
echo
/usr/bin/python3 "$here/limit/ways.py" "$build/cli/hanse" \
    --rows "$((2 * rows))" --folder "$build/bench/data" \
    --json "$build/ways.json"
echo "written: $build/ways.json"
