#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The table of the eight questions, the same on every machine.

usage: make_data.py FOLDER ROWS [LIBDUCKDB]

Four integer keys, uniform (1,000, 2,000,000, 50 and 200 values), and three
lognormal measures, the first in cents. contiguous.h5, shuffle.h5 and gzip.h5
hold the columns as datasets of the root; the latter two are chunks of 65,536
rows, with gzip 4, the former after a shuffle. table.parquet, compressed with
snappy, is written by DuckDB.
"""
import os
import sys

import h5py
import numpy as np

CHUNK_ROWS = 65536
GZIP = {"compression": "gzip", "compression_opts": 4}


def make_table(n_rows):
    random = np.random.default_rng(20261125)
    table = {
        "cluster_id": random.integers(0, 1000, n_rows, dtype=np.int32),
        "enterprise_group": random.integers(0, 2_000_000, n_rows,
                                            dtype=np.int32),
        "chain_id": random.integers(0, 50, n_rows, dtype=np.int16),
        "platform_id": random.integers(0, 200, n_rows, dtype=np.int16),
    }
    for name in ("resource", "information", "strategy"):
        table[name] = random.lognormal(0.0, 2.5, n_rows)
    table["resource"] = np.round(table["resource"], 2)
    return table


def write_hdf5(path, table, **layout):
    with h5py.File(path + ".part", "w") as file:
        for name, column in table.items():
            file.create_dataset(name, data=column, **layout)
    os.replace(path + ".part", path)


def main():
    folder, n_rows, *duckdb = sys.argv[1:]
    table = make_table(int(n_rows))
    chunks = (min(CHUNK_ROWS, int(n_rows)),)

    def path(name):
        return os.path.join(folder, name)

    def wanted(name):
        return not os.path.exists(path(name))

    if wanted("contiguous.h5"):
        write_hdf5(path("contiguous.h5"), table)
    if wanted("shuffle.h5"):
        write_hdf5(path("shuffle.h5"), table, chunks=chunks, shuffle=True,
                   **GZIP)
    if wanted("gzip.h5"):
        write_hdf5(path("gzip.h5"), table, chunks=chunks, **GZIP)
    if duckdb and wanted("table.parquet"):
        from duckdb_library import Database

        database = Database(duckdb[0], os.cpu_count())
        database.load("t", table)
        part = path("table.parquet.part")
        database.run(f"COPY t TO '{part}' (FORMAT parquet, CODEC snappy)")
        os.replace(part, path("table.parquet"))


main()
