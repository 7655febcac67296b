#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares hanse's result of a question with a peer's, and with math.fsum.

usage: check_results.py peer QUESTION RESULT.h5 PEER
       check_results.py plain QUESTION RESULT.h5 PLAIN.h5
       check_results.py fsum QUESTION RESULT.h5 TABLE.h5

peer: the same groups, in any order; counts, extremes and medians are equal,
sums agree up to the peer's rounding. plain: the same for hanse_plain's result.
fsum: totals of a sample of groups are exactly what math.fsum makes of the rows.
"""
import math
import sys

import h5py
import numpy as np

from questions import KEYS, VALUES, columns

TOLERANCE = {"total": 1e-9, "mean": 1e-9, "var": 1e-6}
N_SAMPLE = 25


def hanse_columns(question, path):
    keys = KEYS[question]
    name = "by_" + "_".join(keys) if keys else "total"
    with h5py.File(path) as file:
        table = file[name]
        found = [table[key][...] for key in keys]
        for statistic, measure in VALUES[question]:
            label = f"{measure}_{statistic}" if measure else "count"
            found.append(np.atleast_1d(table[label][...]))
    return found


def check_peer(question, ours, path):
    found = np.fromfile(path).reshape(len(ours), -1)
    n_keys = len(KEYS[question])
    if n_keys > 0:  # hanse's groups are in the order of their keys
        found = found[:, np.lexsort(found[n_keys - 1::-1])]
    check_columns(question, ours, found)


def check_columns(question, ours, found):
    n_keys = len(KEYS[question])
    assert len(found[0]) == len(ours[0]), \
        f"{len(found[0])} groups, hanse has {len(ours[0])}"
    for i, column in enumerate(ours):
        if i < n_keys:
            assert np.array_equal(column, found[i]), KEYS[question][i]
            continue
        statistic, measure = VALUES[question][i - n_keys]
        np.testing.assert_allclose(
            column, found[i], rtol=TOLERANCE.get(statistic, 0),
            err_msg=f"{statistic} of {measure}")


def check_plain(question, ours, path):
    check_columns(question, ours, hanse_columns(question, path))


def check_fsum(question, ours, source):
    with h5py.File(source) as file:
        table = {name: file[name][...] for name in columns(question)}
    rows = np.ones(len(table["resource"]), bool)
    if question == "Q7":
        rows = (table["information"] > 1) & (table["platform_id"] < 100)
    if question == "Q8":
        table["weighted"] = table["resource"] * 0.5 \
            + table["information"] * 0.3 + table["strategy"] * 0.2
    keys = KEYS[question]
    n_groups = len(ours[0])
    sample = np.unique(np.linspace(0, n_groups - 1, N_SAMPLE).astype(int))
    for group in sample:
        members = rows
        for i, key in enumerate(keys):
            members = members & (table[key] == ours[i][group])
        for i, (statistic, measure) in enumerate(VALUES[question]):
            if statistic != "total":
                continue
            exact = math.fsum(table[measure][members])
            total = ours[len(keys) + i][group]
            assert total == exact, f"{measure}, group {group}: " \
                f"{total!r}, math.fsum has {exact!r}"


def main():
    how, question, result, other = sys.argv[1:]
    ours = hanse_columns(question, result)
    checks = {"peer": check_peer, "plain": check_plain, "fsum": check_fsum}
    checks[how](question, ours, other)


try:
    main()
except AssertionError as fault:
    sys.exit(f"{' '.join(sys.argv[1:3])}: {fault}")
