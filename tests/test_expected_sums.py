#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sums of real tables against those of R: CSV imported, a job, the result.

usage: test_expected_sums.py HANSE DIRECTORY OF THE DATA
"""
import csv
import os
import subprocess
import sys
import tempfile

import h5py

from checks import check, exit_status

HANSE, DATA = sys.argv[1], sys.argv[2]
EIA = ("resrevenue", "ressales", "comrevenue", "comsales", "indrevenue",
       "indsales", "othrevenue", "othrsales", "totrevenue", "totsales")


def expected(name):
    with open(f"{DATA}/expected/{name}", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def hanse(*words):
    done = subprocess.run([HANSE, *words, "--quiet"], capture_output=True,
                          text=True, check=False)
    check(" ".join(words[:1]), done.returncode == 0, done.stderr)
    return done.returncode == 0


def rows_of(path, group):
    """Rows of a result table as mappings."""
    with h5py.File(path) as file:
        columns = {name: (item.asstr()[:] if item.dtype.kind == "O"
                          else item[:])
                   for name, item in file[group].items() if item.shape}
    names = [name for name in columns if len(columns[name])]
    return [dict(zip(names, values))
            for values in zip(*(columns[name] for name in names))]


def eia(folder):
    table = f"{folder}/eia.h5"
    if not hanse("import", f"{DATA}/eia_utilities_1996.csv", table):
        return
    for name, where in (("all", []), ("no0", ["--where", "utilityid != 0"])):
        out = f"{folder}/{name}.h5"
        words = [w for column in EIA for w in ("-m", column)]
        if not hanse("run", table, "-o", out, "--by", "state", *words, *where):
            continue
        count = f"{folder}/{name}_ids.h5"
        hanse("run", table, "-o", count, "--by", "state", "-m", "utilityid",
              "-s", "nunique", *where)
        found = {row["state"]: row for row in rows_of(out, "by_state")}
        ids = {row["state"]: row["utilityid_nunique"]
               for row in rows_of(count, "by_state")}
        wrong = []
        want = expected(f"eia_state_sums_{name}.csv")
        for row in want:
            got = found[row["state"]]
            pairs = [(int(row["rows"]), got["count"]),
                     (int(row["utilities"]), ids[row["state"]])]
            pairs += [(int(row[c]), got[f"{c}_total"]) for c in EIA]
            wrong += [row["state"]] if any(a != b for a, b in pairs) else []
        check(f"eia, {name}: {len(want)} states, to the bit",
              not wrong and len(found) == len(want), wrong)


def france(folder):
    table, out = f"{folder}/fr.h5", f"{folder}/fr_sums.h5"
    if not hanse("import", f"{DATA}/fr_enterprises_sample.csv", table):
        return
    names = {"weight": "weight", "turnover": "turnover",
             "production": "production", "w_turnover": "weight * turnover",
             "w_production": "weight * production"}
    words = [w for name, formula in names.items()
             for w in ("-m", f"{name}={formula}")]
    if not hanse("run", table, "-o", out, "--by", "nuts2,a21", *words):
        return
    found = {(row["nuts2"], row["a21"]): row
             for row in rows_of(out, "by_nuts2_a21")}
    want = expected("fr_nuts2_a21_sums.csv")
    wrong = []
    for row in want:
        got = found[row["nuts2"], row["a21"]]
        near = all(abs(got[f"{name}_total"] - float(row[name]))
                   <= 1e-12 * abs(float(row[name])) for name in names)
        wrong += [] if near and got["count"] == int(row["n"]) else [row]
    check(f"France: {len(want)} cells", not wrong and len(found) == len(want),
          wrong[:3])


if not os.path.isdir(DATA):
    print(f"SKIPPED: no data in {DATA}")
    sys.exit(77)
with tempfile.TemporaryDirectory() as directory:
    eia(directory)
    france(directory)
sys.exit(exit_status())
