#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""More groups than memory allows: the same results as with all memory.

Groups whose keys fill a range, whose keys are scattered, and groups of texts,
with limits below what their states need, statistics that are spilled and those
for which the table is read again. Without a directory for temporary files
such a run fails and says what to do; a directory that is missing or full is an
error; nothing stays behind.

usage: test_spill.py HANSE
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from checks import check, exit_status

HANSE = sys.argv[1]
N = 400_000
RNG = np.random.default_rng(11)


def run(*arguments, preset=()):
    return subprocess.run([*preset, HANSE, "run", *map(str, arguments)],
                          text=True, capture_output=True, check=False)


def write_table(path):
    scattered = RNG.integers(-2**62, 2**62, 150_000)
    with h5py.File(path, "w") as file:
        group = file.create_group("enterprises")
        group["dense"] = RNG.integers(0, 120_000, N).astype("i4")
        group["scattered"] = scattered[RNG.integers(0, len(scattered), N)]
        group["part"] = RNG.integers(0, 3, N).astype("i2")
        names = np.array([b"town %06d" % i for i in range(100_000)])
        group["town"] = names[RNG.integers(0, len(names), N)]
        group["x"] = RNG.lognormal(0, 4, N)
        group["i"] = RNG.integers(-2**40, 2**40, N)
        group["few"] = RNG.integers(0, 500, N) / 4
        group["enterprise_id"] = np.array([b"e%06d" % i
                                           for i in RNG.permutation(N)])


def contents(path):
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("provenance"):
            values = np.asarray(item[()])
            found[name] = (str(item.dtype),
                           values.tolist() if values.dtype == object
                           else values.tobytes())

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def check_same(folder, table, keys, limit):
    whole, part = f"{folder}/whole.h5", f"{folder}/part.h5"
    summary, temporary = f"{folder}/summary.json", f"{folder}/temporary"
    arguments = [table, "--by", keys, "-m", "x", "-m", "i", "-s", "all"]
    done = run(*arguments, "-o", whole)
    check(f"{keys}: a run in memory", done.returncode == 0, done.stderr)
    done = run(*arguments, "-o", part, "--memory", limit, "--spill", temporary,
               "--json-summary", summary)
    check(f"{keys}: a run with {limit}", done.returncode == 0, done.stderr)
    if done.returncode != 0:
        return
    with open(summary, encoding="utf-8") as file:
        spilled = json.load(file)["spilled_bytes"]
    check(f"{keys}: {spilled} bytes were spilled", spilled > 0)
    check(f"{keys}: spilled bytes are told", "spilled" in done.stdout,
          done.stdout)
    check(f"{keys}: the same bytes", contents(whole) == contents(part))
    check(f"{keys}: no file stays", os.listdir(temporary) == [])


def check_parts(folder, table, keys, limit):
    """Statistics that keep more of a group than sums are never spilled: the
    table is read once for each part of the groups."""
    whole, part = f"{folder}/whole.h5", f"{folder}/part.h5"
    summary = f"{folder}/summary.json"
    arguments = [table, "--by", keys, "--by", "part", "-m", "few",
                 "-m", "half=few/2", "-s",
                 "median,nunique,mode,top2,skew,first,cov,min,max,total"]
    read = []
    for output, more in ((whole, []), (part, ["--memory", limit])):
        done = run(*arguments, "-o", output, "--json-summary", summary, *more)
        check(f"{keys}: a run with {more}", done.returncode == 0, done.stderr)
        if done.returncode != 0:
            return
        with open(summary, encoding="utf-8") as file:
            read.append(json.load(file)["bytes"])
    check(f"{keys}: {read[0]} bytes were read at once, {read[1]} in parts",
          read[1] > 3 * read[0])
    check(f"{keys}: the same bytes", contents(whole) == contents(part))


def check_errors(folder, table):
    arguments = [table, "--by", "scattered", "-m", "x", "-o", f"{folder}/e.h5",
                 "--memory", "16M"]
    done = run(*arguments)
    check("without a directory the run fails", done.returncode == 1)
    check("the message names --spill",
          "memory limit" in done.stderr and "--spill" in done.stderr,
          done.stderr)
    done = run(*arguments, "--spill", f"{folder}/nowhere")
    check("a directory that is missing is an error", done.returncode == 1)
    check("the message names it",
          re.search(r"nowhere: temporary file cannot be made: No such file",
                    done.stderr) is not None, done.stderr)
    done = run(*arguments, "--spill", f"{folder}/temporary",
               preset=["prlimit", "--fsize=200000"])
    check("a file that cannot grow is an error", done.returncode == 1,
          f"{done.returncode} {done.stderr}")
    check("the message says so",
          "temporary file cannot be" in done.stderr, done.stderr)
    check("no result appears", not os.path.exists(f"{folder}/e.h5"))


with tempfile.TemporaryDirectory() as directory:
    input_file = f"{directory}/table.h5"
    os.mkdir(f"{directory}/temporary")
    write_table(input_file)
    check_same(directory, input_file, "dense", "32M")
    check_same(directory, input_file, "dense,part", "40M")
    check_same(directory, input_file, "scattered", "32M")
    check_same(directory, input_file, "scattered,part", "40M")
    check_same(directory, input_file, "town", "40M")
    check_parts(directory, input_file, "dense", "90M")
    check_parts(directory, input_file, "town", "90M")
    check_parts(directory, input_file, "b=bin(dense, 100, 5000),scattered",
                "120M")
    check_errors(directory, input_file)
sys.exit(exit_status())
