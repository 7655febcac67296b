#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the example in_situ and compares every number of its file with the same
simulation in Python: sums by math.fsum and fractions, to the bit."""
import fractions
import math
import os
import subprocess
import sys
import tempfile

import h5py

RANKS, YEARS, ENTERPRISES, CLUSTERS = 2, [2026, 2027, 2028], 2000, 4


def simulate():
    """Rows (year, cluster, resource, information) of active enterprises."""
    for rank in range(RANKS):
        resource = [0.1 * (1 + i % 97) for i in range(ENTERPRISES)]
        active = [True] * ENTERPRISES
        for year in YEARS:
            for i in range(ENTERPRISES):
                resource[i] *= 1.0 + 0.001 * (i % 40)
                if (i + year) % 211 == 0:
                    active[i] = False
                if active[i]:
                    known = i % 50 != 0
                    yield (year, 1 + (i % 7 + rank) % CLUSTERS, resource[i],
                           100 * (0.01 * (i % 31)) if known else None)


def statistics(values):
    """count, total, mean; missing values left out."""
    known = [x for x in values if x is not None]
    exact = sum(map(fractions.Fraction, known))
    mean = float(exact / len(known)) if known else math.nan
    return len(known), math.fsum(known), mean


def expected(key_of):
    groups = {}
    for row in simulate():
        groups.setdefault(key_of(row), []).append(row)
    for key in sorted(groups):
        rows = groups[key]
        yield (key, len(rows), statistics([row[2] for row in rows]),
               statistics([row[3] for row in rows]))


def found(group, keys):
    columns = {name: group[name][...].tolist() for name in group}
    for i in range(len(columns["count"])):
        yield (tuple(columns[key][i] for key in keys), columns["count"][i],
               *(tuple(columns[f"{measure}_{statistic}"][i]
                       for statistic in ("count", "total", "mean"))
                 for measure in ("resource", "information")))


def check_file(path):
    with h5py.File(path) as file:
        tables = {"by_year": ["year"], "by_year_cluster": ["year", "cluster"]}
        for name, keys in tables.items():
            want = list(expected(lambda row, n=len(keys): row[:n]))
            got = list(found(file[name], keys))
            assert got == want, f"{name}: found {got}, expected {want}"
        # A currency, which the units of netCDF do not know (docs/results.md).
        units = file["by_year/resource_total"].attrs["unit_label"]
        assert units in ("1e6 EUR", b"1e6 EUR"), units


def check_screen(text):
    """The printed table by_year holds the totals."""
    for (year,), count, resource, _ in expected(lambda row: row[:1]):
        line = [year, count, resource[0], f"{resource[1]:.12g}"]
        words = [str(word) for word in line]
        assert any(row.split()[:4] == words for row in text.splitlines()), (
            f"no line {words} in\n{text}")
    assert "12000 rows, " in text, text


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "totals.h5")
        run = subprocess.run([program, path], capture_output=True, text=True)
        assert run.returncode == 0 and not run.stderr, run
        check_screen(run.stdout)
        check_file(path)
        nowhere = os.path.join(folder, "none", "totals.h5")
        run = subprocess.run([program, nowhere], capture_output=True, text=True)
        assert run.returncode == 1 and "error: " in run.stderr, run
    print("in_situ: every number as expected")


main()
