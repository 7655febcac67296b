#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pandas on columns that h5py reads; its grouped sums are compensated. One
thread.

usage: peer_pandas.py TABLE.h5 QUESTION THREADS [RESULT]

As for peer_numpy.py.
"""
import sys

import h5py
import numpy as np
import pandas as pd

from questions import KEYS, MEASURES, VALUES, columns

MEASURES = list(MEASURES)
STATISTICS = ["sum", "count", "mean", "min", "max", "var"]


def sums(table, keys):
    return table.groupby(keys)[MEASURES].sum()


def filtered(table):
    kept = table[(table.information > 1) & (table.platform_id < 100)]
    return sums(kept, "cluster_id")


def weighted(table):
    values = table.resource * 0.5 + table.information * 0.3 \
        + table.strategy * 0.2
    return values.groupby(table.cluster_id).sum().to_frame("weighted")


ANSWERS = {
    "Q1": lambda table: sums(table, "cluster_id"),
    "Q2": lambda table: table.groupby("cluster_id")[MEASURES].agg(STATISTICS),
    "Q3": lambda table: sums(table, "enterprise_group"),
    "Q4": lambda table: sums(table, list(KEYS["Q4"])),
    "Q5": lambda table: table[MEASURES].sum().to_frame().T,
    "Q6": lambda table: table.groupby("cluster_id")[["resource"]].median(),
    "Q7": filtered,
    "Q8": weighted,
}


def value_columns(question, found):
    if question != "Q2":
        return [found[name] for _, name in VALUES[question]]
    return [found[(name or "resource", "sum" if statistic == "total" else
                   statistic)] for statistic, name in VALUES[question]]


def main():
    source, question, _, *result = sys.argv[1:]
    with h5py.File(source) as file:
        table = pd.DataFrame({name: file[name][...]
                              for name in columns(question)}, copy=False)
    found = ANSWERS[question](table)
    if result:
        keys = [found.index.get_level_values(key) for key in KEYS[question]]
        np.concatenate(keys + value_columns(question, found)) \
            .astype("f8").tofile(result[0])


main()
