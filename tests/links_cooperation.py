# SPDX-License-Identifier: Apache-2.0
"""Results of the cooperation model against links_oracle.py."""
import math
from fractions import Fraction

import links_oracle as oracle
from links_checks import group_rows, path_of, table
from links_oracle import exact, is_finite


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
                    name = f"order_{s['name']}_{end}"
                    f.near(f"{where} {name}", t[name][g], x, 1e-9)
                    f.equal(f"{where} {name}_status", t[f"{name}_status"][g],
                            status)
                reason = reason or status
                orders.append(ends)
            value, theta = t["synergy"][g], t["synergy_theta"][g]
            for name in ("synergy_status", "synergy_theta_status"):
                f.equal(f"{where} {name}", t[name][g], reason)
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


def takes_part(case, i):
    """Whether a record's own independence does."""
    step = case.cooperation["coordinate"]
    given = case.share(step.get("openness", step.get("independence")), i)
    return 0 <= given <= 1


def check_totals(f, case, found):
    """P_g is undefined where a z_i is, other than missing."""
    step = case.cooperation
    names = ["coordinated"] if "coordinate" in step else []
    if "column" not in step and "evaluate" in step:
        names += ["strategy_score"] if "columns" in step["evaluate"] else \
            [f"subsystem_{s['name']}" for s in case.subsystems()]
    if not names:
        return
    for keys in case.groupings():
        t = table(found, path_of(keys))
        for g, rows in enumerate(group_rows(case, keys, t)):
            codes = [found[f"records/{name}_status"][i]
                     for name in names for i in rows
                     if name != "coordinated" or takes_part(case, i)]
            code = max([c for c in codes if c >= oracle.INFEASIBLE], default=0)
            f.equal(f"{path_of(keys)}[{g}] cooperation_status",
                    t["cooperation_status"][g], code)
            total = t["cooperation_total"][g]
            if code:
                f.near(f"{path_of(keys)}[{g}] cooperation_total", total, None,
                       0)
            elif names[0] != "coordinated" and names[0] != "strategy_score":
                continue
            else:
                f.near(f"{path_of(keys)}[{g}] cooperation_total", total,
                       oracle.total([found[f"records/{names[0]}"][i]
                                     for i in rows]), 0)


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
    check_totals(f, case, found)
    if levels:
        check_coupling(f, case, found)
        if "periods" in step.get("synergise", {}):
            check_synergy(f, case, found)
