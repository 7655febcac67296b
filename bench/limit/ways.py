#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ways to read the tables of limit.py, each beside its other, in turns.

  warm    uncompressed columns copied (--read copy) and mapped (--read map)
  cold    after the file has left the page cache: with and without reading ahead
  start   a table of 1,000 rows: what every run costs

"ratio" is the time of the row over that of its partner above, in the same turn.

usage: ways.py HANSE [--rows N] [--runs N] [--folder DIR] [--json FILE]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

TABLES = ["contiguous", "gzip", "gzip_shuffle"]
MEASURES = ["resource", "information", "strategy"]


def table(folder, name, n_rows):
    return os.path.join(folder, f"limit_{name}_{n_rows}.h5")


def make(folder, n_rows):
    paths = [table(folder, name, n_rows) for name in TABLES]
    if not all(map(os.path.exists, paths)):
        limit = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "limit.py")
        subprocess.run([sys.executable, limit, "--make", str(n_rows), *paths],
                       check=True)


def leave_cache(path):
    """Writes back what is dirty, then drops the file's pages."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def run(words):
    begin = time.perf_counter()
    child = os.posix_spawn(words[0], words, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"failed: {' '.join(words)}")
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * 1024}


def job(hanse, path, n_threads, *options):
    words = [hanse, "run", path, "-o", path + ".ways", "--by", "cluster",
             "--threads", str(n_threads), "--quiet", *options]
    for name in MEASURES:
        words += ["--measure", name]
    return words


def cases(hanse, folder, n_rows):
    """Name, path, whether it is cold, and the two commands of a pair."""
    contiguous = table(folder, "contiguous", n_rows)
    for n in 1, 2:
        yield (f"warm/contiguous/threads:{n}", contiguous, False,
               {"copy": job(hanse, contiguous, n, "--read", "copy"),
                "map": job(hanse, contiguous, n, "--read", "map")})
    for name in "contiguous", "gzip_shuffle":
        path = table(folder, name, n_rows)
        for n in 1, 2:
            yield (f"cold/{name}/threads:{n}", path, True,
                   {"ahead": job(hanse, path, n),
                    "no_ahead": job(hanse, path, n, "--no-read-ahead")})
    small = table(folder, "contiguous", 1000)
    yield "start", small, False, {"1000_rows": job(hanse, small, 2)}


def measure(path, is_cold, pair, n_runs):
    """The first turn only warms up."""
    found = {name: [] for name in pair}
    for turn in range(n_runs + 1):
        for name, words in pair.items():
            if is_cold:
                leave_cache(path)
            one = run(words)
            if turn > 0:
                found[name].append(one)
    os.remove(path + ".ways")
    return found


def report(case, found):
    base = next(iter(found.values()))
    for name, runs in found.items():
        row = {what: statistics.median(r[what] for r in runs)
               for what in runs[0]}
        row["name"] = f"{case}/{name}"
        row["ratio"] = statistics.median(
            a["seconds"] / b["seconds"] for a, b in zip(runs, base))
        print(f"{row['name']:42}{row['seconds']:9.4f}s"
              f"{row['cpu_seconds']:9.4f}s{row['ratio']:8.2f}"
              f"{row['peak_bytes'] / 1e6:9.0f} MB", flush=True)
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", default="build/bench/bench/data")
    parser.add_argument("--json")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    make(options.folder, options.rows)
    make(options.folder, 1000)
    print(f"{options.rows} rows, whole processes, {os.cpu_count()} processors, "
          f"medians of {options.runs}")
    print(f"{'':42}{'time':>10}{'processor':>10}{'ratio':>8}{'memory':>12}")
    rows = []
    for name, path, is_cold, pair in cases(os.path.abspath(options.hanse),
                                           options.folder, options.rows):
        rows += report(name, measure(path, is_cold, pair, options.runs))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "results": rows}, file, indent=2)
            file.write("\n")


main()
