#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_source_random.py DUMP_SOURCE MAKE_RANDOM_TABLE [-n TABLES] [-s SEED]
[TEST...]: random tables, written by h5py and by C, read through our decoder and
through the library, and by h5py: every value is the same."""
import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

DUMP = ""
MAKE = ""
TABLES = 60
SEED = 1


def shown(value):
    """As dump_source prints it."""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
    return value


class Random(unittest.TestCase):
    """Every test has a directory of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hanse-test-random-")
        self.path = self.folder + "/t.h5"

    def tearDown(self):
        shutil.rmtree(self.folder)

    def dump(self, *options):
        done = subprocess.run([DUMP, *options, self.path], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return json.loads(done.stdout)["columns"]

    def expected(self, dataset, name=None):
        """The values by h5py, from one column or member."""
        data = dataset[()] if dataset.dtype.names is None else dataset[name]
        kind = h5py.check_string_dtype(data.dtype) or \
            h5py.check_string_dtype(dataset.dtype)
        values = data.ravel().tolist()
        if kind is not None and kind.length is not None:
            padding = dataset.id.get_type().get_strpad() \
                if dataset.dtype.names is None else h5py.h5t.STR_NULLPAD
            values = self.texts(data.tobytes(), kind.length, padding)
        if data.dtype.kind == "u" and data.dtype.itemsize == 8:
            return [str(v) for v in values]
        return [shown(v) for v in values]

    @staticmethod
    def texts(raw, length, padding):
        """Of a fixed length; what was padded by spaces comes with zeros."""
        values = [raw[i:i + length] for i in range(0, len(raw), length)]
        if padding == h5py.h5t.STR_NULLTERM:
            return [v.split(b"\0")[0] for v in values]
        return [v.rstrip(b"\0") for v in values]

    def same(self, found, expected, where):
        """Says the first difference; a whole one takes minutes to work out.
        Plug-ins that h5py loads make its processor take the smallest floats
        for zeros; the library's own reading has been compared before."""
        self.assertEqual(len(found), len(expected), where)
        for row, (ours, theirs) in enumerate(zip(found, expected)):
            is_tiny = theirs == 0.0 and isinstance(ours, float) and \
                abs(ours) < 2.0 ** -126
            # Padded by spaces, never written: zeros, which are characters.
            is_unwritten = theirs == "" and not ours.strip("\0")
            if ours != theirs and not is_tiny and not is_unwritten:
                self.fail(f"{where}, row {row}: {ours!r}, expected {theirs!r}")

    def compare(self, seed, rng):
        found = [self.dump(*options) for options in
                 ((), ("-l",), ("-T",), ("-m", str(rng.randint(1, 999))))]
        for other in found[1:]:
            self.assertTrue(found[0] == other, f"seed {seed}")
        with h5py.File(self.path) as file:
            table = file["enterprises"]
            names = table.dtype.names if isinstance(table, h5py.Dataset) \
                else list(table)
            self.assertEqual(sorted(found[0]), sorted(names))
            for name in names:
                dataset = table if isinstance(table, h5py.Dataset) \
                    else table[name]
                self.same(found[0][name]["values"],
                          self.expected(dataset, name), f"seed {seed}, {name}")

    def test_tables_of_c(self):
        rng = random.Random(SEED)
        for i in range(TABLES):
            seed = SEED * 1000003 + i
            subprocess.run([MAKE, str(seed), self.path], check=True,
                           timeout=60)
            self.compare(seed, rng)

    # ---- h5py ---------------------------------------------------------------

    KINDS = ["i1", "u1", "<i2", ">i2", "<u4", ">i4", "<i8", ">u8", "<f4", ">f4",
             "<f8", ">f8", "S1", "S7", "?"]

    def random_values(self, rng, kind, n):
        draw = numpy.random.default_rng(rng.getrandbits(32))
        if kind == "?":
            return draw.integers(0, 2, n).astype("?")
        if kind[0] == "S":
            return numpy.array([rng.choice([b"", b"a", b"xyz", b"abcdefg"])
                                for _ in range(n)], kind)
        if rng.random() < 0.5:
            return draw.integers(0, 100, n).astype(kind)
        size = numpy.dtype(kind).itemsize
        return numpy.frombuffer(draw.bytes(n * size), kind)

    def random_storage(self, rng, n):
        if rng.random() < 0.2 or n == 0:
            return {}
        options = {"chunks": (rng.randint(1, 2 * n),),
                   "maxshape": (None,),
                   "shuffle": rng.random() < 0.5,
                   "fletcher32": rng.random() < 0.3}
        compression = rng.choice([None, "gzip", "lzf", 307, 32001, 32004,
                                  32008])
        if not isinstance(compression, int) or \
                h5py.h5z.filter_avail(compression):
            options["compression"] = compression
        return options

    def test_groups_of_h5py(self):
        for i in range(TABLES):
            rng = random.Random(SEED * 1000003 + i)
            n = rng.choice([0, 1, 7, 1000, rng.randint(1, 5000)])
            version = rng.choice(["earliest", "latest"])
            with h5py.File(self.path, "w", libver=(version, "latest")) as file:
                for c in range(rng.randint(1, 4)):
                    kind = rng.choice(self.KINDS)
                    options = self.random_storage(rng, n)
                    values = self.random_values(rng, kind, n)
                    if kind[0] != "S" and kind != "?" and rng.random() < 0.5:
                        options["fillvalue"] = 7
                    data = file.create_dataset(f"enterprises/c{c}", (n,), kind,
                                               **options)
                    if n and rng.random() < 0.8:
                        stop = n if rng.random() < 0.5 else rng.randint(0, n)
                        data[:stop] = values[:stop]
            self.compare(SEED * 1000003 + i, rng)

    def test_compounds_of_h5py(self):
        for i in range(TABLES):
            rng = random.Random(SEED * 1000033 + i)
            n = rng.choice([1, 7, 1000, rng.randint(1, 5000)])
            fields = [(f"c{c}", rng.choice(self.KINDS))
                      for c in range(rng.randint(1, 6))]
            row = numpy.dtype(fields, align=rng.random() < 0.5)
            rows = numpy.zeros(n, row)
            for name, kind in fields:
                rows[name] = self.random_values(rng, kind, n)
            with h5py.File(self.path, "w") as file:
                file.create_dataset("enterprises", data=rows,
                                    **self.random_storage(rng, n))
            self.compare(SEED * 1000033 + i, rng)


def main():
    global DUMP, MAKE, TABLES, SEED
    parser = argparse.ArgumentParser()
    parser.add_argument("dump", type=os.path.abspath)
    parser.add_argument("make", type=os.path.abspath)
    parser.add_argument("-n", type=int, default=TABLES)
    parser.add_argument("-s", type=int, default=SEED)
    options, rest = parser.parse_known_args()
    DUMP, MAKE = options.dump, options.make
    TABLES, SEED = options.n, options.s
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
