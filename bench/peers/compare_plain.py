#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What exact sums cost in whole jobs: hanse against itself with plain sums.

hanse_plain is the same program, with the same reader, keys, partitions and
result, but with sums in doubles that round at each add
(bench/plain_sums/plain_sums.h). Both run in turn; medians count, and the ratio
is that of the processor's time and of wall clock time in the same turns.

usage: compare_plain.py HANSE HANSE_PLAIN [options]; --help lists them.
"""
import argparse
import json
import os

import measure
from questions import WORDS, hanse_words

HERE = os.path.dirname(os.path.abspath(__file__))
QUESTIONS = ("Q1", "Q2", "Q3", "Q4", "Q5", "Q7", "Q8")


def ask(options, question, source, folder):
    """Measurements of both programs, whose results must agree."""
    results = {name: os.path.join(folder, f"result_{name}.h5")
               for name in ("exact", "plain")}

    def command(program, name):
        return ([program, "run", source, "-o", results[name], "--table", "/",
                 "--threads", str(options.threads), "--quiet"]
                + hanse_words(question), None)

    found, failed = measure.in_turn(
        {"exact": command(options.hanse, "exact"),
         "plain": command(options.plain, "plain")}, options.runs)
    if failed:
        measure.stop("failed: " + "; ".join(failed.values()))
    try:
        measure.run(["/usr/bin/python3", os.path.join(HERE, "check_results.py"),
                     "plain", question, *results.values()])
    except measure.Failed as fault:
        measure.stop(f"results differ: {fault}")
    for path in results.values():
        os.remove(path)
    return found


def ratio_of(found, key):
    """Median over the turns of exact / plain."""
    return measure.median([ours / plain for ours, plain in
                           zip(found["exact"][key], found["plain"][key])])


def report(question, found):
    cells = [f"{question:4}"]
    for key, form, size in (("seconds", "{:8.3f}s", 1),
                            ("cpu_seconds", "{:8.3f}s", 1),
                            ("peak_bytes", "{:6.0f} MB", 1e6)):
        for name in ("exact", "plain"):
            cells.append(form.format(measure.median(found[name][key]) / size))
        cells.append(f"{ratio_of(found, key):7.3f}")
    print("".join(cells), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse", help="build/bench/cli/hanse")
    parser.add_argument("plain", help="build/bench/bench/hanse_plain")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--questions", default=",".join(QUESTIONS),
                        help="some of them, as in Q1,Q3")
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", default="contiguous",
                        choices=("contiguous", "shuffle", "gzip"),
                        help="of the HDF5 file")
    parser.add_argument("--folder", default="build/peers/data",
                        help="of tables and results; some GB")
    parser.add_argument("--json", help="write all measurements there")
    options = parser.parse_args()
    options.questions = options.questions.upper().split(",")
    for question in options.questions:
        if question not in QUESTIONS:
            parser.error(f"no question {question}; there are "
                         + ", ".join(QUESTIONS))
    return options


def main():
    options = parse()
    folder = os.path.join(options.folder, str(options.rows))
    os.makedirs(folder, exist_ok=True)
    measure.run(["/usr/bin/python3", os.path.join(HERE, "make_data.py"), folder,
                 str(options.rows)])
    source = os.path.join(folder, options.layout + ".h5")
    print(f"{options.rows} rows, {options.layout} HDF5, whole processes, "
          f"{options.threads} threads, medians of {options.runs}; "
          f"{measure.machine()}")
    print(f"{'':4}" + "".join(f"{name:>18}{'':>7}" for name in
                              ("wall: exact, plain", "processor", "peak")))
    results = {}
    for question in options.questions:
        found = ask(options, question, source, folder)
        report(question, found)
        results[question] = {"words": WORDS[question], **found}
    print("results agree up to the rounding of plain sums")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "threads": options.threads,
                       "layout": options.layout, "results": results}, file,
                      indent=2)
            file.write("\n")


main()
