# SPDX-License-Identifier: Apache-2.0
"""Random tables with links, and jobs of the information and cooperation models
over them."""
import math

import numpy as np

from links_cases import Case

NAN = float("nan")
INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


# ---- Random tables ------------------------------------------------------------------

def number(rng, kind):
    if kind == "whole":
        return float(rng.randint(-3, 9))
    if kind == "money":
        return round(rng.gauss(10, 30), 2)
    if kind == "positive":
        return round(rng.lognormvariate(2, 1), 3)
    if kind == "wide":
        return rng.gauss(0, 1) * 10.0 ** rng.randint(-6, 6)
    return rng.random()


def column(rng, n, kind, missing, infinite=0.0):
    values = []
    for _ in range(n):
        x = number(rng, kind)
        if rng.random() < missing:
            x = NAN
        elif rng.random() < infinite:
            x = rng.choice((math.inf, -math.inf))
        values.append(x)
    return values


def fill_columns(rng, case):
    n = case.n
    missing = rng.choice((0.0, 0.0, 0.1, 0.4))
    infinite = rng.choice((0.0,) * 7 + (0.1,))
    kinds = ("whole", "money", "positive", "wide", "unit")
    case.columns = {
        name: column(rng, n, rng.choice(kinds), missing, infinite)
        for name in ("s", "p", "a", "b", "c", "d")}
    case.columns["x"] = [abs(v) * 20 for v in column(rng, n, "money", missing,
                                                      infinite / 4)]
    case.columns["size"] = column(rng, n, rng.choice(("positive", "unit")),
                                  missing / 2, infinite / 4)
    if rng.random() < 0.15:
        case.columns["size"][rng.randrange(n)] = rng.choice((0.0, -1.0))
    case.columns["quality"] = column(rng, n, "unit", missing)
    case.columns["past"] = column(rng, n, "positive", missing)
    case.columns["now"] = [v * rng.choice((1, 1, 1, 1.1, 0.9, 30))
                           for v in case.columns["past"]]
    case.columns["active"] = [float(rng.random() < 0.8) for _ in range(n)]
    case.columns["own"] = [rng.choice((rng.randint(1, 9) / 10, rng.random(),
                                       0.5)) for _ in range(n)]
    for value, often in ((0.0, 0.1), (1.0, 0.1), (1.25, 0.04), (-0.5, 0.02),
                         (NAN, 0.04)):
        if rng.random() < 0.4:
            case.columns["own"] = [value if rng.random() < often else v
                                   for v in case.columns["own"]]
    gap = rng.choice((0.0, 0.0, 0.15))
    case.keys = {
        "g": [None if rng.random() < gap else
              min(int(rng.expovariate(0.6)), 5) for _ in range(n)],
        "h": [rng.choice(("north", "east", "süd")) for _ in range(n)],
        "year": [None if rng.random() < gap / 2 else rng.choice((1, 2, 3))
                 for _ in range(n)]}


def fill_ids(rng, case):
    kind = rng.choice(("row", "row", "text", *INTEGERS))
    if kind == "row":
        lowest = "u1" if case.n < 256 else "u2"
        case.end_type = rng.choice((lowest, "i2", "i4", "u4", "i8", "u8"))
        return
    case.id_type = case.end_type = "S" if kind == "text" else kind
    if kind == "text":
        case.ids = rng.sample([f"firm {k}" for k in range(60)] +
                              ["x" * k for k in range(1, 20)] +
                              ["Ä", "ß" * 9, "firm  1"], case.n)
        return
    info = np.iinfo(kind)
    span = rng.choice((100, 1000, 10 ** 6, 2 ** 64))
    low = rng.choice((info.min, max(info.min, -50), max(info.min, 1),
                      max(info.min, info.max - span)))
    high = min(info.max, low + max(span, case.n + 1))
    found = set()
    while len(found) < case.n:
        found.add(rng.randint(low, high))
    case.ids = rng.sample(sorted(found), case.n)
    wider = [k for k in INTEGERS if np.iinfo(k).min <= min(case.ids) and
             np.iinfo(k).max >= max(case.ids)]
    case.end_type = rng.choice(wider)


def fill_links(rng, case):
    n = case.n
    n_links = rng.choice((0, rng.randint(1, 3), rng.randint(1, 3 * n)))
    shape = rng.choice(("any", "any", "hub", "forward", "some"))
    for _ in range(n_links):
        s, t = rng.randrange(n), rng.randrange(n)
        if shape == "hub" and rng.random() < 0.7:
            s, t = rng.choice(((0, t), (s, 0)))
        if shape == "forward":
            s, t = min(s, t), max(s, t)
        if shape == "some":
            s, t = s % (n // 2 + 1), t % (n // 2 + 1)
        case.ends.append((s, t))
        if rng.random() < 0.2:
            case.ends.append(rng.choice(((s, t), (t, s), (s, s))))
    if rng.random() < 0.6:
        zeros = rng.choice((0.0, 0.2))
        case.weights = [0.0 if rng.random() < zeros else
                        round(rng.random(), rng.choice((1, 3, 17)))
                        for _ in case.ends]
        if rng.random() < 0.4:
            case.weight_name = "rate"
        case.weight_scale = rng.choice((1.0, 1.0, 0.25))
    if rng.random() < 0.3:
        case.link_file = "l.h5"


# ---- Random jobs ---------------------------------------------------------------------

def random_keys(rng):
    return rng.choice((["g"], ["h"], ["g", "h"], []))


def random_filter(rng):
    low = round(rng.random() * 0.6, 2)
    choices = [
        {"kind": "formula", "text": f"quality >= {low}",
         "holds": lambda c, i: c.columns["quality"][i] >= low},
        {"kind": "formula", "text": f"{{range: quality, low: {low}, high: 0.9}}",
         "holds": lambda c, i: low <= c.columns["quality"][i] <= 0.9},
        {"kind": "formula", "text": "{range: s, high: 25}",
         "holds": lambda c, i: c.columns["s"][i] <= 25},
        {"kind": "formula", "text": "{range: past, low: 1.5}",
         "holds": lambda c, i: c.columns["past"][i] >= 1.5},
        {"kind": "formula", "text": "h != 'east'",
         "holds": lambda c, i: c.keys["h"][i] != "east"},
        {"kind": "formula", "text": "'!isnan(s)'",
         "holds": lambda c, i: not math.isnan(c.columns["s"][i])},
        {"kind": "outliers", "value": "now", "before": "past",
         "u": rng.choice((0.0, 0.5, 1.0, 0.3)), "a": rng.choice((0.0, 0.05)),
         "c": rng.choice((1.0, 4.0))},
    ]
    return rng.sample(choices, rng.randint(1, 3))


def random_information(rng, case):
    spec = {}
    if rng.random() < 0.6:
        spec["filter"] = random_filter(rng)
    if not spec or rng.random() < 0.85:
        limit = case.n <= 14 and rng.random() < 0.4
        spec["transmit"] = {
            "hops": "limit" if limit else rng.choice((0, 1, 1, 2, 3, 6)),
            "decay": rng.choice((0.0, 0.5, 0.3, 0.05, round(rng.random() * 0.99, 3)))}
        for key in ("normalise", "remove_rejected"):
            if rng.random() < 0.35:
                spec["transmit"][key] = True
        if rng.random() < 0.6:
            spec["within"] = random_keys(rng)
        if rng.random() < 0.3:
            spec["linkages"] = {}
    return spec


def random_indicators(rng, wants_weights, plain=False):
    names = rng.sample("abcd", rng.randint(1, 3))
    indicators = []
    for name in names:
        x = {"name": name}
        if wants_weights:
            x["weight"] = rng.choice((1.0, 0.5, 0.3, 2.0))
        if rng.random() < 0.3:
            x["cost"] = True
        if not plain and rng.random() < 0.1:
            x["low"], x["high"] = -5.0, 50.0
        indicators.append(x)
    return indicators


def random_evaluation(rng, case, plain):
    step = {}
    if rng.random() < 0.3:
        step["scope"] = "group"
    if rng.random() < 0.2:
        step["eps"] = 0.002
    if not plain and rng.random() < 0.4:
        step["columns"] = random_indicators(rng, rng.random() < 0.5)
    if plain or "columns" not in step or rng.random() < 0.5:
        step["subsystems"] = []
        for k in range(rng.randint(1, 4)):
            own = {k: step[k] for k in ("scope", "eps") if k in step}
            step["subsystems"].append({
                "name": f"part{k}", "weight": rng.choice((1.0, 0.5, 0.2, 3.0)),
                "indicators": random_indicators(rng, rng.random() < 0.5, True),
                **own})
    return step


def random_cooperation(rng, case):
    spec = {}
    plain = rng.random() < 0.3
    if rng.random() < 0.65 or plain:
        spec["evaluate"] = random_evaluation(rng, case, plain)
    if "evaluate" not in spec or rng.random() < 0.4:
        spec["column"] = "p"
    if rng.random() < 0.6:
        spec["within"] = random_keys(rng)
    if rng.random() < 0.8:
        along = rng.random() < 0.6
        share = rng.choice(("own", "own", "0.3", "0.05", "1", "0"))
        step = {rng.choice(("independence", "openness")): share}
        limit = rng.random() < 0.4 and (not along or case.n <= 16)
        step["rounds"] = "limit" if limit else rng.choice((0, 1, 1, 2, 3, 5))
        if along:
            step["links"] = True
            if limit and rng.random() < 0.2:
                step["max_rounds"] = rng.choice((1, 3, 2000))
            if limit and rng.random() < 0.2:
                step["tolerance"] = rng.choice((1e-12, 1e-6))
        if rng.random() < 0.4:
            step["preserve"] = True
        spec["coordinate"] = step
    if spec.get("evaluate", {}).get("subsystems") and rng.random() < 0.7:
        step = {}
        if rng.random() < 0.4:
            step["coupling"] = rng.sample(
                ["classic", "corrected", "dispersion"], rng.randint(1, 3))
        if rng.random() < 0.4:
            step["size"] = "size"
        years = {case.keys["year"][i] for i in case.used_rows()}
        if plain and {1, 3} <= years and not case.drop:
            step["periods"] = {"column": "year", "from": 1, "to": 3}
            step["order"] = rng.choice(("mean", "geometric"))
            step["composite"] = rng.choice(("geometric", "weighted"))
        spec["synergise"] = step
    return spec


# ---- What must be refused ------------------------------------------------------------

def spoil_weight(rng, case):
    if case.information is None or "transmit" not in case.information:
        return
    case.weights = case.weights or [1.0] * len(case.ends)
    k = rng.randrange(len(case.ends))
    case.weights[k] = rng.choice((NAN, -0.5, math.inf))
    case.fault = ("/links", f"link {k},", "weight")


def spoil_end(rng, case):
    k, side = rng.randrange(len(case.ends)), rng.randrange(2)
    role = ("source", "target")[side]
    if case.end_type == "S":
        bad = "nobody"
        shown = "'nobody'"
    else:
        info = np.iinfo(case.end_type)
        taken = set(case.ids or range(case.n))
        bad = rng.choice([v for v in (info.min, info.max, -1, case.n)
                          if info.min <= v <= info.max and v not in taken] or
                         [None])
        if bad is None:
            return
        shown = str(bad)
    case.raw_ends[k, side] = bad
    case.fault = ("/links", f"link {k} ", role, shown)


def spoil_ids(rng, case):
    if case.ids is None or case.n < 2:
        return
    i, j = sorted(rng.sample(range(case.n), 2))
    case.ids[j] = case.ids[i]
    case.fault = ("same id", f"rows {i} and {j}", "'id'")


def spoil_type(rng, case):
    if case.ids is not None and isinstance(case.ids[0], str):
        return
    if max(map(abs, case.ids or [0])) > 2 ** 53:
        return
    case.float_ends = True
    case.fault = ("source", "type float64")


def spoil(rng, case):
    uses_links = (case.information is not None and
                  "transmit" in case.information) or \
        (case.cooperation is not None and
         "links" in case.cooperation.get("coordinate", {}))
    if uses_links and case.ends:
        rng.choice((spoil_weight, spoil_end, spoil_end, spoil_ids,
                    spoil_type))(rng, case)


def make(rng):
    case = Case()
    case.n = rng.choice((1, 2, rng.randint(3, 14), rng.randint(3, 14),
                         rng.randint(15, 40)))
    case.chunk = rng.choice((None, 1, 3, 8))
    fill_columns(rng, case)
    fill_ids(rng, case)
    fill_links(rng, case)
    case.where = rng.random() < 0.4
    case.drop = rng.random() < 0.3
    case.group_by = rng.choice(([["g"]], [["h"], ["g", "h"]], [[]],
                                [["g"], ["year"]], [["g", "h"], ["g"]]))
    which = rng.random()
    if which < 0.65:
        case.information = random_information(rng, case)
    if which > 0.35:
        case.cooperation = random_cooperation(rng, case)
    if not case.used_rows():
        case.fault = ("is true for none",)
    elif rng.random() < 0.1:
        spoil(rng, case)
    return case
