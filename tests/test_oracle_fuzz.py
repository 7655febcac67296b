#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random jobs of `hanse run` against exact arithmetic on whole numbers.

Each case makes a table (random columns of all types, missing values,
infinities, zeros of both signs, exponents from narrow to the whole range of
binary64), writes it as one or several files, runs a random job (with keys that
are bins, formulas, conditions and mappings, and with rollups and cubes) and
compares every value of every table to the last bit. A failing case prints its number,
which runs it alone.

usage: test_oracle_fuzz.py HANSE [CASES [FIRST]]
"""
import collections
import csv
import itertools
import math
import os
import random
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HANSE = sys.argv[1]
CASES = int(sys.argv[2]) if len(sys.argv) > 2 else 120
FIRST = int(sys.argv[3]) if len(sys.argv) > 3 else 0
STATISTICS = ["count", "missing", "total", "mean", "min", "max", "var", "std"]
FURTHER = ["range", "sum_squares", "skew", "kurtosis", "first", "last",
           "nunique", "mode", "wmean", "median"]
QUANTILES = ["p1", "p25", "p50", "p90", "p99.9", "p33.3333"]
PAIRS = ["cov", "corr"]
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


class Column:
    """Values as Python objects (None: missing) and how they are stored."""

    def __init__(self, values, stored, dtype=None, fill=None):
        self.values, self.stored = values, stored
        self.dtype, self.fill = dtype, fill
        self.ranks = None  # of labels, where they have an order of their own
        self.is_float = dtype is None and stored.dtype.kind == "f"


# ---- Random columns ---------------------------------------------------------

def integers(rng, n, low, high, kind, missing):
    values = [rng.randint(low, high) for _ in range(n)]
    fill = None
    if missing:
        fill = rng.choice([low, high, values[0]])
    stored = np.array(values, kind)
    if rng.random() < 0.2:
        stored = stored.astype(stored.dtype.newbyteorder(">"))
    return Column([None if v == fill else v for v in values], stored,
                  fill=fill)


def integer_key(rng, n):
    kind = rng.choice(INTEGERS)
    info = np.iinfo(kind)
    width = rng.choice([1, 3, 40, 1000, 2**20, 2**64])
    low = rng.choice([int(info.min), int(info.max) - width, -3, 0])
    low = min(max(low, int(info.min)), int(info.max))
    high = min(low + width, int(info.max))
    column = integers(rng, n, low, high, kind, rng.random() < 0.4)
    if rng.random() < 0.4:  # few values, far apart
        few = rng.sample(column.values, min(n, 5))
        pick = [rng.choice(few) for _ in range(n)]
        fill = column.fill
        stored = np.array([fill if v is None else v for v in pick], kind)
        column = Column(pick, stored, fill=fill)
    return column


def text_key(rng, n):
    alphabet = rng.choice(["ab", "abcdefghij", "城市xyz é"])
    longest = rng.choice([1, 3, 9, 40])
    pool = ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, longest)))
            for _ in range(rng.choice([1, 5, 100]))]
    values = [rng.choice(pool) for _ in range(n)]
    return Column(values, np.array(values, object), h5py.string_dtype())


def enum_key(rng, n):
    codes = rng.sample(range(-20, 100), rng.randint(1, 12))
    names = {f"{rng.choice('XYZ')}{i}": c for i, c in enumerate(codes)}
    label = {c: name for name, c in names.items()}
    picked = [rng.choice(codes) for _ in range(n)]
    return Column([label[c] for c in picked], np.array(picked, "i1"),
                  h5py.enum_dtype(names, basetype="i1"))


def exponents(rng):
    """A range of binary exponents: narrow, wide, or the whole of binary64."""
    low = rng.choice([-1074, -1022, -600, -480, -40, -3, 0, 400, 900])
    return low, min(low + rng.choice([0, 20, 60, 100, 200, 900, 2100]), 1023)


def one_float(rng, low, high):
    return math.ldexp(rng.choice([-1, 1]) * (1 + rng.getrandbits(52) / 2**52),
                      rng.randint(low, high))


def float_measure(rng, n):
    style = rng.choice(["range", "range", "range", "money", "whole", "cancel",
                        "zeros", "same", "late"])
    low, high = exponents(rng)
    if style == "money":
        values = [round(rng.lognormvariate(5, 3), 2) for _ in range(n)]
    elif style == "whole":
        values = [float(rng.randint(-2**53, 2**53)) for _ in range(n)]
    elif style == "zeros":
        zeros = rng.choice([[0.0], [-0.0], [0.0, -0.0]])
        values = [rng.choice(zeros) for _ in range(n)]
    elif style == "same":
        values = [one_float(rng, low, high)] * n
    else:
        values = [one_float(rng, low, high) for _ in range(n)]
    if style == "cancel":
        values = [-values[i - 1] if i % 2 else values[i] for i in range(n)]
    if style == "late":  # the range of the column shows at its end only
        values = [math.ldexp(v, -500) if i < 0.9 * n else v
                  for i, v in enumerate(values)]
    odd = rng.choice([0, 0, 0.01, 0.3])
    strange = rng.choice([[math.nan], [math.nan, -0.0, 0.0],
                          [math.inf], [-math.inf, math.inf, math.nan],
                          [5e-324, -5e-324], [1.7976931348623157e308]])
    values = [rng.choice(strange) if rng.random() < odd else v for v in values]
    kind = rng.choice(["f8", "f8", ">f8", "f4"])
    with np.errstate(over="ignore", under="ignore"):
        stored = np.array(values).astype(kind)
    return Column([None if math.isnan(v) else float(v) for v in stored.tolist()],
                  stored)


def integer_measure(rng, n):
    kind = rng.choice(INTEGERS)
    info = np.iinfo(kind)
    low, high = int(info.min), int(info.max)
    if rng.random() < 0.7:  # so that totals fit
        low, high = max(low, -2**40), min(high, 2**40)
    return integers(rng, n, low, high, kind, rng.random() < 0.4)


# ---- Keys and measures that are made ----------------------------------------

class Made:
    """A key with a definition, or a measure with a formula."""

    def __init__(self, definition, values, ranks=None):
        self.definition, self.values, self.ranks = definition, values, ranks
        self.is_float = True


def literal(number):
    return f"({number})" if number < 0 else str(number)


def make_bins(rng, name, column):
    present = [v for v in column.values if v is not None] or [0]
    edges = sorted({rng.choice(present) + rng.choice([-1, 0, 0, 1])
                    for _ in range(rng.randint(1, 6))})
    between = " to " if edges[0] < 0 else "-"
    labels = [f"<{edges[0]}", *(f"{a}{between}{b}"
                                for a, b in zip(edges, edges[1:])),
              f">={edges[-1]}"]
    values = [None if v is None else labels[sum(e <= v for e in edges)]
              for v in column.values]
    return Made(f"bin({name}, {', '.join(map(str, edges))})", values,
                {label: i for i, label in enumerate(labels)})


def make_formula(rng, name, column):
    divisor = rng.choice([1, 7, 1000])
    values = [None if v is None else math.floor(float(v) / divisor)
              for v in column.values]
    if any(v is not None and not -2**63 <= v < 2**63 for v in values):
        return None
    return Made(f"floor({name} / {divisor})", values)


def make_condition(rng, name, column):
    bound = rng.choice([v for v in column.values if v is not None] or [0])
    return Made(f"{name} >= {literal(bound)}",
                [None if v is None else int(v >= bound) for v in column.values])


def make_mapping(rng, name, column, path):
    """Some values are mapped, to texts or integers, and some are not."""
    to_text = rng.random() < 0.5
    targets = {}
    # Not a set, whose order is another one in each process.
    for value in dict.fromkeys(v for v in column.values if v is not None):
        if rng.random() < 0.8:
            targets[value] = (rng.choice(["", "a,b", "q\"", "é", "x"])
                              if to_text else rng.randint(-9, 9))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["from", "to"])
        writer.writerows(rng.sample(list(targets.items()), len(targets)))
    if to_text and targets and all(t == "" for t in targets.values()):
        return None  # and not a text at all
    return Made(f"map({name}, '{path}', from, to)",
                [targets.get(v) for v in column.values])


def make_keys(rng, columns, folder):
    made = {}
    for name, column in columns.items():
        if name[0] != "k" or rng.random() < 0.5:
            continue
        is_integer = column.dtype is None and column.stored.dtype.kind in "iu"
        how = rng.choice(["bins", "formula", "condition", "map"]
                         if is_integer else ["map"])
        if how == "map":
            key = make_mapping(rng, name, column, f"{folder}/{name}.csv")
        else:
            key = {"bins": make_bins, "formula": make_formula,
                   "condition": make_condition}[how](rng, name, column)
        if key is not None:
            made[f"d{name}"] = key
    return made


def make_measure(columns):
    """A formula of two columns; Python rounds each operation as it does."""
    values = [None if v is None else float(v) * 0.75 + p for v, p in
              zip(columns["m0"].values, columns["pick"].values)]
    return Made("m0 * 0.75 + pick", values)


# ---- Writing ----------------------------------------------------------------

def as_dtype(column):
    return column.dtype if column.dtype is not None else column.stored.dtype


def write_columns(file, columns, rows, rng):
    group = file.create_group("enterprises")
    for name, column in columns.items():
        part = column.stored[rows]
        n_chunks = rng.choice([None, 1, 2, 20]) if len(part) else None
        chunks = None if n_chunks is None else (-(-len(part) // n_chunks),)
        dataset = group.create_dataset(name, data=part, dtype=as_dtype(column),
                                       chunks=chunks)
        if column.fill is not None:
            dataset.attrs[rng.choice(["_FillValue", "missing_value"])] = \
                np.array(column.fill, column.stored.dtype)


def write_compound(file, columns, rows):
    dtype = np.dtype([(name, as_dtype(c)) for name, c in columns.items()])
    table = np.empty(len(range(*rows.indices(len(next(iter(
        columns.values())).stored)))), dtype)
    for name, column in columns.items():
        table[name] = column.stored[rows]
    file.create_dataset("enterprises", data=table)


def write_files(folder, columns, n, rng):
    n_files = rng.choice([1, 1, 2, 5])
    cuts = sorted(rng.randint(0, n) for _ in range(n_files - 1))
    compound = rng.random() < 0.3 and all(
        c.fill is None for c in columns.values())
    paths = []
    for k, (start, end) in enumerate(zip([0] + cuts, cuts + [n])):
        paths.append(f"{folder}/in{k}.h5")
        with h5py.File(paths[-1], "w") as file:
            if compound:
                write_compound(file, columns, slice(start, end))
            else:
                write_columns(file, columns, slice(start, end), rng)
    return paths


# ---- The oracle -------------------------------------------------------------

def scaled(values):
    """Finite numbers as integers and the exponent of their common unit."""
    ratios = [v.as_integer_ratio() for v in values]
    unit = max((d for _, d in ratios), default=1)
    return [p * (unit // d) for p, d in ratios], unit


def divide(a, b):
    """a / b rounded once; int division in Python rounds to nearest even."""
    try:
        return a / b
    except OverflowError:
        return -math.inf if a < 0 else math.inf


def infinite_sum(values):
    """Sum of values with infinities among them; None without."""
    signs = {v for v in values if isinstance(v, float) and math.isinf(v)}
    if not signs:
        return None
    return math.nan if len(signs) == 2 else signs.pop()


def zeros_are_negative(values):
    return values and all(
        isinstance(v, float) and v == 0 and math.copysign(1, v) < 0
        for v in values)


def expect(values, is_float):
    present = [v for v in values if v is not None]
    n = len(present)
    out = dict.fromkeys(STATISTICS, math.nan)
    out["count"], out["missing"] = n, len(values) - n
    order = lambda v: (v, math.copysign(1, v))
    if n:
        out["min"], out["max"] = min(present, key=order), max(present, key=order)
    rare = infinite_sum(present)
    if rare is not None:
        out["total"] = out["mean"] = rare
        return out
    wholes, unit = scaled(present)
    total = sum(wholes)
    out["total"] = divide(total, unit) if is_float else total
    if n:
        out["mean"] = divide(total, unit * n)
    if zeros_are_negative(present):
        out["total"] = out["mean"] = -0.0
    if n > 1:
        squares = sum(w * w for w in wholes)
        out["var"] = divide(n * squares - total * total,
                            n * (n - 1) * unit * unit)
        out["std"] = math.sqrt(out["var"])
    return out


# ---- Statistics beyond sums and extremes ------------------------------------

def root(a, b):
    """sqrt(a / b) of integers, rounded once."""
    if a == 0:
        return 0.0
    shift = max(0, 400 - a.bit_length() + b.bit_length())
    shift += shift % 2
    quotient, rest = divmod(a << shift, b)
    whole = math.isqrt(quotient)
    sticky = rest != 0 or whole * whole != quotient
    return divide(2 * whole + sticky, 2 << (shift // 2))


def central(wholes):
    """n^(k-1) sum (x - mean)^k for k = 2, 3, 4, straight from the values."""
    n, total = len(wholes), sum(wholes)
    return [sum((n * w - total) ** k for w in wholes) // n
            for k in (2, 3, 4)]


def shape(wholes, out):
    n = len(wholes)
    m2, m3, m4 = central(wholes)  # m2 in units^2, and so on
    if n > 2:
        out["skew"] = 0.0
        if m2:
            skew = root(n * (n - 1) * m3 * m3, (n - 2) ** 2 * m2 ** 3)
            out["skew"] = -skew if m3 < 0 else skew
    if n > 3:
        out["kurtosis"] = 0.0
        if m2:
            out["kurtosis"] = divide(
                (n - 1) * ((n + 1) * m4 - 3 * (n - 1) * m2 * m2),
                (n - 2) * (n - 3) * m2 * m2)


def quantile(ordered, millionths):
    place, weight = divmod((len(ordered) - 1) * millionths, 10**6)
    low = ordered[place]
    if weight == 0:
        return float(low)
    high = ordered[place + 1]
    if same(low, high):
        return float(low)
    if math.isinf(low) or math.isinf(high):
        return math.nan
    (a, b), unit = scaled([low, high])
    return divide(a * (10**6 - weight) + b * weight, unit * 10**6)


def expect_further(values, weights, names):
    present = [v for v in values if v is not None]
    out = dict.fromkeys(FURTHER + QUANTILES, math.nan)
    finite = not any(isinstance(v, float) and math.isinf(v) for v in present)
    out["nunique"] = len(set(present))
    if finite:
        wholes, unit = scaled(present)
        out["sum_squares"] = divide(sum(w * w for w in wholes), unit * unit)
    if present:
        out["first"], out["last"] = present[0], present[-1]
        times = collections.Counter(present)
        most = max(times.values())
        out["mode"] = min(v for v in times if times[v] == most) + 0
        order = sorted(present, key=lambda v: (v, math.copysign(1, v)))
        for name in names:
            if name == "median" or name[0] == "p":
                part = "50" if name == "median" else name[1:]
                out[name] = quantile(order, round(float(part) * 10000))
        if finite:
            out["range"] = divide(max(wholes) - min(wholes), unit) \
                if isinstance(present[0], float) else max(wholes) - min(wholes)
            shape(wholes, out)
    both = [(v, w) for v, w in zip(values, weights)
            if v is not None and w is not None]
    if not any(isinstance(x, float) and math.isinf(x) for p in both for x in p):
        (x, x_unit), (w, w_unit) = (scaled([p[i] for p in both])
                                    for i in (0, 1))
        if sum(w):
            out["wmean"] = divide_signed(sum(a * b for a, b in zip(x, w)),
                                         sum(w) * x_unit)
    return out


def divide_signed(a, b):
    """a / b for any signs; +0 for zero."""
    return divide(-a, -b) if b < 0 else divide(a, b)


def expect_pair(xs, ys):
    both = [(x, y) for x, y in zip(xs, ys) if x is not None and y is not None]
    n = len(both)
    out = {"cov": math.nan, "corr": math.nan}
    if n < 2 or any(isinstance(v, float) and math.isinf(v)
                    for p in both for v in p):
        return out
    (x, x_unit), (y, y_unit) = (scaled([p[i] for p in both]) for i in (0, 1))
    cross = n * sum(a * b for a, b in zip(x, y)) - sum(x) * sum(y)
    out["cov"] = divide(cross, n * (n - 1) * x_unit * y_unit)
    spread = (n * sum(a * a for a in x) - sum(x) ** 2) * \
        (n * sum(b * b for b in y) - sum(y) ** 2)
    if spread:
        corr = root(cross * cross, spread)
        out["corr"] = -corr if cross < 0 else corr
    return out


def expect_top(rows, values, ids, n):
    """The n largest of a group as (value, id), ties as documented."""
    def order(row):
        name = ids[row] if ids is not None else row
        key = name.encode() if isinstance(name, str) else name
        return (-values[row], name is None, 0 if name is None else key, row)
    best = sorted((r for r in rows if values[r] is not None), key=order)[:n]
    found = [(values[r], ids[r] if ids is not None else r) for r in best]
    return found + [None] * (n - len(found))


def sort_key(columns, keys):
    def place(name, value):
        if value is None:
            return (True, 0)
        ranks = columns[name].ranks
        if ranks is not None:
            return (False, ranks[value])
        return (False, value.encode() if isinstance(value, str) else value)
    return lambda key: [place(n, k) for n, k in zip(keys, key)]


def group_rows(columns, keys, kept, drop):
    groups = {}
    for row in kept:
        key = tuple(columns[k].values[row] for k in keys)
        if not drop or None not in key:
            groups.setdefault(key, []).append(row)
    if not keys:
        groups.setdefault((), [])
    return groups


def totals_fit(groups, columns, measures):
    for measure in measures:
        if columns[measure].is_float:
            continue
        totals = [sum(columns[measure].values[r] or 0 for r in rows)
                  for rows in groups.values()]
        unsigned = columns[measure].stored.dtype.kind == "u"
        if any(t >= (2**64 if unsigned else 2**63) or t < -2**63
               for t in totals):
            return False
    return True


# ---- One case ---------------------------------------------------------------

def same(found, expected):
    if isinstance(expected, float) and math.isnan(expected):
        return math.isnan(found)
    if isinstance(found, (float, np.floating)):
        return np.float64(found).tobytes() == np.float64(expected).tobytes()
    return int(found) == expected


def read_labels(group, keys):
    labels = []
    for k in keys:
        values = np.atleast_1d(group[k][()]).tolist()
        values = [v.decode() if isinstance(v, bytes) else v for v in values]
        if f"{k}_missing" in group:
            flags = group[f"{k}_missing"][()]
            values = [None if f == 1 else "" if f == 2 else v
                      for v, f in zip(values, flags)]
        labels.append(values)
    return list(zip(*labels)) if keys else [()]


def check_table(group, columns, keys, measures, statistics, groups):
    """The first difference as a text, None when all is as expected."""
    found = read_labels(group, keys)
    if found != sorted(groups, key=sort_key(columns, keys)):
        return f"{group.name}: keys {found[:5]}"
    for row, key in enumerate(found):
        rows = groups[key]
        if np.atleast_1d(group["count"][()])[row] != len(rows):
            return f"{group.name} {key}: count"
    for measure in measures:
        column = columns[measure]
        stored = {s: np.atleast_1d(group[f"{measure}_{s}"][()])
                  for s in statistics}
        for row, key in enumerate(found):
            wanted = expect([column.values[r] for r in groups[key]],
                            column.is_float)
            for s in statistics:
                if not same(stored[s][row], wanted[s]):
                    return (f"{group.name} {key} {measure}_{s}: "
                            f"{stored[s][row]!r}, expected {wanted[s]!r}")
    return None


def column_of(group, name):
    values = np.atleast_1d(group[name][()]).tolist()
    return [v.decode() if isinstance(v, bytes) else v for v in values]


def check_further(group, columns, keys, measures, job, groups):
    found = read_labels(group, keys)
    weights = columns["weight"].values
    for measure in measures:
        values = columns[measure].values
        stored = {s: column_of(group, f"{measure}_{s.replace('.', '_')}")
                  for s in job.further}
        for row, key in enumerate(found):
            rows = groups[key]
            wanted = expect_further([values[r] for r in rows],
                                    [weights[r] for r in rows], job.further)
            for s in job.further:
                if not same(stored[s][row], wanted[s]):
                    return (f"{group.name} {key} {measure}_{s}: "
                            f"{stored[s][row]!r}, expected {wanted[s]!r}")
    return None


def check_pairs(group, columns, keys, measures, job, groups):
    found = read_labels(group, keys)
    for x, y in itertools.combinations(measures, 2):
        stored = {s: column_of(group, f"{x}_{y}_{s}") for s in job.pairs}
        for row, key in enumerate(found):
            wanted = expect_pair([columns[x].values[r] for r in groups[key]],
                                 [columns[y].values[r] for r in groups[key]])
            for s in job.pairs:
                if not same(stored[s][row], wanted[s]):
                    return (f"{group.name} {key} {x}_{y}_{s}: "
                            f"{stored[s][row]!r}, expected {wanted[s]!r}")
    return None


def check_top(group, columns, keys, measures, job, groups):
    found = read_labels(group, keys)
    ids = columns["enterprise_id"].values if "enterprise_id" in columns else None
    is_text = ids is not None and columns["enterprise_id"].dtype is not None
    none, missing = ("(none)", "(missing)") if is_text else (0, 0)
    for measure in measures:
        lists = [expect_top(groups[key], columns[measure].values, ids, job.top)
                 for key in found]
        for i in range(job.top):
            values = column_of(group, f"{measure}_top{i + 1}")
            names = column_of(group, f"{measure}_top{i + 1}_id")
            for row, best in enumerate(lists):
                value, name = best[i] if best[i] is not None else (math.nan, none)
                name = missing if name is None else name
                if not same(values[row] + 0, value + 0) or names[row] != name:
                    return (f"{group.name} {found[row]} {measure}_top{i + 1}: "
                            f"{values[row]!r} {names[row]!r}, expected "
                            f"{value!r} {name!r}")
    return None


class Job:
    """Statistics of a case beyond the basic ones."""

    def __init__(self, rng, n_measures):
        self.further, self.pairs, self.top = [], [], 0
        if rng.random() < 0.6:
            self.further = rng.sample(FURTHER + QUANTILES, rng.choice([1, 3, 9]))
        if rng.random() < 0.4 and n_measures > 1:
            self.pairs = rng.choice([["cov"], ["corr"], PAIRS])
        if rng.random() < 0.4:
            self.top = rng.choice([1, 2, 5])

    def names(self):
        top = [f"top{self.top}"] if self.top else []
        return self.further + self.pairs + top

    def check(self, group, columns, keys, measures, groups):
        checks = [(self.further, check_further), (self.pairs, check_pairs),
                  (self.top, check_top)]
        for asked, check in checks:
            fault = check(group, columns, keys, measures, self, groups) \
                if asked else None
            if fault is not None:
                return fault
        return None


def make_columns(rng, n):
    columns = {}
    for k in range(rng.randint(1, 3)):
        make = rng.choice([integer_key, integer_key, text_key, enum_key])
        columns[f"k{k}"] = make(rng, n)
    for m in range(rng.randint(1, 4)):
        make = rng.choice([float_measure, float_measure, integer_measure])
        columns[f"m{m}"] = make(rng, n)
    columns["pick"] = integers(rng, n, 0, 9, "i4", False)
    columns["weight"] = rng.choice([float_measure, integer_measure])(rng, n)
    if rng.random() < 0.6:
        columns["enterprise_id"] = rng.choice([integer_key, text_key])(rng, n)
    return columns


def run_hanse(files, out, entries, columns, measures, statistics, rng, limit,
              drop):
    command = [HANSE, "run", *files, "-o", out, "--quiet", "--threads",
               str(rng.choice([1, 2, 3, 8])), "-s", ",".join(statistics)]
    command += ["--weights", "weight"]
    for entry in entries:
        command += ["--by", entry]
    for name, column in columns.items():
        if isinstance(column, Made) and name[0] == "d":
            command += ["--key", f"{name}={column.definition}"]
    for measure in measures:
        column = columns[measure]
        command += ["-m", f"{measure}={column.definition}"
                    if isinstance(column, Made) else measure]
    if limit is not None:
        command += ["--where", f"pick < {limit}"]
    if drop:
        command += ["--missing-keys", "drop"]
    cpu = {"HANSE_CPU": rng.choice(["scalar", "avx2", "avx512"])}
    return subprocess.run(command, text=True, capture_output=True, check=False,
                          env=os.environ | cpu)


def pick_groupings(rng, names):
    """Entries of --by, and the groupings that they stand for."""
    entries, groupings = [], []
    for _ in range(rng.randint(1, 3)):
        keys = rng.sample(names, min(rng.randint(1, 4), len(names)))
        how = rng.choice(["plain", "plain", "rollup", "cube", "chain"])
        if how == "plain":
            entry, sets = ",".join(keys), [keys]
        elif how == "cube":
            entry = f"cube({', '.join(keys)})"
            sets = [list(c) for n in range(1, len(keys) + 1)
                    for c in itertools.combinations(keys, n)]
        else:
            entry = (f"rollup({','.join(keys)})" if how == "rollup"
                     else " > ".join(keys))
            sets = [keys[:n] for n in range(1, len(keys) + 1)]
        if entry not in entries and (how != "plain" or keys not in groupings):
            entries.append(entry)
            groupings += [s for s in sets if s not in groupings]
    return entries, groupings


def run_case(number, folder):
    rng = random.Random(number)
    n = rng.choice([1, 2, 17, 100, 100, 400, 400, 1500])
    if rng.random() < 0.02:
        n = 20000  # long enough for limbs to carry
    columns = make_columns(rng, n)
    columns |= make_keys(rng, columns, folder)
    if rng.random() < 0.4:
        columns["mf"] = make_measure(columns)
    entries, groupings = pick_groupings(
        rng, [c for c in columns if c[0] in "kd"])
    measures = [c for c in columns if c[0] == "m"]
    limit = rng.choice([None, None, 0, 1, 5, 10])
    drop = rng.random() < 0.3
    kept = [r for r in range(n)
            if limit is None or columns["pick"].values[r] < limit]
    tables = [(f"by_{'_'.join(k)}", k) for k in groupings] + [("total", [])]
    groups = {name: group_rows(columns, keys, kept, drop)
              for name, keys in tables}
    job = Job(rng, len(measures))
    statistics = STATISTICS
    if rng.random() < 0.3:
        statistics = sorted(rng.sample(STATISTICS, 3))
    fits = "total" not in statistics or all(
        totals_fit(g, columns, measures) for g in groups.values())

    files = write_files(folder, {k: c for k, c in columns.items()
                                 if not isinstance(c, Made)}, n, rng)
    out = f"{folder}/out.h5"
    if os.path.exists(out):
        os.unlink(out)
    done = run_hanse(files, out, entries, columns, measures,
                     statistics + job.names(), rng, limit, drop)
    if not fits or not kept:
        wanted = "nothing was written" if not kept else "does not fit"
        good = done.returncode == 1 and wanted in done.stderr
        return None if good and not os.path.exists(out) else (
            f"expected '{wanted}', got {done.returncode}: {done.stderr}")
    if done.returncode != 0:
        return done.stderr
    with h5py.File(out) as file:
        for name, keys in tables:
            fault = check_table(file[name], columns, keys, measures,
                                statistics, groups[name])
            fault = fault or job.check(file[name], columns, keys, measures,
                                       groups[name])
            if fault is not None:
                return fault
    return None


def main():
    n_failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FIRST, FIRST + CASES):
            fault = run_case(number, folder)
            if fault is not None:
                n_failed += 1
                print(f"case {number}: {fault}", flush=True)
    print(f"{CASES - n_failed} of {CASES} cases passed")
    sys.exit(1 if n_failed or CASES < 1 else 0)


if __name__ == "__main__":
    main()
