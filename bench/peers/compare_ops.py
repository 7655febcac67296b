#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ten group-by questions of the database-like-ops benchmark, each in one
command of hanse.

The table is that of make_ops_data.py. Whole processes in turn, as for
compare_peers.py; with DuckDB beside, from Parquet, where it is installed
(bench/peers/install.sh): then groups are counted and columns added up on both
sides, which must agree.

usage: compare_ops.py HANSE [options]; --help lists them.
"""
import argparse
import json
import os
import shlex
import sys

import measure
from duckdb_library import Database, library

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, for its h5py and numpy

# Keys, what hanse is asked for, and value columns: hanse's name to DuckDB's
# words. Question 7 asks for max v1 - min v2, question 9 for the square of the
# correlation: both follow from the columns of the result.
QUESTIONS = {
    "q1": ("id1", "-m v1", {"v1_total": "sum(v1)"}),
    "q2": ("id1,id2", "-m v1", {"v1_total": "sum(v1)"}),
    "q3": ("id3", "-m v1 -m v3 -s total,mean",
           {"v1_total": "sum(v1)", "v3_mean": "avg(v3)"}),
    "q4": ("id4", "-m v1 -m v2 -m v3 -s mean",
           {"v1_mean": "avg(v1)", "v2_mean": "avg(v2)", "v3_mean": "avg(v3)"}),
    "q5": ("id6", "-m v1 -m v2 -m v3",
           {"v1_total": "sum(v1)", "v2_total": "sum(v2)",
            "v3_total": "sum(v3)"}),
    "q6": ("id4,id5", "-m v3 -s median,std",
           {"v3_median": "median(v3)", "v3_std": "stddev_samp(v3)"}),
    "q7": ("id3", "-m v1 -m v2 -s max,min",
           {"v1_max": "max(v1)", "v2_min": "min(v2)"}),
    "q8": ("id6", "-m v3 -s top2",
           {"v3_top1": "max(v3, 2)[1]", "v3_top2": "max(v3, 2)[2]"}),
    "q9": ("id2,id4", "-m v1 -m v2 -s corr", {"v1_v2_corr": "corr(v1, v2)"}),
    "q10": ("id1,id2,id3,id4,id5,id6", "-m v3",
            {"v3_total": "sum(v3)", "count": "count(*)"}),
}
# What the benchmark itself asks where that differs.
ASKED = {
    "q7": ["max(v1) - min(v2)"],
    "q8": ["max(v3, 2)"],
    "q9": ["corr(v1, v2) ^ 2"],
}


def hanse_words(question):
    keys, words, _ = QUESTIONS[question]
    return ["--table", "/", "--by", keys] + words.split()


def sql(question, source, values):
    keys = QUESTIONS[question][0]
    return f"SELECT {keys}, {', '.join(values)} FROM '{source}' " \
           f"GROUP BY {keys}"


# ---- Processes of their own -------------------------------------------------

def ask_duckdb(path, source, question, n_threads):
    values = ASKED.get(question) or QUESTIONS[question][2].values()
    Database(path, n_threads).run(sql(question, source, values))
    os._exit(0)


def check(question, result, path, source, n_threads):
    """Number of groups, and the sum of each column over them."""
    import h5py
    import numpy as np

    keys, _, names = QUESTIONS[question]
    values = [f"{words} AS x{i}" for i, words in enumerate(names.values())]
    sums = ", ".join(f"sum(x{i})::DOUBLE" for i in range(len(names)))
    theirs = Database(path, n_threads).columns(
        f"SELECT count(*)::DOUBLE, {sums} "
        f"FROM ({sql(question, source, values)})", 1 + len(names))
    with h5py.File(result) as file:
        table = file["by_" + keys.replace(",", "_")]
        ours = [len(table["count"])] + [np.sum(table[name][...])
                                        for name in names]
    for name, a, b in zip(["groups", *names], ours, theirs):
        if not np.isclose(a, b[0], rtol=1e-9, atol=0):
            sys.exit(f"{question}: {name}: hanse {a!r}, DuckDB {b[0]!r}")


# ---- Measuring --------------------------------------------------------------

def ask(options, question, hdf5, parquet, duckdb):
    result = os.path.join(options.folder, "ops_result.h5")
    jobs = {"hanse": ([options.hanse, "run", hdf5, "-o", result, "--threads",
                       str(options.threads), "--quiet"]
                      + hanse_words(question), None)}
    this = [PYTHON, os.path.abspath(__file__)]
    if duckdb:
        jobs["duckdb"] = (this + ["--ask-duckdb", duckdb, parquet, question,
                                  str(options.threads)], None)
    found, failed = measure.in_turn(jobs, options.runs)
    faults = [f"{name} failed: {words}" for name, words in failed.items()]
    if options.check and len(found) == 2:
        try:
            measure.run(this + ["--check", question, result, duckdb, parquet,
                                str(options.threads)])
        except measure.Failed as fault:
            faults.append(str(fault))
    if os.path.exists(result):
        os.remove(result)
    return found, faults


def report(question, found):
    cells = []
    for name in ("hanse", "duckdb"):
        if name not in found:
            cells.append(f"{'-':>27}")
            continue
        wall, cpu, peak = (measure.median(found[name][key]) for key in
                           ("seconds", "cpu_seconds", "peak_bytes"))
        cells.append(f"{wall:9.3f}s{cpu:8.3f}s{peak / 1e6:6.0f} MB")
    ratio = f"{'':7}"
    if len(found) == 2:
        ratio = "{:7.2f}".format(measure.median(found["duckdb"]["seconds"])
                                 / measure.median(found["hanse"]["seconds"]))
    print(f"{question:4}" + "".join(cells) + ratio + "  "
          + shlex.join(hanse_words(question)[2:]), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse", help="the program, build/bench/cli/hanse")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--questions", default=",".join(QUESTIONS),
                        help="some of them, as in q1,q4")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-check", dest="check", action="store_false",
                        help="do not compare the results")
    parser.add_argument("--installed", default="build/peers",
                        help="the folder of install.sh")
    parser.add_argument("--folder", default="build/peers/data",
                        help="of tables and results; some GB")
    parser.add_argument("--json", help="write all measurements there")
    options = parser.parse_args()
    options.questions = options.questions.lower().split(",")
    for question in options.questions:
        if question not in QUESTIONS:
            parser.error(f"no question {question}; there are "
                         + ", ".join(QUESTIONS))
    return options


def main():
    options = parse()
    options.folder = os.path.join(options.folder, f"ops_{options.rows}")
    os.makedirs(options.folder, exist_ok=True)
    duckdb = library(options.installed)
    measure.run([PYTHON, os.path.join(HERE, "make_ops_data.py"), options.folder,
                 str(options.rows)] + ([duckdb] if duckdb else []))
    hdf5, parquet = (os.path.join(options.folder, "ops." + kind)
                     for kind in ("h5", "parquet"))
    if duckdb is None:
        print(f"left out: duckdb (no libduckdb.so in {options.installed})")
    print(f"{options.rows} rows, whole processes, {options.threads} threads, "
          f"medians of {options.runs}; {measure.machine()}")
    print(f"{'':4}{'hanse: wall, cpu, peak':>27}{'duckdb':>27}  ratio  "
          "hanse run ops.h5 -o RESULT --table / ...")
    results, faults = {}, []
    for question in options.questions:
        results[question], wrong = ask(options, question, hdf5, parquet, duckdb)
        report(question, results[question])
        faults += [f"{question}: {fault}" for fault in wrong]
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "threads": options.threads,
                       "results": results, "faults": faults}, file, indent=2)
            file.write("\n")
    for fault in faults:
        print(fault, file=sys.stderr)
    if options.check and duckdb and not faults:
        print("results agree")
    sys.exit(1 if faults else 0)


if sys.argv[1:2] == ["--ask-duckdb"]:
    ask_duckdb(*sys.argv[2:])
elif sys.argv[1:2] == ["--check"]:
    check(*sys.argv[2:])
else:
    main()
