#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DuckDB on Parquet.

usage: peer_duckdb.py LIBDUCKDB TABLE.parquet QUESTION THREADS [RESULT]

The result stays in DuckDB's memory. RESULT as for peer_numpy.py.
"""
import os
import sys

from duckdb_library import Database
from questions import KEYS, VALUES, sql


def main():
    library, source, question, n_threads, *result = sys.argv[1:]
    database = Database(library, n_threads)
    words = sql(question, f"'{source}'")
    if not result:
        database.run(words)
        sys.stdout.flush()
        os._exit(0)
    import numpy as np

    n_columns = len(KEYS[question]) + len(VALUES[question])
    found = database.columns(f"SELECT COLUMNS(*)::DOUBLE FROM ({words})",
                             n_columns)
    np.concatenate(found).tofile(result[0])


main()
