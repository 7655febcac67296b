# SPDX-License-Identifier: Apache-2.0
"""What the checks of test_links_fuzz.py share: failures of a case, and tables
of a result with the records of their groups."""
import math
from fractions import Fraction


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


def table(found, path):
    return {name[len(path) + 1:]: values for name, values in found.items()
            if name.rpartition("/")[0] == path}


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
