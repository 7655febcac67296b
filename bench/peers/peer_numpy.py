#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""numpy on columns that h5py reads: np.bincount for sums, also over combined
keys; a radix sort and reduceat for the rest. One thread.

usage: peer_numpy.py TABLE.h5 QUESTION THREADS [RESULT]

The result stays in memory: an array with a place for every number of the key.
RESULT, for the comparison, gets keys and values of the groups, column after
column, as float64.
"""
import sys

import h5py
import numpy as np

from questions import MEASURES, columns


def sums(keys, table):
    return [np.bincount(keys, weights=table[name]) for name in MEASURES]


def composite(table):
    return (table["cluster_id"] * 50 + table["chain_id"]) * 200 \
        + table["platform_id"]


def sorted_by(keys):
    """Order of the rows, and where groups start."""
    count = np.bincount(keys)
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    return order, count, np.concatenate(([0], np.cumsum(count)[:-1]))


def all_statistics(table):
    order, count, first = sorted_by(table["cluster_id"])
    found = {"total": [], "mean": [], "min": [], "max": [], "var": []}
    for name in MEASURES:
        values = table[name][order]
        total = np.add.reduceat(values, first)
        deviation = values - np.repeat(total / count, count)
        found["total"].append(total)
        found["mean"].append(total / count)
        found["min"].append(np.minimum.reduceat(values, first))
        found["max"].append(np.maximum.reduceat(values, first))
        found["var"].append(
            np.add.reduceat(deviation * deviation, first) / (count - 1))
    return found["total"] + [count] + found["mean"] + found["min"] \
        + found["max"] + found["var"]


def medians(table):
    order, _, first = sorted_by(table["cluster_id"])
    groups = np.split(table["resource"][order], first[1:])
    return [np.array([np.median(group) for group in groups])]


def filtered(table):
    kept = (table["information"] > 1) & (table["platform_id"] < 100)
    return sums(table["cluster_id"][kept],
                {name: table[name][kept] for name in MEASURES})


def weighted(table):
    return [np.bincount(table["cluster_id"],
                        weights=table["resource"] * 0.5
                        + table["information"] * 0.3
                        + table["strategy"] * 0.2)]


ANSWERS = {
    "Q1": lambda table: sums(table["cluster_id"], table),
    "Q2": all_statistics,
    "Q3": lambda table: sums(table["enterprise_group"], table),
    "Q4": lambda table: sums(composite(table), table),
    "Q5": lambda table: [np.array([table[name].sum()]) for name in MEASURES],
    "Q6": medians,
    "Q7": filtered,
    "Q8": weighted,
}


def groups_of(question, table):
    """Numbers of the places that are groups, and columns of their keys."""
    if question == "Q5":
        return np.array([0]), []
    keys = composite(table) if question == "Q4" else \
        table["enterprise_group" if question == "Q3" else "cluster_id"]
    places = np.flatnonzero(np.bincount(keys))
    if question == "Q4":
        return places, [places // 10000, places // 200 % 50, places % 200]
    return places, [places]


def main():
    source, question, _, *result = sys.argv[1:]
    with h5py.File(source) as file:
        table = {name: file[name][...] for name in columns(question)}
    found = ANSWERS[question](table)
    if result:
        places, keys = groups_of(question, table)
        np.concatenate(keys + [column[places] for column in found]) \
            .astype("f8").tofile(result[0])


main()
