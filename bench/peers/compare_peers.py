#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Eight questions asked of hanse and of the tools that people use today.

Each side is a process of its own, from its start to its result, with the file
in the page cache. They run in turn, so that other load on the machine meets
all; medians count. hanse, numpy, pandas and data.table (rhdf5) read HDF5;
DuckDB and Polars read the same table as Parquet. hanse writes a result file;
the others keep theirs in memory. In runs that are not timed they hand it over:
results must agree, and a sample of hanse's totals must be what math.fsum gives.

Peers that are not installed are left out by name (bench/peers/install.sh).

usage: compare_peers.py HANSE [options]; --help lists them.
"""
import argparse
import json
import os
import subprocess
import sys

import measure
from duckdb_library import library
from questions import WORDS, hanse_words

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, for its h5py, numpy and pandas
PEERS = ("duckdb", "polars", "datatable", "pandas", "numpy")


# ---- Peers ------------------------------------------------------------------

class Peer:
    """A command that answers a question from a file, or why there is none."""

    def __init__(self, words, source, environment=None, missing=None):
        self.words, self.source = words, source
        self.environment, self.missing = environment, missing

    def command(self, question, n_threads, *result):
        return (self.words + [self.source, question, str(n_threads), *result],
                self.environment)


def answers(words):
    """Whether a command can be started and ends with 0."""
    try:
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False


def find_peer(name, options, hdf5):
    script = os.path.join(HERE, f"peer_{name}")
    parquet = os.path.join(options.folder, "table.parquet")
    modules = os.path.join(os.path.abspath(options.installed), "node_modules")
    duckdb = library(options.installed)
    if name in ("duckdb", "polars") and duckdb is None:
        return Peer([], None, missing=f"no libduckdb.so in {modules}"
                    + ("" if name == "duckdb" else ", which writes Parquet"))
    if name == "duckdb":
        return Peer([PYTHON, script + ".py", duckdb], parquet)
    if name == "polars":
        node = ["node", script + ".js"]
        environment = {"NODE_PATH": modules,
                       "POLARS_MAX_THREADS": str(options.threads)}
        if not answers(["node", "-e", f"require('{modules}/nodejs-polars')"]):
            return Peer([], None, missing=f"no nodejs-polars in {modules}")
        return Peer(node, parquet, environment)
    if name == "datatable":
        if not answers(["Rscript", "-e", "library(data.table);library(rhdf5)"]):
            return Peer([], None, missing="no R with data.table and rhdf5")
        return Peer(["Rscript", script + ".R"], hdf5)
    if not answers([PYTHON, "-c", f"import h5py, {name}"]):
        return Peer([], None, missing=f"no h5py and {name}")
    return Peer([PYTHON, script + ".py"], hdf5)


# ---- hanse ------------------------------------------------------------------

def hanse_command(options, question, hdf5, result):
    return ([options.hanse, "run", hdf5, "-o", result, "--table", "/",
             "--threads", str(options.threads), "--quiet"]
            + hanse_words(question), None)


def check(options, question, hdf5, result, peers):
    """What does not agree: lines of words."""
    checker = [PYTHON, os.path.join(HERE, "check_results.py")]
    theirs = os.path.join(options.folder, "peer_result")
    faults = []
    for name, peer in peers.items():
        words, environment = peer.command(question, options.threads, theirs)
        try:
            measure.run(words, environment)
            measure.run(checker + ["peer", question, result, theirs])
        except measure.Failed as fault:
            faults.append(f"{name}: {fault}")
    if question != "Q6":
        try:
            measure.run(checker + ["fsum", question, result, hdf5])
        except measure.Failed as fault:
            faults.append(f"math.fsum: {fault}")
    if os.path.exists(theirs):
        os.remove(theirs)
    return faults


# ---- Measuring and reporting ------------------------------------------------

def ask(options, question, hdf5, peers):
    """One question: name to measurements, and faults."""
    result = os.path.join(options.folder, "hanse_result.h5")
    jobs = {"hanse": hanse_command(options, question, hdf5, result)}
    for name, peer in peers.items():
        jobs[name] = peer.command(question, options.threads)
    found, failed = measure.in_turn(jobs, options.runs)
    faults = [f"{name} failed: {words}" for name, words in failed.items()]
    if options.check and "hanse" in found:
        able = {name: peer for name, peer in peers.items() if name in found}
        faults += check(options, question, hdf5, result, able)
    if os.path.exists(result):
        os.remove(result)
    return found, faults


def report(question, found, names):
    """Rows of seconds, of processors' seconds, and of peak memory."""
    def cells(key, form, size=1):
        return "".join(
            form.format(measure.median(found[name][key]) / size)
            if name in found else f"{'-':>10}" for name in names)

    theirs = {name: measure.median(found[name]["seconds"]) for name in names
              if name != "hanse" and name in found}
    ratio = ""
    if theirs and "hanse" in found:
        best = min(theirs, key=theirs.get)
        ours = measure.median(found["hanse"]["seconds"])
        ratio = f"{theirs[best] / ours:8.2f}  {best}"
    print(f"{question:4}wall  " + cells("seconds", "{:9.3f}s") + ratio)
    print(f"{'':4}cpu   " + cells("cpu_seconds", "{:9.3f}s"))
    print(f"{'':4}peak  " + cells("peak_bytes", "{:7.0f} MB", 1e6), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse", help="the program, build/bench/cli/hanse")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--questions", default=",".join(WORDS),
                        help="some of them, as in Q1,Q4")
    parser.add_argument("--peers", default=",".join(PEERS),
                        help="some of them, as in duckdb,numpy; or none")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", default="contiguous",
                        choices=("contiguous", "shuffle", "gzip"),
                        help="of the HDF5 file")
    parser.add_argument("--no-check", dest="check", action="store_false",
                        help="do not compare the results")
    parser.add_argument("--installed", default="build/peers",
                        help="the folder of install.sh")
    parser.add_argument("--folder", default="build/peers/data",
                        help="of tables and results; some GB")
    parser.add_argument("--json", help="write all measurements there")
    options = parser.parse_args()
    options.questions = options.questions.upper().split(",")
    options.peers = [] if options.peers == "none" else options.peers.split(",")
    for question in options.questions:
        if question not in WORDS:
            parser.error(f"no question {question}; there are "
                         + ", ".join(WORDS))
    for name in options.peers:
        if name not in PEERS:
            parser.error(f"no peer {name}; there are " + ", ".join(PEERS))
    return options


def main():
    options = parse()
    options.folder = os.path.join(options.folder, str(options.rows))
    os.makedirs(options.folder, exist_ok=True)
    duckdb = library(options.installed)
    measure.run([PYTHON, os.path.join(HERE, "make_data.py"), options.folder,
                 str(options.rows)] + ([duckdb] if duckdb else []))
    hdf5 = os.path.join(options.folder, options.layout + ".h5")
    peers = {}
    for name in options.peers:
        peer = find_peer(name, options, hdf5)
        if peer.missing is None:
            peers[name] = peer
        else:
            print(f"left out: {name} ({peer.missing})")

    names = ["hanse", *peers]
    print(f"{options.rows} rows, {options.layout} HDF5 and Parquet, whole "
          f"processes, {options.threads} threads, medians of {options.runs}; "
          f"{measure.machine()}")
    print(f"{'':10}" + "".join(f"{name:>10}" for name in names)
          + "  best peer / hanse")
    results, faults = {}, []
    for question in options.questions:
        results[question], wrong = ask(options, question, hdf5, peers)
        report(question, results[question], names)
        faults += [f"{question}: {fault}" for fault in wrong]
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "threads": options.threads,
                       "layout": options.layout, "results": results,
                       "faults": faults}, file, indent=2)
            file.write("\n")
    for fault in faults:
        print(fault, file=sys.stderr)
    if options.check and not faults:
        print("results agree; totals of hanse are those of math.fsum")
    sys.exit(1 if faults else 0)


main()
