#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The cooperation model through `hanse run`.

Coupling degrees, synergy and coordination of the public data against results
of other programs (expected/MANIFEST.csv says which, and how near); random
tables against numpy; identities; the same bits for 1, 2, 3 and 8 threads,
permuted rows and split files; faulty jobs.

usage: test_cooperation.py HANSE DATA_FOLDER
"""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import scipy.sparse

from checks import check, exit_status

HANSE, DATA = sys.argv[1], sys.argv[2]
EXPECTED = os.path.join(DATA, "expected")
RNG = np.random.default_rng(20261126)


def hanse(*arguments):
    done = subprocess.run([HANSE, *map(str, arguments)], text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"hanse {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def run_job(text, *options, name="job"):
    """Tables of the result: name -> {column: array}."""
    with open(f"{name}.yaml", "w") as file:
        file.write(text)
    hanse("run", f"{name}.yaml", "-o", f"{name}.h5", "-q", *options)
    return read_tables(f"{name}.h5")


def read_tables(path):
    tables = {}
    with h5py.File(path) as file:
        for name, group in file.items():
            if isinstance(group, h5py.Group) and name != "provenance":
                tables[name] = {c: read_column(d) for c, d in group.items()
                                if isinstance(d, h5py.Dataset)}
    return tables


def read_column(dataset):
    values = np.atleast_1d(dataset[()])
    if values.dtype.kind == "O":
        values = np.array([v.decode() for v in values])
    return values


def write_table(path, columns, rows=slice(None)):
    with h5py.File(path, "w") as file:
        group = file.create_group("enterprises")
        for name, values in columns.items():
            group.create_dataset(name, data=np.asarray(values)[rows])


def is_near(found, expected, tolerance):
    """Relative, and where one is exactly 0 the other has to be, too."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return bool(np.all(np.abs(found - expected) <= tolerance * np.abs(expected)))


def check_near(name, found, expected, tolerance):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    check(name, found.shape == expected.shape and
          is_near(found, expected, tolerance), f"{found}, not {expected}")


# ---- Public data ------------------------------------------------------------

def tolerance_of(file):
    with open(os.path.join(EXPECTED, "MANIFEST.csv")) as manifest:
        for row in csv.DictReader(manifest):
            if row["file"] == file:
                return float(row["relative tolerance"])
    sys.exit(f"{file} is not in MANIFEST.csv")


def expected_columns(file):
    with open(os.path.join(EXPECTED, file)) as lines:
        rows = list(csv.DictReader(lines))
    return {c: [row[c] for row in rows] for c in rows[0]}


PARTS = {"residential": "res", "commercial": "com", "industrial": "ind"}


def subsystems(weights, quantities):
    lines = []
    for (name, part), weight in zip(PARTS.items(), weights):
        columns = ", ".join(f"{part}{q}_total" for q in quantities)
        lines.append(f"        {name}: {{weight: {weight}, "
                     f"indicators: [{columns}]}}\n")
    return "".join(lines)


def check_coupling(file, weights):
    """Sums by state, then levels and coupling of the states' table."""
    tolerance = tolerance_of(file)
    expected = expected_columns(file)
    table = run_job(
        "input: {files: [sums_june.h5], table: /by_state}\n"
        "group_by: [state]\n"
        "models:\n  cooperation:\n    evaluate:\n      scale: minmax\n"
        "      subsystems:\n" + subsystems(weights, ["revenue"]) +
        "    synergise: {coupling: [classic, corrected, dispersion]}\n"
    )["by_state"]
    check(f"{file}: states", list(table["state"]) == expected["id"])
    for k, name in enumerate(PARTS):
        check_near(f"{file}: level of {name}",
                   table[f"cooperation_level_{name}"],
                   expected[f"U{k + 1}"], tolerance)
    check_near(f"{file}: index", table["cooperation_index"], expected["T"],
               tolerance)
    check_near(f"{file}: strategy", table["cooperation_total"], expected["T"],
               tolerance)
    for kind, other in (("classic", "standard"), ("corrected", "wang"),
                        ("dispersion", "fan")):
        check_near(f"{file}: coupling {kind}", table[f"coupling_{kind}"],
                   expected[f"C_{other}"], tolerance)
        check_near(f"{file}: coordination {kind}",
                   table[f"coordination_{kind}"], expected[f"D_{other}"],
                   tolerance)
        levels = [min(10, math.floor(10 * float(d)) + 1)
                  for d in expected[f"D_{other}"]]
        check(f"{file}: levels {kind}",
              list(table[f"coordination_level_{kind}"]) == levels)
        check(f"{file}: statuses {kind}",
              not table[f"coupling_{kind}_status"].any() and
              not table[f"coordination_{kind}_status"].any())


def check_synergy():
    file = "eia_state_synergy_m1_m7.csv"
    tolerance = tolerance_of(file)
    expected = expected_columns(file)
    for order, composite, column in (
            ("mean", "geometric", "cm_geometric"),
            ("mean", "weighted", "cm_weighted_532"),
            ("geometric", "geometric", "cm_geometric_geomorder")):
        table = run_job(
            "input: {files: [sums_month.h5], table: /by_state_month}\n"
            "group_by: [state, month]\n"
            "models:\n  cooperation:\n    evaluate:\n      subsystems:\n" +
            subsystems([0.5, 0.3, 0.2], ["revenue", "sales"]) +
            "    synergise: {periods: {column: month, from: 1, to: 7}, "
            f"order: {order}, composite: {composite}}}\n")
        by_month = table["by_month"]
        table = table["by_state"]
        check(f"{column}: states", list(table["state"]) == expected["state"])
        check_near(column, table["synergy"], expected[column], tolerance)
        check(f"{column}: status", not table["synergy_status"].any())
        check(f"{column}: no synergy by month", "synergy" not in by_month)
        if order == "geometric":
            continue
        check(f"{column}: theta", is_near(table["synergy_theta"],
                                          expected["theta"], 0))
        for k, name in enumerate(PARTS):
            for end, month in (("from", 1), ("to", 7)):
                check_near(f"{column}: order of {name} {end}",
                           table[f"order_{name}_{end}"],
                           expected[f"u{k + 1}_m{month}"], tolerance)


def coordinated(options, table="nodes.h5"):
    """z of every node, which is a record."""
    tables = run_job(f"input: {{files: [{table}]}}\ngroup_by: [state]\n"
                     "models:\n  cooperation:\n    formula: x0\n"
                     f"    coordinate: {{{options}}}\n")
    check(f"statuses: {options}",
          not tables["records"]["coordinated_status"].any())
    return tables["records"]["coordinated"]


def check_coordination():
    file = "links_eia_june_coordination.csv"
    tolerance = tolerance_of(file)
    expected = expected_columns(file)
    hanse("import", os.path.join(EXPECTED, file), "nodes.h5", "-q", "--force")
    hanse("import", os.path.join(DATA, "links_eia_june.csv"), "links.h5", "-q",
          "-t", "/links")
    links = "links: {table: /links, file: links.h5}"
    for column, options in (
            ("degroot_5", f"openness: 1, rounds: 5, {links}"),
            ("fj07_10", f"openness: 0.7, rounds: 10, {links}"),
            ("fj07_inf", f"openness: 0.7, rounds: limit, {links}"),
            ("fj_mixed_inf", f"openness: lambda_mixed, rounds: limit, {links}"),
            ("state_mix_07", "openness: 0.7, rounds: limit"),
            ("state_mix_mixed", "openness: lambda_mixed, rounds: limit"),
            ("state_mix_mixed", "independence: 1 - lambda_mixed, "
                                "rounds: 10000")):
        check_near(f"{column}: {options}", coordinated(options),
                   expected[column], tolerance)


def public_data():
    if not os.path.isdir(EXPECTED):
        print(f"SKIPPED the public data: there is no {EXPECTED}")
        return
    hanse("import", os.path.join(DATA, "eia_utilities_1996.csv"), "eia.h5",
          "-q")
    names = [part + q for part in PARTS.values() for q in ("revenue", "sales")]
    measures = "measures: {" + ", ".join(f"{n}: {n}" for n in names) + "}\n"
    run_job("input: {files: [eia.h5], where: month == 6 && utilityid != 0}\n"
            "group_by: [state]\n" + measures, name="sums_june")
    run_job("input: {files: [eia.h5], where: utilityid != 0}\n"
            "group_by: [[state, month]]\n" + measures, name="sums_month")
    check_coupling("eia_june_state_ccd_equal.csv", [1, 1, 1])
    check_coupling("eia_june_state_ccd_532.csv", [0.5, 0.3, 0.2])
    check_synergy()
    check_coordination()


# ---- Random tables ----------------------------------------------------------

def make_columns(n):
    """Groups of all sizes, missing values, and independence that does not do."""
    columns = {
        "id": np.arange(n),
        "group": np.minimum(RNG.geometric(0.08, n), 40),
        "strategy": RNG.normal(size=n) * 10.0 ** RNG.integers(-3, 4, n),
        "own": RNG.random(n),
        "size": RNG.integers(1, 500, n).astype(float),
        "a": RNG.normal(size=n), "b": RNG.random(n), "c": RNG.random(n),
        "active": RNG.integers(0, 5, n),
    }
    columns["strategy"][RNG.random(n) < 0.05] = np.nan
    columns["own"][RNG.random(n) < 0.03] = 1.25
    columns["own"][RNG.random(n) < 0.1] = 0.0
    columns["own"][RNG.random(n) < 0.1] = 1.0
    columns["b"][RNG.random(n) < 0.05] = np.nan
    return columns


def mixed(p, s, rounds, preserve):
    """Complete mixing, round by round."""
    z = p.copy()
    for _ in range(rounds):
        z = (1 - s) * z.mean() + s * p if len(p) > 1 else z
    return z + (p - z).mean() if preserve else z


def check_random(columns, n):
    keep = (columns["active"] > 0) & ~np.isnan(columns["strategy"]) & \
        (columns["own"] <= 1)
    for rounds in (0, 1, 2, 7):
        for preserve in (False, True):
            found = run_job(
                "input: {files: [random.h5], where: active > 0}\n"
                "group_by: [group]\n"
                "models:\n  cooperation:\n    within: [group]\n"
                f"    coordinate: {{independence: own, rounds: {rounds}, "
                f"preserve: {str(preserve).lower()}}}\n")
            z = np.full(n, np.nan)
            for g in np.unique(columns["group"]):
                rows = keep & (columns["group"] == g)
                z[rows] = mixed(columns["strategy"][rows],
                                columns["own"][rows], rounds, preserve)
            values = found["records"]["coordinated"]
            size = np.abs(columns["strategy"][keep]).max()
            what = f"{rounds} rounds{', preserve' if preserve else ''}"
            check(f"mixing, {what}", np.all(np.isnan(values) == ~keep) and
                  np.nanmax(np.abs(values - z)) <= 1e-13 * size)
            check(f"statuses, {what}", np.all(
                found["records"]["coordinated_status"] ==
                np.where(keep, 0, np.where((columns["own"] > 1) & (
                    columns["active"] > 0) & ~np.isnan(columns["strategy"]),
                    6, 1))))
            sums = np.array([math.fsum(columns["strategy"][
                keep & (columns["group"] == g)])
                             for g in found["by_group"]["group"]])
            if preserve:
                check(f"sums are kept, {what}", np.all(
                    np.abs(found["by_group"]["cooperation_total"] - sums) <=
                    1e-12 * np.array([np.abs(columns["strategy"][keep & (
                        columns["group"] == g)]).sum()
                        for g in found["by_group"]["group"]])))


def check_levels(columns):
    """Weighted mean levels and what follows, with a cost and fixed bounds."""
    table = run_job(
        "input: {files: [random.h5]}\ngroup_by: [group]\n"
        "models:\n  cooperation:\n    evaluate:\n      subsystems:\n"
        "        one: {weight: 2, indicators: [{name: a, weight: 3, "
        "cost: true}, {name: b, weight: 1}]}\n"
        "        two: {weight: 3, indicators: {name: c, low: -1, high: 2}}\n"
        "    synergise: {coupling: [dispersion, classic], size: size}\n"
    )["by_group"]
    a, b, c = columns["a"], columns["b"], columns["c"]
    whole = ~np.isnan(b)
    low, high = a[whole].min(), a[whole].max()
    one = (3 * (high - a) / (high - low) + (b - np.nanmin(b)) /
           (np.nanmax(b) - np.nanmin(b))) / 4
    two = (c + 1) / 3
    check("levels: kinds", "coupling_corrected" not in table)
    for i, g in enumerate(table["group"]):
        rows = columns["group"] == g
        u = [np.average(x[rows & ~np.isnan(x)],
                        weights=columns["size"][rows & ~np.isnan(x)])
             for x in (one, two)]
        t = (2 * u[0] + 3 * u[1]) / 5
        found = [table[f"cooperation_level_{k}"][i] for k in ("one", "two")]
        check_near(f"levels of group {g}", found, u, 1e-12)
        check_near(f"degrees of group {g}",
                   [table[c][i] for c in ("cooperation_index",
                                          "coupling_classic",
                                          "coordination_classic",
                                          "coupling_dispersion")],
                   [t, 2 * math.sqrt(u[0] * u[1]) / sum(u),
                    math.sqrt(2 * math.sqrt(u[0] * u[1]) / sum(u) * t),
                    1 - abs(u[0] - u[1])], 1e-12)


def check_scope(columns):
    """Levels by the group's own bounds; a score of z-scores as the strategy."""
    a, b = columns["a"], columns["b"]
    groups = columns["group"]
    tables = run_job(
        "input: {files: [random.h5]}\ngroup_by: [group]\n"
        "models:\n  cooperation:\n    evaluate:\n      scope: group\n"
        "      subsystems: {one: [a], two: {indicators: [c], eps: 0.1}}\n")
    expected = np.full(len(a), np.nan)
    for g in np.unique(groups):
        x = a[groups == g]
        expected[groups == g] = (x - x.min()) / (x.max() - x.min())
    found = tables["records"]["subsystem_one"]
    check("scope group", np.allclose(found, expected, 1e-13, 1e-15))
    found = tables["records"]["subsystem_two"]
    check("eps", found.min() == 0.1 and found.max() == 0.9)

    tables = run_job(
        "input: {files: [random.h5]}\ngroup_by: [group]\n"
        "models:\n  cooperation:\n    within: total\n    evaluate: {columns: "
        "[a, {name: b, cost: true}], scale: zscore}\n"
        "    coordinate: {openness: 0.25, rounds: limit}\n")
    whole = ~np.isnan(b)
    score = np.where(whole, ((a - a[whole].mean()) / a[whole].std(ddof=1) -
                             (b - b[whole].mean()) / b[whole].std(ddof=1)) / 2,
                     np.nan)
    expected = 0.75 * score + 0.25 * score[whole].mean()
    found = tables["records"]["coordinated"]
    check("z-scores of all", np.all(np.isnan(found) == ~whole) and
          np.nanmax(np.abs(found - expected)) <= 1e-12)
    check("score is a record", np.nanmax(np.abs(
        tables["records"]["strategy_score"] - score)) <= 1e-12)


def orders(x, cost):
    low, high = x.min(axis=1), x.max(axis=1)
    with np.errstate(invalid="ignore"):
        u = (x - low[:, None]) / (high - low)[:, None]
    return 1 - u if cost else u


def check_periods():
    """Records straight into periods with names, some without a period; groups
    that lack a period, and one whose parameters never change."""
    names = np.array(["Q1", "Q2", "Q3", "Q4", ""])
    n, n_groups = 8000, 12
    group = RNG.integers(0, n_groups, n)
    quarter = RNG.integers(0, 5, n)
    x = RNG.normal(size=(3, n)) + 1
    use = ~((group == 3) & (quarter == 0)) & ~((group == 4) & (quarter == 3))
    constant = group == 5
    x[2][constant] = np.where(quarter[constant] == 4, 1, 0)
    group, quarter, x = group[use], quarter[use], x[:, use]
    with h5py.File("periods.h5", "w") as file:
        table = file.create_group("enterprises")
        table["group"] = group
        table.create_dataset("quarter", data=list(names[quarter]),
                             dtype=h5py.string_dtype())
        table["quarter"].attrs["_FillValue"] = ""
        for i in range(3):
            table[f"x{i}"] = x[i]
    tables = run_job(
        "input: {files: [periods.h5]}\ngroup_by: [group, [group, quarter]]\n"
        "models:\n  cooperation:\n    formula: x0\n    evaluate:\n"
        "      subsystems:\n"
        "        one: {weight: 3, indicators: [{name: x0, weight: 2}, "
        "{name: x1, cost: true, weight: 1}]}\n"
        "        two: {weight: 1, indicators: [x2]}\n"
        "    synergise: {periods: {column: quarter, from: Q1, to: Q4}, "
        "composite: weighted}\n")
    check("no synergy by period", "synergy" not in tables["by_group_quarter"])
    table = tables["by_group"]
    sums = np.array([[[math.fsum(x[i][(group == g) & (quarter == q)])
                       for q in range(4)] for g in range(n_groups)]
                     for i in range(3)])
    one = (2 * orders(sums[0], False) + orders(sums[1], True)) / 3
    two = orders(sums[2], False)
    d = np.stack([one[:, 3] - one[:, 0], two[:, 3] - two[:, 0]])
    theta = np.sign(d.min(axis=0))
    synergy = theta * (3 * np.abs(d[0]) + np.abs(d[1])) / 4
    fine = ~np.isin(np.arange(n_groups), (3, 4, 5))
    check("periods: synergy", np.allclose(table["synergy"][fine], synergy[fine],
                                          1e-11, 1e-13))
    check("periods: theta", np.all(table["synergy_theta"][fine] == theta[fine]))
    check("periods: orders", np.allclose(table["order_one_from"][fine],
                                         one[fine, 0], 1e-11, 1e-13) and
          np.allclose(table["order_two_to"][fine], two[fine, 3], 1e-11, 1e-13))
    check("periods: statuses", list(table["synergy_status"]) ==
          [{3: 1, 4: 1, 5: 5}.get(g, 0) for g in range(n_groups)],
          list(table["synergy_status"]))
    check("periods: undefined", np.all(np.isnan(table["synergy"]) == ~fine) and
          np.all(np.isnan(table["synergy_theta"]) == ~fine) and
          not np.isnan(table["order_one_from"][5]) and
          np.isnan(table["order_two_from"][5]))


def check_degroot(columns):
    """One openness keeps the sum of every group."""
    for openness, rounds in ((1, 3), (0.3, 5), (0.6, "limit"), (0, 2)):
        table = run_job(
            "input: {files: [random.h5]}\ngroup_by: [group]\n"
            "measures: {before: strategy}\n"
            "models:\n  cooperation:\n"
            f"    coordinate: {{openness: {openness}, rounds: {rounds}}}\n"
        )["by_group"]
        p = columns["strategy"]
        sizes = [np.nansum(np.abs(p[columns["group"] == g]))
                 for g in table["group"]]
        check(f"openness {openness} keeps sums",
              np.all(np.abs(table["cooperation_total"] -
                            table["before_total"]) <= 1e-12 * np.array(sizes)))


def digest(tables):
    """The bytes of all tables, and of records in the order of their ids."""
    return {(t, c): v.tobytes() for t, columns in tables.items()
            for c, v in columns.items() if t != "records"}


def records_by_id(tables, ids):
    return {c: v[np.argsort(ids)].tobytes()
            for c, v in tables["records"].items()}


def check_bits(columns, n):
    job = ("group_by: [group, active]\n"
           "models:\n  cooperation:\n    evaluate:\n      subsystems:\n"
           "        one: [a, b]\n        two: [c]\n"
           "    coordinate: {independence: own, rounds: 4, preserve: true}\n"
           "    synergise: {size: size, periods: {column: active, from: 0, "
           "to: 3}}\n")
    def same(name, rows, files, threads):
        tables = run_job(f"input: {{files: [{files}]}}\n" + job, "--threads",
                         threads)
        check(f"same bits, {name}", digest(tables) == digest(base) and
              records_by_id(tables, columns["id"][rows]) ==
              records_by_id(base, columns["id"]))

    base = run_job("input: {files: [random.h5]}\n" + job)
    check("records are there", set(base["records"]) >= {
        "coordinated", "coordinated_status", "subsystem_one",
        "subsystem_one_status", "subsystem_two", "subsystem_two_status"})
    for threads in (1, 2, 3, 8):
        same(f"{threads} threads", slice(None), "random.h5", threads)
    order = RNG.permutation(n)
    write_table("permuted.h5", columns, order)
    same("permuted rows", order, "permuted.h5", 3)
    for i, rows in enumerate(np.array_split(order, 3)):
        write_table(f"part{i}.h5", columns, rows)
    same("split files", order, "'part*.h5'", 2)


def make_links(n, n_links):
    """Some hubs, parallel and opposite links, links to oneself."""
    sources = RNG.integers(0, n, n_links)
    targets = (sources + RNG.integers(-30, 31, n_links)) % n
    sources[:n_links // 20] = 3
    return sources, targets


def metropolis(n, sources, targets, keep):
    """M as sparse matrix, rows that are not kept having no links."""
    use = (sources != targets) & keep[sources] & keep[targets]
    pairs = np.unique(np.sort(np.stack([sources[use], targets[use]], 1), 1),
                      axis=0)
    degree = np.bincount(pairs.ravel(), minlength=n)
    weight = 1 / (1 + np.maximum(degree[pairs[:, 0]], degree[pairs[:, 1]]))
    m = scipy.sparse.coo_matrix(
        (np.tile(weight, 2), (pairs.T.ravel(), pairs[:, ::-1].T.ravel())),
        shape=(n, n)).tocsr()
    return m + scipy.sparse.diags(1 - np.asarray(m.sum(axis=1)).ravel()), degree


def link_job(options, ends="", files="linked.h5"):
    return run_job(
        f"input: {{files: [{files}], where: active > 0}}\n"
        "group_by: [group]\nmodels:\n  cooperation:\n"
        "    coordinate: {links: {table: /links, file: ties.h5"
        f"{ends}}}, {options}}}\n")


def check_links():
    n = 6000
    columns = make_columns(n)
    sources, targets = make_links(n, 15000)
    write_table("linked.h5", columns)
    write_links("ties.h5", sources, targets)
    p, s = columns["strategy"], columns["own"]
    keep = (columns["active"] > 0) & ~np.isnan(p) & (s <= 1)
    m, degree = metropolis(n, sources, targets, keep)
    z = np.where(keep, p, 0)
    size = np.abs(z).max()
    for _ in range(4):
        z = np.where(keep, (1 - s) * (m @ z) + s * np.where(keep, p, 0), 0)
    tables = link_job("independence: own, rounds: 4")
    found = tables["records"]["coordinated"]
    check("along links", np.all(np.isnan(found) == ~keep) and
          np.nanmax(np.abs(found - z)) <= 1e-13 * size)
    check("rounds are reported", tables["coordination"]["rounds"][0] == 4 and
          tables["coordination"]["converged"][0] == 1)
    alone = keep & (degree == 0)
    check("without links", alone.any() and np.all(found[alone] == p[alone]))

    groups = columns["group"]
    kept = link_job("independence: own, rounds: 4, preserve: true")
    lost = np.array([(p - z)[keep & (groups == g)].mean()
                     for g in kept["by_group"]["group"]])
    shifted = kept["records"]["coordinated"]
    where = np.searchsorted(kept["by_group"]["group"], groups)
    check("preserve along links", np.nanmax(np.abs(
        shifted - (z + lost[where]))[keep]) <= 1e-13 * size)
    sums = np.array([math.fsum(p[keep & (groups == g)])
                     for g in kept["by_group"]["group"]])
    sizes = np.array([np.abs(p[keep & (groups == g)]).sum()
                      for g in kept["by_group"]["group"]])
    check("preserve keeps sums", np.all(np.abs(
        kept["by_group"]["cooperation_total"] - sums) <= 1e-12 * sizes))

    # One openness: the matrix is doubly stochastic.
    for options in ("openness: 1, rounds: 40", "openness: 0.8, rounds: limit"):
        table = link_job(options)["total"]
        everyone = (columns["active"] > 0) & ~np.isnan(p)
        check(f"{options} keeps the sum",
              abs(table["cooperation_total"][0] - math.fsum(p[everyone])) <=
              1e-12 * np.abs(p[everyone]).sum())

    short = link_job("independence: 0.01, rounds: limit, max_rounds: 3")
    codes = short["records"]["coordinated_status"]
    every = (columns["active"] > 0) & ~np.isnan(p)
    _, degree = metropolis(n, sources, targets, every)
    check("limit out of reach", np.all(codes == np.where(
        every, np.where(degree > 0, 7, 0), 1)) and
        short["coordination"]["converged"][0] == 0)
    check_link_bits(columns, sources, targets, n)


def write_links(path, sources, targets):
    with h5py.File(path, "w") as file:
        file["links/source"] = sources
        file["links/target"] = targets


def check_link_bits(columns, sources, targets, n):
    """Ends by id: names of rows that stay when rows move."""
    ids = RNG.permutation(n) * 7 + 5
    columns = {**columns, "id": ids}
    write_table("linked.h5", columns)
    write_links("ties.h5", ids[sources], ids[targets])
    options = "independence: own, rounds: 6, preserve: true"
    ends = ", id: id"

    def same(name, rows, files, threads):
        job = link_job(f"{options}", ends, files) if threads is None else \
            run_job(open("job.yaml").read().replace("linked.h5", files),
                    "--threads", threads)
        check(f"same bits along links, {name}",
              digest(job) == digest(base) and
              records_by_id(job, ids[rows]) == records_by_id(base, ids))

    base = link_job(options, ends)
    for threads in (1, 2, 3, 8):
        same(f"{threads} threads", slice(None), "linked.h5", threads)
    order = RNG.permutation(n)
    write_table("moved.h5", columns, order)
    same("permuted rows", order, "moved.h5", None)
    for i, rows in enumerate(np.array_split(order, 3)):
        write_table(f"piece{i}.h5", columns, rows)
    same("split files", order, "'piece*.h5'", None)
    shuffle = RNG.permutation(len(sources))
    write_links("ties.h5", ids[targets[shuffle]], ids[sources[shuffle]])
    same("other order of links", slice(None), "linked.h5", None)
    explained = hanse("explain", "job.yaml")
    check("explain", "15000 links" in explained and
          "what each group's sum has lost" in explained, explained)


def random_tables():
    n = 20000
    columns = make_columns(n)
    write_table("random.h5", columns)
    check_random(columns, n)
    check_levels(columns)
    check_scope(columns)
    check_periods()
    check_degroot(columns)
    check_bits(columns, n)
    check_links()


# ---- Statuses ---------------------------------------------------------------

def statuses():
    nan, inf = float("nan"), float("inf")
    write_table("edges.h5", {
        "group": [1, 1, 2, 2, 3, 3, 4, 5, 5],
        "strategy": [1.0, 2.0, inf, 1.0, nan, nan, 5.0, 1.0, 3.0],
        "u": [0.5, 0.25, 0.5, 0.5, nan, nan, 0.0, 1.0, 0.0],
        "size": [1.0, 3.0, 0.0, 0.0, 1.0, 1.0, 1.0, -1.0, 2.0],
    })
    bounds = "low: 0, high: 1, formula: u"
    job = ("input: {files: [edges.h5]}\ngroup_by: [group]\n"
           "models:\n  cooperation:\n    column: strategy\n    evaluate:\n"
           "      subsystems:\n"
           f"        one: {{indicators: {{name: x, {bounds}}}}}\n"
           f"        two: {{indicators: {{name: y, {bounds}}}}}\n"
           "    coordinate: {independence: 0.5}\n")
    table = run_job(job)["by_group"]
    check("mixing with an infinity",
          np.isnan(table["cooperation_total"][1]) and
          list(table["cooperation_status"]) == [0, 8, 0, 0, 0])
    check("single member", table["cooperation_total"][3] == 5.0)
    check("two members", table["cooperation_total"][4] == 4.0)
    check("level of nobody", math.isnan(table["cooperation_level_one"][2]) and
          table["cooperation_level_one_status"][2] == 1 and
          table["cooperation_index_status"][2] == 1 and
          table["coupling_classic_status"][2] == 1 and
          table["coordination_level_classic"][2] == 0)
    check("all levels 0", table["coupling_classic_status"][3] == 2 and
          table["coupling_classic"][3] == 0 and
          table["coordination_dispersion"][3] == 0)
    table = run_job(job + "    synergise: {size: size}\n")["by_group"]
    check("size", table["cooperation_level_one"][0] == (0.5 + 3 * 0.25) / 4)
    check("sizes 0", table["cooperation_level_one_status"][1] == 2)
    check("negative size", table["cooperation_level_one_status"][4] == 3)
    single = run_job("input: {files: [edges.h5]}\ngroup_by: [group]\n"
                     "models:\n  cooperation:\n    evaluate: {subsystems: "
                     "{one: [u]}}\n")["by_group"]
    check("one subsystem", list(single["coupling_classic_status"]) ==
          [4, 4, 1, 4, 4])
    outside = run_job("input: {files: [edges.h5]}\ngroup_by: [group]\n"
                      "models:\n  cooperation:\n    evaluate: {subsystems: "
                      "{one: {indicators: {name: u, low: 0, high: 0.5}}, "
                      "two: [u]}}\n")
    check("level outside", outside["by_group"]["cooperation_level_one"][4] == 1
          and outside["total"]["coupling_classic_status"][0] == 0)
    with h5py.File("job.h5") as file:
        flags = file["by_group/coordination_level_classic"].attrs
        check("levels have names", flags["flag_meanings"].split()[10] in
              (b"quality_coordination", "quality_coordination")
              if "flag_meanings" in flags else False)
        run = json.loads(file["provenance/run"][()])
        check("provenance", "cooperation" in run["job"]["models"])


# ---- The example, and faulty jobs -------------------------------------------

def example():
    """As the design has it."""
    n = 50
    columns = {"cluster": np.arange(n) % 4, "strategy": RNG.normal(size=n)}
    write_table("example.h5", columns)
    table = run_job(
        "input: {files: [example.h5]}\ngroup_by: [cluster]\n"
        "models:\n  cooperation:\n"
        "    evaluate: {columns: [strategy], scale: minmax}\n"
        "    coordinate: {independence: 0.3, rounds: 3}\n")["by_cluster"]
    p = columns["strategy"]
    y = (p - p.min()) / (p.max() - p.min())
    check_near("example", table["cooperation_total"],
               [mixed(y[columns["cluster"] == g], 0.3, 3, False).sum()
                for g in range(4)], 1e-12)


def check_error(name, lines, *wanted):
    text = "input: {files: [random.h5]}\nmodels:\n  cooperation:\n" + lines
    with open("bad.yaml", "w") as file:
        file.write(text)
    for command in (["run", "bad.yaml", "-o", "bad.h5"], ["explain",
                                                          "bad.yaml"]):
        done = subprocess.run([HANSE, *command], text=True,
                              capture_output=True, check=False)
        check(f"{name}: {command[0]}",
              done.returncode == 2 and not os.path.exists("bad.h5") and
              all(w in done.stderr for w in wanted),
              f"{done.returncode} {done.stderr}")


def little_memory():
    """What is taken at least is said before a row is read; links that are left
    out take nothing."""
    n, n_links = 100000, 1500000
    ends = RNG.integers(0, n, (2, n_links))
    write_links("manylinks.h5", ends[0], ends[1])
    with open("many.yaml", "w") as file:
        file.write("input: {files: [many.h5]}\ngroup_by: total\nmodels:\n"
                   "  cooperation:\n    coordinate: {independence: 0.5, links: "
                   "{table: /links, file: manylinks.h5}}\n")

    def run(memory):
        return subprocess.run([HANSE, "run", "many.yaml", "-o", "many_out.h5",
                               "--memory", memory, "--threads", "2"],
                              text=True, capture_output=True, check=False)

    strategy = RNG.random(n)
    write_table("many.h5", {"strategy": strategy})
    done = run("3M")
    check("little memory", done.returncode == 1 and
          "coordinate: 1500000 links of /links between 100000 rows take at "
          f"least {49 * n} bytes" in done.stderr, done.stderr)
    done = run("10M")
    check("links take memory", done.returncode == 1 and
          "memory limit reached" in done.stderr, done.stderr)
    strategy[1000:] = np.nan
    write_table("many.h5", {"strategy": strategy})
    done = run("10M")
    check("links left out take none", done.returncode == 0, done.stderr)


def errors():
    with h5py.File("ties.h5", "w") as file:
        for name, values in (("source", [0]), ("target", [1]),
                             ("share", [0.5])):
            file.create_dataset(f"links/{name}", data=values)
    check_error("unknown key", "    cordinate: {independence: 1}\n",
                "bad.yaml:4:5", "did you mean 'coordinate'")
    check_error("no independence", "    coordinate: {rounds: 3}\n",
                "bad.yaml:4:17", "'independence' is missing")
    check_error("both", "    coordinate: {independence: 0.3, openness: 0.7}\n",
                "bad.yaml:4:47", "either")
    check_error("too independent", "    coordinate: {independence: 1.3}\n",
                "bad.yaml:4:32", "is not from 0 to 1")
    check_error("no column", "    coordinate: {independence: owm}\n",
                "bad.yaml:4:32", "did you mean 'own'")
    check_error("rounds", "    coordinate: {independence: 1, rounds: many}\n",
                "bad.yaml:4:43", "'many' is not a number")
    check_error("half rounds", "    coordinate: {independence: 1, rounds: 2.5}\n",
                "bad.yaml:4:43", "whole number")
    check_error("no subsystems", "    synergise: {size: size}\n",
                "bad.yaml:4:16", "there are no subsystems")
    check_error("nothing to evaluate", "    evaluate: {scale: minmax}\n",
                "bad.yaml:4:15", "nothing to evaluate")
    check_error("z-scores", "    evaluate: {subsystems: {k: [a], l: [b]}, "
                "scale: zscore}\n", "bad.yaml:4:29", "scale: minmax")
    check_error("name", "    evaluate: {subsystems: {'k l': [a]}}\n",
                "bad.yaml:4:29", "letters, digits")
    check_error("empty subsystem", "    evaluate: {subsystems: {k: {weight: 1}}}\n",
                "bad.yaml:4:32", "no indicators")
    check_error("indicator", "    evaluate: {subsystems: {k: [a], l: [bb]}}\n",
                "bad.yaml:4:41", "no column 'bb'")
    check_error("weights", "    evaluate: {subsystems: {k: {weight: 0, "
                "indicators: a}}}\n", "bad.yaml:4:15", "positive weight")
    check_error("no key", "    within: grup\n"
                "    coordinate: {independence: own}\n",
                "bad.yaml:4:13", "did you mean 'group'")
    check_error("coupling", "    synergise: {coupling: clasic}\n",
                "bad.yaml:4:27", "did you mean 'classic'")
    head = "    coordinate: {independence: own, links: "
    check_error("no table of links", head + "{file: ties.h5}}\n",
                "bad.yaml:4:44", "'table' is missing")
    check_error("no such links", head + "/link}\n", "/link")
    check_error("column of links", head + "{table: /links, file: ties.h5, "
                "source: sorce}}\n", "no column 'sorce'")
    check_error("ends that are no rows", head + "{table: /links, file: ties.h5, "
                "target: share}}\n", "'share' has type float64")
    check_error("weights of links", head + "{table: /links, weight: w}}\n",
                "bad.yaml:4:44", "leave 'weight' out")
    check_error("key of links", head + "{tabel: /links}}\n",
                "bad.yaml:4:45", "did you mean 'table'")
    head = "    evaluate: {subsystems: {k: [a], l: [c]}}\n"
    check_error("size", head + "    synergise: {size: sise}\n",
                "bad.yaml:5:23", "did you mean 'size'")
    check_error("half of periods", head +
                "    synergise: {periods: {column: active, from: 1}}\n",
                "bad.yaml:5:26", "'to' is missing")
    check_error("no period column", head +
                "    synergise: {periods: {column: activ, from: 1, to: 2}}\n",
                "bad.yaml:5:35", "did you mean 'active'")
    with open("bad.yaml", "w") as file:
        file.write("input: {files: [random.h5]}\ngroup_by: [group]\n"
                   "models:\n  cooperation:\n" + head +
                   "    synergise: {periods: {column: active, from: 1, "
                   "to: 9}}\n")
    done = subprocess.run([HANSE, "run", "bad.yaml", "-o", "bad.h5"], text=True,
                          capture_output=True, check=False)
    check("no such period", done.returncode == 2 and
          "no row has active 9" in done.stderr and
          "bad.yaml:6:" in done.stderr and not os.path.exists("bad.h5"),
          done.stderr)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    public_data()
    random_tables()
    statuses()
    example()
    errors()
    little_memory()
    os.chdir("/")
sys.exit(exit_status())
