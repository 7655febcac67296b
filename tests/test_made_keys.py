#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keys that are no columns, and grouping sets, against oracles in Python.

Bins of all types of column with edges on and beside their limits, formulas,
conditions, mapping tables in CSV and HDF5 (integers, texts, labels on either
side); rollups, cubes and hierarchies against separate runs, to the bit; every
message of an error.

usage: test_made_keys.py HANSE
"""
import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from checks import check, exit_status

HANSE = sys.argv[1]
N = 3000
RNG = random.Random(4)


def hanse(*arguments):
    words = [a if isinstance(a, bytes) else str(a) for a in arguments]
    return subprocess.run([HANSE, *words], text=True,
                          capture_output=True, check=False)


def run(*arguments):
    done = hanse("run", *arguments)
    if done.returncode != 0:
        check(f"run {arguments}", False, done.stderr)
        sys.exit(exit_status())
    return done.stdout


def write(path, columns, fills=None, table="enterprises"):
    """columns: name -> array, or (array, dtype)."""
    with h5py.File(path, "w") as file:
        group = file.create_group(table)
        for name, values in columns.items():
            values, dtype = values if isinstance(values, tuple) else (values,
                                                                      None)
            data = group.create_dataset(name, data=values, dtype=dtype)
            if fills and name in fills:
                data.attrs["_FillValue"] = np.array(fills[name], data.dtype)


def read(path, table, keys):
    """{labels: (count, total of x)} and the labels in their order."""
    with h5py.File(path) as file:
        group = file[table]
        labels = []
        for key in keys:
            values = np.atleast_1d(group[key][()]).tolist()
            values = [v.decode() if isinstance(v, bytes) else v for v in values]
            if f"{key}_missing" in group:
                flags = group[f"{key}_missing"][()]
                values = [None if f == 1 else "" if f == 2 else v
                          for v, f in zip(values, flags)]
            labels.append(values)
        rows = list(zip(*labels)) if keys else [()]
        count = np.atleast_1d(group["count"][()]).tolist()
        total = np.atleast_1d(group["x_total"][()]).tolist()
    return dict(zip(rows, zip(count, total))), rows


def expect(keys, x, kept=None):
    """The groups by lists of keys, in any order."""
    groups = {}
    for i, row in enumerate(zip(*keys)):
        if kept is None or kept[i]:
            groups.setdefault(row, []).append(x[i])
    return {k: (len(v), math.fsum(v)) for k, v in groups.items()}


def check_groups(name, path, table, keys, wanted, order=None):
    found, rows = read(path, table, keys)
    check(f"{name}: groups", found == wanted,
          f"{list(found.items())[:3]} {list(wanted.items())[:3]}")
    if order is not None:
        check(f"{name}: order", rows == sorted(rows, key=order), rows[:6])


def missing_last(values):
    return [(v is None, v if v is not None else 0) for v in values]


# ---- Bins -------------------------------------------------------------------

def label_of(value, edges):
    if value is None:
        return None
    between = " to " if edges[0].startswith("-") else "-"
    reached = [e for e in edges if exact(e) <= exact(value)]
    if not reached:
        return f"<{edges[0]}"
    if len(reached) == len(edges):
        return f">={edges[-1]}"
    return f"{reached[-1]}{between}{edges[len(reached)]}"


def exact(value):
    """A number as Python compares exactly: int, or the float of a decimal."""
    if isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return value


def bin_order(edges):
    labels = [label_of(-math.inf, edges)]
    labels += [label_of(exact(e), edges) for e in edges]
    return lambda row: (row[0] is None,
                        labels.index(row[0]) if row[0] is not None else 0)


def bins(folder):
    x = [RNG.gauss(0, 1) for _ in range(N)]
    cases = []
    for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
        info = np.iinfo(kind)
        low, high = int(info.min), int(info.max)
        points = sorted({low, low + 1, high - 1, high, 0, 5, 100, 50,
                         max(low, -5)})
        values = [RNG.choice(points) for _ in range(N)]
        cases.append((kind, np.array(values, kind), values,
                      [str(p) for p in RNG.sample(points, 4)]))
        cases.append((kind, np.array(values, kind), values,
                      ["-1e300", "-0.5", "4.5", "5", "1e300"]))
        cases.append((kind, np.array(values, kind), values,
                      [str(low - 1), str(low), str(high), str(high + 1)]))
    big = [2**53 + d for d in range(-2, 4)]
    values = [RNG.choice(big) for _ in range(N)]
    cases.append(("beyond 2^53", np.array(values, "i8"), values,
                  [str(2**53), str(2**53 + 1), str(2**53 + 3)]))
    special = [0.0, -0.0, math.inf, -math.inf, 1.5, math.nan, 2.0,
               math.nextafter(2, 0), 5e-324]
    values = [RNG.choice(special) for _ in range(N)]
    floats = [None if math.isnan(v) else v for v in values]
    cases.append(("f8", np.array(values), floats, ["-1", "0", "1.50", "2"]))
    singles = np.array(values, "f4")
    cases.append(("f4", singles,
                  [None if math.isnan(v) else v for v in singles.tolist()],
                  ["0", "1.5", "2e0"]))
    truths = np.array([RNG.random() < 0.5 for _ in range(N)])
    cases.append(("bool", truths, [int(t) for t in truths], ["1"]))
    for number, (name, stored, values, edges) in enumerate(cases):
        edges = sorted(set(edges), key=exact)
        path, out = f"{folder}/b.h5", f"{folder}/bo.h5"
        fills = None
        if stored.dtype.kind in "iu" and number % 2:
            fills = {"v": values[0]}
            values = [None if v == values[0] else v for v in values]
        write(path, {"v": stored, "x": np.array(x)}, fills)
        run(path, "-o", out, "-q", "-m", "x", "--threads", 2, "--by",
            f"size=bin(v, {', '.join(edges)})")
        wanted = expect([[label_of(v, edges) for v in values]], x)
        check_groups(f"bin {name} {edges}", out, "by_size", ["size"], wanted,
                     bin_order(edges))


# ---- Formulas and conditions ------------------------------------------------

def formulas(folder):
    date = [RNG.randint(2015, 2026) * 10000 + RNG.randint(1, 12) * 100
            + RNG.randint(1, 28) for _ in range(N)]
    quality = [RNG.choice([math.nan, 0.25, 0.75, 7.0]) for _ in range(N)]
    staff = [RNG.randint(0, 500) for _ in range(N)]
    region = [RNG.choice(["north", "south", "é"]) for _ in range(N)]
    x = [RNG.gauss(0, 100) for _ in range(N)]
    path, out = f"{folder}/f.h5", f"{folder}/fo.h5"
    write(path, {"date": np.array(date, "i4"), "quality": np.array(quality),
                 "staff": np.array(staff, "i8"), "x": np.array(x),
                 "region": (region, h5py.string_dtype())})
    run(path, "-o", out, "-q", "-m", "x", "--where", "staff < 400",
        "--key", "year = floor(date/10000)", "--by", "year",
        "--by", "large=staff>=250,year", "--by", "good=quality > 0.5",
        "--by", "month=floor(date/100) - 100*floor(date/10000)",
        "--by", "place=region", "--by", "q7=floor(quality),large",
        "--by", "date=floor(date/1000)", "--by", "spot=`region`")
    kept = [s < 400 for s in staff]
    year = [d // 10000 for d in date]
    large = [int(s >= 250) for s in staff]
    good = [None if math.isnan(q) else int(q > 0.5) for q in quality]
    floor = [None if math.isnan(q) else math.floor(q) for q in quality]
    for table, keys, values in [
            ("by_year", ["year"], [year]),
            ("by_large_year", ["large", "year"], [large, year]),
            ("by_good", ["good"], [good]),
            ("by_month", ["month"], [[d // 100 % 100 for d in date]]),
            ("by_place", ["place"], [region]),
            ("by_q7_large", ["q7", "large"], [floor, large]),
            ("by_spot", ["spot"], [region]),
            ("by_date", ["date"], [[d // 1000 for d in date]])]:
        order = missing_last if values[0] is not region else (
            lambda row: [v.encode() for v in row])
        check_groups(f"formula {table}", out, table, keys,
                     expect(values, x, kept), order)
    with h5py.File(out) as file:
        check("formula: type", file["by_year/year"].dtype == np.int64)
        check("condition: type", file["by_good/good"].dtype == np.int8)
        check("formula: long name", file["by_year/year"].attrs["long_name"]
              == "floor(date/10000)")
    run(path, "-o", out, "-q", "-m", "x", "--by", "good=quality > 0.5",
        "--missing-keys", "drop")
    wanted = expect([good], x)
    dropped, _ = wanted.pop((None,))
    check_groups("condition dropped", out, "by_good", ["good"], wanted)
    with h5py.File(out) as file:
        check("condition dropped: count",
              file["by_good"].attrs["rows_dropped"] == dropped)


# ---- Mapping tables ---------------------------------------------------------

def write_csv(path, rows, **how):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, **how).writerows(rows)


def map_case(folder, name, stored, values, rows, wanted_to, as_csv):
    """rows: (from, to); stored: how the column lies in the file."""
    x = [RNG.gauss(0, 100) for _ in values]
    path, out = f"{folder}/m.h5", f"{folder}/mo.h5"
    write(path, {"region": stored, "x": np.array(x)})
    table = f"{folder}/table.{'csv' if as_csv else 'h5'}"
    if as_csv:
        write_csv(table, [("code", "other, one", "cluster"),
                          *((f, "x\ny", t) for f, t in rows)],
                  quoting=RNG.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    else:
        columns = {}
        for key, side in zip(["code", "cluster"], zip(*rows)):
            is_text = isinstance(side[0], str)
            columns[key] = ((list(side), h5py.string_dtype()) if is_text
                            else np.array(side, "i8"))
        write(table, columns, table="regions")
    summary = f"{folder}/s.json"
    text = run(path, "-o", out, "-m", "x", "--json-summary", summary, "--by",
               f"cluster=map(region, '{table}', code, cluster)", "--threads",
               RNG.choice([1, 2, 3]))
    targets = [wanted_to.get(v) for v in values]
    n_lost = sum(v is not None and v not in wanted_to for v in values)
    check_groups(f"map {name}", out, "by_cluster", ["cluster"],
                 expect([targets], x),
                 lambda row: [(v is None, v.encode() if isinstance(v, str)
                               else v or 0) for v in row])
    with h5py.File(out) as file:
        attributes = file["by_cluster/cluster"].attrs
        provenance = json.loads(file["/provenance/run"][()])
        check(f"map {name}: attribute",
              attributes.get("rows_unmapped", 0) == n_lost)
    check(f"map {name}: provenance",
          [m["file"] for m in provenance["maps"]] == [table], provenance)
    with open(summary, encoding="utf-8") as file:
        check(f"map {name}: JSON", json.load(file)["rows_unmapped"]
              == ({"cluster": n_lost} if n_lost else {}))
    check(f"map {name}: summary", (n_lost == 0) == ("unmapped" not in text)
          and (n_lost == 0 or f"unmapped cluster: {n_lost:,} rows" in text),
          text)


def maps(folder):
    names = ["north", "south, \"deep\"", "é\nwest", "10", "007"]
    codes = [3, 5, -7, 2**40, 0, 900]
    ints = [RNG.choice(codes) for _ in range(N)]
    texts = [RNG.choice(["a", "b,c", "d\"", "", "ü"]) for _ in range(N)]
    as_text = (texts, h5py.string_dtype())
    labels = {"red": 1, "green": 5, "blue": -3}
    enum = h5py.enum_dtype(labels, basetype="i1")
    colours = [RNG.choice(list(labels)) for _ in range(N)]
    as_enum = (np.array([labels[c] for c in colours], "i1"), enum)
    for as_csv in (True, False):
        where = "csv" if as_csv else "hdf5"
        pairs = [(c, RNG.choice(names)) for c in codes[:4]]
        pairs += [pairs[0]]  # the same once more is no fault
        map_case(folder, f"{where} int to text", np.array(ints, "i8"), ints,
                 pairs, dict(pairs), as_csv)
        pairs = [(c, i * 7 - 3) for i, c in enumerate(codes)]
        map_case(folder, f"{where} int to int", np.array(ints, "i8"), ints,
                 pairs, dict(pairs), as_csv)
        pairs = [("a", 1), ("b,c", 2), ("d\"", 1), ("unused", 9)]
        map_case(folder, f"{where} text to int", as_text, texts, pairs,
                 dict(pairs), as_csv)
        pairs = [("a", "x"), ("b,c", "y"), ("d\"", "007"), ("ü", "x")]
        map_case(folder, f"{where} text to text", as_text, texts, pairs,
                 dict(pairs), as_csv)
        pairs = [("red", "warm"), ("blue", "cold"), ("black", "none")]
        map_case(folder, f"{where} label to text", as_enum, colours, pairs,
                 dict(pairs), as_csv)
        pairs = [("red", 4), ("green", 4), ("blue", 6)]
        map_case(folder, f"{where} label to int", as_enum, colours, pairs,
                 dict(pairs), as_csv)
        many = list(range(-20000, 20000, 7))
        values = [RNG.choice(many + [1]) for _ in range(N)]
        pairs = [(c, f"t{c % 97}") for c in many]
        map_case(folder, f"{where} dense", np.array(values, "i4"), values,
                 pairs, dict(pairs), as_csv)
        many = [RNG.randint(-2**62, 2**62) for _ in range(5000)]
        values = [RNG.choice(many + [1]) for _ in range(N)]
        pairs = [(c, c % 97) for c in many]
        map_case(folder, f"{where} wide", np.array(values, "i8"), values,
                 pairs, dict(pairs), as_csv)
    pairs = [(5, "five"), (1, "one")]
    map_case(folder, "hdf5 codes of labels", as_enum,
             [labels[c] for c in colours], pairs, dict(pairs), False)
    big = [RNG.choice([2**64 - 1, 2**63, 5]) for _ in range(N)]
    pairs = [(2**64 - 1, "top"), (-1, "never"), (5, "five")]
    map_case(folder, "csv uint64", np.array(big, "u8"), big, pairs,
             dict(pairs), True)


def missing_in_maps(folder):
    path, out = f"{folder}/m.h5", f"{folder}/mo.h5"
    code = [RNG.choice([1, 2, 3, 4, -1]) for _ in range(N)]
    x = [1.0] * N
    write(path, {"region": np.array(code, "i4"), "x": np.array(x)},
          {"region": -1})
    with open(f"{folder}/r.csv", "wb") as file:
        file.write(b'\xef\xbb\xbfcode,cluster\r\n1,"a"\r\n\r\n2,\r\n3,""\r\n'
                   b',"lost"\r\n')
    run(path, "-o", out, "-q", "-m", "x", "--by",
        f"cluster=map(region, '{folder}/r.csv', code, cluster)")
    to = {1: "a", 2: None, 3: "", 4: None, -1: None}
    check_groups("map missing", out, "by_cluster", ["cluster"],
                 expect([[to[c] for c in code]], x))
    with h5py.File(out) as file:
        check("map missing: only what the table lacks is unmapped",
              file["by_cluster/cluster"].attrs["rows_unmapped"]
              == code.count(4))
    write(f"{folder}/r.h5", {"code": np.array([1, 2, 3, -9], "i2"),
                             "cluster": np.array([7, -9, 8, 5], "i2")},
          {"code": -9, "cluster": -9}, table="deep/regions")
    for where in ("", ", '/deep/regions'"):
        run(path, "-o", out, "-q", "-m", "x", "--by",
            f"cluster=map(region, '{folder}/r.h5', code, cluster{where})")
        to = {1: 7, 2: None, 3: 8, 4: None, -1: None}
        check_groups("map missing hdf5", out, "by_cluster", ["cluster"],
                     expect([[to[c] for c in code]], x))


# ---- Grouping sets ----------------------------------------------------------

def tables_of(path):
    with h5py.File(path) as file:
        return {name: {c: (d[()].tobytes() if d.dtype.kind != "O"
                           else d[()].tolist())
                       for c, d in group.items() if d.shape is not None}
                for name, group in file.items()
                if isinstance(group, h5py.Group) and name != "provenance"}


def sets(folder):
    path = f"{folder}/s.h5"
    write(path, {k: np.array([RNG.randint(0, 6) for _ in range(N)], "i4")
                 for k in ["a", "b", "c", "y"]}
          | {"x": np.array([RNG.lognormvariate(0, 9) for _ in range(N)]),
             "v": np.array([RNG.randint(0, 99) for _ in range(N)], "i4")})
    bins = "s=bin(v,10,50)"
    cases = [
        (["rollup(a,b,c)"], [["a"], ["a", "b"], ["a", "b", "c"]]),
        (["a>b>c"], [["a"], ["a", "b"], ["a", "b", "c"]]),
        (["a > b", "b>a"], [["a"], ["a", "b"], ["b"], ["b", "a"]]),
        (["cube(a,b,c)"], [["a"], ["b"], ["c"], ["a", "b"], ["a", "c"],
                           ["b", "c"], ["a", "b", "c"]]),
        (["y,rollup(a,b)"], [["y", "a"], ["y", "a", "b"], ["y"]]),
        (["rollup(a,b)", "cube(a,b)", "a"], [["a"], ["a", "b"], ["b"]]),
        (["a", "rollup(a,b)"], [["a"], ["a", "b"]]),
        (["cube(a,b),rollup(a,c)"],
         [["a"], ["a", "c"], ["b", "a"], ["b", "a", "c"], ["b"], ["a", "b"],
          ["a", "b", "c"]]),
        ([f"rollup(a,{bins})", "cube(s,y)"],
         [["a"], ["a", "s"], ["s"], ["y"], ["s", "y"]]),
    ]
    for entries, groupings in cases:
        by = [w for e in entries for w in ("--by", e)]
        common = ["-q", "-m", "x", "-s", "all", "--key", bins]
        run(path, "-o", f"{folder}/so.h5", *common, *by)
        found = tables_of(f"{folder}/so.h5")
        separate = {}
        for keys in groupings:
            run(path, "-o", f"{folder}/s1.h5", *common, "--threads", 1,
                "--by", ",".join(keys))
            separate |= tables_of(f"{folder}/s1.h5")
        check(f"sets {entries}", found == separate,
              f"{sorted(found)} {sorted(separate)}")
        explained = hanse("explain", path, *common, *by).stdout
        at = explained.index("groupings")
        shown = [line[12:].split(":")[0] for line in
                 explained[at:explained.index("missing key")].splitlines()]
        check(f"sets {entries}: order", shown
              == ["by_" + "_".join(k) for k in groupings] + ["total"], shown)
    job = f"{folder}/j.yaml"
    with open(job, "w", encoding="utf-8") as file:
        file.write(f"input: {{files: {path}}}\nkeys: {{s: 'bin(v,10,50)'}}\n"
                   "group_by:\n- rollup: [a, s]\n- cube: [s, y]\n"
                   "- [y, {rollup: [a, b]}]\n- a>b\n- total\n"
                   "measures: {x: }\n")
    run(job, "-o", f"{folder}/so.h5", "-q")
    run(path, "-o", f"{folder}/s1.h5", "-q", "-m", "x", "--key", bins, "--by",
        "rollup(a,s)", "--by", "cube(s,y)", "--by", "y,rollup(a,b)", "--by",
        "a>b", "--by", "total")
    check("sets: job as options", tables_of(f"{folder}/so.h5")
          == tables_of(f"{folder}/s1.h5"))


# ---- Errors -----------------------------------------------------------------

def errors(folder):
    path = f"{folder}/e.h5"
    write(path, {"v": np.array([1, 2, 3], "i4"), "x": np.array([1.0, 2.5, 3]),
                 "w": np.array([1, 2, 2**62], "i8"),
                 "t": (["a", "b", "c"], h5py.string_dtype())})
    table = f"{folder}/e.csv"

    def write_table(text):
        with open(table, "wb") as file:
            file.write(text)

    def fails(status, message, *arguments):
        done = hanse("run", path, "-o", f"{folder}/eo.h5", "-m", "x",
                     *arguments)
        check(f"error {arguments}", done.returncode == status
              and message in done.stderr and not os.path.exists(
                  f"{folder}/eo.h5"), f"{done.returncode} {done.stderr}")

    def by_fails(status, message, entry):
        fails(status, message, "--by", entry)

    write_table(b"code,cluster\n1,a\n")
    by_fails(2, "edges of the bins must ascend", "k=bin(v, 3, 2)")
    by_fails(2, "edges of the bins must ascend", "k=bin(v, 3, 3.0)")
    by_fails(2, "an edge of a bin is a number", "k=bin(v, w)")
    by_fails(2, "an edge of a bin is a number", "k=bin(v, 1+1)")
    by_fails(2, "at least one edge", "k=bin(v)")
    by_fails(2, "an argument is missing here", "k=bin(v, , 3)")
    by_fails(2, "the bracket is not closed", "k=bin(v, 3")
    by_fails(2, "the number is too large", "k=bin(v, 1e999)")
    by_fails(2, "key 'k': no column 'vv', did you mean 'v'?",
             "k=bin(vv + 1, 3)")
    by_fails(2, "key 'k': no column 'y'", "k=floor(y)")
    by_fails(2, "'t' is a text column", "k=bin(t, 3)")
    by_fails(2, "no function 'flor', did you mean 'floor'?", "k=flor(v)")
    by_fails(1, "key 'k': its value 2.5 in row 1 is not a whole number; write "
                "floor(...)", "k=x")
    by_fails(1, "key 'k': its value 4.6116860184273879e+30 in row 2 does not "
                "fit a 64-bit integer", "k=w*1e12")
    by_fails(1, "does not fit", "k=1/(v-v)")
    by_fails(2, "a key that is a formula needs a name", "v>=2")
    by_fails(2, "a key that is a formula needs a name", "v==2")
    by_fails(2, "a key that is a formula needs a name", "floor(v)")
    by_fails(2, "the definition of the key 'k' is missing", "k=")
    by_fails(2, "a bracket is not closed", "rollup(v,w")
    by_fails(2, "within brackets keys stand between commas", "rollup(v>w)")
    by_fails(2, "no bracket is open", "v)")
    by_fails(2, "expected a comma before", "rollup(v)w")
    by_fails(2, "a backquote is not closed", "`v")
    by_fails(2, "a name between the backquotes is missing", "``")
    by_fails(2, "a name is missing", "cube(,v)")
    by_fails(2, "a name is missing", "v>")
    by_fails(2, "a cube of 11 keys; at most 10",
             f"cube({','.join('abcdefghijk')})")
    by_fails(2, "a rollup of 33 keys; at most 32",
             f"rollup({','.join(f'k{i}' for i in range(33))})")
    by_fails(2, "more than 4096 groupings", "cube(a,b,c,d,e,f,g),"
             "cube(h,i,j,k,l,m,n)")
    by_fails(2, "key 'v' is named twice", "v,v")
    by_fails(2, "column 'x' is float64; a key must be an integer, bool or "
                "text column, or a key made from it", "x")
    fails(2, "key 'k' is defined twice, as floor(v) and as floor(w)",
          "--by", "k=floor(v)", "--by", "v,k=floor(w)")
    fails(2, "key 'k': write NAME=DEFINITION", "--key", "k")
    fails(2, "the name of a key is not valid UTF-8", "--key", b"k\xff=v")
    write(f"{folder}/ev.h5", {"v": np.zeros((3, 2)), "x": np.zeros(3)})
    done = hanse("run", f"{folder}/ev.h5", "-o", f"{folder}/eo.h5", "-m", "x",
                 "--by", f"k=map(v, '{table}', code, cluster)")
    check("error: column that cannot be used", done.returncode == 2 and
          "column 'v' cannot be used: 2 dimensions" in done.stderr, done.stderr)
    fails(2, "key '=3': write NAME=DEFINITION", "--key", "=3")

    good = f"k=map(v, '{table}', code, cluster)"
    by_fails(2, "map takes a column, a file", "k=map(v)")
    by_fails(2, "map takes a column, a file", "k=map(v,'f',a,b,'c',d)")
    by_fails(2, "expected a column of the input here", "k=map(v+1,'f',a,b)")
    by_fails(2, "expected a file name in quotes here", "k=map(v,3,a,b)")
    by_fails(2, "found an empty text", "k=map(v,'',a,b)")
    by_fails(2, "key 'k': no column 'vv'", f"k=map(vv,'{table}',code,cluster)")
    by_fails(2, "key 'k': column 'x' is float64; a mapping takes integers",
             f"k=map(x,'{table}',code,cluster)")
    by_fails(1, "gone.csv: cannot open", "k=map(v,'gone.csv',code,cluster)")
    by_fails(2, "lacks the column 'cod', did you mean 'code'?",
             f"k=map(v,'{table}',cod,cluster)")
    by_fails(2, "lacks the column 'zzzzzz'; its first line names them",
             f"k=map(v,'{table}',code,zzzzzz)")
    for text, message in [
            (b"", "the file is empty"),
            (b"code,cluster\n1\n", "e.csv:2:1: the record has 1 field, the "
                                   "header 2"),
            (b"code,cluster\n1,2,3\n", "e.csv:2:1: the record has 3 fields"),
            (b"code,cluster\n1,a\n\n \"2\",b", "e.csv:4:2: a quote within"),
            (b"code,cluster\n1,\"a\n\nb\n", "e.csv:2:3: the quote is not clo"),
            (b"code,cluster\n1,\"a\"b\n", "e.csv:2:6: text after the closing"),
            (b"code,cluster\n1,a\rb\n", "e.csv:2:4: a carriage return that"),
            (b"code,cluster\n1,a\0b\n", "e.csv:2:4: a NUL byte"),
            ("code,cluster\n1,é\n\"1\nx".encode(), "e.csv:3:1: the quote"),
            (b"code,cluster\nx,a\n", "e.csv:2:1: key 'k': 'x' is no integer, "
                                     "but the column 'v' of the input is int3"),
            (b"code,cluster\n1,a\n2,c\n1,b\n", "e.csv:4:1: key 'k': '1' is "
             "mapped to 'b' here, and to something else in line 2"),
            (b"code,cluster\n1,a\n1,\n", "e.csv:3:1: key 'k': '1' is mapped")]:
        write_table(text)
        by_fails(1, message, good)

    other = f"{folder}/eh.h5"
    write(other, {"code": np.array([1, 2, 1], "i4"), "x": np.zeros(3),
                  "cluster": np.array([5, 6, 7], "i4"),
                  "big": np.array([2**63, 2, 3], "u8"),
                  "name": (["a", "b", "c"], h5py.string_dtype())})
    by_fails(1, "the value of 'code' in row 2 stands in row 0, too, with "
                "another 'cluster'", f"k=map(v,'{other}',code,cluster)")
    by_fails(2, "eh.h5 lacks the column 'clutser'; `hanse info` lists those",
             f"k=map(v,'{other}',code,clutser)")
    by_fails(2, "column 'x' is float64; a mapping takes",
             f"k=map(v,'{other}',code,x)")
    by_fails(2, "column 'v' of the input is int32, but 'name'",
             f"k=map(v,'{other}',name,cluster)")
    by_fails(2, "column 't' of the input is text, but 'code'",
             f"k=map(t,'{other}',code,cluster)")
    by_fails(1, "a value of 'big' is above 9223372036854775807",
             f"k=map(t,'{other}',name,big)")
    by_fails(1, "gone.h5", "k=map(v,'gone.h5',code,cluster)")
    by_fails(2, "/none", f"k=map(v,'{other}',code,cluster,'/none')")
    write_table(b"code,cluster\n1,a\n")
    done = hanse("run", path, "-o", table, "-m", "x", "--by", good)
    check("error: output is the mapping table", done.returncode == 2
          and "is the input file" in done.stderr, done.stderr)
    with open(f"{folder}/e.yaml", "w", encoding="utf-8") as file:
        file.write(f"input: {{files: {path}}}\nmeasures: {{x: }}\nkeys:\n"
                   "  k: bin(vv, 3)\ngroup_by: k\n")
    done = hanse("run", f"{folder}/e.yaml", "-o", f"{folder}/eo.h5")
    check("error: place of a key", "e.yaml:4:6: key 'k': no column 'vv'"
          in done.stderr, done.stderr)


def many_groups(folder):
    """So many that threads share them; labels keep their order."""
    n = 300000
    rng = np.random.default_rng(3)
    v = rng.integers(0, 120000, n)
    region = rng.integers(0, 50, n)
    x = rng.normal(size=n)
    path, out = f"{folder}/g.h5", f"{folder}/go.h5"
    write(path, {"v": v.astype("i4"), "region": region.astype("i2"), "x": x})
    write_csv(f"{folder}/g.csv", [("code", "area"), *(
        (c, f"area {c % 7}") for c in range(45))])
    half = (v // 2).tolist()
    edges = ["9", "70", "101", "9000"]
    size = [label_of(value, edges) for value in v.tolist()]
    area = [f"area {c % 7}" if c < 45 else None for c in region.tolist()]
    place = bin_order(edges)
    for threads in (1, 3):
        run(path, "-o", out, "-q", "-m", "x", "--threads", threads, "--key",
            f"area=map(region, '{folder}/g.csv', code, area)", "--by",
            f"size=bin(v, {','.join(edges)}), half=floor(v/2)", "--by",
            "area > half", "--where", "region != 3")
        kept = (region != 3).tolist()
        check_groups(f"many groups, {threads} threads", out, "by_size_half",
                     ["size", "half"], expect([size, half], x, kept),
                     lambda row: (place(row), row[1]))
        check_groups(f"many groups, {threads} threads", out, "by_area_half",
                     ["area", "half"], expect([area, half], x, kept),
                     lambda row: (row[0] is None, row[0] or "", row[1]))
        with h5py.File(out) as file:
            check(f"many groups, {threads} threads: unmapped",
                  file["by_area_half/area"].attrs["rows_unmapped"]
                  == int((region >= 45).sum()))


def defaults(folder):
    """Without groupings defined keys count as the columns of their names."""
    path, out = f"{folder}/d.h5", f"{folder}/do.h5"
    write(path, {"code": np.array([1, 2, 3], "i4"), "chain":
                 np.array([1, 1, 2], "i4"), "x": np.array([1.0, 2.5, 3])})
    write_csv(f"{folder}/d.csv", [("a", "b"), (1, "p"), (2, "q"), (3, "p")])
    run(path, "-o", out, "-q", "-m", "x", "--key",
        f"cluster=map(code, '{folder}/d.csv', a, b)", "--key",
        "platform=code > 1", "--key", "unused=map(none, 'no file', a, b)")
    check_groups("defaults", out, "by_cluster", ["cluster"],
                 {("p",): (2, 4.0), ("q",): (1, 2.5)})
    check_groups("defaults", out, "by_platform", ["platform"],
                 {(0,): (1, 1.0), (1,): (2, 5.5)})
    check_groups("defaults", out, "by_chain", ["chain"],
                 {(1,): (2, 3.5), (2,): (1, 3.0)})


def main():
    with tempfile.TemporaryDirectory() as folder:
        for part in (bins, formulas, maps, missing_in_maps, sets, many_groups,
                     defaults, errors):
            part(folder)
    sys.exit(exit_status())


if __name__ == "__main__":
    main()
