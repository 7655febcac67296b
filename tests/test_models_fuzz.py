#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The resource model on random tables and random jobs: every score, award,
status, total, reserve and weight against an oracle in exact rational arithmetic
(models_fuzz_oracle.py), conservation with fractions, and the same bytes for any
number of threads, order of rows, splitting of files and for little memory.

usage: test_models_fuzz.py HANSE [CASES [FIRST]]

A case is made from its number; FIRST with CASES 1 does one again and leaves its
files in ./case.
"""
import math
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction

import h5py
import numpy as np

import compare_results
import models_fuzz_oracle as oracle
from checks import check, exit_status

HANSE = os.path.abspath(sys.argv[1])
CASES = int(sys.argv[2]) if len(sys.argv) > 2 else 60
FIRST = int(sys.argv[3]) if len(sys.argv) > 3 else 0
RULES = ["equal", "proportional", "cea", "cel", "talmud", "largest_remainder",
         "shapley"]
TIGHT = 1e-12  # of coarse totals, relative to what was added


# ---- Tables --------------------------------------------------------------

class Column:
    """`values`: Python's numbers or texts, None where missing."""

    def __init__(self, values, kind):
        self.values, self.kind = values, kind

    def take(self, rows):
        return Column([self.values[i] for i in rows], self.kind)

    def write(self, group, name):
        if self.kind == "text":
            group.create_dataset(name, data=self.values,
                                 dtype=h5py.string_dtype())
            return
        missing = math.nan if self.kind[0] == "f" else -99
        stored = np.array([missing if v is None else v for v in self.values],
                          self.kind)
        data = group.create_dataset(name, data=stored)
        if self.kind[0] != "f":
            data.attrs["_FillValue"] = stored.dtype.type(missing)


def write_table(path, columns):
    with h5py.File(path, "w") as file:
        group = file.create_group("enterprises")
        for name, column in columns.items():
            column.write(group, name)


def numbers(rng, n, negative):
    """A column of numbers of one style."""
    style = rng.choice(["decimal", "decimal", "whole", "whole", "unit", "wide",
                        "zeros", "same", "zero", "sparse"])
    if style == "decimal":
        values = [round(rng.lognormvariate(3, 1.5), 2) for _ in range(n)]
    elif style == "whole":
        most = rng.choice([1, 3, 30, 10**6])
        values = [float(rng.randint(0, most)) for _ in range(n)]
    elif style == "unit":
        values = [rng.random() for _ in range(n)]
    elif style == "wide":
        values = [rng.lognormvariate(0, rng.choice([5, 20, 60]))
                  for _ in range(n)]
    elif style == "sparse":
        values = [rng.choice([0.0, 0.0, 0.0, rng.random()]) for _ in range(n)]
    else:
        value = {"zero": 0.0, "zeros": rng.choice([0.0, -0.0])}.get(
            style, rng.choice([1.0, 0.1, 7.0, 1e15 / 3]))
        values = [value] * n
    if negative:
        values = [v * rng.choice([1, 1, -1]) for v in values]
    kind = rng.choice(["f8", "f8", "f8", "f4", "i4", "i8"])
    if kind[0] == "i" and any(v != int(v) or abs(v) > 2**30 for v in values):
        kind = "f8"
    with np.errstate(over="ignore"):
        stored = np.array(values).astype(kind)
    values = [float(v) for v in stored.tolist()]
    odd = rng.choice([0, 0, 0, 0.03, 0.3])
    values = [None if rng.random() < odd else v for v in values]
    if kind[0] == "f" and rng.random() < 0.06:
        for _ in range(rng.randint(1, 2)):
            values[rng.randrange(n)] = rng.choice([math.inf, -math.inf])
    return Column(values, kind)


def make_table(rng):
    n = rng.choice([1, 2, 3, rng.randint(1, 12), rng.randint(1, 60),
                    rng.randint(1, 60), rng.randint(100, 400)])
    n_clusters = rng.choice([1, 2, 4, max(1, n // 2)])
    gaps = rng.choice([0, 0, 0.1])
    columns = {
        "cluster": Column([None if rng.random() < gaps else
                           rng.randint(1, n_clusters) for _ in range(n)],
                          rng.choice(["i4", "i8", "i2"])),
        "chain": Column([rng.choice(["grain", "steel", "wood", "é"])
                         for _ in range(n)], "text"),
        "active": Column([float(rng.random() < 0.8) for _ in range(n)], "f8"),
    }
    negative = rng.random() < 0.06
    for name in ("resource", "demand"):
        columns[name] = numbers(rng, n, negative and rng.random() < 0.5)
    for name in ("x1", "x2", "x3", "x4"):
        columns[name] = numbers(rng, n, rng.random() < 0.3)
    if rng.random() < 0.1:  # correlated
        columns["x2"] = Column([None if v is None else 2 * v + 1 for v in
                                columns["x1"].values], "f8")
    pools = [rng.choice([0.0, 5.0, 100.0, rng.random() * 50])
             for _ in range(n_clusters + 1)]
    columns["given"] = Column([pools[c or 0] for c in
                               columns["cluster"].values], "f8")
    numbering = rng.sample(range(10 * n), n)
    if rng.random() < 0.5:
        columns["enterprise_id"] = Column(numbering, "i8")
    else:
        columns["enterprise_id"] = Column([f"e{i:05d}" for i in numbering],
                                          "text")
    if rng.random() < 0.2:
        del columns["enterprise_id"]
    return columns, n


# ---- Jobs ----------------------------------------------------------------

def evaluated(formula, row):
    """Python's value of the formulas that jobs are made of."""
    names = {k: v for k, v in row.items() if k in formula}
    if any(v is None for v in names.values()):
        return None
    with np.errstate(all="ignore"):
        value = float(eval(formula, {"__builtins__": {}},  # of our own making
                           {k: np.float64(v) for k, v in names.items()}))
    return None if math.isnan(value) else value


def evaluate_key(rng):
    m = rng.choice([1, 2, 2, 3, 4])
    names = rng.sample(["x1", "x2", "x3", "x4"], m)
    spec = {"scale": rng.choice(["minmax", "minmax", "minmax", "zscore"]),
            "scope": rng.choice(["all", "group"]), "a": 0.0, "b": 1.0,
            "weights": rng.choice(["fixed", "equal", "entropy", "critic"])}
    indicators = []
    for j, name in enumerate(names):
        x = {"name": name, "formula": name}
        if rng.random() < 0.3:
            x = {"name": f"n{j}", "formula": rng.choice(
                [f"2*{name}", f"{name} + resource", f"1 - {name}"])}
        if rng.random() < 0.3:
            x["cost"] = "true"
        if spec["scale"] == "minmax" and rng.random() < 0.12:
            x["low"], x["high"] = rng.choice([(0, 1), (-5, 100), (0.1, 1e6)])
        if spec["weights"] == "fixed":
            x["weight"] = rng.choice([0.4, 1, 3, 0.25, 0])
        indicators.append(x)
    if spec["weights"] == "fixed":
        indicators[0]["weight"] = 0.7
    short = spec["weights"] == "fixed" and rng.random() < 0.3 and \
        spec["scale"] == "minmax" and spec["scope"] == "all"
    if short:
        indicators = [{"name": n, "formula": n, "weight": x["weight"]}
                      for n, x in zip(names, indicators)]
        text = ", ".join(f"{x['name']}: {x['weight']}" for x in indicators)
        return spec, indicators, "{" + text + "}", False
    options = [f"scale: {spec['scale']}", f"scope: {spec['scope']}"]
    if spec["weights"] in ("entropy", "critic") or rng.random() < 0.5:
        options.append(f"weights: {spec['weights']}")
    ranges = [(0, 10), (0.5, 2)] + \
        ([(-1, 1)] if spec["weights"] != "entropy" else [])
    if rng.random() < 0.2 and (spec["scale"] == "minmax" or
                               spec["weights"] == "entropy"):
        spec["a"] = rng.choice([0.002, 0.1, 0.0])
        spec["b"] = 1.0 - spec["a"]
        options.append(f"eps: {spec['a']}")
    elif rng.random() < 0.2 and spec["scale"] == "minmax":
        spec["a"], spec["b"] = map(float, rng.choice(ranges))
        options.append(f"range: [{spec['a']}, {spec['b']}]")
    normalised = rng.random() < 0.5
    if normalised:
        options.append("normalised: true")
    items = []
    for x in indicators:
        parts = dict(x)
        if parts["formula"] == parts["name"]:
            del parts["formula"]
        items.append(parts["name"] if len(parts) == 1 else
                     "{" + ", ".join(f"{k}: {v}" for k, v in parts.items()) +
                     "}")
    options.append(f"indicators: [{', '.join(items)}]")
    rng.shuffle(options)
    return spec, indicators, "{" + ", ".join(options) + "}", normalised


def allocate_key(rng, evaluate, within):
    rule = rng.choice(RULES)
    claims = ["demand", "demand", "demand", "resource", None, "2*demand"]
    if evaluate is not None and evaluate["scale"] == "minmax":
        claims += ["score", "100*score"]
    claim = rng.choice(claims)
    rho, pool = 1.0, None
    parts = [f"rule: {rule}"] if rule != "proportional" or rng.random() < 0.5 \
        else []
    if claim is not None:
        parts.append(f"claim: {claim}")
    chance = rng.random()
    if rule != "shapley" and chance < 0.45:
        rho = rng.choice([0, 0.3, 0.5, 0.9, 1])
        parts.append(f"rho: {rho}")
    elif rule != "shapley" and chance < (0.9 if rule == "largest_remainder"
                                         else 0.7):
        pool = rng.choice(["7", "100", "0", "12.5", "given", "demand"])
        if pool == "given" and "cluster" not in within and rng.random() < 0.8:
            pool = "100"
        parts.append(f"pool: {pool}")
    rng.shuffle(parts)
    return {"rule": rule, "claim": claim, "rho": float(rho), "pool": pool}, \
        "{" + ", ".join(parts) + "}"


GROUPINGS = [[["cluster"]], [["chain"], ["cluster"]],
             [["cluster", "chain"], ["cluster"]],
             [["cluster"], ["chain"], ["chain", "cluster"]], [[]]]
WITHIN = [None, None, [], ["cluster"], ["chain"], ["chain", "cluster"]]


def key_list(keys):
    return f"[{', '.join(keys)}]"


class Job:
    def __init__(self, rng, has_id):
        self.groupings = list(rng.choice(GROUPINGS))
        self.by_id = has_id and rng.random() < 0.6
        within = rng.choice(WITHIN)
        self.within = self.groupings[0] if within is None else within
        self.where = rng.choice([None, None, "active == 1", "x1 > 0.5"])
        self.drop = rng.random() < 0.4
        self.resource = rng.choice(["resource", "resource", "resource",
                                    "2*resource", "resource + demand"])
        self.evaluate = self.indicators = self.allocate = None
        self.normalised = False
        parts = []
        if self.resource != "resource" or rng.random() < 0.3:
            parts.append(f"{rng.choice(['formula', 'column'])}: "
                         f"{self.resource}" if self.resource == "resource" else
                         f"formula: {self.resource}")
        if within is not None:
            parts.append("within: " + (
                "total" if not within else within[0] if len(within) == 1 and
                rng.random() < 0.5 else key_list(within)))
        if rng.random() < 0.6:
            self.evaluate, self.indicators, text, self.normalised = \
                evaluate_key(rng)
            parts.append(f"evaluate: {text}")
        if self.evaluate is None or rng.random() < 0.7:
            self.allocate, text = allocate_key(rng, self.evaluate, self.within)
            parts.append(f"allocate: {text}")
        rng.shuffle(parts)
        tables = [key_list(g) if len(g) > 1 else g[0] if g else "total"
                  for g in self.groupings]
        if self.by_id:
            tables.append("enterprise_id")
            self.groupings.append(["enterprise_id"])
        lines = [f"group_by: [{', '.join(tables)}]",
                 f"models: {{resource: {{{', '.join(parts)}}}}}"]
        if self.where:
            lines.append(f"input: {{where: {self.where}}}")
        if self.drop or rng.random() < 0.2:
            lines.append("missing_keys: " + ("drop" if self.drop else "group"))
        self.text = "\n".join(lines) + "\n"


# ---- Expected ------------------------------------------------------------

def group_rows(columns, rows, keys, drop):
    """values of the keys -> rows"""
    groups = {}
    for i in rows:
        at = tuple(columns[k].values[i] for k in keys)
        if not (drop and None in at):
            groups.setdefault(at, []).append(i)
    return groups


def sorted_groups(groups):
    """In the order of keys, missing last."""
    return sorted(groups, key=lambda at: [
        (v is None, v.encode() if isinstance(v, str) else v or 0)
        for v in at])


def read_keys(table, keys):
    """Values of the keys of all rows of a table, as tuples."""
    lists = []
    for key in keys:
        values = [v.decode() if isinstance(v, bytes) else int(v)
                  for v in table[key][()]]
        flags = table[f"{key}_missing"][()] if f"{key}_missing" in table \
            else [0] * len(values)
        lists.append([None if m == 1 else v for v, m in zip(values, flags)])
    return list(zip(*lists))


def near(found, want, tolerance):
    """want: a Fraction or float, None for NaN."""
    if want is None:
        return math.isnan(found)
    return math.isfinite(found) and \
        abs(Fraction(float(found)) - Fraction(want)) <= Fraction(tolerance)


class Case:
    def __init__(self, number):
        rng = random.Random(f"models {number}")
        self.number, self.rng = number, rng
        self.columns, self.n = make_table(rng)
        self.job = Job(rng, "enterprise_id" in self.columns)
        rows = range(self.n)
        self.row = [{k: c.values[i] for k, c in self.columns.items()}
                    for i in rows]
        self.kept = [i for i in rows if self.keeps(self.row[i])]
        self.faults = []

    def keeps(self, row):
        if self.job.where == "active == 1":
            return row["active"] == 1
        if self.job.where == "x1 > 0.5":
            return row["x1"] is not None and row["x1"] > 0.5
        return True

    def fail(self, what, *detail):
        self.faults.append((what, detail))

    def values_of(self, formula):
        return [evaluated(formula, row) for row in self.row]

    def groups(self, keys):
        return group_rows(self.columns, self.kept, keys, self.job.drop)

    # ---- evaluate

    def check_scores(self, result):
        job, spec = self.job, self.job.evaluate
        indicators = [oracle.Indicator(
            self.values_of(x["formula"]), x.get("weight"),
            "cost" in x, (x["low"], x["high"]) if "low" in x else None)
            for x in job.indicators]
        keys = job.within if spec["scope"] == "group" else []
        scopes = self.groups(keys) if keys else {(): self.kept}
        score = result["records/score"][()]
        status = result["records/score_status"][()]
        rest, outside = set(range(self.n)), set(range(self.n))
        self.scopes = {}
        for at, rows in scopes.items():
            scope = oracle.Score(spec, indicators, rows)
            self.scopes[at] = scope
            is_vague = scope.weight_tolerance > 1e-4
            if is_vague:
                scope.weights = None
            for i in rows:
                # What is missing is the record's own.
                want = scope.status if i in scope.rows or scope.status in (
                    oracle.INFEASIBLE, oracle.NOT_FINITE) else oracle.EMPTY
                if status[i] != want and not is_vague:
                    self.fail("score_status", at, i, status[i], want)
            outside -= set(rows)
            for place, i in enumerate(scope.rows):
                want, tolerance = scope.score(place)
                if not is_vague and not near(score[i], want, tolerance):
                    self.fail("score", at, i, score[i], want and float(want),
                              tolerance)
                rest.discard(i)
                self.check_normalised(result, scope, place, i)
        for i in rest:
            if not math.isnan(score[i]):
                self.fail("score of a record without", i, score[i])
        for i in outside:
            if status[i] != oracle.EMPTY:
                self.fail("score_status outside", i, status[i])
        self.check_weights(result, keys)
        for i, row in enumerate(self.row):
            row["score"] = None if math.isnan(score[i]) else float(score[i])

    def check_normalised(self, result, scope, place, i):
        for j, x in enumerate(self.job.indicators):
            if not self.job.normalised:
                return
            found = result[f"records/score_{x['name']}"][i]
            want = scope.y[j][place] if scope.y else None
            error = getattr(scope, "z_error", 0.0) + 1e-13 * (
                1 + float(abs(want or 0)))
            if not near(found, want, error):
                self.fail("normalised", x["name"], i, found,
                          want and float(want))

    def check_weights(self, result, keys):
        table = result["weights/resource" if "weights" in result
                       else "weights_resource"]
        names = [v.decode() for v in table["indicator"][()]]
        at = read_keys(table, keys) if keys else [()] * len(names)
        want = [(g, x["name"]) for g in sorted_groups(self.scopes)
                for x in self.job.indicators]
        if list(zip(at, names)) != want:
            self.fail("rows of weights", list(zip(at, names)), want)
            return
        for row, (g, name) in enumerate(want):
            scope = self.scopes[g]
            j = [x["name"] for x in self.job.indicators].index(name)
            found = {c: table[c][row] for c in ("weight", "min", "max", "mean",
                                                "sd", "count",
                                                "weight_status")}
            if found["count"] != scope.n:
                self.fail("count of weights", g, name, found, scope.n)
            if scope.weight_tolerance <= 1e-4:
                w = None if scope.weights is None else scope.weights[j]
                if scope.status != oracle.EMPTY and not near(
                        found["weight"], w, scope.weight_tolerance):
                    self.fail("weight", g, name, found, w and float(w))
                if found["weight_status"] != scope.status:
                    self.fail("weight_status", g, name, found, scope.status)
            if scope.status in (oracle.EMPTY, oracle.NOT_FINITE):
                continue
            column = scope.columns[j]
            if found["min"] != min(column) or found["max"] != max(column) or \
                    found["mean"] != float(sum(column) / scope.n):
                self.fail("bounds", g, name, found)
            sd = scope.deviation(column) if scope.n > 1 else None
            if not near(found["sd"], sd, 1e-14 * float(sd or 0)):
                self.fail("sd", g, name, found, sd and float(sd))

    # ---- allocate

    def check_awards(self, result):
        job, spec = self.job, self.job.allocate
        claim = spec["claim"]
        if claim is None or claim == "resource":
            claim = job.resource
        resources, claims = self.values_of(job.resource), self.values_of(claim)
        pools = self.values_of(spec["pool"]) if spec["pool"] else None
        ids = self.columns["enterprise_id"].values \
            if "enterprise_id" in self.columns else list(range(self.n))
        award = result["records/allocation"][()]
        status = result["records/allocation_status"][()]
        rest = set(range(self.n))
        self.resources = resources
        self.award_of = {}
        for at, rows in self.groups(job.within).items():
            pick = [[v[i] for i in rows] for v in (resources, claims, ids)]
            want = oracle.Award(spec["rule"], spec["rho"], pools and
                                [pools[i] for i in rows], *pick)
            want.rows = rows
            self.award_of[at] = want
            for i in rows:
                if status[i] not in want.statuses:
                    self.fail("allocation_status", at, i, status[i],
                              want.statuses)
            want.code = status[rows[0]]
            if want.awards is not None:
                for k, i in enumerate(want.members):
                    rest.discard(rows[i])
                    if not near(award[rows[i]], want.awards[k],
                                want.tolerance) or award[rows[i]] < 0:
                        self.fail("award", at, rows[i], award[rows[i]],
                                  float(want.awards[k]))
                self.check_pool(at, want, [award[rows[i]]
                                           for i in want.members])
        for i in rest:
            if not math.isnan(award[i]):
                self.fail("award of a record that has none", i, award[i])
        for keys in job.groupings + [[]]:
            if not self.faults:
                self.check_table(result, keys, award)

    def check_pool(self, at, want, awards):
        given = oracle.exact_sum(map(float, awards)) \
            if all(map(math.isfinite, awards)) else None
        if given is not None and float(given) != want.shared:
            self.fail("awards add up to the pool", at, float(given),
                      want.shared)

    def integrated(self, award):
        """R_i by the formula, and whether it is defined, of all kept rows."""
        spec = self.job.allocate
        keep = 1.0 if spec["pool"] else 1.0 - spec["rho"]
        found = {i: (self.resources[i], True) for i in self.kept}
        for want in self.award_of.values():
            for k in want.members:
                i = want.rows[k]
                if want.awards is None and spec["rule"] != "shapley":
                    found[i] = (None, False)
                elif spec["rule"] != "shapley":
                    found[i] = (keep * self.resources[i] + float(award[i]),
                                True)
        return found

    def check_table(self, result, keys, award):
        name = "by_" + "_".join(keys) if keys else "total"
        table = result[name]
        groups = self.groups(keys) if keys else {(): self.kept}
        at = read_keys(table, keys) if keys else [()]
        if at != sorted_groups(groups):
            self.fail(f"{name}: groups", at, sorted_groups(groups))
            return
        total = np.atleast_1d(table["resource_total"][()])
        status = np.atleast_1d(table["resource_status"][()])
        is_coarse = set(keys) <= set(self.job.within)
        if is_coarse != ("resource_reserve" in table):
            self.fail(f"{name}: reserve")
            return
        whole = self.integrated(award)
        for row, g in enumerate(at):
            mine = [w for k, w in self.award_of.items() if is_coarse and
                    all(k[self.job.within.index(key)] == v
                        for key, v in zip(keys, g))]
            self.check_row(f"{name} {g}", groups[g], whole, mine,
                           (total[row], status[row], np.atleast_1d(
                               table["resource_reserve"][()])[row]
                            if is_coarse else None),
                           is_coarse and len(keys) == len(self.job.within))

    def check_row(self, name, rows, whole, mine, found, is_same):
        total, status, reserve = found
        r = [self.resources[i] for i in rows if self.resources[i] is not None]
        undefined = [w for w in self.award_of.values() if w.awards is None and
                     set(w.rows) & set(rows)]
        if any(map(math.isinf, r)):
            if math.isfinite(total):
                self.fail(f"{name}: total of infinities", total)
            return
        is_gone = any(not whole[i][1] for i in rows)
        if undefined and (is_gone or mine):
            codes = set().union(*(w.statuses for w in undefined))
            if status not in codes:
                self.fail(f"{name}: status", status, codes)
            if self.job.allocate["rule"] != "shapley" and \
                    not math.isnan(total):
                self.fail(f"{name}: total of undefined", total)
            if reserve is not None and not math.isnan(reserve):
                self.fail(f"{name}: reserve of undefined", reserve)
            return
        codes = [int(w.code) for w in mine]
        want = oracle.INFEASIBLE if oracle.INFEASIBLE in codes else \
            oracle.EMPTY if codes and set(codes) == {oracle.EMPTY} else \
            oracle.OK
        if status != want:
            self.fail(f"{name}: status", status, want)
        size = float(sum(map(abs, r))) + sum(
            w.shared + (w.reserve or 0.0) for w in self.award_of.values())
        if reserve is not None:
            exact = oracle.exact_sum(w.reserve for w in mine)
            if not near(reserve, exact, mine[0].reserve_tolerance if
                        is_same and len(mine) == 1 else TIGHT * size):
                self.fail(f"{name}: reserve", reserve, float(exact))
        if is_same and len(mine) == 1:
            before = float(oracle.exact_sum(r))
            given = mine[0].pool if mine[0].given and \
                self.job.allocate["rule"] != "shapley" else 0.0
            if total != before + given:
                self.fail(f"{name}: total", total, before + given)
            return
        values = [whole[i][0] for i in rows if whole[i][0] is not None]
        values += [w.reserve for w in mine]
        if not near(total, oracle.exact_sum(values), TIGHT * size + 1e-300):
            self.fail(f"{name}: total", total,
                      float(oracle.exact_sum(values)))

    def reserve_of(self, result, at):
        """As published, where the groups have a table."""
        keys = self.job.within
        name = "by_" + "_".join(keys) if keys else "total"
        if keys not in self.job.groupings + [[]]:
            return self.award_of[at].reserve
        found = read_keys(result[name], keys) if keys else [()]
        return np.atleast_1d(result[name]["resource_reserve"][()])[
            found.index(at)]

    def check_members(self, result):
        """Conservation of R_i, which the table by id shows."""
        table = result["by_enterprise_id"]
        place = {v[0]: k for k, v in enumerate(read_keys(table,
                                                         ["enterprise_id"]))}
        total = table["resource_total"][()]
        ids = self.columns["enterprise_id"].values
        spec = self.job.allocate
        for at, want in self.award_of.items():
            if want.awards is None or spec["rule"] == "shapley" or \
                    not want.rows or want.reserve is None:
                continue
            parts = [Fraction(float(total[place[ids[i]]])) for i in want.rows]
            whole = sum(parts) + Fraction(float(self.reserve_of(result, at)))
            before = float(want.before)
            target = before + want.pool if want.given else before
            if want.members and float(whole) != target:
                self.fail("R_i and the reserve add up", at, float(whole),
                          target)

    # ---- all

    def run(self, name, files, *options):
        done = subprocess.run([HANSE, "run", "job.yaml", *files, "-o", name,
                               "--quiet", *map(str, options)], text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stderr

    def check_all(self):
        write_table("table.h5", self.columns)
        with open("job.yaml", "w", encoding="utf-8") as file:
            file.write(self.job.text)
        code, message = self.run("result.h5", ["table.h5"])
        if not self.kept:
            if code != 1 or "none of the" not in message:
                self.fail("no row kept", code, message)
            return
        if code != 0:
            self.fail("run", code, message)
            return
        with h5py.File("result.h5") as result:
            if self.job.evaluate is not None:
                self.check_scores(result)
            if self.job.allocate is not None and not self.faults:
                self.check_awards(result)
                if self.job.by_id and not self.faults:
                    self.check_members(result)
        if not self.faults:
            self.check_same()

    def same(self, what, name, order):
        """Everything; records in another order where one is given."""
        a, b = compare_results.facts("result.h5"), compare_results.facts(name)
        differ = [k for k in a.keys() | b.keys() if a.get(k) != b.get(k)
                  and not k.endswith("@history") and
                  (order is None or not k.startswith("records/"))]
        if order is not None and "records" in a:
            with h5py.File("result.h5") as x, h5py.File(name) as y:
                differ += [f"records/{k}" for k in x["records"] if
                           k != "record" and
                           x["records"][k][()][order].tobytes() !=
                           y["records"][k][()].tobytes()]
        if differ:
            self.fail(f"same bytes: {what}", differ)

    def check_same(self):
        """The same bytes; of other orders of rows, for ids that are unique."""
        rng = self.rng
        how = rng.choice(["threads", "memory", "files", "rows"])
        threads = rng.choice([1, 2, 3, 8])
        files, options, order = ["table.h5"], ["--threads", threads], None
        if how == "memory":
            options += ["--memory", rng.choice(["4M", "8M", "64M"])]
        elif how == "files":
            cuts = sorted(rng.randint(0, self.n) for _ in range(2))
            files = []
            for k, (a, b) in enumerate(zip([0] + cuts, cuts + [self.n])):
                if a < b:
                    files.append(f"part{k}.h5")
                    write_table(files[-1], {name: c.take(range(a, b)) for
                                            name, c in self.columns.items()})
        elif how == "rows" and "enterprise_id" in self.columns:
            order = list(range(self.n))
            rng.shuffle(order)
            files = ["moved.h5"]
            write_table("moved.h5", {name: c.take(order) for name, c in
                                     self.columns.items()})
        code, message = self.run("other.h5", files, *options)
        if code != 0:
            if how != "memory" or "memory" not in message:
                self.fail(f"run: {how}", code, message)
            return
        self.same(f"{how} {' '.join(map(str, options))}", "other.h5", order)


def cancelling():
    """Records that take no part and are as negative as the others are
    positive: the total says nothing of the numbers that are added."""
    n = 300
    values = [3.7] * n + [-(3.7 * n - 1)]
    write_table("cancel.h5", {
        "cluster": Column([1] * (n + 1), "i4"),
        "resource": Column(values, "f8"),
        "demand": Column([1.0] * n + [None], "f8"),
        "enterprise_id": Column(list(range(n + 1)), "i8")})
    with open("cancel.yaml", "w", encoding="utf-8") as file:
        file.write("group_by: [cluster, enterprise_id]\nmodels: {resource: "
                   "{allocate: {rho: 0.5, claim: demand}}}\n")
    subprocess.run([HANSE, "run", "cancel.yaml", "cancel.h5", "-o", "c.h5",
                    "--quiet"], check=True)
    with h5py.File("c.h5") as result:
        total = result["by_cluster/resource_total"][0]
        parts = result["by_enterprise_id/resource_total"][()]
        check("resources that cancel", total == float(oracle.exact_sum(values))
              and np.allclose(parts, values, rtol=1e-12), (total, parts))


def main():
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        cancelling()
        os.chdir(home)
    for number in range(FIRST, FIRST + CASES):
        case = Case(number)
        if CASES == 1:
            os.makedirs("case", exist_ok=True)
            os.chdir("case")
            case.check_all()
        else:
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                case.check_all()
                os.chdir(home)
        check(f"case {number}", not case.faults,
              f"{case.faults[:2]}\n{case.job.text}" if case.faults else "")
    return exit_status()


sys.exit(main())
