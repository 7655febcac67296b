# SPDX-License-Identifier: Apache-2.0
"""The information and cooperation models in exact rational numbers.

Written from the definitions alone, for tables of a few dozen records: dense
matrices of fractions, no sum is rounded. A number that stands for a result
comes with the magnitude that rounding errors are measured by. Missing is None,
infinities are floats.
"""
from fractions import Fraction
import math

EMPTY, ZERO, NEGATIVE, FEW, CONSTANT, INFEASIBLE, OPEN, INFINITE = range(1, 9)


def exact(x):
    """A float as a fraction; None where it is missing, infinities stay."""
    if x is None or math.isnan(x):
        return None
    return Fraction(x) if math.isfinite(x) else float(x)


def is_finite(x):
    return isinstance(x, Fraction)


def total(values):
    """As hanse adds: missing ones skipped, the exact sum rounded once."""
    values = [v for v in values if v is not None and not math.isnan(v)]
    high, low = math.inf in values, -math.inf in values
    if high or low:
        return math.nan if high and low else math.inf if high else -math.inf
    return math.fsum(values)


def solve(matrix, columns):
    """matrix^-1 columns by Gauss and Jordan; None where it is singular."""
    n = len(matrix)
    rows = [list(a) + list(b) for a, b in zip(matrix, columns)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        inverse = 1 / rows[k][k]
        rows[k] = [x * inverse for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k] != 0:
                factor = rows[i][k]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k])]
    return [row[n:] for row in rows]


# ---- I1: filter -----------------------------------------------------------------

def quantile(values, part):
    values = sorted(values)
    place = (len(values) - 1) * part
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def outliers(now, before, u, a, c):
    """Hidiroglou and Berthelot: per record True, False, or None where it is too
    near to the bound to tell in floats."""
    tested = [i for i, (x, y) in enumerate(zip(now, before))
              if x is not None and y is not None and 0 < x < math.inf and
              0 < y < math.inf]
    found = [False] * len(now)
    if not tested:
        return found
    ratio = {i: now[i] / before[i] for i in tested}
    median = quantile(list(ratio.values()), Fraction(1, 2))
    effect = {}
    for i, r in ratio.items():
        s = 1 - median / r if r < median else r / median - 1
        effect[i] = float(s) * max(now[i], before[i]) ** u
    q1, q2, q3 = (float(quantile(list(effect.values()), Fraction(k, 4)))
                  for k in (1, 2, 3))
    low = q2 - c * max(q2 - q1, abs(a * q2))
    high = q2 + c * max(q3 - q2, abs(a * q2))
    near = 1e-11 * max(abs(x) for x in (*effect.values(), low, high))
    for i, e in effect.items():
        if min(abs(e - low), abs(e - high)) <= near:
            found[i] = None
        else:
            found[i] = e < low or e > high
    return found


# ---- I2: transmission -------------------------------------------------------------

def normalised(links):
    sums = {}
    for source, _, weight in links:
        sums[source] = sums.get(source, 0) + weight
    return [(s, t, w / sums[s] if sums[s] else Fraction(0))
            for s, t, w in links]


def matrix_of(links, n):
    """W' as rows of {source: weight}."""
    rows = [{} for _ in range(n)]
    for source, target, weight in links:
        rows[target][source] = rows[target].get(source, 0) + weight
    return rows


def tainted(start, links, hops):
    """Rows that something infinite reaches."""
    reached = {i for i, s in enumerate(start) if isinstance(s, float)}
    for _ in range(min(hops, len(start))):
        more = {t for s, t, _ in links if s in reached}
        if more <= reached:
            break
        reached |= more
    return reached


def walk(start, links, decay, hops):
    """q, the magnitude of its terms, and rows that nothing reaches."""
    n = len(start)
    rows = matrix_of(links, n)
    term = [s if is_finite(s) else Fraction(0) for s in start]
    size = [float(abs(t)) for t in term]
    sums, sizes = list(term), list(size)
    touched = [s is not None for s in start]
    for _ in range(hops):
        if decay == 0:
            break
        term = [decay * sum((w * term[s] for s, w in row.items()), Fraction(0))
                for row in rows]
        size = [float(decay) * sum(float(w) * size[s] for s, w in row.items())
                for row in rows]
        sums = [a + b for a, b in zip(sums, term)]
        sizes = [a + b for a, b in zip(sizes, size)]
        touched = [a or b != 0 for a, b in zip(touched, term)]
    return sums, sizes, touched


def walk_limit(start, links, decay):
    """q = (I - d W')^-1 s and magnitudes, None where it is singular."""
    n = len(start)
    rows = matrix_of(links, n)
    matrix = [[(i == j) - decay * rows[i].get(j, 0) for j in range(n)]
              for i in range(n)]
    begin = [s if is_finite(s) else Fraction(0) for s in start]
    answer = solve(matrix, [(b, abs(b)) for b in begin])
    if answer is None:
        return None
    return [a[0] for a in answer], [float(a[1]) for a in answer]


def linkages(flows, totals):
    """Per group (status, values by name) from exact flows {(i, j): z}."""
    n = len(totals)
    status = [0] * n
    if not all(is_finite(z) for z in flows.values()):
        status = [INFINITE] * n
    for i, x in enumerate(totals):
        if not is_finite(x):
            status[i] = INFINITE
        elif status[i] == 0 and x <= 0:
            status[i] = ZERO if x == 0 else NEGATIVE
    there = [i for i in range(n) if status[i] == 0]
    m = len(there)
    a = [[flows.get((i, j), Fraction(0)) / totals[j] for j in there]
         for i in there]
    b = [[flows.get((i, j), Fraction(0)) / totals[i] for j in there]
         for i in there]
    one = [[Fraction(i == j) for j in range(m)] for i in range(m)]
    leontief = solve([[one[i][j] - a[i][j] for j in range(m)]
                      for i in range(m)], one) if m else []
    values = {}
    for k, i in enumerate(there):
        values[i] = {
            "backward_direct": sum(row[k] for row in a),
            "forward_direct": sum(b[k]),
        }
        if leontief is None:
            continue
        whole = sum(map(sum, leontief))
        column = sum(row[k] for row in leontief)
        row = sum(leontief[k])
        values[i]["backward_total"] = column
        values[i]["forward_total"] = sum(
            leontief[k][j] * totals[there[j]] for j in range(m)) / totals[i]
        if whole != 0:
            values[i]["power_of_dispersion"] = m * column / whole
            values[i]["sensitivity_of_dispersion"] = m * row / whole
    size = max([float(abs(x)) for row in leontief or [] for x in row] + [1.0])
    return status, values, leontief is None, size


# ---- P1: evaluation ---------------------------------------------------------------

def bounds_of(indicator, values):
    if "low" in indicator:
        return Fraction(indicator["low"]), Fraction(indicator["high"])
    return min(values), max(values)


def evaluate(rows, indicators, weights, low=Fraction(0), high=Fraction(1)):
    """Scores of the records of one scope by fixed or equal weights, and the
    scope's status. rows: per record a list of exact values or None."""
    complete = [i for i, row in enumerate(rows) if None not in row]
    if not complete:
        return [None] * len(rows), EMPTY
    if not all(is_finite(x) for i in complete for x in rows[i]):
        return [None] * len(rows), INFINITE
    scores = [Fraction(0) if None not in row else None for row in rows]
    status = 0
    for j, indicator in enumerate(indicators):
        least, most = bounds_of(indicator, [rows[i][j] for i in complete])
        if least == most:
            status = CONSTANT
            continue
        for i in complete:
            part = rows[i][j] - least
            if indicator.get("cost"):
                part = most - rows[i][j]
            y = low + (high - low) * part / (most - least)
            scores[i] += weights[j] / sum(weights) * y
    return scores, status


# ---- P2: coordination -------------------------------------------------------------

def mix_group(p, s, rounds, preserve):
    """Complete mixing of a group of members that have both, by rounds or, where
    rounds is None, in the limit."""
    n = len(p)
    if n == 1 or rounds == 0:
        return list(p)
    mean = sum(p) / n
    if rounds is None:
        if sum(s) != 0:
            mean = sum(a * b for a, b in zip(s, p)) / sum(s)
        z = [(1 - b) * mean + b * a for a, b in zip(p, s)]
    else:
        z = list(p)
        for _ in range(rounds):
            mean = sum(z) / n
            z = [(1 - b) * mean + b * a for a, b in zip(p, s)]
    if preserve:
        shift = (sum(p) - sum(z)) / n
        z = [x + shift for x in z]
    return z


def neighbours(links, n, takes_part):
    around = [set() for _ in range(n)]
    for a, b in links:
        if a != b and takes_part[a] and takes_part[b]:
            around[a].add(b)
            around[b].add(a)
    return around


def components(around):
    """Number of the component of each row."""
    number = [None] * len(around)
    for i in range(len(around)):
        if number[i] is not None:
            continue
        number[i], queue = i, [i]
        for a in queue:
            for b in around[a]:
                if number[b] is None:
                    number[b] = i
                    queue.append(b)
    return number


def metropolis(around):
    n = len(around)
    matrix = [{} for _ in range(n)]
    for i in range(n):
        for j in around[i]:
            matrix[i][j] = Fraction(1, 1 + max(len(around[i]), len(around[j])))
        matrix[i][i] = 1 - sum(matrix[i].values())
    return matrix


def reach(begin, around, s, rounds):
    """Rows that something undefined reaches: those that listen."""
    reached, edge = set(begin), set(begin)
    while edge and rounds != 0:
        edge = {b for a in edge for b in around[a]
                if b not in reached and s[b] != 1}
        reached |= edge
        rounds = None if rounds is None else rounds - 1
    return reached


def mix_links(p, s, links, rounds):
    """Codes and exact values of all rows. p None: takes no part; s None: it is
    missing or not in [0, 1]."""
    n = len(p)
    takes_part = [p[i] is not None and s[i] is not None for i in range(n)]
    around = neighbours(links, n, takes_part)
    codes = [0] * n
    for i in range(n):
        if p[i] is None:
            codes[i] = EMPTY
        elif s[i] is None:
            codes[i] = INFEASIBLE
        elif not is_finite(p[i]):
            codes[i] = INFINITE
        elif rounds is None and s[i] == 0 and around[i]:
            codes[i] = INFEASIBLE
    for code in (INFEASIBLE, INFINITE):
        for i in reach([i for i in range(n) if codes[i] == code], around, s,
                       rounds):
            codes[i] = max(codes[i], code)
    matrix = metropolis(around)
    begin = [x if is_finite(x) else Fraction(0) for x in p]
    if rounds is not None:
        z = list(begin)
        for _ in range(rounds):
            z = [(1 - s[i]) * sum(w * z[j] for j, w in matrix[i].items()) +
                 s[i] * begin[i] if around[i] else z[i] for i in range(n)]
        return codes, z, around
    defined = [i for i in range(n) if codes[i] == 0 and around[i]]
    place = {i: k for k, i in enumerate(defined)}
    rows, right = [], []
    for i in defined:
        row = [Fraction(0)] * len(defined)
        row[place[i]] = Fraction(1)
        constant = s[i] * begin[i]
        for j, w in matrix[i].items():
            if s[i] == 1:
                continue
            row[place[j]] -= (1 - s[i]) * w
        rows.append(row)
        right.append([constant])
    answer = solve(rows, right)
    z = list(begin)
    for k, i in enumerate(defined):
        z[i] = answer[k][0]
    return codes, z, around


# ---- P3: coupling and synergy -----------------------------------------------------

def coupling(kind, levels):
    """C in floats."""
    k = len(levels)
    if max(levels) == 0:
        return 0.0
    if kind == "dispersion":
        mean = sum(levels) / k
        return 1 - 2 * math.sqrt(sum(u * u for u in levels) / k - mean * mean)
    product = math.prod(u / max(levels) for u in levels)
    if kind == "classic":
        return float(product) ** (1 / k) * k / float(sum(levels) / max(levels))
    pairs = [abs(a - b) for i, a in enumerate(levels) for b in levels[:i]]
    return math.sqrt((1 - sum(pairs) / len(pairs)) *
                     float(product) ** (1 / (k - 1)))


def order_degree(e, all_totals, is_cost):
    """(status, degree) of a period's total among those of all periods."""
    known = [x for x in all_totals if x is not None]
    if e is None:
        return EMPTY, None
    if not all(is_finite(x) for x in (e, *known)):
        return INFINITE, None
    low, high = min(known), max(known)
    if low == high:
        return CONSTANT, None
    return 0, ((high - e) if is_cost else (e - low)) / (high - low)


def order(kind, degrees, weights):
    if kind == "geometric":
        return float(math.prod(degrees)) ** (1 / len(degrees))
    return sum(w * d for w, d in zip(weights, degrees)) / sum(weights)


def synergy(kind, changes, weights):
    """Size without its sign."""
    if kind == "geometric":
        return float(math.prod(abs(float(d)) for d in changes)) ** \
            (1 / len(changes))
    return float(sum(w * abs(d) for w, d in zip(weights, changes)) /
                 sum(weights))
