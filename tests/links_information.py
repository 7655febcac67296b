# SPDX-License-Identifier: Apache-2.0
"""Results of the information model against links_oracle.py."""
import math
from fractions import Fraction

import numpy as np

import links_oracle as oracle
from links_checks import group_rows, path_of, table
from links_oracle import exact, is_finite

NAN = float("nan")


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
            code = t["information_status"][g]
            if not is_defined:
                f.equal(f"{where} status", code, oracle.OPEN)
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
                    whole = t["information_total"][g]
                    f.expect(f"{where} total", not math.isfinite(whole) and
                             code == (8 if math.isnan(whole) else 0),
                             (whole, code))
                    continue
            f.equal(f"{where} status", code,
                    oracle.INFINITE if math.isnan(oracle.total(now)) else 0)
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
