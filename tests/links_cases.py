# SPDX-License-Identifier: Apache-2.0
"""Cases of test_links_fuzz.py: a table with links and a job over it, and how
they are written down."""
import math

import h5py
import numpy as np



class Case:
    """A table, its links and a job. Columns are lists; keys hold None where
    they are missing."""

    def __init__(self):
        self.n = 0
        self.columns = {}    # name -> floats, NaN: missing
        self.keys = {}       # name -> ints or texts
        self.ids = None      # ints or texts; None: links by row numbers
        self.id_type = None
        self.end_type = "i8"
        self.ends = []       # (source row, target row)
        self.raw_ends = {}   # (link, 0 or 1) -> what stands there instead
        self.weights = None  # of links; None: no column
        self.weight_name = "weight"
        self.weight_scale = 1.0
        self.link_file = None
        self.chunk = None
        self.where = False
        self.group_by = [["g"]]
        self.drop = False
        self.information = None
        self.cooperation = None
        self.fault = None    # parts of the message
        self.float_ends = False

    # ---- What the checks ask ------------------------------------------------

    def used_rows(self):
        return [i for i in range(self.n)
                if not self.where or self.columns["active"][i] == 1]

    def key(self, name, i):
        return self.keys[name][i]

    def value(self, name, i):
        return self.columns[name][i]

    def share(self, text, i):
        return self.columns[text][i] if text in self.columns else float(text)

    def links(self):
        weights = self.weights or [1.0] * len(self.ends)
        return [(s, t, w * self.weight_scale)
                for (s, t), w in zip(self.ends, weights)]

    def groupings(self):
        return self.group_by + ([[]] if [] not in self.group_by else [])

    def within_of(self, model):
        return model.get("within", self.group_by[0])

    def drops_missing(self):
        return self.drop

    def has_flows(self):
        return "within" in self.information or "linkages" in self.information

    def has_size(self):
        return "size" in self.cooperation.get("synergise", {})

    def subsystems(self):
        return self.cooperation.get("evaluate", {}).get("subsystems", [])

    def is_by_id(self):
        return self.ids is not None

    def spread(self, spec):
        """How far an indicator goes beyond its bounds, for tolerances."""
        far = 1.0
        for x in spec["indicators"]:
            values = [abs(v) for v in self.columns[x["name"]]
                      if math.isfinite(v)]
            if "low" in x and values:
                far = max(far, (max(values) + abs(x["low"])) /
                          (x["high"] - x["low"]))
        return far

    # ---- Files --------------------------------------------------------------

    def ends_of(self, side):
        found = []
        for k, ends in enumerate(self.ends):
            row = ends[side]
            found.append(self.raw_ends.get(
                (k, side), row if self.ids is None else self.ids[row]))
        return found

    def write_columns(self, group, order):
        for name, values in self.columns.items():
            put(group, name, [values[i] for i in order], "f8", self.chunk)
        for name, values in self.keys.items():
            own = [values[i] for i in order]
            if isinstance(values[0], str):
                put(group, name, own, "S", self.chunk)
            else:
                put(group, name, [-9 if v is None else v for v in own], "i2",
                    self.chunk, -9)
        if self.ids is not None:
            put(group, "id", [self.ids[i] for i in order], self.id_type,
                self.chunk)

    def write_links(self, group, part):
        for side, name in enumerate(("source", "target")):
            kind = "f8" if self.float_ends else self.end_type
            put(group, name, self.ends_of(side)[part], kind, self.chunk)
        if self.weights is not None:
            put(group, self.weight_name, self.weights[part], "f8", self.chunk)

    def write(self, path):
        with h5py.File(path, "w") as file:
            self.write_columns(file.create_group("enterprises"), range(self.n))
            if self.link_file is None:
                self.write_links(file.create_group("links"), slice(None))
        if self.link_file is not None:
            with h5py.File(self.link_file, "w") as file:
                self.write_links(file.create_group("links"), slice(None))

    def write_split(self, rng):
        n_files = rng.randint(1, min(3, self.n))
        rows = [0, *sorted(rng.sample(range(1, self.n), n_files - 1)), self.n]
        links = sorted(rng.randint(0, len(self.ends))
                       for _ in range(n_files - 1))
        links = [0, *links, len(self.ends)]
        paths = []
        for k in range(n_files):
            paths.append(f"s{k}.h5")
            with h5py.File(paths[-1], "w") as file:
                self.write_columns(file.create_group("enterprises"),
                                   range(rows[k], rows[k + 1]))
                if self.link_file is None:
                    self.write_links(file.create_group("links"),
                                     slice(links[k], links[k + 1]))
        return paths

    def write_permuted(self, rng):
        """Rows and links in another order; which row stands where."""
        order = list(range(self.n))
        rng.shuffle(order)
        with h5py.File("p.h5", "w") as file:
            self.write_columns(file.create_group("enterprises"), order)
            if self.link_file is None:
                self.write_links(file.create_group("links"),
                                 slice(None, None, -1))
        return np.array(order)


def put(group, name, values, kind, chunk, fill=None):
    if kind == "S":
        data = np.array([v.encode() for v in values],
                        dtype=f"S{max([1, *(len(v.encode()) for v in values)])}")
    else:
        data = np.array(values, dtype=kind)
    n = len(data)
    chunks = (min(chunk, n),) if chunk is not None and n else None
    dataset = group.create_dataset(name, data=data, chunks=chunks)
    if fill is not None:
        dataset.attrs["_FillValue"] = np.array([fill], dtype=kind)


# ---- Jobs as text -----------------------------------------------------------------

def links_text(case):
    """The longer form of `links`."""
    parts = ["table: /links"]
    if case.link_file is not None:
        parts.append(f"file: {case.link_file}")
    if case.ids is not None:
        parts.append("id: id")
    return "{" + ", ".join(parts) + "}"


def key_list(keys):
    return "[" + ", ".join(keys) + "]" if keys else "total"


def condition_text(condition):
    if condition["kind"] == "outliers":
        options = "".join(f", {k}: {condition[k]!r}" for k in "uac")
        return (f"{{outliers: {{value: {condition['value']}, before: "
                f"{condition['before']}{options}}}}}")
    return condition["text"]


def information_lines(case):
    spec = case.information
    lines = ["  information:", "    column: s"]
    if "within" in spec:
        lines.append(f"    within: {key_list(spec['within'])}")
    if spec.get("filter"):
        lines.append("    filter:")
        lines += [f"      - {condition_text(c)}" for c in spec["filter"]]
    if "transmit" in spec:
        lines += ["    transmit:", f"      links: {links_text(case)}"]
        if case.weights is not None and (case.weight_name != "weight" or
                                         case.weight_scale != 1.0):
            lines.append(f"      weight: {case.weight_scale!r} * "
                         f"{case.weight_name}")
        for key, value in spec["transmit"].items():
            text = str(value).lower() if isinstance(value, bool) else \
                value if isinstance(value, str) else repr(value)
            lines.append(f"      {key}: {text}")
    if "linkages" in spec:
        lines.append("    linkages: {total: x}")
    return lines


def indicator_text(x):
    parts = [f"name: {x['name']}"]
    parts += [f"{k}: {x[k]!r}" for k in ("weight", "low", "high") if k in x]
    if x.get("cost"):
        parts.append("cost: true")
    return "{" + ", ".join(parts) + "}"


def indicators_text(indicators):
    return "[" + ", ".join(map(indicator_text, indicators)) + "]"


def cooperation_lines(case):
    spec = case.cooperation
    lines = ["  cooperation:"]
    if "column" in spec:
        lines.append("    column: p")
    if "within" in spec:
        lines.append(f"    within: {key_list(spec['within'])}")
    if "evaluate" in spec:
        lines.append("    evaluate:")
        step = spec["evaluate"]
        if "columns" in step:
            lines.append(f"      columns: {indicators_text(step['columns'])}")
        lines += [f"      {k}: {step[k]}" for k in ("scope", "eps")
                  if k in step]
        if "subsystems" in step:
            lines.append("      subsystems:")
        for s in step.get("subsystems", []):
            own = "".join(f", {k}: {s[k]}" for k in ("scope", "eps") if k in s)
            lines.append(f"        {s['name']}: {{weight: {s['weight']!r}, "
                         f"indicators: {indicators_text(s['indicators'])}"
                         f"{own}}}")
    if "coordinate" in spec:
        step = dict(spec["coordinate"])
        if "links" in step:
            step["links"] = links_text(case)
        if "preserve" in step:
            step["preserve"] = str(step["preserve"]).lower()
        lines.append("    coordinate: {" + ", ".join(
            f"{k}: {v}" for k, v in step.items()) + "}")
    if "synergise" in spec:
        step = dict(spec["synergise"])
        if "coupling" in step:
            step["coupling"] = "[" + ", ".join(step["coupling"]) + "]"
        if "periods" in step:
            step["periods"] = "{" + ", ".join(
                f"{k}: {v}" for k, v in step["periods"].items()) + "}"
        lines.append("    synergise: {" + ", ".join(
            f"{k}: {v}" for k, v in step.items()) + "}")
    return lines


def job_text(case, files):
    lines = ["input:", f"  files: [{', '.join(files)}]"]
    if case.where:
        lines.append("  where: active == 1")
    lines.append("group_by: [" + ", ".join(
        "total" if not keys else key_list(keys) for keys in case.group_by) + "]")
    lines.append("statistics: [total]")
    if case.drop:
        lines.append("missing_keys: drop")
    lines.append("models:")
    if case.information is not None:
        lines += information_lines(case)
    if case.cooperation is not None:
        lines += cooperation_lines(case)
    return "\n".join(lines) + "\n"
