#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two models as people compute them today: numpy, pandas and scipy on columns
that h5py reads, results written back by h5py.

resource      entropy weights of three min-max indicators, a score, the pool of
              each cluster shared out in proportion to demand; the award of every
              enterprise and the totals by cluster are written
information   what information reaches whom over two hops of links, with half
              lost at each; received information of every enterprise and totals
              by cluster are written

usage: peer_models.py TABLE.h5 MODEL RESULT.h5
"""
import sys

import h5py
import numpy as np
import pandas as pd

INDICATORS = ("labour", "equipment", "technology")


def write(path, record, totals, **columns):
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.create_dataset(f"records/{name}", data=values, shuffle=True,
                                compression="gzip", compression_opts=1,
                                chunks=(65536,))
        file[f"by_cluster/{record}_total"] = totals


def resource(table, path):
    read = {name: table[name][:] for name in
            (*INDICATORS, "cluster", "resource", "demand")}
    x = np.column_stack([read[name] for name in INDICATORS])
    whole = ~np.isnan(x).any(axis=1)
    x = x[whole]
    low, high = x.min(axis=0), x.max(axis=0)
    y = (x - low) / (high - low)
    share = y / y.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(share * np.log(share), axis=0) / np.log(len(y))
    weights = (1 - entropy) / (1 - entropy).sum()
    score = np.full(len(whole), np.nan)  # of use to the next step
    score[whole] = y @ weights
    # Who lacks one of the two takes no part and keeps what it has.
    taking = ~np.isnan(read["resource"]) & ~np.isnan(read["demand"])
    frame = pd.DataFrame({name: read[name]
                          for name in ("cluster", "resource", "demand")})
    sums = frame[taking].groupby("cluster").sum()
    rate = (sums["resource"] / sums["demand"]).reindex(read["cluster"])
    awards = np.where(taking, rate.to_numpy() * read["demand"], np.nan)
    kept = pd.Series(np.where(taking, awards, read["resource"]))
    totals = kept.groupby(read["cluster"]).sum().to_numpy()
    write(path, "resource", totals, allocation=awards)


def information(file, path):
    from scipy.sparse import csr_matrix
    table, links = file["enterprises"], file["links"]
    own = table["information"][:]
    sent = np.nan_to_num(own)
    n = len(sent)
    walk = csr_matrix((links["rate"][:].astype("f8"),
                       (links["target"][:], links["source"][:])), (n, n))
    received = sent.copy()
    step = sent
    nothing = np.isnan(own)
    for _ in range(2):
        step = 0.5 * (walk @ step)
        received += step
        nothing &= step == 0
    received[nothing] = np.nan
    totals = pd.Series(received).groupby(table["cluster"][:]).sum().to_numpy()
    write(path, "information", totals, received=received)


with h5py.File(sys.argv[1]) as source:
    if sys.argv[2] == "resource":
        resource(source["enterprises"], sys.argv[3])
    else:
        information(source, sys.argv[3])
