#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_info.py PROGRAM [TEST...]: `hanse info`, as text and as JSON."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

PROGRAM = ""


class Info(unittest.TestCase):
    """Every test has a directory of its own with a table t.h5."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hanse-test-info-")
        self.path = self.folder + "/t.h5"
        sectors = h5py.enum_dtype({"energy": 1, "medical": 2}, "i1")
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises", track_order=True)
            group.create_dataset("cluster", data=numpy.arange(5000, dtype=">i4"),
                                 chunks=(1000,), compression=4, shuffle=True)
            group["cluster"].attrs["_FillValue"] = numpy.int32(-1)
            group["turnover"] = numpy.zeros(5000)
            group["turnover"].attrs["units"] = "EUR"
            group["turnover"].attrs["long_name"] = "turnover \x1b[2J 产业"
            group["turnover"].attrs["missing_value"] = 1e20
            group.create_dataset("sector", data=numpy.ones(5000, "i1"),
                                 dtype=sectors)
            group["vector"] = numpy.zeros((5000, 2))
            file["links/source"] = numpy.arange(7)
            file["links/rate"] = numpy.zeros(7, "f4")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_info(self, *arguments):
        return subprocess.run([PROGRAM, "info", *arguments],
                              capture_output=True, text=True, timeout=60)

    def text(self, *arguments):
        done = self.run_info(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.text("--json", *arguments))

    def test_text_aligns_what_the_columns_have(self):
        lines = self.text(self.path).splitlines()
        self.assertTrue(lines[0].startswith(f"file        {self.path}, "))
        self.assertEqual(lines[1], "table       /enterprises (columns), "
                                   "5,000 rows, 3 columns")
        self.assertRegex(lines[2], r"^stored      .* decoded, ratio \d\.\d\d$")
        self.assertEqual(lines[3], "links       /links, 7 rows: rate float32, "
                                   "source int64")
        head = lines[5]
        self.assertEqual(head.split(), [
            "column", "type", "rows", "units", "layout", "chunk", "filters",
            "stored", "ratio", "missing", "description"])
        rows = {line.split()[0]: line for line in lines[6:9]}
        self.assertEqual(list(rows), ["cluster", "turnover", "sector"])
        for title, column, value in (
                ("type", "cluster", "int32 big-endian"),
                ("type", "sector", "enum of 2, int8"),
                ("units", "turnover", "EUR"),
                ("layout", "turnover", "contiguous"),
                ("filters", "cluster", "shuffle, deflate 4"),
                ("missing", "cluster", "-1"),
                ("missing", "turnover", "NaN, 1e+20")):
            start = head.index(title)
            self.assertEqual(rows[column][start:start + len(value)], value)
        for title, column, value in (("chunk", "cluster", "1,000"),
                                     ("rows", "sector", "5,000")):
            end = head.index(title) + len(title)
            self.assertEqual(rows[column][end - len(value):end], value)
        rest = "\n".join(lines[9:])
        self.assertIn("labels of sector: 1 energy, 2 medical", rest)
        self.assertIn("vector: 2 dimensions (5000 x 2)", rest)
        self.assertNotIn("\x1b", self.text(self.path))

    def test_columns_that_nobody_needs_are_left_out(self):
        with h5py.File(self.path, "w") as file:
            file["firms/n"] = numpy.arange(10)
        head = self.text(self.path).splitlines()[4]
        self.assertEqual(head.split(), ["column", "type", "rows", "layout",
                                        "stored", "ratio"])

    def test_json_has_the_same(self):
        found = self.json(self.path)
        self.assertEqual(
            [found[key] for key in ("table", "shape", "rows")],
            ["/enterprises", "columns", 5000])
        with h5py.File(self.path) as file:
            stored = {n: file["enterprises/" + n].id.get_storage_size()
                      for n in ("cluster", "turnover", "sector")}
        self.assertEqual(found["stored_bytes"], sum(stored.values()))
        self.assertEqual(found["raw_bytes"], 5000 * (4 + 8 + 1))
        self.assertEqual(found["files"], [{
            "file": self.path, "size_bytes": os.path.getsize(self.path),
            "rows": 5000, "stored_bytes": sum(stored.values()),
            "raw_bytes": 65000}])
        columns = {column["name"]: column for column in found["columns"]}
        self.assertEqual(columns["cluster"], {
            "name": "cluster", "type": "int32", "units": None,
            "long_name": None, "labels": {}, "rows": 5000,
            "stored_bytes": stored["cluster"], "raw_bytes": 20000,
            "ratio": 20000 / stored["cluster"],
            "storage": [{
                "type": "int32 big-endian", "layout": "chunked",
                "chunk_rows": 1000, "filters": "shuffle, deflate 4",
                "missing": "-1", "library": None,
                "stored_bytes": stored["cluster"], "raw_bytes": 20000}]})
        self.assertEqual(columns["turnover"]["units"], "EUR")
        self.assertEqual(columns["turnover"]["long_name"],
                         "turnover \x1b[2J 产业")
        self.assertIsNone(columns["turnover"]["storage"][0]["chunk_rows"])
        self.assertEqual(columns["sector"]["labels"],
                         {"energy": 1, "medical": 2})
        self.assertEqual(found["unsupported"], [{
            "file": self.path, "name": "vector",
            "reason": "2 dimensions (5000 x 2); a column has one"}])
        self.assertEqual(found["links"], {
            "table": "/links", "rows": 7,
            "columns": [{"name": "rate", "type": "float32"},
                        {"name": "source", "type": "int64"}]})

    def test_columns_for_the_library_are_named_with_the_reason(self):
        with h5py.File(self.path, "a") as file:
            group = file["enterprises"]
            group.create_dataset("name", data=["x"] * 5000,
                                 dtype=h5py.string_dtype())
            group.create_dataset("packed", data=numpy.arange(5000),
                                 chunks=(500,), scaleoffset=0)
            odd = h5py.h5t.STD_I32LE.copy()
            odd.set_precision(12)
            h5py.h5d.create(group.id, b"odd", odd,
                            h5py.h5s.create_simple((5000,)))
        expected = {"name": "texts of varying length",
                    "packed": "filter 6 (scale-offset)",
                    "odd": "numbers of an unusual size or bit layout"}
        found = {c["name"]: c["storage"][0]["library"]
                 for c in self.json(self.path)["columns"]}
        self.assertEqual({n: r for n, r in found.items() if r}, expected)
        self.assertIsNone(found["cluster"])
        text = self.text(self.path)
        for name, reason in expected.items():
            self.assertIn(f"\n  {name}: {reason}\n", text)
        self.assertIn("decoded by the HDF5 library", text)

    def test_rows_with_texts_are_for_the_library(self):
        row = numpy.dtype([("a", "i4"), ("t", h5py.string_dtype())])
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises", shape=(5,), dtype=row)
        found = {c["name"]: c["storage"][0]["library"]
                 for c in self.json(self.path)["columns"]}
        self.assertEqual(found, {
            "a": "in one dataset with values of varying length",
            "t": "texts of varying length"})

    def test_damaged_index_of_a_column_is_told(self):
        with h5py.File(self.path, "w", libver="earliest") as file:
            for name in "ab":
                file.create_dataset(f"enterprises/{name}",
                                    data=numpy.arange(1000), chunks=(500,),
                                    compression="gzip")
            where = file["enterprises/a"].id.get_chunk_info(1).byte_offset
        with open(self.path, "rb") as file:
            data = file.read()
        old = struct.pack("<QQQ", 500, 0, where)
        self.assertEqual(data.count(old), 1)
        with open(self.path, "wb") as file:
            file.write(data.replace(old, struct.pack("<QQQ", 500, 0, 1 << 40)))
        found = {c["name"]: c["storage"][0]["library"]
                 for c in self.json(self.path)["columns"]}
        self.assertIsNone(found["b"])
        self.assertIn("damaged", found["a"])

    def test_compound_shares_its_storage(self):
        data = numpy.zeros(5000, [("a", "i4"), ("b", "f8")])
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises", data=data, chunks=(500,),
                                compression=1)
            stored = file["enterprises"].id.get_storage_size()
        found = self.json(self.path)
        self.assertEqual((found["shape"], found["stored_bytes"],
                          found["raw_bytes"]), ("compound", stored, 60000))
        self.assertEqual([c["stored_bytes"] for c in found["columns"]],
                         [None, None])
        self.assertIsNone(found["links"])
        self.assertNotIn("0 B", self.text(self.path).split("\n\n")[1])

    def test_several_files_are_one_table(self):
        other = self.folder + "/u.h5"
        shutil.copy(self.path, other)
        with h5py.File(other, "a") as file:
            del file["enterprises/turnover"]
            file.create_dataset("enterprises/turnover",
                                data=numpy.zeros(5000), chunks=(100,))
            del file["enterprises/cluster"]
            file["enterprises/cluster"] = numpy.zeros(5000, "<i4")
        found = self.json(self.path, other)
        self.assertEqual(found["rows"], 10000)
        self.assertEqual([f["rows"] for f in found["files"]], [5000, 5000])
        columns = {column["name"]: column for column in found["columns"]}
        self.assertEqual([s["layout"] for s in columns["turnover"]["storage"]],
                         ["contiguous", "chunked"])
        self.assertEqual(columns["turnover"]["raw_bytes"], 80000)
        lines = self.text(self.path, other).splitlines()
        self.assertIn("5,000 rows", lines[0])
        self.assertTrue(lines[1].startswith(f"            {other}, "))
        line = next(l for l in lines if l.startswith("turnover"))
        self.assertEqual(line.split()[4:6], ["varies", "varies"])
        line = next(l for l in lines if l.startswith("cluster"))
        self.assertEqual(line.split()[1:3], ["int32", "10,000"])

    def test_no_rows_is_described(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises/x"] = numpy.zeros(0)
        self.assertIn("(columns), 0 rows, 1 column\n", self.text(self.path))
        self.assertEqual(self.json(self.path)["rows"], 0)

    def test_several_tables_are_listed(self):
        with h5py.File(self.path, "w") as file:
            file["by_chain/count"] = numpy.arange(3)
            file["by_cluster/count"] = numpy.arange(4)
            file["by_cluster/total"] = numpy.arange(4.0)
        text = self.text(self.path)
        self.assertIn("2 tables", text)
        self.assertIn("  /by_chain (columns), 3 rows, 1 column\n", text)
        self.assertEqual(self.json(self.path), {
            "file": self.path,
            "tables": [{"table": "/by_chain", "shape": "columns", "rows": 3,
                        "columns": 1},
                       {"table": "/by_cluster", "shape": "columns", "rows": 4,
                        "columns": 2}]})
        self.assertEqual(self.json("-t", "/by_cluster", self.path)["rows"], 4)

    def test_links_that_cannot_be_used_are_mentioned(self):
        with h5py.File(self.path, "a") as file:
            file["links/more"] = numpy.arange(9)
        self.assertRegex(self.text(self.path),
                         "links       cannot be used: .*unequal length")
        self.assertIn("unequal length", self.json(self.path)["links"]["fault"])

    def test_failures(self):
        for arguments, status, message in (
                ([], 2, "which file?"),
                (["--tabel", "x", self.path], 2, "did you mean '--table'?"),
                ([self.folder + "/no.h5"], 1, "no.h5: No such file"),
                ([self.folder], 1, "is a directory"),
                (["-t", "/firms", self.path], 2, "/firms: there is no such"),
                ([self.path, self.folder + "/no.h5"], 1, "No such file")):
            done = self.run_info(*arguments)
            self.assertEqual((done.returncode, done.stdout), (status, ""))
            self.assertTrue(done.stderr.startswith("hanse: error: "))
            self.assertIn(message, done.stderr)

    def test_help(self):
        self.assertIn("usage: hanse info [options] FILE...",
                      self.text("--help"))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
