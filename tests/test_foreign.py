#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_foreign.py HANSE DUMP_SOURCE [-n TABLES] [-s SEED] [TEST...]: columns
whose values lie in other files, external storage and virtual datasets: refused
unless allowed, then read as h5py reads them."""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

HANSE = ""
DUMP = ""
TABLES = 60
SEED = 1
KINDS = ["i1", "<i4", ">i4", ">u2", "<f8", ">f4", "<i8"]


class Foreign(unittest.TestCase):
    """Every test has a directory of its own, and runs in another."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hanse-test-foreign-")
        self.path = self.folder + "/t.h5"
        os.mkdir(self.folder + "/elsewhere")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def dump(self, *options, folder="elsewhere", environment=None):
        return subprocess.run(
            [DUMP, *options, self.path], capture_output=True, text=True,
            timeout=60, cwd=f"{self.folder}/{folder}",
            env={**os.environ, **(environment or {})})

    def columns(self, *options, **more):
        done = self.dump("-e", *options, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return {name: column["values"] for name, column
                in json.loads(done.stdout)["columns"].items()}

    def fails(self, *words, options=("-e",)):
        done = self.dump(*options)
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        for word in words:
            self.assertIn(word, done.stdout)

    def truth(self, name):
        """What h5py reads, in the file's directory, where it looks as well."""
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            with h5py.File(self.path) as file:
                data = file["enterprises/" + name]
                values = data[()].ravel()
        finally:
            os.chdir(here)
        if values.dtype.kind == "S":
            return [v.decode() for v in values]
        return values.tolist()

    def check(self, *names, more=()):
        for options in ((), ("-l",), ("-T",), ("-m", "7"), *more):
            found = self.columns(*options)
            for name in names:
                self.assertEqual(found[name], self.truth(name),
                                 (name, options))

    def write_source(self, name, data, **options):
        with h5py.File(f"{self.folder}/{name}", "a") as file:
            file.create_dataset("g/x", data=data, **options)

    def write_virtual(self, layout, name="v", fill=None):
        with h5py.File(self.path, "a") as file:
            group = file.require_group("enterprises")
            group.create_virtual_dataset(name, layout, fillvalue=fill)

    # ---- Default ------------------------------------------------------------

    def test_both_are_refused_unless_allowed(self):
        self.write_source("s.h5", numpy.arange(5))
        layout = h5py.VirtualLayout(shape=(5,), dtype="i8")
        layout[:] = h5py.VirtualSource("s.h5", "g/x", shape=(5,))
        self.write_virtual(layout)
        numpy.arange(5.0).tofile(self.folder + "/raw")
        with h5py.File(self.path, "a") as file:
            group = file["enterprises"]
            group["a"] = numpy.arange(5)
            group.create_dataset("e", shape=(5,), dtype="f8",
                                 external=[("raw", 0, 40)])
        done = self.dump()
        self.assertEqual(list(json.loads(done.stdout)["columns"]), ["a"])
        for name in "ve":
            run = subprocess.run(
                [HANSE, "run", self.path, "-o", self.folder + "/o.h5", "-m",
                 name], capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 2)
            self.assertIn("--allow-external", run.stderr)
        run = subprocess.run(
            [HANSE, "run", self.path, "-o", self.folder + "/o.h5", "-m", "v",
             "-m", "e", "--allow-external"], capture_output=True, text=True,
            timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        with h5py.File(self.folder + "/o.h5") as file:
            self.assertEqual(float(file["total/v_total"][()].ravel()[0]), 10)
            self.assertEqual(float(file["total/e_total"][()].ravel()[0]), 10)
            self.assertIn("--allow-external", file.attrs["history"])
        info = subprocess.run([HANSE, "info", "--allow-external", self.path],
                              capture_output=True, text=True, timeout=60)
        self.assertRegex(info.stdout, r"(?m)^e .* external ")
        self.assertRegex(info.stdout, r"(?m)^v .* virtual ")

    # ---- External storage ---------------------------------------------------

    def test_external_storage_in_pieces(self):
        """Pieces that cut values, at offsets, the last one open-ended."""
        rng = random.Random(SEED)
        with h5py.File(self.path, "w") as file:
            group = file.create_group("enterprises")
            for number, kind in enumerate(KINDS):
                data = numpy.arange(1000).astype(kind).tobytes()
                pieces, at = [], 0
                while at < len(data):
                    n = min(rng.randint(1, len(data) // 3), len(data) - at)
                    name, offset = f"r{number}_{at}", rng.randint(0, 9)
                    with open(f"{self.folder}/{name}", "wb") as raw:
                        raw.write(b"z" * offset + data[at:at + n] + b"after")
                    at += n
                    last = at == len(data) and rng.random() < 0.5
                    pieces.append((name, offset,
                                   h5py.h5f.UNLIMITED if last else n))
                group.create_dataset(f"c{number}", shape=(1000,), dtype=kind,
                                     external=pieces)
        self.check(*(f"c{i}" for i in range(len(KINDS))))

    def test_external_texts_lose_their_padding(self):
        with open(self.folder + "/raw", "wb") as raw:
            raw.write(b"ab\0\0cd\0\0efgh")
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/t", shape=(3,), dtype="S4",
                                external=[("raw", 0, 12)])
        self.assertEqual(self.columns()["t"], ["ab", "cd", "efgh"])

    def test_external_storage_that_is_not_there(self):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/e", shape=(10,), dtype="f8",
                                external=[("raw", 4, 80)])
        raw = self.folder + "/raw"
        self.fails("ERR_IO", "'e'", raw, "No such file")
        with open(raw, "wb") as file:
            file.write(bytes(83))
        self.fails("ERR_IO", "'e'", raw, "up to byte 84", "ends at 83")
        os.unlink(raw)
        os.mkfifo(raw)
        self.fails("ERR_IO", "not a regular file")

    def test_prefix_of_the_library(self):
        os.mkdir(self.folder + "/raw.d")
        numpy.arange(4.0).tofile(self.folder + "/raw.d/raw")
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/e", shape=(4,), dtype="f8",
                                external=[("raw", 0, 32)])
        for prefix in (self.folder + "/raw.d", "${ORIGIN}/raw.d"):
            found = self.columns(environment={"HDF5_EXTFILE_PREFIX": prefix})
            self.assertEqual(found["e"], [0, 1, 2, 3])
        self.assertEqual(self.columns(folder="raw.d")["e"], [0, 1, 2, 3])

    # ---- Virtual datasets ---------------------------------------------------

    def random_virtual(self, rng, number):
        """Pieces of several sources, with gaps, strides and a fill value."""
        kind = rng.choice(KINDS)
        n = rng.randint(1, 400)
        layout = h5py.VirtualLayout(shape=(n,), dtype=kind)
        at = 0
        for s in range(rng.randint(0, 4)):
            rows = rng.randint(1, 300)
            options = {} if rng.random() < 0.3 else {
                "chunks": (rng.randint(1, rows),),
                "compression": rng.choice([None, "gzip", "lzf"])}
            name = f"s{number}_{s}.h5"
            # The other byte order, sometimes.
            stored = numpy.dtype(kind)
            if rng.random() < 0.5:
                stored = stored.newbyteorder()
            self.write_source(name, (numpy.arange(rows) * 3 + s).astype(stored),
                              **options)
            source = h5py.VirtualSource(name, "g/x", shape=(rows,))
            at += rng.randint(0, 20)
            step, from_step = rng.choice([1, 1, 2, 3]), rng.choice([1, 1, 2])
            begin = rng.randrange(rows)
            count = min((n - at + step - 1) // step,
                        (rows - begin + from_step - 1) // from_step)
            if at >= n or count < 1:
                break
            layout[at:at + count * step:step] = \
                source[begin:begin + count * from_step:from_step]
            at += count * step
        self.write_virtual(layout, f"v{number}", rng.choice([None, 5]))
        return f"v{number}"

    def test_random_virtual_datasets(self):
        rng = random.Random(SEED)
        for _ in range(TABLES):
            name = self.random_virtual(rng, 0)
            self.check(name)
            for left in os.listdir(self.folder):
                if left.endswith(".h5"):
                    os.unlink(f"{self.folder}/{left}")

    def test_sources_in_this_file_and_texts(self):
        with h5py.File(self.path, "w") as file:
            file["parts/t"] = numpy.array([b"ab", b"cde", b""], "S3")
        layout = h5py.VirtualLayout(shape=(5,), dtype="S3")
        layout[1:4] = h5py.VirtualSource(".", "parts/t", shape=(3,))
        self.write_virtual(layout, fill=b"-")
        self.check("v")

    def test_values_that_only_the_library_decodes(self):
        self.write_source("s.h5", numpy.arange(500), chunks=(64,),
                          scaleoffset=0)
        layout = h5py.VirtualLayout(shape=(300,), dtype="i8")
        layout[:] = h5py.VirtualSource("s.h5", "g/x", shape=(500,))[100:400]
        self.write_virtual(layout)
        self.check("v")

    def test_many_sources_need_few_processes(self):
        layout = h5py.VirtualLayout(shape=(100,), dtype="i4")
        for i in range(100):
            self.write_source(f"s{i}.h5", numpy.array([i], "i4"))
            layout[i:i + 1] = h5py.VirtualSource(f"s{i}.h5", "g/x", shape=(1,))
        self.write_virtual(layout)
        done = subprocess.run(
            ["sh", "-c", 'ulimit -n 60; exec "$@"', "sh", DUMP, "-e",
             self.path], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(json.loads(done.stdout)["columns"]["v"]["values"],
                         list(range(100)))

    def test_sources_that_do_not_fit(self):
        layout = h5py.VirtualLayout(shape=(10,), dtype="i4")
        layout[:] = h5py.VirtualSource("s.h5", "g/x", shape=(10,))
        self.write_virtual(layout)
        source = self.folder + "/s.h5"
        self.fails("ERR_IO", source, "No such file")
        self.write_source("s.h5", numpy.arange(9, dtype="i4"))
        self.fails("ERR_IO", "up to row 10", "ends at 9")
        os.unlink(source)
        self.write_source("s.h5", numpy.arange(10, dtype="f4"))
        self.fails("ERR_TYPE", "'v' is int32, but float32 in " + source)
        os.unlink(source)
        self.write_source("s.h5", numpy.zeros((10, 3), "i4"))
        self.fails("2 dimensions")
        os.unlink(source)
        with open(source, "wb") as file:
            file.write(b"no such file")
        self.fails("ERR_FORMAT", "is not an HDF5 file")
        os.unlink(source)
        os.mkfifo(source)
        self.fails("ERR_IO", "not a regular file")

    def test_a_source_leads_no_further(self):
        self.write_source("s.h5", numpy.arange(10, dtype="i4"))
        layout = h5py.VirtualLayout(shape=(10,), dtype="i4")
        layout[:] = h5py.VirtualSource("s.h5", "g/x", shape=(10,))
        with h5py.File(self.folder + "/middle.h5", "w") as file:
            file.create_virtual_dataset("v", layout)
            file["x"] = h5py.ExternalLink("s.h5", "/g/x")
        for name, words in (("v", "a virtual dataset"),
                            ("x", "no such object")):
            layout = h5py.VirtualLayout(shape=(10,), dtype="i4")
            layout[:] = h5py.VirtualSource("middle.h5", name, shape=(10,))
            self.write_virtual(layout, fill=1)
            self.fails(words)
            os.unlink(self.path)

    def test_what_is_not_followed_says_so(self):
        self.write_source("s.h5", numpy.arange(10, dtype="i4"),
                          maxshape=(None,), chunks=(5,))
        layout = h5py.VirtualLayout(shape=(10,), dtype="i4",
                                    maxshape=(None,))
        source = h5py.VirtualSource("s.h5", "g/x", shape=(10,),
                                    maxshape=(None,))
        layout[0:h5py.h5s.UNLIMITED] = source[0:h5py.h5s.UNLIMITED]
        self.write_virtual(layout)
        self.fails("unlimited selections")
        os.unlink(self.path)
        with h5py.File(self.path, "w") as file:
            create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            space = h5py.h5s.create_simple((10,), (h5py.h5s.UNLIMITED,))
            space.select_hyperslab((0,), (h5py.h5s.UNLIMITED,), (10,), (10,))
            create.set_virtual(space, b"s%b.h5", b"g/x",
                               h5py.h5s.create_simple((10,)))
            group = file.create_group("enterprises")
            h5py.h5d.create(group.id, b"v", h5py.h5t.NATIVE_INT32, space,
                            create)
        self.fails("named by a pattern")

    def test_rows_that_lie_nowhere_are_refused(self):
        self.write_source("s.h5", numpy.arange(10, dtype="i4"))
        layout = h5py.VirtualLayout(shape=(10**12,), dtype="i4")
        layout[:10] = h5py.VirtualSource("s.h5", "g/x", shape=(10,))
        self.write_virtual(layout)
        self.fails("rows claimed")


def main():
    global HANSE, DUMP, TABLES, SEED
    parser = argparse.ArgumentParser()
    parser.add_argument("hanse", type=os.path.abspath)
    parser.add_argument("dump", type=os.path.abspath)
    parser.add_argument("-n", type=int, default=TABLES)
    parser.add_argument("-s", type=int, default=SEED)
    options, rest = parser.parse_known_args()
    HANSE, DUMP = options.hanse, options.dump
    TABLES, SEED = options.n, options.s
    os.environ["HANSE_READER"] = HANSE
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
