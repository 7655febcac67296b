# SPDX-License-Identifier: Apache-2.0
"""The resource model in exact rational arithmetic, for test_models_fuzz.py: the
formulas of composite indicators and of claims problems, written down from their
definitions. Values are floats, None where missing; logarithms and roots have 60
digits."""
import decimal
import math
from fractions import Fraction

decimal.getcontext().prec = 60

OK, EMPTY, ZERO, NEGATIVE, FEW, CONSTANT, INFEASIBLE, _, NOT_FINITE = range(9)


def to_decimal(x):
    return decimal.Decimal(x.numerator) / decimal.Decimal(x.denominator)


def to_fraction(x):
    return Fraction(*x.as_integer_ratio())


def exact_sum(values):
    return sum((Fraction(v) for v in values), Fraction(0))


def sqrt(x):
    return to_fraction(to_decimal(x).sqrt())


# ---- Scores --------------------------------------------------------------

class Indicator:
    def __init__(self, values, weight=None, cost=False, bounds=None):
        self.values = values  # of all rows
        self.weight, self.cost, self.bounds = weight, cost, bounds


class Score:
    """Of one scope: the rows in it that have all indicators. Tolerances are
    what binary64 may lose, for an answer that is otherwise right."""

    def __init__(self, spec, indicators, rows):
        self.rows = [i for i in rows
                     if all(x.values[i] is not None for x in indicators)]
        self.spec, self.n = spec, len(self.rows)
        self.columns = [[x.values[i] for i in self.rows] for x in indicators]
        self.indicators = indicators
        self.status, self.weights, self.y = EMPTY, None, None
        self.weight_tolerance = 1e-13
        if self.n == 0:
            return
        if any(math.isinf(v) for c in self.columns for v in c):
            self.status = NOT_FINITE
            self.y = [self.common(c, x) for c, x in zip(self.columns,
                                                        indicators)]
            return
        self.columns = [[Fraction(v) for v in c] for c in self.columns]
        self.is_constant = [min(c) == max(c) and x.bounds is None
                            for c, x in zip(self.columns, indicators)]
        self.minmax = [self.normalise(c, x)
                       for c, x in zip(self.columns, indicators)]
        self.weigh()
        self.y = [self.common(c, x) for c, x in zip(self.columns, indicators)]

    def common(self, column, x):
        """On the common scale; None where a value is infinite."""
        if any(math.isinf(v) for v in column):
            return [None] * self.n
        column = [Fraction(v) for v in column]
        return self.normalise(column, x) if self.spec["scale"] == "minmax" \
            else self.standardise(column, x)

    def normalise(self, column, x):
        low, high = map(Fraction, x.bounds or (min(column), max(column)))
        a, b = Fraction(self.spec["a"]), Fraction(self.spec["b"])
        if low == high:
            return [Fraction(0)] * self.n
        if x.cost:
            return [a + (b - a) * (high - v) / (high - low) for v in column]
        return [a + (b - a) * (v - low) / (high - low) for v in column]

    def deviation(self, column):
        mean = sum(column) / self.n
        return sqrt(sum((v - mean) ** 2 for v in column) / (self.n - 1))

    def standardise(self, column, x):
        if min(column) == max(column):
            return [Fraction(0)] * self.n
        mean, sd = sum(column) / self.n, self.deviation(column)
        self.z_error = max(getattr(self, "z_error", 0.0),
                           float(max(map(abs, column)) / sd) * 1e-15)
        return [(-1 if x.cost else 1) * (v - mean) / sd for v in column]

    def weigh(self):
        m, kind = len(self.indicators), self.spec["weights"]
        of_data = kind in ("entropy", "critic")
        self.status = CONSTANT if any(self.is_constant) else OK
        self.weights = [Fraction(1, m)] * m
        if kind == "entropy" and self.is_outside():
            self.status, self.weights = INFEASIBLE, None
        elif of_data and self.n == 1:
            self.status = FEW
        elif kind == "critic" and m == 1 and self.status == OK:
            self.status = FEW
        elif kind == "fixed":
            given = [Fraction(x.weight) for x in self.indicators]
            self.weights = [g / sum(given) for g in given]
        elif of_data and m > 1 and not all(self.is_constant):
            self.of_data(self.entropy() if kind == "entropy" else
                         self.critic())

    def of_data(self, importance):
        total = sum(importance)
        if total == 0:
            self.status = ZERO
            return
        self.weights = [v / total for v in importance]
        self.weight_tolerance += 1e-14 * self.error / float(total)

    def is_outside(self):
        """Of values beyond given bounds no shares can be made."""
        return any(x.bounds and not x.bounds[0] <= v <= x.bounds[1]
                   for c, x in zip(self.columns, self.indicators) for v in c)

    def entropy(self):
        diversities = []
        log_n = decimal.Decimal(self.n).ln()
        self.error = 1.0
        for y in self.minmax:
            total = sum(y)
            if total == 0 or min(y) == max(y):
                diversities.append(Fraction(0))
                continue
            p = [to_decimal(v / total) for v in y if v > 0]
            diversities.append(max(Fraction(0), to_fraction(
                1 + sum((v * v.ln() for v in p), decimal.Decimal(0)) / log_n)))
            self.error += abs(math.log(total))
        return diversities

    def critic(self):
        deviations = [self.deviation(y) for y in self.minmax]
        means = [sum(y) / self.n for y in self.minmax]

        def correlation(j, k):
            if deviations[j] == 0 or deviations[k] == 0:
                return Fraction(0)
            if j == k:
                return Fraction(1)
            product = sum((a - means[j]) * (b - means[k]) for a, b in
                          zip(self.minmax[j], self.minmax[k]))
            return product / (self.n - 1) / (deviations[j] * deviations[k])

        m = range(len(deviations))
        importance = [d * sum(1 - correlation(j, k) for k in m)
                      for j, d in enumerate(deviations)]
        self.error = float(max(deviations)) * len(deviations)
        # 60 digits do not tell 0 from next to it.
        near_zero = max(deviations) / 10**40
        return [Fraction(0) if abs(v) <= near_zero else v for v in importance]

    def score(self, place):
        """Of the record at a place in `rows`, and its tolerance."""
        if self.weights is None:
            return None, 0.0
        y = [c[place] for c in self.y]
        size = float(sum(abs(v) for v in y))
        error = getattr(self, "z_error", 0.0) * len(y)
        return (sum(w * v for w, v in zip(self.weights, y)),
                size * self.weight_tolerance + error + 1e-300)


# ---- Awards --------------------------------------------------------------

def cea_level(pool, claims):
    """L with sum min(c, L) = pool <= sum c, from ascending claims."""
    paid, n = Fraction(0), len(claims)
    for k, claim in enumerate(sorted(claims)):
        if paid + claim * (n - k) >= pool:
            return (pool - paid) / (n - k)
        paid += claim
    return max(claims)


def cea(pool, claims):
    level = cea_level(pool, claims)
    return [min(c, level) for c in claims]


def cel(pool, claims):
    """Losses are equal where claims go that far."""
    level = cea_level(sum(claims) - pool, claims)
    return [max(Fraction(0), c - level) for c in claims]


def talmud(pool, claims):
    half = [c / 2 for c in claims]
    total = sum(claims)
    if pool <= total / 2:
        return cea(pool, half)
    return [c - a for c, a in zip(claims, cea(total - pool, half))]


def proportional(pool, claims):
    total = sum(claims)
    if total == 0:
        return [pool / len(claims)] * len(claims)
    return [pool * c / total for c in claims]


def largest_remainder(pool, claims, ids):
    quotas = proportional(pool, claims)
    awards = [Fraction(math.floor(q)) for q in quotas]
    order = sorted(range(len(claims)), key=lambda i: (
        awards[i] - quotas[i], -claims[i], ids[i]))
    for i in order[:int(pool - sum(awards))]:
        awards[i] += 1
    return awards


def shapley(claims):
    order = sorted(range(len(claims)), key=lambda i: claims[i])
    awards, share, before = [None] * len(claims), Fraction(0), Fraction(0)
    for k, i in enumerate(order):
        share += (claims[i] - before) / (len(claims) - k)
        before, awards[i] = claims[i], share
    return awards


class Award:
    """Of one group. `statuses`: those that are right; more than one where
    several things are wrong with it."""

    def __init__(self, rule, rho, pools, resources, claims, ids):
        """pools: values of the given pool, None: rho of the resources. The
        lists have a value for each record of the group; None: missing."""
        self.rule, self.rho, self.given = rule, rho, pools is not None
        needs_claim = rule != "equal"
        self.members = [i for i, (r, c) in enumerate(zip(resources, claims))
                        if r is not None and (c is not None or
                                              not needs_claim)]
        r = [resources[i] for i in self.members]
        c = [claims[i] for i in self.members] if needs_claim else r
        self.awards = self.reserve = self.pool = None
        self.shared = self.reserve_tolerance = 0.0
        self.statuses = self.faults(resources, r, c, pools)
        if self.statuses:
            return
        if not self.given:
            self.pool = rho * float(exact_sum(r))
        self.before = exact_sum(v for v in resources if v is not None)
        if not r:
            self.statuses, self.awards, self.reserve = {EMPTY}, [], self.pool
            self.shared = 0.0
        else:
            self.divide(exact_sum(r), [Fraction(v) for v in c],
                        [ids[i] for i in self.members])

    def faults(self, resources, r, c, pools):
        found = set()
        if self.given:
            values = {v for v in pools if v is not None}
            if len(values) > 1:
                found.add(INFEASIBLE)
            elif not values:
                found |= {INFEASIBLE, NOT_FINITE}
            else:
                self.pool = values.pop()
                if math.isinf(self.pool):
                    found.add(NOT_FINITE)
                elif self.pool < 0:
                    found.add(NEGATIVE)
        if any(v < 0 for v in r) and self.rule != "shapley" or \
                any(v < 0 for v in c):
            found.add(NEGATIVE)
        if any(v is not None and math.isinf(v) for v in [*resources, *c]):
            found.add(NOT_FINITE)
        if found - {NOT_FINITE} and self.given and self.pool is None:
            found.add(NOT_FINITE)
        return found

    def divide(self, resources, claims, ids):
        self.statuses, self.reserve = {OK}, 0.0
        total = sum(claims)
        pool = Fraction(self.pool)
        exact = pool if self.given else Fraction(self.rho) * resources
        self.shared = self.pool
        if self.rule == "shapley":
            self.shared = float(max(claims))
            self.awards = shapley(claims)
        elif self.rule == "equal":
            self.awards = [exact / len(claims)] * len(claims)
        elif self.rule == "proportional":
            self.awards = proportional(exact, claims)
        elif self.rule == "largest_remainder":
            if pool.denominator != 1 or pool > 2**53:
                self.statuses, self.reserve = {INFEASIBLE}, None
            else:
                self.awards = largest_remainder(pool, claims, ids)
        elif exact > total:
            self.awards = claims
            if self.pool > float(total):  # else they are the same, rounded
                self.statuses = {INFEASIBLE}
                self.shared = float(total)
                self.reserve = float(pool - total)
        else:
            self.awards = {"cea": cea, "cel": cel,
                           "talmud": talmud}[self.rule](
                               min(pool, total), claims)
        largest = float(max([*claims, exact, Fraction(self.shared)]))
        self.tolerance = (len(claims) + 8) * 2.0**-52 * largest
        # What is left where all of R_i are too coarse to add up.
        self.reserve_tolerance = 2.0**-52 * float(resources) \
            if self.reserve else 0.0
        if self.rule == "largest_remainder":
            self.tolerance = 0.0
