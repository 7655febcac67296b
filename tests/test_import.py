#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hanse import against Python's csv module and pandas: random tables, the
project's data, types, missing values, errors with line and column.

Usage: test_import.py HANSE [DIRECTORY OF CSV FILES]
"""
import csv
import glob
import io
import os
import random
import resource
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import pandas as pd

from checks import check, exit_status

HANSE = sys.argv[1]
DATA = sys.argv[2] if len(sys.argv) > 2 else ""
RNG = random.Random(20261125)


def run(*arguments, **options):
    return subprocess.run([HANSE, "import", *arguments], capture_output=True,
                          **options)


def write(name, data):
    with open(name, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return name


def load(data, *options, name="t.csv"):
    """Columns of the table by name, as stored, and their fill values."""
    done = run(write(name, data), "t.h5", "--force", *options)
    if done.returncode != 0:
        check("import", False, done.stderr)
        return {}, {}
    return read("t.h5")


def read(path, table="enterprises"):
    columns, fills = {}, {}
    with h5py.File(path) as file:
        for name, dataset in file[table].items():
            values = dataset[:]
            if dataset.dtype.kind in "SO":
                values = [v.decode() for v in values]
            columns[name] = values
            fills[name] = dataset.attrs.get("_FillValue")
    return columns, fills


def one(values, *options):
    """The column x of values, with its fill value."""
    columns, fills = load("x,y\n" + "".join(f"{v},\n" for v in values),
                          *options)
    return columns["x"], fills["x"]


def fails(name, data, message, *options, status=1):
    done = run(write("bad.csv", data), "bad.h5", *options)
    check(name, done.returncode == status and message in done.stderr.decode()
          and not os.path.exists("bad.h5"), (done.returncode, done.stderr))


def kind_of(values):
    return "text" if isinstance(values, list) else values.dtype.name


def test_random_texts():
    letters = list("ab,\"\n;") + ["é", "漢", "\r\n", " ", "NA", ""]
    storage = [[], ["--chunk", "7", "--compress", "gzip:9", "--shuffle"],
               ["--compress", "gzip"], ["--layout", "chunked"]]
    for case in range(80):
        n_columns = RNG.randrange(1, 6)
        header = [f"n{i}" + RNG.choice(["", ",", '"', "é", "\n"])
                  for i in range(n_columns)]
        rows = [["x" + "".join(RNG.choices(letters, k=RNG.randrange(6)))
                 for _ in header] for _ in range(RNG.randrange(40))]
        if case % 9 == 0 and rows:
            rows[0][0] = "w" * 300  # of variable length
        text = io.StringIO()
        csv.writer(text, lineterminator=RNG.choice(["\n", "\r\n"]),
                   quoting=RNG.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
                   ).writerows([header] + rows)
        data = RNG.choice(["", "\ufeff"]) + text.getvalue()
        columns, _ = load(data, *RNG.choice(storage))
        wanted = {h: [r[i] for r in rows] for i, h in enumerate(header)}
        # A table without rows has no values to be texts.
        found = {h: list(v) for h, v in columns.items()}
        check(f"random {case}", found == wanted, (found, wanted))


def test_numbers():
    wholes = [RNG.randrange(-2**63, 2**63) for _ in range(500)] + [2**63 - 1]
    values, fill = one(wholes)
    check("int64", kind_of(values) == "int64" and list(values) == wholes
          and fill is None)
    texts = [repr(RNG.choice([1, -1]) * RNG.random() *
                  10.0 ** RNG.randrange(-300, 300)) for _ in range(3000)]
    texts += [f"{RNG.randrange(10**9)}.{RNG.randrange(10**9)}"
              for _ in range(3000)]
    # Halfway between two doubles, and a hair beside it.
    for _ in range(500):
        m = RNG.randrange(2**52, 2**53)
        texts += [str(2 * m + 1) + ".0", str(2 * m + 1) + ".0000000001",
                  str(2 * m + 1) + "e-3"]
    texts += ["5e-324", "1.7976931348623157e308", "-0.0", ".5", "5.", "1E5",
              "9007199254740993.0", "0." + "0" * 50 + "1" * 60]
    values, _ = one(texts)
    wanted = np.array([float(t) for t in texts])
    check("float64", kind_of(values) == "float64" and
          values.tobytes() == wanted.tobytes(),
          [t for t, v, w in zip(texts, values, wanted) if v != w][:5])
    values, _ = one(["0.1", "16777217", "1e-45"], "-c", "x:float32")
    check("float32", kind_of(values) == "float32" and
          list(values[:2]) == [np.float32(0.1), np.float32(16777217)])


def test_types():
    cases = [
        (["1", "2"], "int64"), (["1", "2.5"], "float64"), (["1", ""], "int64"),
        (["007", "1"], "text"), (["+5"], "text"), (["1e5"], "float64"),
        (["true", "FALSE"], "bool"), (["true", "1"], "text"),
        ([str(2**64 - 1)], "uint64"), ([str(2**64)], "text"),
        ([str(2**63), "-1"], "text"), (["NA", "NE"], "text"),
        (["nan"], "text"), (["0x10"], "text"), (["1e999"], "text"),
        (["", ""], "float64"), (["0", "-0"], "int64"), (["1-2"], "text"),
        (["2026-11-25"], "text"), ([" 5", "6 "], "int64"), (["."], "text"),
        (["1e"], "text"), (["-"], "text"), (["0.5", "00.5"], "text"),
    ]
    for values, wanted in cases:
        found, _ = one(values)
        check(f"type of {values}", kind_of(found) == wanted, kind_of(found))
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16",
                 "uint32", "uint64"):
        limits = np.iinfo(name)
        found, fill = one([limits.min, limits.max, "", 1], "-c", f"x:{name}")
        check(f"{name} limits", kind_of(found) == name and found[0] ==
              limits.min and found[1] == limits.max and found[2] == fill and
              fill not in (limits.min, limits.max, 1), (found, fill))
        for beyond in (limits.min - 1, limits.max + 1):
            fails(f"{name} {beyond}", f"x\n{beyond}\n",
                  f"bad.csv:2:1: column 'x': '{beyond}' does not fit into "
                  f"{name}", "-c", f"x:{name}")
    found, _ = one(["01", "2"], "-c", "x:text")
    check("chosen text", found == ["01", "2"], found)
    found, _ = one(["nan", "-inf", "3"], "-c", "x:float64")
    check("chosen float", np.isnan(found[0]) and found[1] == -np.inf)


def test_missing():
    data = 'k,n,x,b\nNA,NA,NA,true\n"",1,2.5,NA\nNE,,,\n'
    columns, fills = load(data)
    check("NA is text", columns["k"] == ["NA", "", "NE"] and
          columns["n"] == ["NA", "1", ""] and fills["k"] is None, columns)
    columns, fills = load(data, "--missing", "NA")
    check("missing NA", columns["k"] == ["NA", "", "NE"] and
          fills["k"] == b"NA" and list(columns["n"]) ==
          [fills["n"], 1, fills["n"]] and fills["n"] == -2**63 and
          np.isnan(columns["x"][[0, 2]]).all() and fills["b"] == -1,
          (columns, fills))
    columns, fills = load(data, "--missing", "NA", "--missing", "")
    check("missing empty", columns["k"] == ["", "", "NE"] and
          fills["k"] in (b"", h5py.Empty("S1")), (columns, fills))
    done = subprocess.run([HANSE, "run", "t.h5", "--by", "k", "--measure", "n",
                           "-o", "r.h5"], capture_output=True)
    shown = subprocess.run([HANSE, "show", "r.h5", "by_k", "-f", "csv"],
                           capture_output=True, text=True).stdout
    check("run", done.returncode == 0 and "NE,1" in shown, (done, shown))
    fails("no value left", "x,y\n" + "".join(
        f"{v},\n" for v in list(range(-128, 128)) + [""]), "wider", "-c",
        "x:int8", status=2)


def test_reading():
    columns, _ = load("a;b\n1,5;x\n-2,25;é\n".encode("latin1"), "--delimiter",
                      ";", "--decimal", ",", "--latin1")
    check("latin1", list(columns["a"]) == [1.5, -2.25] and
          columns["b"] == ["x", "é"], columns)
    big = "x" * 70000 + "é" * 70000
    columns, _ = load(f"a\n{big}\n".encode("latin1"), "--latin1")
    check("long latin1", columns["a"] == [big])
    columns, _ = load("1,x\n2,y\n", "--no-header")
    check("no header", list(columns["c1"]) == [1, 2] and
          columns["c2"] == ["x", "y"], columns)
    done = run("-", "t.h5", "--force", "-q", "--table", "/a/links",
               input=b"a\n5\n6")
    check("standard input", done.returncode == 0 and done.stdout == b"" and
          list(read("t.h5", "a/links")[0]["a"]) == [5, 6], done)
    check("mode", os.stat("t.h5").st_mode & 0o777 == 0o600)
    info = subprocess.run([HANSE, "info", "t.h5"], capture_output=True)
    check("info", info.returncode == 0 and b"int64" in info.stdout, info)


def test_errors():
    fails("ragged", "a,b\n1,2\n3\n", "bad.csv:3:1: the record has 1 field")
    fails("twice", "a,b,a\n", "bad.csv:1:5: columns 1 and 3 are both called")
    fails("no name", "a,,b\n", "bad.csv:1:3: column 2 has no name")
    fails("slash", "a,b/c\n", "bad.csv:1:3: column 2 is called 'b/c'")
    fails("empty", "", "bad.csv: the file is empty")
    fails("quote", 'a\n"b\n', "bad.csv:2:1: the quote is not closed")
    fails("utf-8", b'a,b\n1,"x\ny\xff"\n', "bad.csv:3:2: the byte 0xff")
    fails("utf-8 name", b"a,b\xe9\n", "bad.csv:1:4: the byte 0xe9")
    fails("mark", b"\xef\xbb\xbfa\n1\n", "bad.csv:1:1: the file begins",
          "--latin1")
    fails("number", "a,b\n1,2\n1,x y\n", "bad.csv:3:3: column 'b': 'x y' is "
          "no int32", "-c", "b:int32")
    fails("no column", "alpha\n1\n", "did you mean 'alpha'", "-c",
          "alhpa:int8", status=2)
    fails("type", "a\n", "unknown type 'int'", "-c", "a:int", status=2)
    fails("marks", "a\n", "both marked", "--decimal", ",", status=2)
    fails("layout", "a\n", "needs chunks", "--layout", "contiguous",
          "--shuffle", status=2)
    done = run("gone.csv", "bad.h5")
    check("gone", done.returncode == 1 and b"gone.csv: cannot open" in
          done.stderr, done)
    write("old.h5", "old")
    done = run(write("ok.csv", "a\n1\n"), "old.h5")
    check("exists", done.returncode == 1 and b"--force" in done.stderr and
          open("old.h5").read() == "old", done)
    write("long.csv", "a\n" + "12345\n" * 100000)
    for options in ([], ["--compress", "none", "--chunk", "1000"]):
        done = run("long.csv", "old.h5", "--force", *options,
                   preexec_fn=lambda: resource.setrlimit(
                       resource.RLIMIT_FSIZE, (300000, 300000)))
        check("full disk", done.returncode == 1 and b"old.h5" in done.stderr
              and open("old.h5").read() == "old", done)
    check("nothing left", not [f for f in os.listdir(".")
                               if f.startswith(".")], os.listdir("."))


def test_data():
    """Every file of the project's data, as pandas reads it."""
    files = sorted(glob.glob(f"{DATA}/*.csv")) if DATA else []
    if not files:
        print("skipped: there are no data files")
    for path in files:
        done = run(path, "t.h5", "--force", "--compress", "gzip", "--shuffle")
        check(f"{path} imports", done.returncode == 0, done)
        columns, fills = read("t.h5")
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""],
                            float_precision="round_trip")
        check(f"{path} columns", set(columns) == set(frame.columns))
        for name in frame.columns:
            found, wanted = columns[name], frame[name]
            if isinstance(found, list):
                same = found == list(wanted.fillna("").astype(str))
            elif fills[name] is None:
                same = np.array_equal(found, wanted, equal_nan=True)
            else:
                gone = found == fills[name]
                same = (gone == wanted.isna()).all() and np.array_equal(
                    found[~gone], wanted[~gone])
            check(f"{path} {name}", same)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        test_random_texts()
        test_numbers()
        test_types()
        test_missing()
        test_reading()
        test_errors()
        test_data()
        os.chdir("/")
    return exit_status()


sys.exit(main())
