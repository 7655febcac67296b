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
import os
import random
import subprocess
import sys
import tempfile

import h5py
import numpy as np

import links_cases
import links_random
from checks import check, exit_status
from links_checks import Failures
from links_cooperation import check_cooperation
from links_information import check_information

HANSE = os.path.abspath(sys.argv[1])
N_CASES = int(sys.argv[2]) if len(sys.argv) > 2 else 60
FIRST = int(sys.argv[3]) if len(sys.argv) > 3 else 1


# ---- Running ------------------------------------------------------------------

def run(case, files, name, options=()):
    with open(f"{name}.yaml", "w") as file:
        file.write(links_cases.job_text(case, files))
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
        options += ["--memory", rng.choice(("1M", "3M", "9M", "24M"))]
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
    case = links_random.make(rng)
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
          "\n  ".join(["", *f.texts[:8], links_cases.job_text(case, ["t.h5"])]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for case_number in range(FIRST, FIRST + N_CASES):
            run_case(case_number)
    sys.exit(exit_status())
