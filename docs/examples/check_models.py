#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The job models.yaml on a small population: it runs as its comment says, what
it allocates changes no total by a bit, and the awards of a cluster add up to its
pool.

usage: check_models.py HANSE
"""
import math
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HANSE = sys.argv[1]
JOB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models.yaml")


def hanse(*words):
    subprocess.run([HANSE, *words, "--quiet"], check=True)


with tempfile.TemporaryDirectory() as folder:
    table, models, plain = (f"{folder}/{name}.h5"
                            for name in ("enterprises", "models", "plain"))
    hanse("generate", table, "-n", "30000", "--clusters", "100", "--links")
    hanse("run", JOB, table, "-o", models)
    hanse("run", table, "-o", plain, "--by", "cluster")
    with h5py.File(models) as after, h5py.File(plain) as before, \
            h5py.File(table) as source:
        for group in ("by_cluster", "total"):
            name = f"{group}/resource_total"
            assert np.array_equal(after[name][()], before[name][()]), name
        for name in ("by_cluster/resource_total", "records/allocation"):
            assert after[name].attrs["unit_label"] == "EUR", name
        cluster, resource, demand = (source["enterprises"][name][:] for name in
                                     ("cluster", "resource", "demand"))
        award = after["records/allocation"][:]
        takes = ~np.isnan(resource) & ~np.isnan(demand)
        assert np.array_equal(np.isnan(award), ~takes)
        for k in np.unique(cluster):
            mine = takes & (cluster == k)
            pool = 0.3 * math.fsum(resource[mine])
            assert math.isclose(math.fsum(award[mine]), pool, rel_tol=1e-15), k
        flows = after["flows/by_chain"]
        sent = math.fsum(flows["flow"][:])
        received = after["total/information_total"][()] \
            - after["total/information_sent"][()]
        assert 0.5 * sent < received < sent, (sent, received)
