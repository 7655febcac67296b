#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The information model through `hanse run`.

Filter, transmission, flows and linkages of the public data against results of
other programs (expected/MANIFEST.csv says which, and how near); random tables
against the definition, to the bit, with sums by math.fsum; identities; the same
bits for 1, 2, 3 and 8 threads, permuted rows and split files; faulty jobs.

usage: test_information.py HANSE DATA_FOLDER
"""
import csv
import fractions
import math
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from checks import check, exit_status

HANSE, DATA = sys.argv[1], sys.argv[2]
EXPECTED = os.path.join(DATA, "expected")
RNG = np.random.default_rng(20261126)
TOTAL = "input: {files: t.h5}\nstatistics: [total]\n"


def hanse(*arguments):
    return subprocess.run([HANSE, *map(str, arguments)], text=True,
                          capture_output=True, check=False)


def run_job(text, *options, name="job"):
    """Tables of the result: path -> {column: array}."""
    with open(f"{name}.yaml", "w") as file:
        file.write(text)
    done = hanse("run", f"{name}.yaml", "-o", f"{name}.h5", "-q", *options)
    if done.returncode != 0:
        sys.exit(f"{text}\n{done.stderr}")
    return read_tables(f"{name}.h5")


def read_tables(path):
    tables = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            folder, _, column = name.rpartition("/")
            tables.setdefault(folder, {})[column] = read_column(item)

    with h5py.File(path) as file:
        file.visititems(visit)
    return tables


def read_column(dataset):
    values = np.atleast_1d(dataset[()])
    if values.dtype.kind == "O":
        values = np.array([v.decode() for v in values])
    return values


def write_table(path, columns, rows=slice(None), table="enterprises",
                mode="w"):
    with h5py.File(path, mode) as file:
        group = file.create_group(table)
        for name, values in columns.items():
            values = np.asarray(values)[rows]
            if values.dtype.kind == "U":
                values = values.astype("S")
            group.create_dataset(name, data=values)


def bits(values):
    return np.asarray(values, float).tobytes()


def is_near(found, expected, tolerance):
    """Relative, and where one is exactly 0 the other has to be, too."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return bool(np.all(np.abs(found - expected) <= tolerance * np.abs(expected)))


def read_csv(name):
    with open(name, newline="") as file:
        return list(csv.DictReader(file))


def expected(name):
    return read_csv(os.path.join(EXPECTED, name))


def numbers(rows, column):
    return np.array([float(row[column]) for row in rows])


# ---- The public data ---------------------------------------------------------

def import_csv(name, path, *options):
    source = name if os.path.isabs(name) else os.path.join(DATA, name)
    done = hanse("import", source, path, "-q", "--force", *options)
    if done.returncode != 0:
        sys.exit(done.stderr)


def test_filter_counts():
    """eia_filter_counts.csv, integers: exact."""
    import_csv("eia_utilities_1996.csv", "eia.h5")
    rows = expected("eia_filter_counts.csv")
    result = run_job("""
input: {files: eia.h5}
group_by: state
statistics: [total]
models:
  information:
    column: totsales
    filter:
      - utilityid != 0
      - resrevenue > 0
      - comrevenue >= 0
      - {range: indrevenue, low: 1, high: 50000}
measures: {all: totsales}
""")
    table = result["by_state"]
    check("filter: states", list(table["state"]) == [r["state"] for r in rows])
    for ours, theirs in (("count", "rows"), ("information_kept", "kept"),
                         ("information_sent", "sum_totsales_kept"),
                         ("information_total", "sum_totsales_kept"),
                         ("all_total", "sum_totsales_all")):
        check(f"filter: {ours}",
              bits(table[ours]) == bits(numbers(rows, theirs)), table[ours])
    share = numbers(rows, "kept") / numbers(rows, "rows")
    check("filter: share",
          bits(table["information_kept_share"]) == bits(share))
    defined = numbers(rows, "sum_totsales_kept") > 0
    check("filter: multiplier", np.all(
        table["information_multiplier"][defined] == 1) and np.all(
            table["information_multiplier_status"][~defined] == 2))
    # Rejected by the first condition that does not hold.
    data = {c: [] for c in ("utilityid", "resrevenue", "comrevenue",
                            "indrevenue")}
    for row in read_csv(os.path.join(DATA, "eia_utilities_1996.csv")):
        for column, values in data.items():
            values.append(float(row[column] or "nan"))
    u, r, c, i = (np.array(v) for v in data.values())
    conditions = [u != 0, r > 0, c >= 0, (i >= 1) & (i <= 50000)]
    left, rejected, tested = np.ones(len(u), bool), [], []
    for condition in conditions:
        tested.append(left.sum())
        rejected.append((left & ~condition).sum())
        left &= condition
    found = result["filter/information"]
    check("filter: rejected", list(found["rejected"]) == rejected,
          found["rejected"])
    check("filter: tested", list(found["tested"]) == tested)
    check("filter: conditions", list(found["condition"]) == [
        "utilityid != 0", "resrevenue > 0", "comrevenue >= 0",
        "indrevenue >= 1 and indrevenue <= 50000"])
    check("filter: records", bits(result["records"]["kept"]) == bits(left))


VARIANTS = {
    "received_a05_h0": "hops: 0, decay: 0.5",
    "received_a05_h1": "hops: 1, decay: 0.5",
    "received_a05_h3": "hops: 3, decay: 0.5",
    "received_a05_inf": "hops: limit, decay: 0.5",
    "received_a09_inf": "hops: limit, decay: 0.9",
    "received_rownorm_a05_h3": "hops: 3, decay: 0.5, normalise: true",
}


def test_received():
    """links_eia_june_received.csv (1e-10) and _group_flow.csv (1e-12)."""
    import_csv("links_eia_june_nodes.csv", "nodes.h5")
    import_csv("links_eia_june.csv", "links.h5", "-t", "/links")
    rows = expected("links_eia_june_received.csv")
    for column, how in VARIANTS.items():
        for ends in ("row", "id, id: node"):
            result = run_job(f"""
input: {{files: nodes.h5}}
group_by: state
statistics: [total]
models:
  information:
    column: totrevenue
    within: state
    transmit:
      links: {{table: /links, file: links.h5, ends: {ends}}}
      {how.replace(", ", chr(10) + "      ")}
""")
            received = result["records"]["received"]
            check(f"{column} by {ends}",
                  is_near(received, numbers(rows, column), 1e-10))
            states = [r["state"] for r in rows]
            totals = result["by_state"]["information_total"]
            check(f"{column}: total is that of the records", all(
                math.fsum(received[[s == g for s in states]]) == total
                for g, total in zip(result["by_state"]["state"], totals)))
    check("received: steps of the limit",
          read_tables("job.h5")["transmit/information"]["steps"][0] == 3)
    flows = result["flows/by_state"]
    # The last variant normalises; these are as given.
    result = run_job("""
input: {files: nodes.h5}
group_by: total
models:
  information:
    column: totrevenue
    within: state
    transmit: {links: {table: /links, file: links.h5}, hops: 1, decay: 0.5}
""")
    flows = result["flows/by_state"]
    rows = expected("links_eia_june_group_flow.csv")
    check("group flow: pairs", list(zip(flows["source"], flows["target"])) ==
          [(r["from_state"], r["to_state"]) for r in rows])
    check("group flow", is_near(flows["flow"], numbers(rows, "flow"), 1e-12))
    check("group flow: links", flows["links"].sum() == 718 and is_near(
        flows["flow_mean"] * flows["links"], flows["flow"], 1e-14))


def test_linkages():
    """io_chile_leontief_inverse.csv and io_chile_linkages.csv (1e-11)."""
    import_csv("io_chile_2013_demand.csv", "demand.h5")
    matrix = read_csv(os.path.join(DATA, "io_chile_2013_transactions.csv"))
    sectors = [row["sector"] for row in matrix]
    with open("flows.csv", "w") as file:
        file.write("source,target,flow\n")
        for row in matrix:
            for sector in sectors:
                file.write(f"{row['sector']},{sector},{row[sector]}\n")
    import_csv(os.path.abspath("flows.csv"), "flows.h5", "-t", "/flows")
    result = run_job("""
input: {files: demand.h5}
group_by: sector
models:
  information:
    column: wage
    linkages:
      total: final_total_demand
      flows: {table: /flows, file: flows.h5}
      inverse: true
""")
    table, flat = result["linkages/by_sector"], result["coefficients/by_sector"]
    place = {sector: k for k, sector in enumerate(table["sector"])}
    order = [place[sector] for sector in sectors]
    rows = expected("io_chile_linkages.csv")
    check("linkages: sectors", [r["sector"] for r in rows] == sectors)
    n = len(sectors)
    square = {name: values.reshape(n, n)[np.ix_(order, order)]
              for name, values in flat.items() if values.dtype.kind == "f"}
    for ours, theirs in (("backward_total", "output_multiplier"),
                         ("backward_direct", "backward_direct"),
                         ("power_of_dispersion", "power_dispersion"),
                         ("sensitivity_of_dispersion", "sensitivity_dispersion"),
                         ("forward_direct", "forward_direct_B"),
                         ("forward_total", "ghosh_total_forward")):
        check(f"linkages: {ours}", is_near(table[ours][order],
                                           numbers(rows, theirs), 1e-11))
        check(f"linkages: {ours} defined", not table[f"{ours}_status"].any())
    check("linkages: rows of A", is_near(square["input"].sum(axis=1),
                                         numbers(rows, "forward_direct_A"),
                                         1e-11))
    rows = expected("io_chile_leontief_inverse.csv")
    inverse = np.array([[float(row[s]) for s in sectors] for row in rows])
    check("linkages: Leontief inverse",
          is_near(square["leontief"], inverse, 1e-11))
    check("linkages: Ghosh inverse", np.allclose(
        square["ghosh"] @ (np.eye(n) - square["output"]), np.eye(n),
        rtol=0, atol=1e-13))
    flows = result["flows/by_sector"]
    z = np.array([[float(row[s]) for s in sectors] for row in matrix])
    check("linkages: flows as given", bits(
        flows["flow"].reshape(n, n)[np.ix_(order, order)]) == bits(z))


# ---- Random tables against the definition -------------------------------------

def random_table(n, n_links):
    """Records, and links by row numbers."""
    table = {
        "id": RNG.permutation(n) * 7919 + 13,
        "name": np.array([f"firm {k * 31 % 100003}" for k in
                          RNG.permutation(n)]),
        "cluster": RNG.integers(0, 7, n),
        "active": (RNG.random(n) < 0.8).astype(np.int8),
        "quality": RNG.random(n),
        "past": RNG.lognormal(3, 1, n),
        "value": np.round(RNG.normal(10, 30, n), 2),
    }
    table["quality"][RNG.random(n) < 0.05] = np.nan
    table["value"][RNG.random(n) < 0.03] = np.nan
    links = {
        "source": RNG.integers(0, n, n_links),
        "target": RNG.integers(0, n, n_links),
        "rate": np.round(RNG.random(n_links), 3) * (RNG.random(n_links) < 0.9),
    }
    return table, links


def expected_walk(table, links, hops, decay, normalise=False, kept=None,
                  used=None, removes=False):
    """q by the definition: products rounded, sums rounded once."""
    n = len(table["value"])
    kept = np.ones(n, bool) if kept is None else kept
    used = np.ones(n, bool) if used is None else used
    there = used & kept if removes else used
    weights = links.get("rate", np.ones(len(links["source"])))
    triplets = [(s, t, w) for s, t, w in zip(links["source"], links["target"],
                                             weights) if there[s] and there[t]]
    if normalise:
        rows = {}
        for s, t, w in triplets:
            rows.setdefault(s, []).append(w)
        sums = {s: math.fsum(w) for s, w in rows.items()}
        triplets = [(s, t, w / sums[s] if sums[s] else 0.0)
                    for s, t, w in triplets]
    sent = np.where(kept, table["value"], 0.0)
    total, term = sent.copy(), np.nan_to_num(sent, nan=0.0)
    for _ in range(hops):
        terms = [[] for _ in range(n)]
        for s, t, w in triplets:
            terms[t].append(w * term[s])
        term = np.array([decay * math.fsum(x) for x in terms])
        # A record without a value has what it receives.
        total = np.where(np.isnan(total) & (term != 0), term, total + term)
    return total, sent, triplets


JOB = """
input:
  files: [{files}]
{where}
group_by: [cluster, total]
statistics: [total, missing]
models:
  information:
    column: value
    within: cluster
{filter}
    transmit:
      links: {{{links}}}
      hops: {hops}
      decay: {decay}
      normalise: {normalise}
      remove_rejected: {removes}
"""


def job(files="t.h5", where="", filter="", links="table: /links, weight: rate",
        hops=2, decay=0.5, normalise=False, removes=False):
    return JOB.format(files=files, where=f"  where: {where}" if where else "",
                      filter=f"    filter: {filter}" if filter else "",
                      links=links, hops=hops, decay=decay,
                      normalise=str(normalise).lower(),
                      removes=str(removes).lower())


def check_flows(name, flows, table, sent, triplets):
    """Each flow is the exact sum of its products; all together are what was
    sent over the links."""
    pairs, all_terms = {}, []
    for s, t, w in triplets:
        key = (table["cluster"][s], table["cluster"][t])
        pairs.setdefault(key, []).append(w * sent[s])
    order = sorted(pairs)
    check(f"{name}: pairs of flows",
          list(zip(flows["source"], flows["target"])) == order)
    good = True
    for k, key in enumerate(order):
        terms = [x for x in pairs[key] if not np.isnan(x)]
        all_terms += terms
        good &= flows["flow"][k] == math.fsum(terms)
        good &= flows["links"][k] == len(pairs[key])
        mean = sum(map(fractions.Fraction, terms)) / (len(terms) or 1)
        good &= not terms or flows["flow_mean"][k] == float(mean)
    check(f"{name}: flows", good)
    # Half a unit in the last place for each flow is all that rounding takes.
    exact = sum(map(fractions.Fraction, flows["flow"]))
    room = sum(fractions.Fraction(np.spacing(abs(x))) / 2
               for x in flows["flow"])
    check(f"{name}: flows sum to what was sent",
          abs(exact - sum(map(fractions.Fraction, all_terms))) <= room)


def test_random_walks():
    for size in ((1, 0), (1, 3), (50, 400), (3000, 12000)):
        table, links = random_table(*size)
        write_table("t.h5", table)
        write_table("t.h5", links, table="links", mode="a")
        kept = table["quality"] >= 0.3
        used = table["active"] == 1
        for k, how in enumerate((
                {}, {"hops": 0}, {"hops": 3, "decay": 0}, {"hops": 5},
                {"normalise": True}, {"kept": kept}, {"used": used},
                {"kept": kept, "used": used, "removes": True, "hops": 3},
                {"kept": kept, "normalise": True, "removes": True})):
            name = f"walk {size} {k}"
            hops, decay = how.get("hops", 2), how.get("decay", 0.5)
            normalise = how.get("normalise", False)
            removes = how.get("removes", False)
            total, sent, triplets = expected_walk(
                table, links, hops, decay, normalise, how.get("kept"),
                how.get("used"), removes)
            text = job(hops=hops, decay=decay, normalise=normalise,
                       removes=removes,
                       filter="quality >= 0.3" if "kept" in how else "",
                       where="active == 1" if "used" in how else "")
            if "used" in how and not used.any():
                continue
            result = run_job(text)
            rows = how.get("used", np.ones(len(total), bool))
            received = result["records"]["received"][rows]
            check(name, bits(received) == bits(total[rows]))
            found = result["total"]
            there = total[rows][~np.isnan(total[rows])]
            check(f"{name}: total",
                  found["information_total"][0] == math.fsum(there))
            check(f"{name}: missing", found["information_missing"][0] ==
                  np.isnan(total[rows]).sum())
            before = math.fsum(sent[rows][~np.isnan(sent[rows])])
            check(f"{name}: sent", found["information_sent"][0] == before)
            check(f"{name}: multiplier", before == 0.0 or
                  found["information_multiplier"][0] ==
                  found["information_total"][0] / before)
            check_flows(name, result["flows/by_cluster"], table, sent, triplets)


def test_unweighted_links():
    """Without a column of weights all are 1; compound tables do as well."""
    table, links = random_table(500, 3000)
    del links["rate"]
    write_table("t.h5", table)
    records = np.zeros(3000, [("source", "<i4"), ("target", ">i8")])
    records["source"], records["target"] = links["source"], links["target"]
    with h5py.File("t.h5", "a") as file:
        file["links"] = records
    for normalise in (False, True):
        total, _, _ = expected_walk(table, links, 2, 0.25, normalise)
        result = run_job(job(links="table: /links", decay=0.25,
                             normalise=normalise))
        check(f"unweighted, normalised {normalise}",
              bits(result["records"]["received"]) == bits(total))


def test_generated_links():
    """`hanse generate` numbers rows, and calls the weight a rate."""
    done = hanse("generate", "t.h5", "-n", "5000", "--links", "--force")
    check("generate", done.returncode == 0, done.stderr)
    with h5py.File("t.h5") as file:
        table = {"value": file["enterprises/information"][()].astype(float)}
        links = {c: file[f"links/{c}"][()] for c in ("source", "target",
                                                     "rate")}
    total, _, _ = expected_walk(table, links, 2, 0.5)
    result = run_job("""
input: {files: t.h5}
models:
  information:
    transmit: {links: /links, weight: rate, by: row, hops: 2, decay: 0.5}
""")
    with h5py.File("job.h5") as file:
        units = {name: file[name].attrs.get("units") for name in (
            "records/received", "total/information_total",
            "total/information_sent")}
    with h5py.File("t.h5") as file:
        unit = file["enterprises/information"].attrs.get("units")
    check("units are those of the column", unit is not None and
          set(units.values()) == {unit}, (unit, units))
    check("generated links",
          bits(result["records"]["received"]) == bits(total))


# ---- Identities ---------------------------------------------------------------

def test_normalised_sums():
    """No row without links: sum t(h) = d^h sum t(0)."""
    n = 2000
    table, _ = random_table(n, 1)
    table["value"] = np.abs(np.nan_to_num(table["value"]))
    links = {"source": np.repeat(np.arange(n), 3),
             "target": RNG.integers(0, n, 3 * n), "rate": RNG.random(3 * n)}
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    start, earlier = math.fsum(table["value"]), None
    for hops in range(5):
        result = run_job(job(hops=hops, decay=0.7, normalise=True))
        total = result["total"]["information_total"][0]
        if earlier is not None:
            check(f"normalised: hop {hops}", is_near(
                total - earlier, 0.7 ** hops * start, 1e-12))
        earlier = total
    result = run_job(job(hops="limit", decay=0.7, normalise=True))
    check("normalised: limit", is_near(
        result["total"]["information_total"][0], start / 0.3, 1e-11))


def test_limit():
    """Against the solution of the linear system; and where there is none."""
    table, links = random_table(300, 900)
    table["value"] = np.nan_to_num(table["value"])
    matrix = np.zeros((300, 300))
    np.add.at(matrix, (links["target"], links["source"]), links["rate"])
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    decay = 0.6 / radius
    check("limit: decay", decay < 1, radius)
    solution = np.linalg.solve(np.eye(300) - decay * matrix, table["value"])
    result = run_job(job(hops="limit", decay=decay))
    received = result["records"]["received"]
    check("limit", np.allclose(received, solution, rtol=1e-9, atol=1e-9))
    links["rate"] *= 2 / radius
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    result = run_job(job(hops="limit", decay=0.6))
    for name in ("total", "by_cluster"):
        found = result[name]
        check(f"no limit: {name}", np.isnan(found["information_total"]).all()
              and np.isnan(found["information_multiplier"]).all()
              and (found["information_multiplier_status"] == 7).all())
    check("no limit: records", np.isnan(result["records"]["received"]).all())
    check("no limit: status",
          result["transmit/information"]["steps_status"][0] == 7)
    check("no limit: sent is known",
          result["total"]["information_sent"][0] == math.fsum(table["value"]),
          (result["total"]["information_sent"][0], math.fsum(table["value"])))


# ---- The same bits --------------------------------------------------------------

def published(path):
    """What must not depend on how the work is done."""
    return {name: {c: v.tobytes() for c, v in columns.items()}
            for name, columns in read_tables(path).items()
            if not name.startswith("provenance")}


def test_same_bits():
    n, n_links = 30000, 150000
    table, links = random_table(n, n_links)
    table["rank"] = np.arange(n)
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    how = {"hops": "limit", "decay": 0.15, "filter": "quality >= 0.3",
           "where": "active == 1"}
    first = None
    for threads in (1, 2, 3, 8):
        run_job(job(**how), "--threads", threads)
        found = published("job.h5")
        first = first or found
        check(f"same bits: {threads} threads", found == first)
    # Links in another order.
    order = RNG.permutation(n_links)
    write_table("t.h5", table)
    write_table("t.h5", links, order, "links", "a")
    run_job(job(**how))
    check("same bits: links permuted", published("job.h5") == first)
    # Two files: rows count on, and so do links.
    cut, cut_links = 11111, 70001
    for k, (rows, part) in enumerate(((slice(0, cut), slice(0, cut_links)),
                                      (slice(cut, n),
                                       slice(cut_links, n_links)))):
        write_table(f"part{k}.h5", table, rows)
        write_table(f"part{k}.h5", links, part, "links", "a")
    run_job(job(files="part0.h5, part1.h5", **how))
    check("same bits: two files", published("job.h5") == first)
    # Rows permuted: links by ids, numbers and texts.
    order = RNG.permutation(n)
    for id_column in ("id", "name"):
        named = {"source": table[id_column][links["source"]],
                 "target": table[id_column][links["target"]],
                 "rate": links["rate"]}
        write_table("t.h5", table, order)
        write_table("t.h5", named, table="links", mode="a")
        result = run_job(job(
            links=f"table: /links, weight: rate, id: {id_column}", **how))
        found = published("job.h5")
        for name in first:
            if name != "records":
                check(f"same bits: rows permuted, by {id_column}: {name}",
                      found[name] == first[name])
        used = np.flatnonzero(table["active"] == 1)
        back = np.empty(n)
        back[order] = result["records"]["received"]
        run = np.frombuffer(first["records"]["received"])
        check(f"same bits: records, by {id_column}",
              bits(back[used]) == bits(run[used]))


# ---- Outliers -------------------------------------------------------------------

def is_outlier(now, before, u, a, c):
    tested = (now > 0) & (before > 0)
    with np.errstate(all="ignore"):
        ratio = now / before
    median = np.quantile(ratio[tested], 0.5)
    distance = np.where(ratio < median, 1 - median / ratio, ratio / median - 1)
    effect = distance * np.sqrt(np.maximum(now, before)) ** (2 * u)
    q1, q2, q3 = np.quantile(effect[tested], (0.25, 0.5, 0.75))
    least = abs(a * q2)
    return tested & ((effect < q2 - c * max(q2 - q1, least)) |
                     (effect > q2 + c * max(q3 - q2, least)))


def test_outliers():
    n = 5000
    table, _ = random_table(n, 1)
    table["past"][::50] = 0
    table["value"] = table["past"] * RNG.lognormal(0, 0.1, n)
    table["value"][::17] *= 40
    table["value"][5::40] = np.nan
    write_table("t.h5", table)
    used = table["active"] == 1
    for options, u, a, c in (("", 0.5, 0.05, 4.0),
                             (", u: 0, a: 0, c: 2", 0.0, 0.0, 2.0)):
        outlier = is_outlier(np.where(used, table["value"], np.nan),
                             table["past"], u, a, c)
        result = run_job(f"""
input: {{files: t.h5, where: active == 1}}
models:
  information:
    column: value
    filter:
      - quality >= 0.2
      - {{outliers: {{value: value, before: past{options}}}}}
""")
        good = table["quality"] >= 0.2
        check(f"outliers{options}", bits(
            result["records"]["kept"][used]) == bits((good & ~outlier)[used]))
        found = result["filter/information"]
        check(f"outliers{options}: rejected", list(found["rejected"]) == [
            (used & ~good).sum(), (used & good & outlier).sum()], found)
        check(f"outliers{options}: some", found["rejected"][1] > 20)


# ---- Groups that have no linkages --------------------------------------------------

def test_score():
    """The filter may use the score of the resource model."""
    table, links = random_table(400, 10)
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    result = run_job("""
input: {files: t.h5}
models:
  information: {column: value, filter: score >= 0.5}
  resource:
    column: past
    evaluate: {indicators: [quality, past]}
""")
    score = result["records"]["score"]
    check("filter by score", bits(result["records"]["kept"]) ==
          bits(score >= 0.5) and 0 < (score >= 0.5).sum() < 400)
    done = hanse("explain", "job.yaml")
    check("explain knows the score", done.returncode == 0, done.stderr)


def test_missing_groups():
    """Rows whose key is missing: a group of its own, or no flows."""
    table, links = random_table(300, 2000)
    table["value"] = np.nan_to_num(table["value"])
    table["cluster"][::3] = -1
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    with h5py.File("t.h5", "a") as file:
        file["enterprises/cluster"].attrs["_FillValue"] = np.int64(-1)
    _, sent, triplets = expected_walk(table, links, 1, 0.5)
    for missing in ("group", "drop"):
        flows = run_job(job() + f"missing_keys: {missing}\n")[
            "flows/by_cluster"]
        drops = missing == "drop"
        terms = [w * sent[s] for s, t, w in triplets if not drops or
                 (table["cluster"][s] != -1 and table["cluster"][t] != -1)]
        check(f"missing groups: {missing}", flows["links"].sum() == len(terms)
              and is_near(math.fsum(flows["flow"]), math.fsum(terms), 1e-9)
              and ("source_missing" in flows) != drops, list(flows))


def test_linkages_of_links():
    """From flows along links; a group without total, several keys."""
    table, links = random_table(600, 4000)
    table["value"] = np.abs(np.nan_to_num(table["value"]))
    table["output"] = np.where(table["cluster"] == 3, 0.0, 2500.0)
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    result = run_job(job() + "    linkages: {total: output, inverse: true}\n")
    table_found = result["linkages/by_cluster"]
    flows = result["flows/by_cluster"]
    z, x = np.zeros((7, 7)), table_found["total"]
    z[flows["source"], flows["target"]] = flows["flow"]
    there = np.flatnonzero(x > 0)
    check("linkages: the group without total", list(there) == [0, 1, 2, 4, 5, 6]
          and table_found["backward_total_status"][3] == 2
          and np.isnan(table_found["power_of_dispersion"][3]))
    a = z[np.ix_(there, there)] / x[there]
    inverse = np.linalg.inv(np.eye(6) - a)
    check("linkages of links: backward", is_near(
        table_found["backward_total"][there], inverse.sum(axis=0), 1e-10))
    check("linkages of links: power", is_near(
        table_found["power_of_dispersion"][there],
        6 * inverse.sum(axis=0) / inverse.sum(), 1e-10))
    result = run_job(job().replace("within: cluster",
                                   "within: [cluster, active]") +
                     "    linkages: {total: output}\n")
    flows = result["flows/by_cluster_active"]
    check("flows between pairs of keys", list(flows)[:0] == [] and
          {"source_cluster", "source_active", "target_cluster",
           "target_active", "flow"} <= set(flows))
    check("linkages of pairs of keys",
          len(result["linkages/by_cluster_active"]["forward_total"]) == 14)


def test_tables_of_flows():
    """Keys that are texts or numbers; flows that go round; unknown keys."""
    text = """
input: {files: t.h5}
group_by: sector
models:
  information:
    column: output
    linkages: {total: output, flows: {table: /flows, weight: amount}}
"""
    for names in (np.array(["b", "a", "c"]), np.array([7, 5, 300])):
        ends = np.array([[0, 1], [1, 0], [0, 0], [0, 1], [2, 2]])
        amounts = np.array([1.0, 3.0, 1.0, 1.0, 1.0])
        write_table("t.h5", {"sector": names, "output": [4.0, 2.0, 2.0]})
        write_table("t.h5", {"source": names[ends[:, 0]],
                             "target": names[ends[:, 1]],
                             "amount": amounts}, table="flows", mode="a")
        result = run_job(text)
        flows = result["flows/by_sector"]
        pairs = sorted({(names[i], names[j]) for i, j in ends})
        check(f"table of flows: pairs {names}",
              list(zip(flows["source"], flows["target"])) == pairs)
        check(f"table of flows: sums {names}",
              sorted(flows["flow"]) == [1.0, 1.0, 2.0, 3.0]
              and sorted(flows["links"]) == [1, 1, 1, 2])
        # The first two sectors sell all that they make to each other: no sum.
        found = result["linkages/by_sector"]
        check(f"rounds without end {names}",
              (found["backward_total_status"] == 7).all()
              and np.isnan(found["forward_total"]).all()
              and (found["backward_direct_status"] == 0).all()
              and sorted(found["backward_direct"]) == [0.5, 1.0, 1.0])
    write_table("t.h5", {"sector": [1, 2], "output": [1.0, 2.0]})
    write_table("t.h5", {"source": [1, 3], "target": [2, 2],
                         "amount": [1.0, 1.0]}, table="flows", mode="a")
    fails("a flow from no group", text,
          "/flows: link 1 (from 0): its source is 3, an id that no row has in "
          "the column 'sector'", 1)
    fails("a flow that is not there", text.replace("amount", "amont"),
          "no column 'amont', did you mean 'amount'?")
    write_table("t.h5", {"sector": [1, 2], "output": [1.0, 2.0]})
    write_table("t.h5", {"source": [1, 2, 2], "target": [2, 1, 2],
                         "amount": [1.0, -1.0, -2.0]}, table="flows", mode="a")
    fails("a flow below 0", text, "/flows: link 1, from row 1 to row 0: its "
          "weight is -1, it must be 0 or more and finite", 1)


# ---- Faulty jobs ------------------------------------------------------------------

def fails(name, text, message, status=2):
    with open("bad.yaml", "w") as file:
        file.write(text)
    done = hanse("run", "bad.yaml", "-o", "bad.h5", "-q")
    check(f"fault: {name}", done.returncode == status and
          message in done.stderr and not os.path.exists("bad.h5"),
          (done.returncode, done.stderr))


def test_faulty_jobs():
    table, links = random_table(100, 300)
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    fails("unknown key", job().replace("decay", "dekay"),
          "bad.yaml:15:7: unknown key 'dekay', did you mean 'decay'?")
    fails("decay out of range", job(decay=1.0), "decay: 1.0 is not from 0 to")
    fails("no hops", job().replace("      hops: 2\n", ""),
          "transmit: 'hops' is missing")
    fails("hops in words", job(hops="many"), "hops: 'many' is not a number")
    fails("a number is no condition", job(filter="quality"), "bad.yaml:11:13")
    fails("column of the filter", job(filter="[active == 1, qualty > 1]"),
          "bad.yaml:11:27: step 'filter 2': no column 'qualty', did you mean "
          "'quality'?")
    fails("column of the weight", job(links="table: /links, weight: rat"),
          "no column 'rat', did you mean 'rate'?")
    fails("column of the ends", job(links="table: /links, source: sorce"),
          "no column 'sorce'")
    fails("no such links", job(links="table: /lincs"),
          "table /lincs: there is no such object in the file")
    fails("ids that are none", job(links="table: /links, id: nme"),
          "ids of links: no column 'nme' in the table, did you mean 'name'?")
    fails("ids of another type", job(links="table: /links, id: name"),
          "the column 'source' has type int64, the ids in the column 'name' "
          "are of type text")
    fails("numbers as ids", job(links="table: /links, id: quality"),
          "ids are integers or texts")
    fails("ids that stand twice", job(links="table: /links, id: cluster"),
          "have the same id, 0, in the column 'cluster'", 1)
    fails("linkages without total", job() + "    linkages: {inverse: true}\n",
          "linkages: 'total' is missing")
    fails("linkages without flows", TOTAL + "models: {information: {column: "
          "value, linkages: {total: value}}}\n", "bad.yaml:3:49: step 'linkages': there are no flows")
    fails("within without links", TOTAL + "models: {information: {column: "
          "value, within: cluster}}\n", "bad.yaml:3:47: step 'within': there are no flows")
    fails("a test without the period before", job(
        filter="{outliers: {value: value}}"), "outliers: 'before' is missing")
    fails("a range without limits", job(filter="{range: value}"),
          "range: give 'low', 'high' or both")
    fails("limits without a range", job(filter="{low: 1}"),
          "filter: 'range' is missing")
    fails("a range with its limits exchanged", job(
        filter="{range: value, low: 5, high: 1}"),
        "range: low 5 is above high 1")
    fails("rows that are none", job(links="table: /links, source: rate"),
          "/links: the column 'rate' has type float64; row numbers are integers")
    links["target"][[7, 200]] = 100, -1
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    fails("a row beyond the last", job(),
          "/links: link 7 (from 0): its target is row 100, but the table has "
          "100 rows, numbered from 0", 1)
    named = {c: table["name"][np.clip(links[c], 0, 99)] for c in
             ("source", "target")}
    named["source"][250] = "nobody"
    write_table("t.h5", table)
    write_table("t.h5", {**named, "rate": links["rate"]}, table="links",
                mode="a")
    fails("an id that no row has", job(
        links="table: /links, weight: rate, id: name"),
        "/links: link 250 (from 0): its source is 'nobody', an id that no row "
        "has in the column 'name'", 1)
    links["target"][[7, 200]] = 0
    links["rate"][60] = -0.5
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    fails("a negative weight", job(), "/links: link 60, from row ", 1)
    links["rate"][60] = np.nan
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    fails("a missing weight", job(), "its weight is nan", 1)


def test_memory():
    """Too little is said before a row is read; what explain says is enough."""
    n, n_links = 200000, 1000000
    table = {"value": RNG.random(n), "cluster": RNG.integers(0, 9, n)}
    links = {"source": RNG.integers(0, n, n_links),
             "target": RNG.integers(0, n, n_links)}
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    with open("job.yaml", "w") as file:
        file.write(job(links="table: /links"))
    done = hanse("run", "job.yaml", "-o", "bad.h5", "-q", "--memory", "10M")
    check("memory: too little", done.returncode == 1 and
          "transmit: 1000000 links of /links between 200000 rows take at least "
          in done.stderr and "raise --memory" in done.stderr, done.stderr)
    # 6 bytes a link dealt out and 16 a row, and 8 a row of the network.
    least = int(done.stderr.split("at least ")[1].split()[0])
    check("memory: as stated", 0 <= least - 6 * n_links - 24 * n < 600000,
          least)
    done = hanse("run", "job.yaml", "-o", "job.h5", "-q", "--memory", "24M")
    check("memory: enough", done.returncode == 0, done.stderr)


def test_explain_and_provenance():
    table, links = random_table(100, 300)
    write_table("t.h5", table)
    write_table("t.h5", links, table="links", mode="a")
    with open("job.yaml", "w") as file:
        file.write(job(filter="quality >= 0.5", hops="limit"))
    done = hanse("explain", "job.yaml")
    check("explain", done.returncode == 0 and
          "information: filter: which records 1 condition keeps" in done.stdout
          and "a network of 300 links of /links" in done.stdout
          and "information: flows" in done.stdout, done.stdout + done.stderr)
    run_job(job(filter="quality >= 0.5", hops="limit"))
    with h5py.File("job.h5") as file:
        text = file["provenance/run"][()].decode()
    check("provenance", '"filter":"quality >= 0.5"' in text.replace(": ", ":")
          and '"hops":"limit"' in text.replace(": ", ":"), text)


def main():
    if os.path.isdir(EXPECTED):
        test_filter_counts()
        test_received()
        test_linkages()
    else:
        print(f"SKIPPED the public data: there is no {EXPECTED}")
    test_random_walks()
    test_unweighted_links()
    test_generated_links()
    test_normalised_sums()
    test_limit()
    test_same_bits()
    test_outliers()
    test_score()
    test_missing_groups()
    test_linkages_of_links()
    test_tables_of_flows()
    test_faulty_jobs()
    test_memory()
    test_explain_and_provenance()


if __name__ == "__main__":
    DATA = os.path.abspath(DATA)
    EXPECTED = os.path.join(DATA, "expected")
    HANSE = os.path.abspath(HANSE)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
    sys.exit(exit_status())
