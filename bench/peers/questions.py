# SPDX-License-Identifier: Apache-2.0
"""The eight questions: keys, columns, hanse's command, SQL.

Imports nothing: processes that are measured import this.
"""

MEASURES = ("resource", "information", "strategy")
WEIGHTED = "resource * 0.5 + information * 0.3 + strategy * 0.2"
FILTER = "information > 1 && platform_id < 100"

WORDS = {
    "Q1": "3 sums by 1,000 clusters",
    "Q2": "and count, mean, min, max, var",
    "Q3": "3 sums by 2 million enterprise groups",
    "Q4": "3 sums by three keys, 10 million places",
    "Q5": "3 sums of all rows",
    "Q6": "median by 1,000 clusters",
    "Q7": "Q1 with a filter",
    "Q8": "sum of a formula by 1,000 clusters",
}
KEYS = {
    "Q1": ("cluster_id",),
    "Q2": ("cluster_id",),
    "Q3": ("enterprise_group",),
    "Q4": ("cluster_id", "chain_id", "platform_id"),
    "Q5": (),
    "Q6": ("cluster_id",),
    "Q7": ("cluster_id",),
    "Q8": ("cluster_id",),
}
# Columns of a result after its keys: (statistic, measure), as hanse names them.
# "count" has no measure; "rows" of hanse are the rows of a group.
SUMS = tuple(("total", name) for name in MEASURES)
VALUES = {question: SUMS for question in KEYS}
VALUES["Q2"] = SUMS + (("count", ""),) + tuple(
    (statistic, name) for statistic in ("mean", "min", "max", "var")
    for name in MEASURES)
VALUES["Q6"] = (("median", "resource"),)
VALUES["Q8"] = (("total", "weighted"),)


def columns(question):
    """Columns of the table that a question needs, keys first."""
    if question == "Q6":
        return KEYS[question] + ("resource",)
    if question == "Q7":
        return KEYS[question] + ("platform_id",) + MEASURES
    return KEYS[question] + MEASURES


def hanse_words(question):
    """What follows `hanse run TABLE -o RESULT`."""
    words = ["--by", ",".join(KEYS[question])] if KEYS[question] else []
    if question == "Q8":
        words += ["-m", "weighted=" + WEIGHTED]
    elif question == "Q6":
        words += ["-m", "resource"]
    else:
        for name in MEASURES:
            words += ["-m", name]
    if question == "Q7":
        words += ["--where", FILTER]
    statistics = {"Q2": "total,count,mean,min,max,var", "Q6": "median"}
    return words + ["-s", statistics.get(question, "total")]


def sql(question, table):
    functions = {"total": "sum", "count": "count", "mean": "avg", "min": "min",
                 "max": "max", "var": "var_samp", "median": "median"}

    def value(statistic, measure):
        if statistic == "count":
            return "count(*)"
        return f"{functions[statistic]}" \
               f"({WEIGHTED if measure == 'weighted' else measure})"

    keys = KEYS[question]
    names = list(keys) + [value(*column) for column in VALUES[question]]
    words = f"SELECT {', '.join(names)} FROM {table}"
    if question == "Q7":
        words += " WHERE " + FILTER.replace("&&", "AND")
    return words + (f" GROUP BY {', '.join(keys)}" if keys else "")
