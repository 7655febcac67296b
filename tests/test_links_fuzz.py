#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random tables, links and jobs of the information and cooperation models.

Every received value, kept flag, count, flow, linkage, coordinated value, level,
coupling, synergy and status against links_oracle.py; and the same bytes for
other numbers of threads, permuted rows (with ids), split files and little
memory. Tables that must be refused are among them. A case is its number: what
fails is run again with CASES 1 and its number as FIRST.

usage: test_links_fuzz.py HANSE [CASES [FIRST]]
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

import links_cases as cases
import links_oracle as oracle
from checks import check, exit_status
from links_oracle import exact, is_finite

HANSE = os.path.abspath(sys.argv[1])
N_CASES = int(sys.argv[2]) if len(sys.argv) > 2 else 60
FIRST = int(sys.argv[3]) if len(sys.argv) > 3 else 1
NAN = float("nan")


class Failures:
    """Of one case; printed with its number."""

    def __init__(self):
        self.texts = []

    def expect(self, what, condition, detail=""):
        if not condition:
            self.texts.append(f"{what}: {detail}")

    def equal(self, what, found, expected):
        self.expect(what, found == expected, f"{found!r}, not {expected!r}")

    def near(self, what, found, expected, tolerance):
        """None: it must be NaN."""
        if expected is None or (isinstance(expected, float) and
                                math.isnan(expected)):
            self.expect(what, math.isnan(found), f"{found!r}, not NaN")
        elif math.isinf(found) or math.isinf(expected):
            self.expect(what, found == expected, f"{found!r}, not {expected}")
        else:
            good = not math.isnan(found) and \
                abs(Fraction(found) - Fraction(expected)) <= tolerance + 1e-300
            self.expect(what, good,
                        f"{found!r}, not {float(expected)!r} +- {tolerance:g}")


# ---- Running ------------------------------------------------------------------

def run(case, files, name, options=()):
    with open(f"{name}.yaml", "w") as file:
        file.write(cases.job_text(case, files))
    if os.path.exists(f"{name}.h5"):
        os.unlink(f"{name}.h5")
    return subprocess.run(
        [HANSE, "run", f"{name}.yaml", "-o", f"{name}.h5", "-q", *options],
        text=True, capture_output=True, check=False)


def read(path):
    """path of a dataset -> its values, all but the provenance."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("provenance"):
            values = np.atleast_1d(item[()]) if item.shape is not None else None
            if values is not None and values.dtype.kind == "O":
                values = np.array([v.decode() for v in values])
            if values is not None:
                found[name] = values

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def table(found, path):
    return {name[len(path) + 1:]: values for name, values in found.items()
            if name.rpartition("/")[0] == path}


# ---- Groups ---------------------------------------------------------------------

def group_rows(case, keys, found):
    """Rows of each group of a published table, in its order."""
    n = len(next(iter(found.values())))
    groups = [[] for _ in range(n)]
    places = {}
    for g in range(n):
        label = tuple(None if found.get(f"{k}_missing", [0] * n)[g] == 1
                      else found[k][g] for k in keys)
        places[label] = g
    for i in case.used_rows():
        label = tuple(case.key(k, i) for k in keys)
        if label in places:
            groups[places[label]].append(i)
    return groups


def path_of(keys):
    return "by_" + "_".join(keys) if keys else "total"


# ---- Information ------------------------------------------------------------------

def expected_filter(case):
    """Per record: index of the first condition that fails; None where it is
    kept; "?" where floats cannot tell. Unused records are kept."""
    conditions = case.information.get("filter", [])
    n = case.n
    failed = [None] * n
    for k, condition in enumerate(conditions):
        if condition["kind"] == "outliers":
            used = set(case.used_rows())
            now = [case.value(condition["value"], i) if i in used else None
                   for i in range(n)]
            before = [case.value(condition["before"], i) for i in range(n)]
            bad = oracle.outliers(now, before, condition["u"], condition["a"],
                                  condition["c"])
            holds = [None if b is None else not b for b in bad]
        else:
            holds = [bool(condition["holds"](case, i)) for i in range(n)]
        for i in range(n):
            if failed[i] is None and holds[i] is not True:
                failed[i] = "?" if holds[i] is None else k
    return failed


def check_filter(f, case, found, failed):
    if not case.information.get("filter"):
        return
    used = case.used_rows()
    kept = found["records/kept"]
    for i in used:
        f.equal(f"kept {i}", kept[i], 1.0 if failed[i] is None else 0.0)
    for i in set(range(case.n)) - set(used):
        f.expect(f"kept {i}, left out", math.isnan(kept[i]), kept[i])
    counts = table(found, "filter/information")
    left = len(used)
    for k in range(len(case.information["filter"])):
        rejected = sum(failed[i] == k for i in used)
        f.equal(f"tested {k}", counts["tested"][k], left)
        f.equal(f"rejected {k}", counts["rejected"][k], rejected)
        left -= rejected


def kept_links(case, failed):
    """(source, target, weight) that are left, in exact numbers."""
    step = case.information["transmit"]
    used = set(case.used_rows())
    if step.get("remove_rejected") and case.information.get("filter"):
        used = {i for i in used if failed[i] is None}
    links = [(s, t, Fraction(w)) for s, t, w in case.links()
             if s in used and t in used]
    return oracle.normalised(links) if step.get("normalise") else links


def check_received(f, case, found, start, links):
    """Returns whether the values are defined."""
    step = case.information["transmit"]
    received = found["records/received"]
    status = found["records/received_status"]
    report = table(found, "transmit/information")
    used = case.used_rows()
    for i in set(range(case.n)) - set(used):
        f.expect(f"received {i}, left out",
                 math.isnan(received[i]) and status[i] == oracle.EMPTY,
                 (received[i], status[i]))
    decay, hops = Fraction(step["decay"]), step["hops"]
    f.equal("links used", report["links"][0], len(links))
    f.equal("decay", report["decay"][0], step["decay"])
    limit = hops == "limit"
    reached = oracle.tainted(start, links, 0 if decay == 0 else
                             case.n if limit else hops)
    if limit:
        f.expect("tolerance", report["tolerance"][0] > 0)
        radius = spectral_radius(links, case.n) * float(decay)
        if report["steps_status"][0] == oracle.OPEN:
            f.expect("no limit", radius > 0.9, radius)
            for i in used:
                f.expect(f"received {i}: no limit", math.isnan(received[i]) and
                         status[i] == oracle.OPEN, (received[i], status[i]))
            return False
        f.expect("limit", radius < 1 + 1e-9, radius)
        answer = oracle.walk_limit(start, links, decay)
        if answer is None:
            f.expect("limit of a singular matrix", False)
            return False
        sums, sizes = answer
        ratio = 1e-10 / max(1e-3, 1 - radius)
        touched = oracle.walk(start, links, decay, case.n)[2]
    else:
        f.equal("steps", report["steps"][0], hops if decay else 0)
        f.equal("steps_status", report["steps_status"][0], 0)
        sums, sizes, touched = oracle.walk(start, links, decay, hops)
        ratio = (6 * hops + 4) * 2.0 ** -53
    for i in used:
        if i in reached:
            f.expect(f"received {i}: infinite", math.isnan(received[i]) and
                     status[i] == oracle.INFINITE, (received[i], status[i]))
        elif not touched[i]:
            f.expect(f"received {i}: nothing", math.isnan(received[i]) and
                     status[i] == oracle.EMPTY or
                     sizes[i] > 0 and abs(received[i]) <= ratio * sizes[i],
                     (received[i], status[i]))
        else:
            f.near(f"received {i}", received[i], sums[i], ratio * sizes[i])
            f.equal(f"received_status {i}", status[i], 0)
    return True


def spectral_radius(links, n):
    matrix = np.zeros((n, n))
    for s, t, w in links:
        matrix[t, s] += float(w)
    return np.abs(np.linalg.eigvals(matrix)).max() if n else 0.0


def check_information_tables(f, case, found, failed, is_defined):
    transmits = "transmit" in case.information
    for keys in case.groupings():
        t = table(found, path_of(keys))
        for g, rows in enumerate(group_rows(case, keys, t)):
            where = f"{path_of(keys)}[{g}]"
            kept = [i for i in rows if failed[i] is None]
            sent = oracle.total([case.value("s", i) for i in kept])
            f.equal(f"{where} count", t["count"][g], len(rows))
            f.equal(f"{where} kept", t["information_kept"][g], len(kept))
            f.near(f"{where} sent", t["information_sent"][g], sent, 0)
            if rows:
                f.equal(f"{where} share", t["information_kept_share"][g],
                        len(kept) / len(rows))
            f.equal(f"{where} share status",
                    t["information_kept_share_status"][g], 0 if rows else 1)
            multiplier = t["information_multiplier"][g]
            status = t["information_multiplier_status"][g]
            f.expect(f"{where} multiplier and status",
                     math.isnan(multiplier) == (status != 0),
                     (multiplier, status))
            if not is_defined:
                f.equal(f"{where} multiplier status", status, oracle.OPEN)
                f.expect(f"{where} total", math.isnan(
                    t["information_total"][g]))
                continue
            now = [case.value("s", i) if failed[i] is None else 0.0
                   for i in rows]
            if transmits:
                now = [found["records/received"][i] for i in rows]
                if any(found["records/received_status"][i] == oracle.INFINITE
                       for i in rows):
                    f.equal(f"{where} multiplier status", status,
                            oracle.INFINITE)
                    continue
            f.near(f"{where} total", t["information_total"][g],
                   oracle.total(now), 0)
            whole = oracle.total(now)
            reason = 1 if not rows else 8 if not math.isfinite(whole) or \
                not math.isfinite(sent) else 2 if sent == 0 else 0
            f.equal(f"{where} multiplier status", status, reason)
            if reason == 0:
                f.equal(f"{where} multiplier", multiplier, whole / sent)


def check_flows(f, case, found, start, links):
    """Returns the exact flows by number of group, of the published table."""
    keys = case.within_of(case.information)
    name = "_".join(keys)
    t = table(found, f"flows/by_{name}" if keys else "flows/total")
    by_pair = {}
    for s, target, w in links:
        ends = tuple(tuple(case.key(k, i) for k in keys) for i in (s, target))
        if case.drops_missing() and None in ends[0] + ends[1]:
            continue
        flow = None if start[s] is None else \
            w * start[s] if is_finite(start[s]) else \
            float(w) * start[s] if w else NAN
        by_pair.setdefault(ends, []).append(flow)
    if not keys:
        by_pair.setdefault(((), ()), [])
    n = len(t.get("flow", ()))
    f.equal("flows", n, len(by_pair))
    for row in range(n):
        ends = tuple(tuple(
            None if t.get(f"{c}_missing", [0] * n)[row] == 1 else t[c][row]
            for c in (role if len(keys) == 1 else f"{role}_{k}" for k in keys))
            for role in ("source", "target"))
        flows = by_pair.get(ends)
        f.expect(f"flow {ends}", flows is not None)
        if flows is None:
            continue
        f.equal(f"flow {ends}: links", t["links"][row], len(flows))
        known = [x for x in flows if x is not None and x == x]
        if all(is_finite(x) for x in known):
            size = float(sum(abs(x) for x in known))
            f.near(f"flow {ends}", t["flow"][row], sum(known, Fraction(0)),
                   size * 2.0 ** -50)
            f.near(f"flow {ends}: mean", t["flow_mean"][row],
                   sum(known) / len(known) if known else None,
                   size * 2.0 ** -50)
        else:
            f.near(f"flow {ends}", t["flow"][row],
                   oracle.total([float(x) for x in known]), 0)
    return by_pair


def check_linkages(f, case, found, flows):
    keys = case.within_of(case.information)
    path = f"linkages/by_{'_'.join(keys)}" if keys else "linkages/total"
    t = table(found, path)
    groups = group_rows(case, keys, t)
    totals = []
    for g, rows in enumerate(groups):
        x = oracle.total([case.value("x", i) for i in rows])
        f.near(f"linkages[{g}] total", t["total"][g], x, 0)
        totals.append(exact(x))
    labels = {tuple(case.key(k, i) for k in keys): g
              for g, rows in enumerate(groups) for i in rows}
    z = {}
    for (a, b), parts in flows.items():
        known = [x for x in parts if x is not None and x == x]
        z[labels[a], labels[b]] = sum(known, Fraction(0)) if \
            all(map(is_finite, known)) else NAN
    status, values, singular, size = oracle.linkages(z, totals)
    for g in range(len(groups)):
        for name in ("backward_direct", "forward_direct", "backward_total",
                     "forward_total", "power_of_dispersion",
                     "sensitivity_of_dispersion"):
            number, code = t[name][g], t[f"{name}_status"][g]
            if singular or size > 1e8:
                f.expect(f"linkages[{g}] {name}: status",
                         math.isnan(number) == (code != 0), (number, code))
                continue
            if code == oracle.ZERO and status[g] == 0:
                f.expect(f"linkages[{g}] {name}",
                         name not in values[g] and math.isnan(number))
                continue
            f.equal(f"linkages[{g}] {name}: status", code, status[g])
            if status[g] != 0:
                f.expect(f"linkages[{g}] {name}", math.isnan(number), number)
            elif name in values[g]:
                x = float(values[g][name])
                f.near(f"linkages[{g}] {name}", number, values[g][name],
                       1e-9 * max(abs(x), size if "direct" not in name else 0))


def check_information(f, case, found):
    failed = expected_filter(case)
    if "?" in failed:
        return
    check_filter(f, case, found, failed)
    used = set(case.used_rows())
    start = [None if i not in used else Fraction(0) if failed[i] is not None
             else exact(case.value("s", i)) for i in range(case.n)]
    is_defined = True
    if "transmit" in case.information:
        links = kept_links(case, failed)
        is_defined = check_received(f, case, found, start, links)
        if case.has_flows():
            flows = check_flows(f, case, found, start, links)
            if "linkages" in case.information and \
                    len(start) and not case.information["linkages"].get("flows"):
                check_linkages(f, case, found, flows)
    check_information_tables(f, case, found, failed, is_defined)


# ---- Cooperation --------------------------------------------------------------------

def scopes(case, spec):
    """Lists of used rows over which bounds are found."""
    if spec.get("scope") != "group":
        return [case.used_rows()]
    keys = case.within_of(case.cooperation)
    groups = {}
    for i in case.used_rows():
        label = tuple(case.key(k, i) for k in keys)
        if not (case.drops_missing() and None in label):
            groups.setdefault(label, []).append(i)
    return list(groups.values())


def scores_of(case, spec):
    """Exact scores and statuses of all records."""
    scores, codes = [None] * case.n, [oracle.EMPTY] * case.n
    low = Fraction(spec.get("eps", 0.0))
    high = Fraction(1.0 - spec.get("eps", 0.0))
    for rows in scopes(case, spec):
        values = [[exact(case.value(x["name"], i)) for x in spec["indicators"]]
                  for i in rows]
        weights = [Fraction(x.get("weight", 1)) for x in spec["indicators"]]
        found, status = oracle.evaluate(values, spec["indicators"], weights,
                                        low, high)
        for i, score in zip(rows, found):
            scores[i] = score
            codes[i] = oracle.EMPTY if score is None and \
                status != oracle.INFINITE else status
    return scores, codes


def check_scores(f, case, found, name, spec):
    scores, codes = scores_of(case, spec)
    values = found[f"records/{name}"]
    status = found[f"records/{name}_status"]
    spread = 1e-12 * case.spread(spec)
    for i in range(case.n):
        f.near(f"{name} {i}", values[i], scores[i], spread)
        f.expect(f"{name}_status {i}", status[i] == codes[i] or
                 scores[i] is None and status[i] in (1, 8) and codes[i] in (1, 8),
                 (status[i], codes[i]))
    return scores


def strategies(case, found, levels):
    """p of all records: exact, or as the program scored them."""
    used = set(case.used_rows())
    if "column" in case.cooperation or not case.cooperation.get("evaluate"):
        return [exact(case.value("p", i)) if i in used else None
                for i in range(case.n)]
    if "columns" in case.cooperation["evaluate"]:
        return [exact(x) for x in found["records/strategy_score"]]
    weights = [Fraction(s["weight"]) for s in case.subsystems()]
    p = []
    for i in range(case.n):
        own = [exact(found[f"records/subsystem_{s['name']}"][i])
               for s in case.subsystems()]
        p.append(None if None in own else
                 sum(w * u for w, u in zip(weights, own)) / sum(weights))
    return p


def check_coordinated(f, case, found, p):
    step = case.cooperation["coordinate"]
    n = case.n
    openness, s = "openness" in step, []
    for i in range(n):
        given = exact(case.share(step.get("openness", step.get("independence")),
                                 i))
        good = given is not None and is_finite(given) and 0 <= given <= 1
        s.append((1 - given if openness else given) if good else None)
    rounds = None if step["rounds"] == "limit" else step["rounds"]
    if "links" in step:
        check_along_links(f, case, found, step, p, s, rounds)
        return
    keys = case.within_of(case.cooperation)
    groups = {}
    expected, codes = [None] * n, [oracle.EMPTY] * n
    size = [0.0] * n
    for i in case.used_rows():
        label = tuple(case.key(k, i) for k in keys)
        if p[i] is None or case.drops_missing() and None in label:
            continue
        if s[i] is None:
            codes[i] = oracle.INFEASIBLE
            continue
        groups.setdefault(label, []).append(i)
    for rows in groups.values():
        own = [p[i] for i in rows]
        for i in rows:
            codes[i] = 0 if all(map(is_finite, own)) else oracle.INFINITE
        if codes[rows[0]] != 0:
            continue
        z = oracle.mix_group(own, [s[i] for i in rows], rounds,
                             step.get("preserve"))
        for i, x in zip(rows, z):
            expected[i] = x
            size[i] = float(max(map(abs, own)))
    compare_coordinated(f, found, expected, codes, [1e-13 * x for x in size])


def compare_coordinated(f, found, expected, codes, tolerances):
    values = found["records/coordinated"]
    status = found["records/coordinated_status"]
    for i, (x, code) in enumerate(zip(expected, codes)):
        f.equal(f"coordinated_status {i}", status[i], code)
        f.near(f"coordinated {i}", values[i], x if code == 0 else None,
               tolerances[i])


def check_along_links(f, case, found, step, p, s, rounds):
    n = case.n
    report = table(found, "coordination")
    codes, z, around = oracle.mix_links(
        p, s, [(a, b) for a, b, _ in case.links()], rounds)
    converged = report["converged"][0] == 1
    f.expect("converged", converged or rounds is None, converged)
    if rounds is not None:
        f.expect("rounds", report["rounds"][0] <= rounds)
        f.expect("tolerance of rounds", "tolerance" not in report or
                 math.isnan(report["tolerance"][0]))
    else:
        f.equal("tolerance", report["tolerance"][0],
                step.get("tolerance", 1e-15))
        most = step.get("max_rounds", 10000)
        f.expect("rounds of the limit", report["rounds"][0] <= most)
        f.expect("not converged", converged or report["rounds"][0] == most)
    if not converged:
        for i in range(n):
            if codes[i] == 0 and around[i] and s[i] < 1:
                codes[i] = oracle.OPEN
    component = oracle.components(around)
    size = {}
    for i in range(n):
        if is_finite(p[i]):
            size[component[i]] = max(size.get(component[i], 0.0),
                                     float(abs(p[i])))
    least = min([float(x) for i, x in enumerate(s)
                 if x is not None and x > 0 and around[i]], default=1.0)
    loss = 1e-13 if rounds is not None else \
        (1e-13 + 2 * step.get("tolerance", 1e-15)) / least
    tolerances = [loss * size.get(component[i], 0.0) for i in range(n)]
    if step.get("preserve"):
        preserve(case, p, codes, z, tolerances)
    compare_coordinated(f, found, z, codes, tolerances)


def preserve(case, p, codes, z, tolerances):
    keys = case.within_of(case.cooperation)
    groups = {}
    for i in case.used_rows():
        label = tuple(case.key(k, i) for k in keys)
        if codes[i] == 0 and not (case.drops_missing() and None in label):
            groups.setdefault(label, []).append(i)
    for rows in groups.values():
        shift = sum(p[i] - z[i] for i in rows) / len(rows)
        worst = max(tolerances[i] for i in rows)
        for i in rows:
            z[i] += shift
            tolerances[i] = 2 * worst


def level_of(case, rows, levels):
    """(status, U_gk) of a group from the program's levels of records."""
    sizes = [case.value("size", i) if case.has_size() else 1.0 for i in rows]
    both = [(w, levels[i]) for w, i in zip(sizes, rows)
            if not math.isnan(levels[i]) and not math.isnan(w)]
    if not both:
        return 1, None
    if any(math.isinf(w) for w, _ in both):
        return 8, None
    if any(w < 0 for w in sizes):
        return 3, None
    weight = sum(Fraction(w) for w, _ in both)
    if weight == 0:
        return 2, None
    return 0, sum(Fraction(w) * Fraction(u) for w, u in both) / weight


def check_coupling(f, case, found):
    subsystems = case.subsystems()
    kinds = case.cooperation.get("synergise", {}).get(
        "coupling", ["classic", "corrected", "dispersion"])
    for keys in case.groupings():
        t = table(found, path_of(keys))
        for g, rows in enumerate(group_rows(case, keys, t)):
            where = f"{path_of(keys)}[{g}]"
            levels, reason = [], 0
            for s in subsystems:
                name = f"cooperation_level_{s['name']}"
                own = found[f"records/subsystem_{s['name']}"]
                status, u = level_of(case, rows, own)
                f.equal(f"{where} {name}_status", t[f"{name}_status"][g],
                        status)
                f.near(f"{where} {name}", t[name][g], u, 1e-14)
                reason = reason or status
                levels.append(t[name][g])
            f.equal(f"{where} index status", t["cooperation_index_status"][g],
                    reason)
            if reason:
                f.near(f"{where} index", t["cooperation_index"][g], None, 0)
            check_degrees(f, t, g, where, kinds, levels,
                          [s["weight"] for s in subsystems], reason)


def check_degrees(f, t, g, where, kinds, levels, weights, reason):
    exact_levels = [] if reason else [
        min(max(Fraction(u), Fraction(0)), Fraction(1)) for u in levels]
    if not reason:
        index = sum(Fraction(w) * u for w, u in zip(weights, exact_levels)) / \
            sum(map(Fraction, weights))
        f.near(f"{where} index", t["cooperation_index"][g], index, 1e-14)
        if len(levels) < 2:
            reason = oracle.FEW
        elif max(exact_levels) == 0:
            reason = oracle.ZERO
    for kind in kinds:
        c, d = t[f"coupling_{kind}"][g], t[f"coordination_{kind}"][g]
        level = t[f"coordination_level_{kind}"][g]
        for name in ("coupling", "coordination"):
            f.equal(f"{where} {name}_{kind}_status",
                    t[f"{name}_{kind}_status"][g], reason)
        if reason == oracle.ZERO and not math.isnan(c):
            f.equal(f"{where} {kind}, all levels 0", (c, d), (0.0, 0.0))
        elif reason:
            f.expect(f"{where} {kind}", math.isnan(c) and math.isnan(d) and
                     level == 0, (c, d, level))
            continue
        else:
            expected = oracle.coupling(kind, exact_levels)
            f.near(f"{where} coupling_{kind} squared", c * c, expected ** 2,
                   1e-13)
            f.near(f"{where} coordination_{kind} squared", d * d,
                   c * float(index), 1e-13)
            f.expect(f"{where} {kind}", 0 <= c <= 1 and 0 <= d <= 1, (c, d))
        f.equal(f"{where} level of {kind}", level,
                min(10, sum(d >= k / 10 for k in range(1, 10)) + 1))


def check_synergy(f, case, found):
    step = case.cooperation["synergise"]
    periods = step["periods"]
    subsystems = case.subsystems()
    for keys in case.groupings():
        t = table(found, path_of(keys))
        if periods["column"] in keys:
            f.expect("synergy by period", "synergy" not in t)
            continue
        for g, rows in enumerate(group_rows(case, keys, t)):
            where = f"{path_of(keys)}[{g}]"
            orders, reason = [], 0
            for s in subsystems:
                status, ends = orders_of(case, rows, s, step)
                for end, x in zip(("from", "to"), ends):
                    f.near(f"{where} order_{s['name']}_{end}",
                           t[f"order_{s['name']}_{end}"][g], x, 1e-9)
                reason = reason or status
                orders.append(ends)
            value, theta = t["synergy"][g], t["synergy_theta"][g]
            f.equal(f"{where} synergy_status", t["synergy_status"][g], reason)
            if reason:
                f.near(f"{where} synergy", value, None, 0)
                continue
            changes = [to - start for start, to in orders]
            size = oracle.synergy(step.get("composite", "geometric"), changes,
                                  [Fraction(s["weight"]) for s in subsystems])
            f.near(f"{where} |synergy|", abs(value), size,
                   1e-9 if len(changes) == 1 else 1e-4)
            moved = [x for x in changes if abs(x) > 1e-9]
            if len(moved) == len(changes):
                f.equal(f"{where} theta", theta, -1 if min(moved) < 0 else 1)
                f.expect(f"{where} sign", value * theta >= 0)


def orders_of(case, rows, subsystem, step):
    """(status, orders in the two periods)."""
    periods = step["periods"]
    degrees = [[], []]
    for x in subsystem["indicators"]:
        totals = {}
        for i in rows:
            period = case.key(periods["column"], i)
            if period is not None:
                totals.setdefault(period, []).append(case.value(x["name"], i))
        sums = {}
        for period, values in totals.items():
            known = [v for v in values if not math.isnan(v)]
            sums[period] = exact(oracle.total(known)) if known else None
        ends = [sums.get(periods[end]) for end in ("from", "to")]
        everything = list(sums.values())
        found = [oracle.order_degree(e, everything, x.get("cost"))
                 for e in ends]
        status = found[0][0] or found[1][0]
        if status:
            return status, (None, None)
        for k in range(2):
            degrees[k].append(found[k][1])
    weights = [Fraction(x.get("weight", 1)) for x in subsystem["indicators"]]
    kind = step.get("order", "mean")
    return 0, tuple(oracle.order(kind, d, weights) for d in degrees)


def check_cooperation(f, case, found):
    step = case.cooperation
    levels = []
    for s in case.subsystems():
        levels.append(check_scores(f, case, found, f"subsystem_{s['name']}", s))
    if "column" not in step and "columns" in step.get("evaluate", {}):
        check_scores(f, case, found, "strategy_score", {
            **step["evaluate"], "indicators": step["evaluate"]["columns"]})
    if "coordinate" in step:
        p = strategies(case, found, levels)
        check_coordinated(f, case, found, p)
        for keys in case.groupings():
            t = table(found, path_of(keys))
            for g, rows in enumerate(group_rows(case, keys, t)):
                f.near(f"{path_of(keys)}[{g}] cooperation_total",
                       t["cooperation_total"][g], oracle.total(
                           [found["records/coordinated"][i] for i in rows]), 0)
    if levels:
        check_coupling(f, case, found)
        if "periods" in step.get("synergise", {}):
            check_synergy(f, case, found)


# ---- Codes, and the same bytes ---------------------------------------------------

def check_codes(f, found):
    """Whatever is NaN says why."""
    for name, status in found.items():
        of = name.removesuffix("_status")
        if of == name or of not in found:
            continue
        values = found[of]
        if values.dtype.kind == "f":
            silent = np.isnan(values) & (status == 0)
            f.expect(f"{of}: NaN without a code", not silent.any(),
                     np.flatnonzero(silent))


def check_same(f, what, first, other, order=None):
    """Bytes of all datasets; records put back in their order."""
    f.equal(f"{what}: datasets", sorted(other), sorted(first))
    for name in set(first) & set(other):
        a, b = first[name], other[name]
        if order is not None and name.startswith("records/") and \
                len(b) == len(order):
            back = np.empty_like(b)
            back[order] = b
            b = back
        f.expect(f"{what}: {name}", a.dtype == b.dtype and
                 a.tobytes() == b.tobytes(), f"{a}, {b}")


def check_variants(f, case, first, rng):
    threads = str(rng.choice((1, 2, 3, 8)))
    kind = rng.choice(("threads", "split", "memory", "permuted"))
    order, options, files = None, ["--threads", threads], ["t.h5"]
    if kind == "split":
        files = case.write_split(rng)
    elif kind == "memory":
        options += ["--memory", "24M"]
    elif kind == "permuted":
        if not case.is_by_id():
            return
        order = case.write_permuted(rng)
        files = ["p.h5"]
    done = run(case, files, "variant", options)
    if kind == "memory" and done.returncode == 1 and "memory" in done.stderr:
        return
    if done.returncode != 0:
        f.expect(f"{kind}, {threads} threads", False, done.stderr)
        return
    check_same(f, f"{kind}, {threads} threads", first, read("variant.h5"), order)


def check_result(f, case, found):
    check_codes(f, found)
    if case.information is not None:
        check_information(f, case, found)
    if case.cooperation is not None:
        check_cooperation(f, case, found)


def run_case(number):
    rng = random.Random(number)
    case = cases.make(rng)
    f = Failures()
    case.write("t.h5")
    done = run(case, ["t.h5"], "job", ["--threads", str(rng.randint(1, 4))])
    if case.fault is not None:
        f.expect("refused", done.returncode in (1, 2) and
                 all(x in done.stderr for x in case.fault) and
                 not os.path.exists("job.h5"),
                 f"{done.returncode} {done.stderr!r}, not {case.fault}")
    elif done.returncode != 0:
        f.expect("run", False, f"{done.returncode} {done.stderr}")
    else:
        found = read("job.h5")
        try:
            check_result(f, case, found)
            check_variants(f, case, found, rng)
        except (KeyError, IndexError) as error:
            f.expect("the result lacks", False, repr(error))
    check(f"case {number}", not f.texts,
          "\n  ".join(["", *f.texts[:8], cases.job_text(case, ["t.h5"])]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for case_number in range(FIRST, FIRST + N_CASES):
            run_case(case_number)
    sys.exit(exit_status())
