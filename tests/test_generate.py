#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hanse generate, seen from outside: structure, the same bytes for any number
of threads, the same values in every layout, failures that leave nothing.

Usage: test_generate.py HANSE [unittest options]
"""
import ctypes
import ctypes.util
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

import h5py
import numpy as np

HANSE = ""

ENTERPRISES = {
    "enterprise_id": "<i8", "cluster": "<i4", "chain": "<i2",
    "platform": "<i2", "sector": "|u1", "active": "|u1", "labour": "<f8",
    "equipment": "<f8", "technology": "<f8", "resource": "<f8",
    "information": "<f8", "quality": "<f4", "strategy": "<f8",
    "demand": "<f8",
}
LINKS = {"source": "<i8", "target": "<i8", "rate": "<f4"}
LZ4, ZSTD = 32004, 32015

# Chunks that end inside a window of links, and a last one that is not full.
ROWS = 150_000
CHUNKED = ["--chunk", "40000"]

# SHA-256 over all columns of `-n 20000 --links`, in the order above, as
# little-endian bytes. Changes when the population changes, which is then to
# be said in CHANGELOG.md; nothing else may change it.
DIGEST = "efa5fd20291ff0d04e2f39e66598550420043f7f886610fd707e01f4a672d802"


def run(*arguments, **options):
    return subprocess.run([HANSE, "generate", *arguments], text=True,
                          capture_output=True, **options)


def zstd_decompress(frame, size):
    library = ctypes.CDLL(ctypes.util.find_library("zstd"))
    library.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(size)
    got = library.ZSTD_decompress(out, ctypes.c_size_t(size), frame,
                                  ctypes.c_size_t(len(frame)))
    if got != size:
        raise ValueError(f"frame gives {got} bytes, not {size}")
    return out.raw


def read_zstd_column(dataset):
    """Decodes the chunks without any filter of HDF5: there is no plug-in."""
    n, chunk, kind = dataset.shape[0], dataset.chunks[0], dataset.dtype
    filters = [dataset.id.get_create_plist().get_filter(i)[0]
               for i in range(dataset.id.get_create_plist().get_nfilters())]
    parts = []
    for first in range(0, n, chunk):
        mask, data = dataset.id.read_direct_chunk((first,))
        if not mask & 1 << filters.index(ZSTD):
            data = zstd_decompress(data, chunk * kind.itemsize)
        values = np.frombuffer(data, np.uint8)
        if 2 in filters and kind.itemsize > 1:
            values = values.reshape(kind.itemsize, chunk).T.copy()
        parts.append(np.frombuffer(values.tobytes(), kind)[:n - first])
    return np.concatenate(parts)


def read_column(dataset):
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    return read_zstd_column(dataset) if ZSTD in filters else dataset[:]


def read_bytes(path):
    """All columns of all tables, as bytes."""
    with h5py.File(path) as file:
        return {f"{table}/{name}": read_column(file[table][name]).tobytes()
                for table, names in (("enterprises", ENTERPRISES),
                                     ("links", LINKS)) if table in file
                for name in names}


class Generate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=os.getcwd())
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def generate(self, name, *arguments):
        done = run(self.path(name), "--quiet", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr + done.stdout, "")
        return self.path(name)

    def assert_fails(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertTrue(done.stderr.startswith("hanse: error: "), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def assert_only(self, *names):
        self.assertEqual(sorted(os.listdir(self.folder.name)), sorted(names))

    # ---- Structure ----------------------------------------------------------

    def test_file_has_documented_structure(self):
        path = self.generate("t.h5", "-n", "1000", "--links", "--seed", "42",
                             "--clusters", "77")
        with h5py.File(path) as file:
            self.assertEqual(sorted(file), ["enterprises", "links"])
            for table, kinds in (("enterprises", ENTERPRISES),
                                 ("links", LINKS)):
                columns = file[table]
                order = columns.id.links
                self.assertEqual(
                    [order.get_info(name.encode()).corder for name in kinds],
                    list(range(len(kinds))))
                self.assertEqual(set(columns), set(kinds))
                for name, kind in kinds.items():
                    column = columns[name]
                    self.assertEqual(column.dtype.str, kind, name)
                    self.assertIsNone(column.chunks)
                    for attribute in ("units", "long_name"):
                        text = column.attrs[attribute]
                        self.assertIsInstance(text, str)
                        self.assertTrue(text)
                        info = h5py.check_string_dtype(
                            column.attrs.get_id(attribute).dtype)
                        self.assertEqual(info.encoding, "utf-8")
                        self.assertIsNone(info.length)
                    self.assertEqual(len(column), len(columns["source"])
                                     if table == "links" else 1000)
            self.assertEqual(
                h5py.check_enum_dtype(file["enterprises/sector"].dtype),
                {"manufacturing": 0, "energy": 1, "medical": 2})
            for name in ("title", "source", "comment"):
                self.assertIsInstance(file.attrs[name], str)
            self.assertEqual(file.attrs["seed"], 42)
            self.assertEqual(file.attrs["clusters"], 77)
            self.assertEqual(file.attrs["sectors"], "all")

    def test_values_are_those_of_every_machine(self):
        columns = read_bytes(self.generate("t.h5", "-n", "20000", "--links"))
        digest = hashlib.sha256()
        for data in columns.values():
            digest.update(data)
        self.assertEqual(digest.hexdigest(), DIGEST)

    def test_row_does_not_depend_on_number_of_rows(self):
        few = read_bytes(self.generate("few.h5", "-n", "1000"))
        many = read_bytes(self.generate("many.h5", "-n", "9000"))
        for name, data in few.items():
            self.assertEqual(data, many[name][:len(data)], name)

    def test_empty_and_single_row_tables_are_readable(self):
        for n in (0, 1):
            for extra in ([], ["--compress", "gzip", "--shuffle"]):
                path = self.generate("t.h5", "-n", str(n), "--links",
                                     "--force", *extra)
                columns = read_bytes(path)
                self.assertEqual(len(columns["enterprises/labour"]), 8 * n)
                self.assertEqual(len(columns["links/source"]), 0)

    def test_counts_can_be_written_in_several_ways(self):
        for text in ("2000", "2k", "2_000", "2e3"):
            path = self.generate("t.h5", "-n", text, "--force")
            with h5py.File(path) as file:
                self.assertEqual(len(file["enterprises/labour"]), 2000, text)

    def test_sector_and_seed_are_obeyed(self):
        one = self.generate("one.h5", "-n", "5000", "--sector", "energy")
        two = self.generate("two.h5", "-n", "5000", "--sector=energy",
                            "--seed=2")
        with h5py.File(one) as a, h5py.File(two) as b:
            self.assertTrue((a["enterprises/sector"][:] == 1).all())
            self.assertEqual(a.attrs["sectors"], "energy")
            self.assertFalse((a["enterprises/information"][:] ==
                              b["enterprises/information"][:]).any())

    def test_links_are_valid(self):
        path = self.generate("t.h5", "-n", str(ROWS), "--links")
        with h5py.File(path) as file:
            source, target, rate = (file["links"][name][:] for name in LINKS)
            cluster = file["enterprises/cluster"][:]
        self.assertTrue(2.7 * ROWS < len(source) < 3.2 * ROWS)
        self.assertTrue((np.diff(source) >= 0).all())
        for rows in (source, target):
            self.assertTrue(((rows >= 0) & (rows < ROWS)).all())
        self.assertTrue((source != target).all())
        self.assertTrue(((rate > 0) & (rate <= 1)).all())
        at_home = (cluster[source] == cluster[target]).mean()
        self.assertTrue(0.8 < at_home < 0.95, at_home)

    # ---- The same bytes -----------------------------------------------------

    STORAGES = {
        "contiguous": [],
        "chunked": CHUNKED,
        "shuffled": CHUNKED + ["--shuffle"],
        "gzip": CHUNKED + ["--compress", "gzip:1"],
        "gzip shuffled": CHUNKED + ["--compress", "gzip:1", "--shuffle"],
        "gzip:9 shuffled": CHUNKED + ["--compress", "gzip:9", "--shuffle"],
        "lz4": CHUNKED + ["--compress", "lz4"],
        "lz4 shuffled": CHUNKED + ["--compress", "lz4", "--shuffle"],
        "zstd": CHUNKED + ["--compress", "zstd"],
        "zstd shuffled": CHUNKED + ["--compress", "zstd:5", "--shuffle"],
    }

    def test_files_are_equal_for_any_number_of_threads(self):
        for name in ("contiguous", "chunked", "gzip", "lz4 shuffled",
                     "zstd shuffled"):
            files = set()
            for threads in (1, 2, 3):
                path = self.generate("t.h5", "-n", str(ROWS), "--links",
                                     "--force", f"--threads={threads}",
                                     *self.STORAGES[name])
                with open(path, "rb") as file:
                    files.add(hashlib.sha256(file.read()).hexdigest())
            self.assertEqual(len(files), 1, name)

    def test_values_are_equal_in_every_layout(self):
        expected = None
        for name, options in self.STORAGES.items():
            if name.startswith("lz4") and not h5py.h5z.filter_avail(LZ4):
                print(f"SKIPPED: {name}, the package hdf5-filter-plugin is "
                      "not installed", file=sys.stderr)
                continue
            found = read_bytes(self.generate("t.h5", "-n", str(ROWS),
                                             "--links", "--force", *options))
            expected = expected or found
            for column, data in expected.items():
                self.assertEqual(found[column], data, f"{name}: {column}")

    def test_filters_are_recorded_as_asked(self):
        path = self.generate("t.h5", "-n", "1000", "--compress", "zstd:7",
                             "--shuffle")
        with h5py.File(path) as file:
            plist = file["enterprises/labour"].id.get_create_plist()
            self.assertEqual(plist.get_nfilters(), 2)
            self.assertEqual(plist.get_filter(0)[0], 2)
            self.assertEqual(plist.get_filter(1)[0], ZSTD)
            self.assertEqual(plist.get_filter(1)[2][:1], (7,))

    def test_planes_of_noise_are_stored(self):
        """Ids and information have noise in their low bytes, which zlib finds
        as it is in stored blocks, and h5py and h5dump read."""
        path = self.generate("t.h5", "-n", "80000", "--chunk", "40000",
                             "--compress", "gzip:1", "--shuffle")
        raw = self.path("raw")
        with h5py.File(path) as file:
            for name in ("enterprise_id", "information"):
                column = file["enterprises"][name]
                values = column[:]
                for first in (0, 40000):
                    mask, chunk = column.id.read_direct_chunk((first,))
                    planes = np.frombuffer(zlib.decompress(chunk), np.uint8)
                    planes = planes.reshape(8, 40000)
                    self.assertEqual(mask, 0)
                    self.assertEqual(chunk[:7], b"\x78\x01\x00\xff\xff\0\0")
                    self.assertEqual(chunk[7:40007], planes[0].tobytes())
                    self.assertEqual(planes.T.tobytes(),
                                     values[first:first + 40000].tobytes())
                subprocess.run(["h5dump", "-d", f"/enterprises/{name}", "-b",
                                "LE", "-o", raw, path], check=True,
                               stdout=subprocess.DEVNULL)
                with open(raw, "rb") as dumped:
                    self.assertEqual(dumped.read(), values.tobytes())

    def test_compression_makes_files_smaller(self):
        plain = os.path.getsize(self.generate("p.h5", "-n", "100000"))
        for method in ("gzip", "lz4", "zstd"):
            small = os.path.getsize(
                self.generate(f"{method}.h5", "-n", "100000", "--compress",
                              method))
            self.assertLess(small, 0.85 * plain, method)

    # ---- Failures -----------------------------------------------------------

    def test_existing_file_is_kept_without_force(self):
        with open(self.path("t.h5"), "w") as file:
            file.write("old")
        done = run(self.path("t.h5"), "-n", "100")
        self.assert_fails(done, 1, "exists", "--force")
        with open(self.path("t.h5")) as file:
            self.assertEqual(file.read(), "old")
        self.assert_only("t.h5")
        self.generate("t.h5", "-n", "100", "--force")
        with h5py.File(self.path("t.h5")) as file:
            self.assertEqual(len(file["enterprises/labour"]), 100)
        self.assert_only("t.h5")

    def test_wrong_options_are_explained(self):
        cases = (
            (["-n", "ten"], "--rows", "ten"),
            (["-n", "1e30"], "--rows"),
            (["--clusters", "0"], "--clusters", "from 1 to 10000000"),
            (["--chains", "40000"], "--chains", "32767"),
            (["--sector", "mining"], "medical", "mining"),
            (["--layout", "rows"], "contiguous", "rows"),
            (["--compress", "rar"], "zstd", "rar"),
            (["--compress", "gzip:10"], "from 1 to 9"),
            (["--compress", "lz4:3"], "no level"),
            (["--layout=contiguous", "--compress=lz4"], "--layout chunked"),
            (["--layout=contiguous", "--chunk=100"], "--layout chunked"),
            (["--layout=contiguous", "--shuffle"], "--layout chunked"),
            (["--cluster", "--links"], ),
            (["--colour", "red"], "--colour"),
            (["second.h5"], "one file name"),
        )
        for options, *words in cases:
            self.assert_fails(run(self.path("t.h5"), *options), 2, *words)
        self.assert_fails(run(), 2, "missing")
        self.assert_only()

    def test_directory_that_does_not_exist_is_reported(self):
        done = run(self.path("none/t.h5"), "-n", "100")
        self.assert_fails(done, 1, "none/t.h5", "No such file")

    def test_full_disk_leaves_the_old_file_alone(self):
        """A limit on the file's size stands for the full disk: the same
        calls fail, at every point up to the whole size. (Clang's OpenMP
        itself needs a file of 1 KiB.)"""
        def limit(size):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        for options in ([], ["--layout", "chunked"], ["--compress", "lz4"]):
            self.generate("t.h5", "-n", "10", "--force")
            before = read_bytes(self.path("t.h5"))
            for size in (1100, 3000, 30_000, 100_000, 1_000_000):
                done = run(self.path("t.h5"), "-n", "50k", "--links", "--force",
                           *options, preexec_fn=lambda: limit(size))
                self.assert_fails(done, 1, "cannot write", "t.h5",
                                  "File too large")
                self.assert_only("t.h5")
                self.assertEqual(read_bytes(self.path("t.h5")), before)

    def test_terminated_generation_leaves_nothing(self):
        process = subprocess.Popen(
            [HANSE, "generate", self.path("t.h5"), "-n", "20M", "--compress",
             "gzip:9"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not os.listdir(self.folder.name):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        time.sleep(0.2)
        process.terminate()
        self.assertEqual(process.wait(30), -signal.SIGTERM)
        self.assert_only()

    def test_help_names_every_option(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--rows", "--clusters", "--chains", "--platforms",
                       "--seed", "--layout", "--chunk", "--compress",
                       "--shuffle", "--links", "--sector", "--threads",
                       "--force"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    HANSE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
