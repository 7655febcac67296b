#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A whole job in hanse beside the work that nobody can leave out (limit.c).

One int32 key and three float64 measures, totals by a thousand clusters written
to a file, from three files with the same rows: contiguous, gzip, gzip with
shuffle. Both sides are whole processes and run in turn, so that other load on
the machine meets both; medians count. "share" is limit's time over hanse's, in
the same turn: 1 is the machine's speed. "processor" is the same of the seconds
that processors worked, which other load disturbs less.

usage: limit.py HANSE LIMIT [--rows N] [--runs N] [--threads LIST] [--folder DIR]
                [--json FILE]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

CLUSTERS = 1000
CHUNK_ROWS = 65536
KEY = "cluster"
MEASURES = ["resource", "information", "strategy"]
LAYOUTS = {
    "contiguous": {},
    "gzip": {"compression": "gzip", "compression_opts": 4},
    "gzip_shuffle": {"compression": "gzip", "compression_opts": 4,
                     "shuffle": True},
}


# ---- Steps in processes of their own, for their h5py and numpy --------------

def make_tables(n_rows, paths):
    """Keys without order, cents, and two columns of unrounded values, which
    deflate can hardly shorten."""
    import h5py
    import numpy as np

    random = np.random.default_rng(1358)
    columns = {KEY: random.integers(0, CLUSTERS, n_rows, dtype=np.int32)}
    for name in MEASURES:
        columns[name] = random.lognormal(0.0, 2.5, n_rows)
    columns["resource"] = np.round(columns["resource"], 2)
    for (layout, how), path in zip(LAYOUTS.items(), paths):
        how = dict(how, chunks=(min(CHUNK_ROWS, n_rows),)) if how else how
        with h5py.File(path + ".part", "w") as file:
            table = file.create_group("enterprises")
            for name, values in columns.items():
                table.create_dataset(name, data=values, **how)
        os.rename(path + ".part", path)


def make_index(path, index):
    import h5py

    with h5py.File(path) as file, open(index, "w", encoding="utf-8") as out:
        for name in [KEY, *MEASURES]:
            data = file["enterprises"][name]
            width = data.dtype.itemsize
            if data.chunks is None:
                print(data.id.get_offset(), data.nbytes, data.nbytes, width,
                      "-", file=out)
                continue
            filters = ("shuffle," if data.shuffle else "") + "deflate"
            for i in range(data.id.get_num_chunks()):
                chunk = data.id.get_chunk_info(i)
                print(chunk.byte_offset, chunk.size, data.chunks[0] * width,
                      width, filters, file=out)


def check(path, result):
    """Counts are equal, totals agree but for numpy's rounding."""
    import h5py
    import numpy as np

    with h5py.File(path) as file, h5py.File(result) as found:
        table, totals = file["enterprises"], found["by_cluster"]
        key = table[KEY][...]
        keys, counts = np.unique(key, return_counts=True)
        np.testing.assert_array_equal(totals[KEY][...], keys)
        np.testing.assert_array_equal(totals["count"][...], counts)
        for name in MEASURES:
            expected = np.bincount(key, weights=table[name][...])[keys]
            np.testing.assert_allclose(totals[name + "_total"][...], expected,
                                       rtol=1e-9)


STEPS = {"--make": lambda words: make_tables(int(words[0]), words[1:]),
         "--index": lambda words: make_index(*words),
         "--check": lambda words: check(*words)}


def step(*words):
    subprocess.run([sys.executable, os.path.abspath(__file__), *words],
                   check=True)


# ---- Measuring --------------------------------------------------------------

def run(words):
    """Seconds, processor seconds and peak bytes of a process."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    begin = time.perf_counter()
    child = os.posix_spawn(words[0], words, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"failed: {' '.join(words)}")
    return {"seconds": seconds,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * 1024}


def hanse_job(hanse, path, result, n_threads):
    words = [hanse, "run", path, "-o", result, "--by", KEY, "--statistics",
             "total", "--threads", str(n_threads), "--quiet"]
    for name in MEASURES:
        words += ["--measure", name]
    return words


def measure(jobs, n_runs):
    """Name to the runs; the first turn only warms the caches."""
    found = {name: [] for name in jobs}
    for turn in range(n_runs + 1):
        for name, words in jobs.items():
            one = run(words)
            if turn > 0:
                found[name].append(one)
    return found


def median(runs, what):
    return statistics.median(r[what] for r in runs)


def report(layout, threads, found):
    """Lines of a layout; the figures, for JSON."""
    rows = []
    for n in threads:
        ours, limit = found["hanse", n], found["limit", n]
        share = statistics.median(
            b["seconds"] / a["seconds"] for a, b in zip(ours, limit))
        work = statistics.median(
            b["cpu_seconds"] / a["cpu_seconds"] for a, b in zip(ours, limit))
        one = found["hanse", threads[0]]
        speedup = statistics.median(
            a["seconds"] / b["seconds"] for a, b in zip(one, ours))
        rows.append({"layout": layout, "threads": n, "share": share,
                     "processor_share": work,
                     "limit_seconds": median(limit, "seconds"),
                     "hanse_seconds": median(ours, "seconds"),
                     "limit_cpu_seconds": median(limit, "cpu_seconds"),
                     "hanse_cpu_seconds": median(ours, "cpu_seconds"),
                     "peak_bytes": median(ours, "peak_bytes"),
                     "speedup": speedup})
        r = rows[-1]
        print(f"{layout:14}{n:8}{r['limit_seconds']:9.3f}s"
              f"{r['hanse_seconds']:9.3f}s{share:8.2f}{work:11.2f}{speedup:9.2f}"
              f"{r['peak_bytes'] / 1e6:9.0f} MB")
    return rows


def main():
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        return STEPS[sys.argv[1]](sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse")
    parser.add_argument("limit")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--folder", default="build/bench/bench/data")
    parser.add_argument("--json")
    options = parser.parse_args()
    threads = [int(n) for n in options.threads.split(",")]
    hanse, limit = map(os.path.abspath, (options.hanse, options.limit))
    os.makedirs(options.folder, exist_ok=True)
    paths = [os.path.join(options.folder, f"limit_{name}_{options.rows}.h5")
             for name in LAYOUTS]
    if not all(map(os.path.exists, paths)):
        step("--make", str(options.rows), *paths)
    print(f"{options.rows} rows, one key, 3 measures, whole processes, "
          f"{os.cpu_count()} processors, medians of {options.runs}")
    print(f"{'':14}{'threads':>8}{'limit':>10}{'hanse':>10}{'share':>8}"
          f"{'processor':>11}{'speedup':>9}{'memory':>12}")
    all_rows = []
    for layout, path in zip(LAYOUTS, paths):
        index, result = path + ".index", path + ".totals"
        step("--index", path, index)
        jobs = {}
        for n in threads:
            jobs["limit", n] = [limit, path, index, str(n)]
            jobs["hanse", n] = hanse_job(hanse, path, result, n)
        found = measure(jobs, options.runs)
        step("--check", path, result)
        os.remove(index)
        os.remove(result)
        all_rows += report(layout, threads, found)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "runs": options.runs,
                       "results": all_rows}, file, indent=2)
            file.write("\n")


main()
