#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the results of hanse_bench, a JSON file of Google Benchmark.

A row's partner is what it is compared with (bench/README.md): exact folds with
plain ones, two threads with one. With --benchmark_repetitions the medians are
shown.
"""
import json
import sys

def short(value):
    for size, prefix in [(1e9, "G"), (1e6, "M"), (1e3, "k")]:
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g}"


def rows_of(report):
    """Name to result; the median where there are repetitions."""
    found = {}
    for result in report["benchmarks"]:
        if result.get("aggregate_name", "median") != "median":
            continue
        name = result.get("run_name", result["name"])
        found[name.removesuffix("/real_time")] = result
    return found


def seconds(result):
    unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[result["time_unit"]]
    return result["real_time"] * unit


def duration(value):
    for size, unit in [(1.0, "s"), (1e-3, "ms"), (1e-6, "us")]:
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def partner(name):
    if name.startswith("fold/exact/"):
        return name.replace("/exact/", "/plain/"), "x plain"
    if name.endswith("/threads:2"):
        return name.removesuffix("2") + "1", "x 1 thread"
    return None, ""


def ratio(name, results):
    """Time of the row over its partner's."""
    other, words = partner(name)
    if other not in results or results[other].get("error_occurred"):
        return ""
    times = seconds(results[name]) / seconds(results[other])
    return f"{times:.2f} {words}"


def line(name, results):
    result = results[name]
    if result.get("error_occurred"):
        return [name, "FAILED: " + result["error_message"]]
    rate = result.get("items_per_second")
    volume = result.get("bytes_per_second")
    return [
        name,
        duration(seconds(result)),
        duration(1 / rate) if rate else "",
        short(rate) if rate else "",
        f"{volume / 1e9:.3g}" if volume else "",
        ratio(name, results),
    ]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: table.py RESULTS.json")
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    for key, value in report["context"].items():
        if isinstance(value, str) and key in (
            "cpu", "instruction_set", "compiler", "hanse", "data_set", "seed",
            "threads_available", "date",
        ):
            print(f"{key:18}{value}")
    load, n_cpus = report["context"]["load_avg"], report["context"]["num_cpus"]
    if load and load[0] > 0.5 * n_cpus:
        print(f"\nload {load[0]:.1f} on {n_cpus} processors at the start: the "
              "machine was busy, the figures are worth little")
    results = rows_of(report)
    lines = [["case", "time", "a row", "rows/s", "GB/s", "ratio of times"]]
    lines += [line(name, results) for name in results]
    full = [cells for cells in lines if len(cells) == len(lines[0])]
    widths = [max(len(cells[i]) for cells in full) for i in range(len(lines[0]))]
    print()
    for cells in lines:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        print("  ".join([first] + rest).rstrip())
    failed = sum(bool(result.get("error_occurred"))
                 for result in results.values())
    if failed:
        sys.exit(f"{failed} of {len(results)} cases failed")


if __name__ == "__main__":
    main()
