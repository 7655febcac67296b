#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A whole job in hanse against the same in h5py and numpy.

Three measures by cluster from a contiguous table: each side is a process of
its own, from its start to the written result. They run in turn, so that other
load on the machine meets both; medians count. Totals must agree.

What numpy does is what one writes by hand: read a column, leave out missing
values, np.bincount; plain sums on one thread.

usage: compare_numpy.py HANSE [--rows N] [--runs N] [--folder DIR] [--json FILE]
"""
import argparse
import json
import os
import statistics
import sys
import time

MEASURES = {"resource": "resource", "information": "information",
            "cooperation": "strategy"}


# ---- What is measured -------------------------------------------------------

def numpy_job(source, target):
    import h5py
    import numpy as np

    with h5py.File(source) as file:
        table = file["enterprises"]
        cluster = table["cluster"][...]
        n_groups = int(cluster.max()) + 1
        count = np.bincount(cluster, minlength=n_groups)
        present = np.flatnonzero(count)
        results = {"cluster": present, "count": count[present]}
        for name, column in MEASURES.items():
            values = table[column][...]
            values[np.isnan(values)] = 0.0
            totals = np.bincount(cluster, weights=values, minlength=n_groups)
            results[name + "_total"] = totals[present]
    with h5py.File(target, "w") as file:
        for name, values in results.items():
            file[name] = values


def check(ours, theirs):
    """Keys and counts are equal, totals agree but for numpy's rounding."""
    import h5py
    import numpy as np

    with h5py.File(ours) as a, h5py.File(theirs) as b:
        table = a["by_cluster"]
        for name in ("cluster", "count"):
            assert np.array_equal(table[name][...], b[name][...]), name
        for name in MEASURES:
            np.testing.assert_allclose(table[name + "_total"][...],
                                       b[name + "_total"][...], rtol=1e-9)


# ---- Measuring --------------------------------------------------------------
# This process imports neither h5py nor numpy: the peak memory of a child
# includes what its parent held when it was started.

def run(words):
    """Seconds and peak bytes of a process."""
    begin = time.perf_counter()
    child = os.posix_spawn(words[0], words, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"failed: {' '.join(words)}")
    return seconds, usage.ru_maxrss * 1024


def make_table(hanse, folder, n_rows):
    path = os.path.join(folder, f"contiguous_{n_rows}_seed1.h5")
    if not os.path.exists(path):
        run([hanse, "generate", path, "-n", str(n_rows), "--clusters", "1000",
             "--seed", "1", "--layout", "contiguous", "--quiet"])
    return path


def contenders(hanse, source, folder):
    """Name to (command, result file)."""
    def hanse_job(target, *threads):
        return [hanse, "run", source, "-o", target, "--by", "cluster",
                "--quiet", *threads]

    def path(name):
        return os.path.join(folder, f"compare_{name}.h5")

    ours, one, theirs = path("hanse"), path("hanse_1"), path("numpy")
    python = [sys.executable, os.path.abspath(__file__)]
    return {
        "numpy": (python + ["--numpy-job", source, theirs], theirs),
        "hanse": (hanse_job(ours), ours),
        "hanse, 1 thread": (hanse_job(one, "--threads", "1"), one),
    }


def measure(jobs, n_runs):
    """Name to seconds and peaks; the first turn only warms the caches."""
    found = {name: {"seconds": [], "peak_bytes": []} for name in jobs}
    for turn in range(n_runs + 1):
        for name, (words, _) in jobs.items():
            seconds, peak = run(words)
            if turn > 0:
                found[name]["seconds"].append(seconds)
                found[name]["peak_bytes"].append(peak)
    return found


def report(found, n_rows):
    base = statistics.median(found["numpy"]["seconds"])
    print(f"{n_rows} rows, 3 measures by cluster, whole processes, "
          f"{os.cpu_count()} processors, medians of "
          f"{len(found['numpy']['seconds'])}")
    print(f"{'':16}{'time':>9}{'rows/s':>10}{'peak memory':>13}"
          f"{'numpy / this':>14}")
    for name, values in found.items():
        seconds = statistics.median(values["seconds"])
        peak = statistics.median(values["peak_bytes"])
        values.update(median_seconds=seconds, rows_per_second=n_rows / seconds,
                      median_peak_bytes=peak, speedup=base / seconds)
        print(f"{name:16}{seconds:8.3f}s{n_rows / seconds / 1e6:8.1f} M"
              f"{peak / 1e6:10.0f} MB{base / seconds:14.2f}")


def main():
    if sys.argv[1:2] == ["--numpy-job"]:
        return numpy_job(*sys.argv[2:])
    if sys.argv[1:2] == ["--check"]:
        return check(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", default="build/bench/bench/data")
    parser.add_argument("--json")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    source = make_table(options.hanse, options.folder, options.rows)
    jobs = contenders(options.hanse, source, options.folder)
    found = measure(jobs, options.runs)
    theirs = jobs["numpy"][1]
    for name, (_, result) in jobs.items():
        if name != "numpy":
            run([sys.executable, os.path.abspath(__file__), "--check", result,
                 theirs])
    for _, result in jobs.values():
        os.remove(result)
    report(found, options.rows)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "results": found}, file, indent=2)
            file.write("\n")


main()
