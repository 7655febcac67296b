#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The table of the database-like-ops group-by questions (db-benchmark of
H2O.ai and DuckDB Labs), G1_<rows>_1e2_0_0: as its groupby-datagen.R makes it,
with K = 100 and no missing values, but with numpy's random numbers.

usage: make_ops_data.py FOLDER ROWS [LIBDUCKDB]

id1, id2: id001 to id100; id3: id0000000001 to the rows / 100; id4, id5: 1 to
100; id6: 1 to the rows / 100; v1: 1 to 5; v2: 1 to 15; v3: 0 to 100 with six
decimals. ops.h5: datasets of the root, contiguous, texts of fixed length.
ops.parquet: the same, by DuckDB.
"""
import os
import sys

import h5py
import numpy as np

K = 100
TEXTS = {"id1": "id{:03d}", "id2": "id{:03d}", "id3": "id{:010d}"}


def make_numbers(n_rows):
    random = np.random.default_rng(108)
    last = {"id1": K, "id2": K, "id3": n_rows // K, "id4": K, "id5": K,
            "id6": n_rows // K, "v1": 5, "v2": 15}
    table = {name: random.integers(1, most, n_rows, dtype=np.int32,
                                   endpoint=True)
             for name, most in last.items()}
    table["v3"] = np.round(random.uniform(0, 100, n_rows), 6)
    return table


def texts(form, numbers):
    words = np.array([form.format(i) for i in range(numbers.max() + 1)], "S")
    return words[numbers]


def write_hdf5(path, table):
    with h5py.File(path + ".part", "w") as file:
        for name, column in table.items():
            file[name] = texts(TEXTS[name], column) if name in TEXTS \
                else column
    os.replace(path + ".part", path)


def write_parquet(path, table, duckdb):
    from duckdb_library import Database

    database = Database(duckdb, os.cpu_count())
    database.load("numbers", table)
    names = [f"format('{TEXTS[name]}', {name}) AS {name}" if name in TEXTS
             else name for name in table]
    database.run(f"COPY (SELECT {', '.join(names)} FROM numbers) "
                 f"TO '{path}.part' (FORMAT parquet, CODEC snappy)")
    os.replace(path + ".part", path)


def main():
    folder, n_rows, *duckdb = sys.argv[1:]
    hdf5 = os.path.join(folder, "ops.h5")
    parquet = os.path.join(folder, "ops.parquet")
    makes_parquet = duckdb and not os.path.exists(parquet)
    if os.path.exists(hdf5) and not makes_parquet:
        return
    table = make_numbers(int(n_rows))
    if not os.path.exists(hdf5):
        write_hdf5(hdf5, table)
    if makes_parquet:
        write_parquet(parquet, table, duckdb[0])


main()
