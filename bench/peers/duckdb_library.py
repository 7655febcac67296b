# SPDX-License-Identifier: Apache-2.0
"""DuckDB through its C interface, libduckdb.so: nothing of a binding is
measured. Only what is needed here."""
import ctypes as C
import glob
import os

VECTOR_ROWS = 2048
# numpy's types: DuckDB's name and number.
TYPES = {"int16": ("SMALLINT", 3), "int32": ("INTEGER", 4),
         "float64": ("DOUBLE", 11)}


class Result(C.Structure):
    _fields_ = [("deprecated", C.c_uint64 * 5), ("internal", C.c_void_p)]


def library(folder):
    """Path of libduckdb.so below the folder of install.sh, or None."""
    found = glob.glob(os.path.join(
        folder, "node_modules", "@duckdb", "*", "libduckdb.so"))
    return found[0] if found else None


class Database:
    def __init__(self, path, n_threads):
        self.lib = C.CDLL(path)
        for name, result in (("duckdb_result_error", C.c_char_p),
                             ("duckdb_fetch_chunk", C.c_void_p),
                             ("duckdb_data_chunk_get_size", C.c_uint64),
                             ("duckdb_data_chunk_get_vector", C.c_void_p),
                             ("duckdb_vector_get_data", C.c_void_p),
                             ("duckdb_create_logical_type", C.c_void_p),
                             ("duckdb_create_data_chunk", C.c_void_p),
                             ("duckdb_appender_error", C.c_char_p)):
            getattr(self.lib, name).restype = result
        database, self.connection = C.c_void_p(), C.c_void_p()
        if self.lib.duckdb_open(None, C.byref(database)) != 0 or \
                self.lib.duckdb_connect(database, C.byref(self.connection)):
            raise RuntimeError("DuckDB does not open")
        self.run(f"SET threads = {n_threads}")

    def run(self, words):
        """The result stays in DuckDB's memory."""
        result = Result()
        if self.lib.duckdb_query(self.connection, words.encode(),
                                 C.byref(result)) != 0:
            raise RuntimeError(
                self.lib.duckdb_result_error(C.byref(result)).decode())
        return result

    def columns(self, words, n_columns):
        """A query whose columns are all DOUBLE, as arrays."""
        import numpy as np

        result, parts = self.run(words), [[] for _ in range(n_columns)]
        while chunk := self.lib.duckdb_fetch_chunk(result):
            n = self.lib.duckdb_data_chunk_get_size(C.c_void_p(chunk))
            for i, part in enumerate(parts):
                vector = self.lib.duckdb_data_chunk_get_vector(
                    C.c_void_p(chunk), C.c_uint64(i))
                data = self.lib.duckdb_vector_get_data(C.c_void_p(vector))
                part.append(np.frombuffer(C.string_at(data, 8 * n), "f8"))
            self.lib.duckdb_destroy_data_chunk(C.byref(C.c_void_p(chunk)))
        return [np.concatenate(part) for part in parts]

    def load(self, table, arrays):
        """Makes a table of numpy arrays of numbers."""
        types = [TYPES[str(array.dtype)] for array in arrays.values()]
        names = [f"{name} {words}" for name, (words, _) in zip(arrays, types)]
        self.run(f"CREATE TABLE {table} ({', '.join(names)})")
        appender = C.c_void_p()
        self.lib.duckdb_appender_create(self.connection, None, table.encode(),
                                        C.byref(appender))
        kinds = (C.c_void_p * len(arrays))(*[
            self.lib.duckdb_create_logical_type(number) for _, number in types])
        chunk = C.c_void_p(self.lib.duckdb_create_data_chunk(
            kinds, C.c_uint64(len(arrays))))
        n_rows = len(next(iter(arrays.values())))
        for first in range(0, n_rows, VECTOR_ROWS):
            n = min(VECTOR_ROWS, n_rows - first)
            self.lib.duckdb_data_chunk_reset(chunk)
            for i, array in enumerate(arrays.values()):
                vector = self.lib.duckdb_data_chunk_get_vector(
                    chunk, C.c_uint64(i))
                C.memmove(self.lib.duckdb_vector_get_data(C.c_void_p(vector)),
                          array.ctypes.data + first * array.itemsize,
                          n * array.itemsize)
            self.lib.duckdb_data_chunk_set_size(chunk, C.c_uint64(n))
            if self.lib.duckdb_append_data_chunk(appender, chunk) != 0:
                raise RuntimeError("DuckDB does not take the rows")
        if self.lib.duckdb_appender_destroy(C.byref(appender)) != 0:
            raise RuntimeError("DuckDB does not take the rows")
