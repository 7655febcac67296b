#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`hanse show`: the three formats, sorting, terminals, and its errors.

usage: test_show.py HANSE MAKE_RESULT
"""
import csv
import io
import json
import os
import pty
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from checks import check, exit_status

HANSE, MAKE_RESULT = sys.argv[1], sys.argv[2]

BY_CLUSTER = """\
by_cluster: 4 groups
   cluster      count  resource_total          information_total
                               [kW h]
        -3  1,234,567    1,234,567.25      9,007,199,254,740,993
         1          1            0.10     -9,007,199,254,740,993
         2         12           -0.00  9,223,372,036,854,775,807
2000000000          0             nan                          7
"""
BY_CHAIN = """\
by_chain: 5 groups
chain        count  resource_mean
                             [m2]
(empty)          1            1.5
bad\\xFFbyte      2         1e+300
Łódź             3      4.94e-324
产业             4           -inf
(missing)        5            nan
"""
TABLES = ["by_cluster", "by_chain", "by_chain_platform", "total",
          "flows/by_cluster"]
FLOWS = """\
flows/by_cluster: 3 groups
    source  target   flow  flow_status
         1       1  12.50  ok
         1       2    nan  zero_total
2000000000      -3   0.25  9
"""
PAIRS = """\
by_chain_platform: 3 groups, 17 rows without a key left out
chain  platform  count  cooperation_total
产业          9     30              0.125
steel  (missing)     20              0.250
... 1 more
"""


def same(name, found, expected):
    check(name, found == expected, f"\n{found!r}\nand not\n{expected!r}")


def show(*arguments, status=0):
    """Output of the command (bytes), or its messages when status is not 0."""
    done = subprocess.run([HANSE, "show", *arguments], capture_output=True)
    name = " ".join(os.path.basename(a) for a in arguments)
    check(f"show {name}: status", done.returncode == status,
          f"{done.returncode}: {done.stderr!r}")
    if status == 0:
        same(f"show {name}: messages", done.stderr, b"")
        return done.stdout
    same(f"show {name}: output", done.stdout, b"")
    return done.stderr.decode()


def show_on_terminal(*arguments):
    leader, follower = pty.openpty()
    process = subprocess.Popen([HANSE, "show", *arguments], stdout=follower,
                               stderr=subprocess.PIPE)
    os.close(follower)
    output = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(leader)
    process.stderr.close()
    check("on a terminal: status", process.wait() == 0)
    return output.replace(b"\r\n", b"\n")


def check_text(path):
    found = show(path, "by_cluster", "--columns",
                 "count,resource_total,information_total").decode()
    same("aligned numbers", found, BY_CLUSTER)
    same("aligned texts", show(path, "-t", "by_chain").decode(), BY_CHAIN)
    everything = show(path).decode()
    same("all tables", [line.split(":")[0] for line in everything.split("\n")
                        if line.startswith(("by_", "flows"))
                        or line == "total"], TABLES)
    same("codes as words", show(path, "/flows/by_cluster").decode(), FLOWS)
    check("total has no groups", "\ntotal\n" in everything)
    found = show(path, "/by_chain_platform", "--sort", "count", "--top",
                 "2").decode().replace("   platform", "  platform")
    check("top of the sorted", "... 1 more" in found
          and "17 rows without a key left out" in found
          and found.index("产业") < found.index("(missing)"), found)


def rows_of(output):
    return list(csv.reader(io.StringIO(output.decode(), newline="")))


def check_csv(path):
    output = show(path, "by_chain", "--format", "csv")
    same("CSV", output.decode(),
         "chain,count,resource_mean\r\n\"\",1,1.5\r\nbad\\xFFbyte,2,1e+300\r\n"
         "Łódź,3,5e-324\r\n产业,4,-inf\r\n,5,\r\n")
    same("CSV codes", show(path, "flows/by_cluster", "-c", "flow_status",
                           "--format", "csv").decode(),
         "source,target,flow_status\r\n1,1,ok\r\n1,2,zero_total\r\n"
         "2000000000,-3,9\r\n")
    rows = rows_of(show(path, "by_cluster", "--format", "csv"))
    same("CSV integers", [row[3] for row in rows[1:]],
         ["9007199254740993", "-9007199254740993", "9223372036854775807", "7"])
    same("CSV unsigned", rows[1][4], "18446744073709551615")
    same("CSV floats", [row[2] for row in rows[1:]],
         ["1234567.25", "0.1", "-0", ""])


def check_json(path):
    found = json.loads(show(path, "--format", "json"))
    same("JSON tables", list(found),
         TABLES)
    same("JSON row", found["by_cluster"][0],
         {"cluster": -3, "count": 1234567, "resource_total": 1234567.25,
          "information_total": 9007199254740993,
          "turnover_max": "18446744073709551615",
          "turnover_min": 9223372036854775807})
    same("JSON absent", [row["resource_mean"] for row in found["by_chain"]],
         [1.5, 1e300, 5e-324, "-inf", None])
    same("JSON keys", [row["chain"] for row in found["by_chain"]],
         ["", "bad\\xFFbyte", "Łódź", "产业", None])
    same("JSON codes", [row["flow_status"] for row
                        in found["flows/by_cluster"]], ["ok", "zero_total", 9])
    same("JSON total", found["total"],
         [{"count": 9007199254740993, "resource_total": 1234567.35}])
    check("JSON floats are floats", b"-0.0," in
          show(path, "by_cluster", "--format", "json"))


def check_sorting(path):
    def column(index, *options):
        return [row[index] for row in rows_of(
            show(path, *options, "--format", "csv"))[1:]]

    cluster = ("by_cluster", "--sort")
    same("largest first", column(0, *cluster, "information_total"),
         ["2", "-3", "2000000000", "1"])
    same("minus turns", column(0, *cluster, "-information_total"),
         ["1", "2000000000", "-3", "2"])
    same("ascending", column(0, *cluster, "information_total", "--ascending"),
         ["1", "2000000000", "-3", "2"])
    same("NaN last", column(2, *cluster, "resource_total"),
         ["1234567.25", "0.1", "-0", ""])
    same("NaN last ascending", column(2, *cluster, "-resource_total"),
         ["-0", "0.1", "1234567.25", ""])
    same("unsigned", column(0, *cluster, "turnover_max"),
         ["-3", "2000000000", "2", "1"])
    same("key smallest first", column(0, *cluster, "cluster"),
         ["-3", "1", "2", "2000000000"])
    same("text keys, missing last", column(0, "by_chain", "--sort", "-chain"),
         ["产业", "Łódź", "bad\\xFFbyte", "", ""])
    same("by a column not shown",
         column(1, *cluster, "count", "--columns", "turnover_min", "--top",
                "1"), ["9223372036854775807"])


def check_errors(path, folder):
    for arguments, words, status in (
            ((path, "by_clutser"), "did you mean 'by_cluster'", 2),
            ((path, "nothing_like_it"), "by_chain_platform", 2),
            ((path, "--sort", "resource_totl"), "did you mean 'resource_total'",
             2),
            ((path, "--columns", "count,zzzzzz"),
             "no column 'zzzzzz'; there are cluster, count, ", 2),
            ((path, "--columns", ","), "names no column", 2),
            ((path, "--format", "jsn"), "did you mean 'json'", 2),
            ((path, "--format", "csv"), "and 5 are to be shown; choose one "
             "with --table", 2),
            ((path, "--top", "many"), "--top needs a number", 2),
            ((path, "--ascending"), "--sort", 2),
            ((path, "--tpo", "3"), "did you mean '--top'", 2),
            ((), "needs a result file", 2),
            ((folder + "/missing.h5",), "No such file", 1),
            ((folder,), "regular file", 1),
            ((sys.argv[0],), "not an HDF5 file", 1)):
        message = show(*arguments, status=status)
        check(f"message of {arguments[1:]}", words in message
              and message.startswith("hanse: error: ")
              and message.count("\n") == 1, message)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([HANSE, "show", path], stdout=full,
                              stderr=subprocess.PIPE)
    check("full disk behind the output", done.returncode == 1
          and b"No space" in done.stderr, done.stderr)
    check("help", b"--sort COLUMN" in show("--help"))


def make_hostile(path, labels):
    """A result that another program wrote, with labels as they come."""
    with h5py.File(path, "w") as file:
        file.attrs["source"] = "hanse 0.1.0"
        group = file.create_group("by_name")
        group.attrs["keys"] = "name"
        group["name"] = np.array(labels, dtype=h5py.string_dtype())
        group["count"] = np.arange(len(labels))


def check_terminal(path, folder):
    hostile = os.path.join(folder, "hostile.h5")
    labels = ["\x1b[31mred\x07", "two\nlines\t", "\u202eright", "\x7f\x9b2J",
              "a,b", 'say "x"'] + [f"row {i}" for i in range(20)]
    make_hostile(hostile, labels)
    plain = show(hostile).decode()
    same("no control characters", [c for c in plain if ord(c) < 32
                                   and c != "\n" or 0x7F <= ord(c) < 0xA0
                                   or c == "\u202e"], [])
    check("escapes", "\\x1B[31mred\\x07" in plain and "two\\nlines\\t" in plain
          and "\\u{202E}right" in plain and "\\x7F\\u{9B}2J" in plain, plain)
    same("all rows on a pipe", plain.count("\n"), 2 + len(labels))
    terminal = show_on_terminal(hostile).decode()
    same("20 rows on a terminal", terminal.count("\n"), 2 + 20 + 1)
    check("says how many more", terminal.endswith("... 6 more\n"), terminal)
    same("--top on a terminal",
         show_on_terminal(hostile, "--top", "26").decode(), plain)
    output = show(hostile, "--format", "json").decode()
    check("JSON without control characters", "\x7f" not in output
          and "\x9b" not in output and "\x1b" not in output)
    same("JSON labels", [row["name"] for row in json.loads(output)["by_name"]],
         labels)
    rows = rows_of(show(hostile, "--format", "csv"))
    same("CSV labels", [row[0] for row in rows[1:]], labels)
    check("CSV on a terminal is safe", b"\x1b" not in
          show_on_terminal(hostile, "--format", "csv"))


def check_large(folder):
    path = os.path.join(folder, "large.h5")
    subprocess.run([MAKE_RESULT, path, "--rows", "50000"], check=True)
    output = show(path, "--top", "3", "--sort", "resource_total").decode()
    same("top of many", [line.split()[1] for line in
                         output.split("\n")[2:5]], ["49999", "49998", "49997"])
    same("all of many", show(path).count(b"\n"), 50002)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.h5")
        subprocess.run([MAKE_RESULT, path], check=True)
        check_text(path)
        check_csv(path)
        check_json(path)
        check_sorting(path)
        check_errors(path, folder)
        check_terminal(path, folder)
        check_large(folder)
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
