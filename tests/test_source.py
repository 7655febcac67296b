#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_source.py DUMP_SOURCE [TEST...]: tables as h5py, PyTables, pandas and
netCDF4 write them, read through the HDF5 source and compared value by value."""
import csv
import json
import math
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import h5py
import netCDF4
import numpy
import pandas
import tables

DUMP = ""
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "..", "..", "shared", "data")


class Tables(unittest.TestCase):
    """Every test has a directory of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hanse-test-source-")
        self.path = self.folder + "/t.h5"

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_dump(self, *files, options=(), environment=None):
        return subprocess.run(
            [DUMP, *options, *(files or [self.path])], capture_output=True,
            text=True, timeout=60, env={**os.environ, **(environment or {})})

    def dump(self, *files, options=()):
        done = self.run_dump(*files, options=options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        # Whatever we decode ourselves, the library decodes to the same, in the
        # confined process and in ours.
        for how in (("-l",), ("-T",)):
            library = self.run_dump(*files, options=(*how, *options))
            self.assertEqual(done.stdout, library.stdout, how)
        # Mapped files (-p) hold the same. The size of the morsels is -m, or the
        # way's own.
        mapped = self.run_dump(*files, options=("-p", "-m16384", *options))
        self.assertEqual(done.stdout, mapped.stdout)
        return json.loads(done.stdout)

    def fails(self, status, *parts, files=(), options=(), environment=None):
        """The failure names what each of `parts` says."""
        done = self.run_dump(*files, options=options, environment=environment)
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        self.assertTrue(done.stdout.startswith(f"HANSE_ERR_{status}: "),
                        done.stdout)
        for part in parts:
            self.assertIn(part, done.stdout)
        return done.stdout

    def values(self, name, *files, options=()):
        return self.dump(*files, options=options)["columns"][name]["values"]

    # ---- Types --------------------------------------------------------------

    def test_numbers_of_every_width_and_byte_order(self):
        """Extremes of each type; the source gives them in the machine's order."""
        expected = {}
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            for order in "<>":
                for kind in "iu":
                    for size in (1, 2, 4, 8):
                        name = f"{'le' if order == '<' else 'be'}_{kind}{size}"
                        limits = numpy.iinfo(f"{kind}{size}")
                        values = [limits.min, 0, 1, limits.max]
                        group[name] = numpy.array(values, f"{order}{kind}{size}")
                        expected[name] = [str(v) for v in values] \
                            if (kind, size) == ("u", 8) else values
                for size in (4, 8):
                    name = f"{'le' if order == '<' else 'be'}_f{size}"
                    tiny = float(numpy.finfo(f"f{size}").smallest_subnormal)
                    values = [tiny, -0.5, math.inf, math.nan]
                    group[name] = numpy.array(values, f"{order}f{size}")
                    expected[name] = [tiny, -0.5, "inf", None]
        found = self.dump()["columns"]
        self.assertEqual({n: c["values"] for n, c in found.items()}, expected)
        self.assertEqual(found["be_u4"]["type"], "uint32")
        self.assertEqual(found["be_f4"]["type"], "float32")

    def test_integers_of_unusual_bits_are_widened(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            datatype = h5py.h5t.STD_I32LE.copy()
            datatype.set_precision(12)
            space = h5py.h5s.create_simple((3,))
            dataset = h5py.h5d.create(group.id, b"short", datatype, space)
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL,
                          numpy.array([-2048, -1, 2047], "i4"))
        self.assertEqual(self.values("short"), [-2048, -1, 2047])

    def test_bits_beyond_the_precision_do_not_count(self):
        """In either byte order; the rest of a value may hold anything."""
        for kind, order in ((h5py.h5t.STD_U32LE, "<"), (h5py.h5t.STD_U32BE, ">"),
                            (h5py.h5t.STD_I16LE, "<"), (h5py.h5t.STD_I16BE, ">")):
            with h5py.File(self.path, "w") as file:
                group = file.create_group("enterprises")
                datatype = kind.copy()
                datatype.set_precision(10)
                datatype.set_offset(3)
                size = datatype.get_size()
                stored = numpy.array([-1, 0x123, 0x1fff, 7], f"{order}i{size}")
                dataset = h5py.h5d.create(group.id, b"odd", datatype,
                                          h5py.h5s.create_simple((4,)))
                dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, stored, datatype)
            values = [(int(v) >> 3) & 0x3ff for v in stored]
            if size == 2:
                values = [v - 0x400 if v & 0x200 else v for v in values]
            self.assertEqual(self.values("odd"), values, order)

    def test_enums_keep_codes_and_labels(self):
        sectors = h5py.enum_dtype({"mining": 7, "energy": -3, "crafts": 0}, "i2")
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group.create_dataset("sector", data=numpy.array([7, -3, 0, 99], "i2"),
                                 dtype=sectors)
        column = self.dump()["columns"]["sector"]
        self.assertEqual(column["type"], "int16")
        self.assertEqual(column["labels"],
                         {"energy": -3, "crafts": 0, "mining": 7})
        self.assertEqual(column["values"], [7, -3, 0, 99])

    def test_booleans_of_h5py_and_pytables(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises/active"] = numpy.array([True, False, True])
        column = self.dump()["columns"]["active"]
        self.assertEqual((column["type"], column["values"]),
                         ("bool", [True, False, True]))
        row = {"flag": tables.BoolCol(), "n": tables.Int64Col()}
        with tables.open_file(self.path, "w") as file:
            table = file.create_table("/", "enterprises", row)
            table.append([(True, 1), (False, 2)])
        column = self.dump()["columns"]["flag"]
        self.assertEqual((column["type"], column["values"]),
                         ("bool", [True, False]))

    # ---- Texts --------------------------------------------------------------

    def write_fixed(self, group, name, padding, values, size):
        datatype = h5py.h5t.C_S1.copy()
        datatype.set_size(size)
        datatype.set_strpad(padding)
        space = h5py.h5s.create_simple((len(values),))
        dataset = h5py.h5d.create(group.id, name, datatype, space)
        stored = numpy.array(values, f"V{size}")
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, stored, mtype=datatype)

    def test_fixed_texts_lose_their_padding(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            self.write_fixed(group, b"terminated", h5py.h5t.STR_NULLTERM,
                             [b"ab\0xx", b"abcde", b"\0\0\0\0\0"], 5)
            self.write_fixed(group, b"zeros", h5py.h5t.STR_NULLPAD,
                             [b"ab\0\0\0", b"abcde", b"a b \0"], 5)
            self.write_fixed(group, b"spaces", h5py.h5t.STR_SPACEPAD,
                             [b"ab   ", b"abcde", b"     "], 5)
        found = self.dump()["columns"]
        self.assertEqual(found["terminated"]["values"], ["ab", "abcde", ""])
        self.assertEqual(found["zeros"]["values"], ["ab", "abcde", "a b "])
        self.assertEqual(found["spaces"]["values"], ["ab", "abcde", ""])
        self.assertEqual(found["spaces"]["type"], "text")

    def test_variable_texts_in_utf8_with_null(self):
        texts = ["Łódź", "", "产业链", "x" * 5000]
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group.create_dataset("town", data=texts, dtype=h5py.string_dtype())
            # Never written: every element is a null pointer.
            group.create_dataset("none", (4,), dtype=h5py.string_dtype())
        found = self.dump()["columns"]
        self.assertEqual(found["town"]["values"], texts)
        self.assertEqual(found["none"]["values"], [""] * 4)

    def test_many_variable_texts_over_morsels(self):
        texts = [f"enterprise {i} " * (i % 40) for i in range(30000)]
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/name", data=texts, chunks=(1000,),
                                dtype=h5py.string_dtype(), compression=1)
        found = self.dump(options=["-m", "7000"])
        self.assertEqual(found["morsels"], 5)
        self.assertEqual(found["columns"]["name"]["values"], texts)
        self.assertEqual(found["bytes"], sum(map(len, texts)))

    # ---- Missing values -----------------------------------------------------

    def test_missing_codes_of_integers(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["a"] = numpy.array([1, -1, -9, 7], "i4")
            group["a"].attrs["_FillValue"] = numpy.int32(-1)
            group["a"].attrs["missing_value"] = numpy.array([-9, 7], "i8")
            group["b"] = numpy.array([1, 255, 0, 2], "u1")
            group["b"].attrs["_FillValue"] = numpy.array([255], "u1")
            group["c"] = numpy.array([-128, 127, 0, 1], "i1")
            group["c"].attrs["missing_value"] = numpy.int32(-9999)
            group["d"] = numpy.array([2**64 - 1, 1, 2, 3], "u8")
            group["d"].attrs["_FillValue"] = numpy.uint64(2**64 - 1)
            group["e"] = numpy.array([1, 2, 3, 4], ">i2")
            group["e"].attrs["missing_value"] = 3.0
            group["f"] = numpy.array([1, 2, 3, 4], "i2")
            group["f"].attrs["missing_value"] = "none"
        found = self.dump()["columns"]
        self.assertEqual(found["a"]["values"], [1, None, None, None])
        self.assertEqual(found["a"]["missing_code"], -1)
        self.assertEqual(found["b"]["values"], [1, None, 0, 2])
        self.assertEqual(found["c"]["values"], [-128, 127, 0, 1])
        self.assertEqual(found["c"]["missing_code"], -128)
        self.assertEqual(found["d"]["values"], [None, "1", "2", "3"])
        self.assertEqual(found["e"]["values"], [1, 2, None, 4])
        self.assertEqual(found["f"]["values"], [1, 2, 3, 4])

    def test_missing_codes_of_floats_become_nan(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["a"] = numpy.array([1.5, 1e20, math.nan, -999], "f4")
            group["a"].attrs["_FillValue"] = 1e20  # rounds to the float32
            group["a"].attrs["missing_value"] = numpy.int16(-999)
            group["b"] = numpy.array([1.5, 1e20, math.nan, -999], "f8")
        found = self.dump()["columns"]
        self.assertEqual(found["a"]["values"], [1.5, None, None, None])
        self.assertEqual(found["b"]["values"], [1.5, 1e20, None, -999])

    def test_missing_texts_and_enums(self):
        kinds = h5py.enum_dtype({"a": 0, "b": 1, "none": 9}, "u1")
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group.create_dataset("town", data=["Bergen", "NA", ""],
                                 dtype=h5py.string_dtype())
            group["town"].attrs["_FillValue"] = "NA"
            group.create_dataset("kind", data=numpy.array([0, 9, 1], "u1"),
                                 dtype=kinds)
            group["kind"].attrs.create("_FillValue", 9, dtype=kinds)
        found = self.dump()["columns"]
        self.assertEqual(found["town"]["values"], ["Bergen", None, ""])
        self.assertEqual(found["kind"]["values"], [0, None, 1])

    def test_more_missing_codes_than_understood_refuse_the_column(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["a"] = numpy.arange(3)
            group["a"].attrs["missing_value"] = numpy.arange(17)
        self.fails("FORMAT", "'a'", "17 values, at most 16")

    def test_packed_columns_are_refused(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["a"] = numpy.arange(3)
            group["packed"] = numpy.arange(3)
            group["packed"].attrs["scale_factor"] = 0.1
            group["neutral"] = numpy.arange(3)
            group["neutral"].attrs["scale_factor"] = 1.0
            group["bytes"] = numpy.array([-1, 0, 1], "i1")
            group["bytes"].attrs["_Unsigned"] = "true"
        self.assertEqual(list(self.dump()["columns"]), ["a", "neutral"])

    # ---- Shapes -------------------------------------------------------------

    def test_columns_in_order_of_creation_where_it_is_kept(self):
        for track in (True, False):
            with h5py.File(self.path, "w") as file:
                group = file.create_group("enterprises", track_order=track)
                for name in ("zeta", "alpha", "mu"):
                    group[name] = numpy.arange(2)
            expected = ["zeta", "alpha", "mu"] if track \
                else ["alpha", "mu", "zeta"]
            self.assertEqual(list(self.dump()["columns"]), expected)

    def test_matrices_with_one_row_or_column_are_columns(self):
        values = numpy.arange(10000)
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["flat"] = values
            group["tall"] = values.reshape(-1, 1)
            group.create_dataset("wide", data=values.reshape(1, -1),
                                 chunks=(1, 999), compression="gzip")
            group["matrix"] = values.reshape(100, 100)
            group["scalar"] = 5
        found = self.dump(options=["-m", "10"])
        self.assertEqual(list(found["columns"]), ["flat", "tall", "wide"])
        self.assertEqual(found["morsels"], 1001)  # a hundred of each chunk
        for column in found["columns"].values():
            self.assertEqual(column["values"], values.tolist())

    def test_chunks_are_delivered_in_slices(self):
        n = 10000
        values = numpy.arange(n, dtype="f8")
        for filters in ({}, {"compression": "gzip"}, {"fletcher32": True},
                        {"compression": "gzip", "shuffle": True}):
            # A chunk of 7,000 rows in equal slices of whole cache lines.
            morsels = 14 + 6 if filters else 20
            with self.subTest(filters):
                with h5py.File(self.path, "w") as file:
                    file.create_dataset("enterprises/x", data=values,
                                        chunks=(7000,), **filters)
                    file["enterprises/y"] = values
                found = self.dump(options=["-m", "500"])
                self.assertEqual(found["morsels"], morsels)
                for column in found["columns"].values():
                    self.assertEqual(column["values"], values.tolist())

    def test_unfiltered_chunk_beyond_the_budget_is_read_in_parts(self):
        n = 300000  # 2.4 MB
        values = numpy.arange(n, dtype="f8")
        rows = numpy.zeros(n, dtype=[("a", "f8"), ("b", "i2")])
        rows["a"], rows["b"] = values, values % 100
        tables = {"columns": ("enterprises/a", values),
                  "compound": ("enterprises", rows)}
        for shape, (path, data) in tables.items():
            for filters in {}, {"compression": "gzip"}:
                with self.subTest(shape, filters=filters):
                    with h5py.File(self.path, "w") as file:
                        file.create_dataset(path, data=data, chunks=(n,),
                                            **filters)
                    options = ["-b", "1500000"]
                    if filters:
                        self.fails("LIMIT", "chunk 0 (rows 0 to 299999)",
                                   "memory limit",
                                   options=options)
                        continue
                    done = self.run_dump(options=options)
                    self.assertEqual(done.returncode, 0, done.stdout)
                    columns = json.loads(done.stdout)["columns"]
                    self.assertEqual(columns["a"]["values"], values.tolist())

    def test_chunks_of_different_sizes(self):
        n = 5000
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            for chunk in (7, 64, 600, 8000):
                group.create_dataset(f"c{chunk}", data=numpy.arange(n) * chunk,
                                     chunks=(chunk,), maxshape=(None,),
                                     compression=1, shuffle=True)
            group["contiguous"] = numpy.arange(n)
        for morsel_rows in ("1", "100", "700", "100000"):
            found = self.dump(options=["-m", morsel_rows])
            self.assertEqual(found["rows"], n)
            for chunk in (7, 64, 600, 8000):
                self.assertEqual(found["columns"][f"c{chunk}"]["values"],
                                 (numpy.arange(n) * chunk).tolist())

    def test_compound_reads_members_of_every_kind(self):
        row = numpy.dtype([("id", ">i8"), ("x", "f4"), ("tag", "S3"),
                           ("on", "?"), ("pair", "f8", (2,)), ("y", "<f8"),
                           ("name", h5py.string_dtype())], align=True)
        data = numpy.zeros(1000, row)
        data["id"] = numpy.arange(1000) - 500
        data["x"] = numpy.arange(1000) / 4
        data["tag"] = [b"abc", b"d"] * 500
        data["on"] = numpy.arange(1000) % 3 == 0
        data["y"] = numpy.sqrt(numpy.arange(1000))
        data["name"] = [f"n{i}" for i in range(1000)]
        for chunks in (None, (300,)):
            with h5py.File(self.path, "w") as file:
                file.create_dataset("enterprises", data=data, chunks=chunks)
            found = self.dump(options=["-m", "300"])
            self.assertEqual(found["shape"], "compound")
            columns = found["columns"]
            self.assertEqual(list(columns), ["id", "x", "tag", "on", "y",
                                             "name"])
            for name in ("id", "x", "on", "y"):
                self.assertEqual(columns[name]["values"], data[name].tolist())
            self.assertEqual(columns["tag"]["values"], ["abc", "d"] * 500)
            self.assertEqual(columns["name"]["values"],
                             [f"n{i}" for i in range(1000)])

    def test_pytables_table_with_index_is_found(self):
        row = {"key": tables.Int32Col(pos=0), "name": tables.StringCol(4, pos=1),
               "when": tables.Time64Col(pos=2), "value": tables.Float64Col(pos=3)}
        with tables.open_file(self.path, "w") as file:
            table = file.create_table("/data", "firms", row, createparents=True,
                                      filters=tables.Filters(5, "zlib"))
            table.append([(i, b"abcd"[:i % 5], i, i / 8) for i in range(3000)])
            table.cols.key.create_index()
        found = self.dump()
        self.assertEqual(found["path"], "/data/firms")
        columns = found["columns"]
        self.assertEqual(list(columns), ["key", "name", "value"])
        self.assertEqual(columns["key"]["values"], list(range(3000)))
        self.assertEqual(columns["name"]["values"],
                         ["abcd"[:i % 5] for i in range(3000)])
        self.assertEqual(columns["value"]["values"],
                         [i / 8 for i in range(3000)])

    def test_pandas_table_with_data_columns(self):
        frame = pandas.DataFrame({"cluster": [3, 1, 2], "size": [1.5, 2.5, 3.5],
                                  "name": ["a", "bc", "d"]})
        frame.to_hdf(self.path, "firms", format="table", data_columns=True)
        found = self.dump()
        self.assertEqual(found["path"], "/firms/table")
        columns = found["columns"]
        self.assertEqual(columns["cluster"]["values"], [3, 1, 2])
        self.assertEqual(columns["size"]["values"], [1.5, 2.5, 3.5])
        self.assertEqual(columns["name"]["values"], ["a", "bc", "d"])

    def test_netcdf_variables_without_the_bare_dimension(self):
        with netCDF4.Dataset(self.path, "w") as file:
            file.createDimension("enterprise", None)
            v = file.createVariable("resource", "f8", ("enterprise",), zlib=True,
                                    fill_value=-1.0)
            v.units = "EUR"
            v.long_name = "turnover 产业"
            v[:] = numpy.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])
            file.createVariable("cluster", "i4", ("enterprise",))[:] = [4, 5, 6]
        found = self.dump()
        self.assertEqual(found["path"], "/")
        self.assertEqual(list(found["columns"]), ["resource", "cluster"])
        column = found["columns"]["resource"]
        self.assertEqual(column["values"], [1.0, None, 3.0])
        self.assertEqual((column["units"], column["long_name"]),
                         ("EUR", "turnover 产业"))

    # ---- Which table --------------------------------------------------------

    def test_one_table_is_found_wherever_it_lies(self):
        with h5py.File(self.path, "w") as file:
            file["a/b/c/x"] = numpy.arange(3)
            file["a/loop"] = h5py.SoftLink("/a")
            file["a/b/up"] = file["a"]  # a second hard link, a cycle
        self.assertEqual(self.dump()["path"], "/a/b/c")
        self.assertEqual(self.dump(options=["-t", "a/b/c"])["path"], "/a/b/c")
        self.assertEqual(self.dump(options=["-t", "/a/loop/b/c"])["rows"], 3)

    def test_usual_name_wins_over_others(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises/x"] = numpy.arange(3)
            file["links/source"] = numpy.arange(9)
        self.assertEqual(self.dump()["rows"], 3)
        self.assertEqual(self.dump(options=["-t", "/links"])["rows"], 9)

    def test_several_tables_are_listed(self):
        with h5py.File(self.path, "w") as file:
            file["one/x"] = numpy.arange(3)
            file["two"] = numpy.zeros(2, [("a", "i4")])
        self.fails("SPEC", self.path, "2 tables", "--table: /one, /two")

    def test_no_table_says_so(self):
        with h5py.File(self.path, "w") as file:
            file.create_group("empty")
        self.fails("FORMAT", self.path, "holds no table")

    def test_wrong_paths(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises/x"] = numpy.arange(3)
            file.create_group("empty/below")
        self.fails("SPEC", self.path, "/firms", "no such object",
                   options=["-t", "/firms"])
        self.fails("SPEC", "/enterprises/x", "is a dataset, not a table",
                   options=["-t", "/enterprises/x"])
        self.fails("SPEC", "/empty", "is not a table: it holds no datasets",
                   options=["-t", "/empty"])

    def test_unequal_lengths_name_columns_and_lengths(self):
        with h5py.File(self.path, "w") as file:
            for name, n in (("a", 100), ("b", 99), ("c", 100), ("d", 7)):
                file[f"enterprises/{name}"] = numpy.arange(n)
        self.fails("FORMAT", self.path, "/enterprises", "'a' has 100 rows",
                   "'b' has 99", "'d' has 7")
        os.rename(self.path, self.folder + "/other.h5")
        with h5py.File(self.folder + "/other.h5", "a") as file:
            file.move("enterprises", "firms")
        self.fails("FORMAT", "holds no table", "/firms", "'b' has 99",
                   files=[self.folder + "/other.h5"])

    def test_no_rows_is_a_table(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises/x"] = numpy.zeros(0)
            file.create_dataset("enterprises/y", (0,), "i4", chunks=(10,),
                                maxshape=(None,))
        found = self.dump()
        self.assertEqual((found["rows"], found["morsels"]), (0, 0))

    # ---- Several files ------------------------------------------------------

    def write_part(self, name, columns, **attributes):
        path = f"{self.folder}/{name}.h5"
        with h5py.File(path, "w") as file:
            for column, values in columns.items():
                file[f"enterprises/{column}"] = values
                for key, value in attributes.items():
                    file[f"enterprises/{column}"].attrs[key] = value
        return path

    def test_files_form_one_table_in_the_order_given(self):
        a = self.write_part("a", {"x": numpy.arange(5), "n": ["p"] * 5})
        b = self.write_part("b", {"x": numpy.zeros(0, "i8"),
                                  "n": numpy.zeros(0, "S1")})
        c = self.write_part("c", {"x": numpy.arange(10, 13),
                                  "n": numpy.array([b"q", b"rr", b"s"])})
        found = self.dump(c, b, a, b, options=["-m", "2"])
        self.assertEqual(found["columns"]["x"]["values"],
                         [10, 11, 12, 0, 1, 2, 3, 4])
        self.assertEqual(found["columns"]["n"]["values"],
                         ["q", "rr", "s"] + ["p"] * 5)
        self.assertEqual(found["morsels"], 5)

    def test_byte_order_and_missing_codes_may_differ_between_files(self):
        a = self.write_part("a", {"x": numpy.array([1, -1], "<i4")})
        b = self.write_part("b", {"x": numpy.array([1, -1], ">i4")},
                            _FillValue=numpy.int32(1))
        self.assertEqual(self.values("x", a, b), [1, -1, None, -1])

    def test_files_that_do_not_match(self):
        a = self.write_part("a", {"x": numpy.arange(2), "y": numpy.arange(2)},
                            units="EUR")
        lacking = self.write_part("b", {"x": numpy.arange(2)})
        other = self.write_part("c", {"x": numpy.arange(2),
                                      "y": numpy.arange(2.0)})
        more = self.write_part("d", {"x": numpy.arange(2), "y": numpy.arange(2),
                                     "z": numpy.arange(2)})
        units = self.write_part("e", {"x": numpy.arange(2),
                                      "y": numpy.arange(2)}, units="USD")
        self.fails("COLUMN", lacking, "'y'", a, files=[a, lacking])
        self.fails("TYPE", other, "'y' is float64, but int64 in", a,
                   files=[a, other])
        self.fails("COLUMN", more, "'z'", files=[a, more])
        self.fails("TYPE", units, "'USD'", "'EUR'", files=[a, units])
        self.fails("IO", "missing.h5", "No such file",
                   files=[a, self.folder + "/missing.h5"])

    def test_labels_must_agree_between_files(self):
        paths = []
        for name, labels in (("a", {"p": 1, "q": 2}), ("b", {"p": 2, "q": 1})):
            paths.append(f"{self.folder}/{name}.h5")
            with h5py.File(paths[-1], "w") as file:
                file.create_dataset("enterprises/k", data=[1, 2],
                                    dtype=h5py.enum_dtype(labels, "i1"))
        self.fails("TYPE", paths[1], "'k'", "labels differ", files=paths)

    # ---- What is refused ----------------------------------------------------

    def test_unusable_columns_do_not_hinder_the_others(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["good"] = numpy.arange(3)
            group["half"] = numpy.arange(3, dtype="f2")
            group["reference"] = numpy.array([group.ref] * 3,
                                             h5py.ref_dtype)
            group["record"] = numpy.zeros(3, [("a", "i4")])
            group["bytes"] = numpy.zeros(3, "V4")
            group["vector"] = numpy.zeros(3, "(2,)f8")
            group.create_dataset("list", (3,), h5py.vlen_dtype("i4"))
            group["complex"] = numpy.zeros(3, "c16")
            group["broken"] = h5py.SoftLink("/nowhere")
            group["type"] = numpy.dtype("i4")
            group["sub/x"] = numpy.arange(7)
        self.assertEqual(list(self.dump()["columns"]), ["good"])

    def test_no_way_out_of_the_file(self):
        """External links, storage and virtual datasets stay closed, whichever
        way leads to them."""
        outside = self.folder + "/outside.h5"
        with h5py.File(outside, "w") as file:
            file["t/x"] = numpy.arange(3)
        numpy.arange(3).tofile(self.folder + "/raw")
        layout = h5py.VirtualLayout((3,), "i8")
        layout[:] = h5py.VirtualSource(outside, "t/x", (3,))
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            group["external_link"] = h5py.ExternalLink(outside, "/t/x")
            file["door"] = h5py.ExternalLink(outside, "/t")
            group["through_the_door"] = h5py.SoftLink("/door/x")
            group.create_virtual_dataset("virtual", layout)
            space = h5py.h5s.create_simple((3,))
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_external((self.folder + "/raw").encode(), 0, 24)
            h5py.h5d.create(group.id, b"raw", h5py.h5t.NATIVE_INT64, space,
                            creation)
            group["inside"] = numpy.arange(3)
        self.assertEqual(list(self.dump()["columns"]), ["inside"])
        self.fails("SPEC", "/door", options=["-t", "/door"])
        # A reader that opened one of them would wait for ever.
        os.unlink(outside)
        os.mkfifo(outside)
        os.unlink(self.folder + "/raw")
        os.mkfifo(self.folder + "/raw")
        self.assertEqual(list(self.dump()["columns"]), ["inside"])

    def test_unknown_filters_are_named(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((4,))
            creation.set_filter(31999, h5py.h5z.FLAG_OPTIONAL, (1, 2))
            h5py.h5d.create(group.id, b"x", h5py.h5t.NATIVE_INT64,
                            h5py.h5s.create_simple((4,)), creation)
        self.fails("FORMAT", "'x'", "filter 31999", "not supported")

    def test_filters_that_plugins_bring(self):
        """Those that h5py has are tried."""
        values = (numpy.arange(20000) // 7).tolist()
        available = [number for number in (307, 32001, 32004, 32008)
                     if h5py.h5z.filter_avail(number)]
        for number in available:
            with h5py.File(self.path, "w") as file:
                file.create_dataset("enterprises/x", data=values,
                                    chunks=(3000,), compression=number)
            self.assertEqual(self.values("x"), values, number)
        if not available:
            self.skipTest("no plug-in filters are installed")

    def test_filters_that_need_no_plugin(self):
        values = (numpy.arange(20000) // 7).tolist()
        numbers = [n for n in (307, 32001, 32004, 32008)
                   if h5py.h5z.filter_avail(n)]
        for compression in ["lzf", *numbers]:
            with h5py.File(self.path, "w") as file:
                file.create_dataset("enterprises/x", data=values,
                                    chunks=(3000,), compression=compression)
            done = self.run_dump(environment={"HDF5_PLUGIN_PATH": self.folder})
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(
                json.loads(done.stdout)["columns"]["x"]["values"], values)

    def test_external_link_in_the_place_of_the_table(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises"] = h5py.ExternalLink("other.h5", "/enterprises")
        self.fails("FORMAT", "'enterprises': an external link")

    def test_impossible_sizes_are_refused_before_allocation(self):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/x", (10**13,), "f8",
                                chunks=(1000,))
        self.fails("FORMAT", "'x'", "10000000000000 rows claimed")

    def test_names_that_are_not_text(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            for name in (b"bad\xff", b"esc\x1b[2J", b"good"):
                h5py.h5d.create(group.id, name, h5py.h5t.NATIVE_INT64,
                                h5py.h5s.create_simple((2,)))
        self.assertEqual(list(self.dump()["columns"]), ["good"])

    # ---- Files --------------------------------------------------------------

    def test_files_that_are_none(self):
        with open(self.folder + "/text.h5", "w") as file:
            file.write("not HDF5 at all\n" * 100)
        with open(self.folder + "/empty.h5", "w"):
            pass
        os.mkfifo(self.folder + "/pipe.h5")
        self.fails("IO", "t.h5: No such file or directory")
        self.fails("IO", "is a directory", files=[self.folder])
        self.fails("IO", "not a regular file", files=[self.folder + "/pipe.h5"])
        for name in ("text", "empty"):
            self.fails("FORMAT", f"{name}.h5: is not an HDF5 file",
                       files=[f"{self.folder}/{name}.h5"])

    @unittest.skipIf(os.geteuid() == 0, "root may read every file")
    def test_file_without_permission(self):
        self.write_part("t", {"x": numpy.arange(3)})
        os.chmod(self.path, 0)
        self.fails("IO", "Permission denied")

    def test_truncated_file(self):
        self.write_part("t", {"x": numpy.arange(100000)})
        os.truncate(self.path, 100000)
        self.fails("FORMAT", self.path, "is cut short")

    def test_damaged_chunk_names_column_and_rows(self):
        values = numpy.random.default_rng(1).integers(0, 9, 40000)
        for name in ("enterprises/x", "enterprises"):
            with h5py.File(self.path, "w") as file:
                data = values if "/" in name else \
                    values.astype([("x", "i8")])
                dataset = file.create_dataset(name, data=data, chunks=(10000,),
                                              compression=4, shuffle=True)
                chunk = dataset.id.get_chunk_info(2)
            with open(self.path, "r+b") as file:
                file.seek(chunk.byte_offset + 5)
                file.write(b"\xff" * 40)
            self.fails("FORMAT", self.path,
                       "column 'x'" if "/" in name else "table '/enterprises'",
                       "rows 20000 to 29999", "deflate", "damaged",
                       options=["-m", "10000"])

    def test_checksum_of_a_chunk(self):
        with h5py.File(self.path, "w") as file:
            dataset = file.create_dataset(
                "enterprises/x", data=numpy.arange(1000), chunks=(500,),
                fletcher32=True)
            chunk = dataset.id.get_chunk_info(1)
        with open(self.path, "r+b") as file:
            file.seek(chunk.byte_offset + 5)
            file.write(b"\xff")
        self.fails("FORMAT", "'x'", "fletcher32: checksum mismatch")

    def test_members_with_names_for_terminals_are_refused(self):
        long = "x" * 1025
        row = numpy.dtype([("good", "<i4"), ("\x1b[2J", "<i4"),
                           ("a\x9bb", "<i4"), (long, "<i4")])
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises", data=numpy.ones(3, row))
        self.assertEqual(list(self.dump()["columns"]), ["good"])
        row = numpy.dtype([("\x1b[2J", "<i4")])
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises", data=numpy.ones(3, row))
        out = self.fails("FORMAT", "no column can be used; '?[2J': its name is "
                         "not printable UTF-8")
        self.assertNotIn("\x1b", out)

    def test_many_files_need_few_descriptors(self):
        """Of many files a few are open at a time, and few processes live:
        each has three descriptors here."""
        names = []
        for i in range(120):
            names.append(f"{self.folder}/{i}.h5")
            with h5py.File(names[-1], "w") as file:
                group = file.create_group("enterprises")
                group.create_dataset("a", data=numpy.arange(i, i + 10),
                                     chunks=(3,), compression="gzip")
                group.create_dataset("t", data=[f"text {i}"] * 10,
                                     dtype=h5py.string_dtype())
        done = subprocess.run(
            [DUMP, *names], capture_output=True, text=True, timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                  (60, 60)))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        columns = json.loads(done.stdout)["columns"]
        self.assertEqual(columns["a"]["values"],
                         [k for i in range(120) for k in range(i, i + 10)])
        self.assertEqual(columns["t"]["values"],
                         [f"text {i}" for i in range(120) for _ in range(10)])

    def test_damaged_column_of_many_files_hinders_no_other(self):
        """Maps of many files come early, with the table; those that nobody
        needs must not matter."""
        names = [f"{self.folder}/{i}.h5" for i in range(12)]
        for name in names:
            with h5py.File(name, "w", libver="earliest") as file:
                for column in "ab":
                    file.create_dataset(f"enterprises/{column}",
                                        data=numpy.arange(1000), chunks=(500,),
                                        compression="gzip")
                where = file["enterprises/a"].id.get_chunk_info(1).byte_offset
            with open(name, "rb") as file:
                data = file.read()
            old = struct.pack("<QQQ", 500, 0, where)
            self.assertEqual(data.count(old), 1)
            with open(name, "wb") as file:
                file.write(data.replace(old,
                                        struct.pack("<QQQ", 500, 0, 1 << 40)))
        done = self.run_dump(*names, options=["-c", "b"])
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(json.loads(done.stdout)["columns"]["b"]["values"],
                         list(range(1000)) * 12)
        self.fails("FORMAT", "damaged", files=names)

    def test_budget_is_kept(self):
        self.write_part("t", {"x": numpy.arange(100000), "n": ["a" * 50] * 100000})
        self.dump(options=["-m", "65536", "-b", "40000000"])
        self.fails("LIMIT", "memory limit", options=["-m", "65536", "-b", "300000"])
        self.fails("LIMIT", "texts of a column", options=["-m", "65536", "-b", "3000000"])

    # ---- Real data ----------------------------------------------------------

    def test_real_enterprises(self):
        source = DATA + "/fr_enterprises_sample.csv"
        if not os.path.exists(source):
            self.skipTest("../shared/data is missing")
        with open(source, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        header, rows = rows[0], rows[1:]
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises", track_order=True)
            for c, name in enumerate(header):
                group.create_dataset(name, data=[row[c] for row in rows],
                                     dtype=h5py.string_dtype())
        found = self.dump(options=["-m", "1000"])
        self.assertEqual(list(found["columns"]), header)
        for c, name in enumerate(header):
            self.assertEqual(found["columns"][name]["values"],
                             [row[c] for row in rows])


if __name__ == "__main__":
    DUMP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
