#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Models of several steps: hanse against numpy, pandas and scipy.

Both sides are processes of their own, from their start to a complete result
file, with the input in the page cache. They run in turn; medians count. The
input has gzip and shuffle, and so have the record-level columns that both
write. Their awards, received information and totals must agree.

usage: compare_models.py HANSE [options]; --help lists them.
"""
import argparse
import json
import os
import subprocess

import measure

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, for its h5py, numpy, pandas, scipy

JOBS = {
    "resource": ("entropy weights of 3 indicators, a pool shared out by demand",
                 """group_by: cluster
models:
  resource:
    within: cluster
    evaluate: {indicators: [labour, equipment, technology], weights: entropy}
    allocate: {rule: proportional, claim: demand}
output: {records: {columns: [allocation]}}
"""),
    "information": ("links, 2 hops, decay 0.5",
                    """group_by: cluster
models:
  information:
    transmit: {links: /links, hops: 2, decay: 0.5, weight: rate, by: row}
output: {records: {columns: [received]}}
"""),
}

COMPARE = """
import sys, h5py, numpy as np
with h5py.File(sys.argv[1]) as a, h5py.File(sys.argv[2]) as b:
    for name in sys.argv[3:]:
        x, y = a[name][:], b[name][:]
        far = ~np.isclose(x, y, rtol=1e-9, atol=1e-12, equal_nan=True)
        if len(x) != len(y) or far.any():
            sys.exit(f"{name}: {far.sum()} of {len(x)} differ")
"""
COLUMNS = {
    "resource": ("records/allocation",
                 "by_cluster/resource_total"),
    "information": ("records/received", "by_cluster/information_total"),
}


def make_table(options, name):
    """The input; links come at about three for an enterprise."""
    rows = options.rows if name == "resource" else options.links * 10 // 31
    path = os.path.join(options.folder, f"{name}_{rows}.h5")
    if not os.path.exists(path):
        subprocess.run([options.hanse, "generate", path, "-n", str(rows),
                        "--compress", "gzip", "--shuffle", "--quiet"]
                       + (["--links"] if name == "information" else []),
                       check=True)
    return path


def ask(options, name):
    source = make_table(options, name)
    job = os.path.join(options.folder, f"{name}.yaml")
    with open(job, "w", encoding="utf-8") as file:
        file.write(JOBS[name][1])
    results = [os.path.join(options.folder, f"{name}_{side}.h5")
               for side in ("hanse", "peer")]
    found, failed = measure.in_turn(
        {"hanse": ([options.hanse, "run", job, source, "-o", results[0],
                    "--threads", str(options.threads), "--quiet"], None),
         "peer": ([PYTHON, os.path.join(HERE, "peer_models.py"), source, name,
                   results[1]], None)}, options.runs)
    if failed:
        measure.stop("failed: " + "; ".join(failed.values()))
    done = subprocess.run([PYTHON, "-c", COMPARE, *results, *COLUMNS[name]],
                          capture_output=True, text=True)
    if done.returncode != 0:
        measure.stop(f"results differ: {done.stderr.strip()}")
    for path in results:
        os.remove(path)
    return found


def report(name, found):
    ratio = measure.median([peer / ours for ours, peer in
                            zip(found["hanse"]["seconds"],
                                found["peer"]["seconds"])])
    cells = [f"{name:12}"]
    for side in ("hanse", "peer"):
        cells.append(f"{measure.median(found[side]['seconds']):9.2f} s"
                     f"{measure.median(found[side]['peak_bytes']) / 1e6:7.0f}"
                     " MB")
    print("".join(cells) + f"{ratio:8.2f}  {JOBS[name][0]}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse", help="build/bench/cli/hanse")
    parser.add_argument("--rows", type=int, default=20_000_000,
                        help="of the resource model")
    parser.add_argument("--links", type=int, default=10_000_000,
                        help="of the information model, about")
    parser.add_argument("--models", default=",".join(JOBS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", default="build/peers/models",
                        help="of tables and results; some GB")
    parser.add_argument("--json", help="write all measurements there")
    return parser.parse_args()


def main():
    options = parse()
    os.makedirs(options.folder, exist_ok=True)
    print(f"{options.rows} rows, about {options.links} links, gzip and "
          f"shuffle, whole processes, {options.threads} threads, medians of "
          f"{options.runs}; {measure.machine()}")
    print(f"{'':12}{'hanse':>20}{'numpy, scipy':>21}   ratio")
    results = {}
    for name in options.models.split(","):
        results[name] = ask(options, name)
        report(name, results[name])
    print("results agree")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "links": options.links,
                       "threads": options.threads, "results": results}, file,
                      indent=2)
            file.write("\n")


main()
