#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_hostile.py HANSE PROBE_MAP [-n ROUNDS] [-s SEED] [TEST...]: files that
are damaged, lie, or lead elsewhere. Whatever they hold, the process that reads
them neither crashes nor hangs: it says what is wrong, or reads what is there.
The confined child may die of them, which is then what is said."""
import argparse
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy

HANSE = ""
PROBE = ""
ROUNDS = 300
SEED = 1

# What a failed step may say, and nothing else.
STATUSES = {"HANSE_ERR_FORMAT", "HANSE_ERR_SPEC", "HANSE_ERR_LIMIT"}


# ---- Seeds: small files of every kind ---------------------------------------

def write_seed(path, kind, version):
    n = 300
    numbers = numpy.arange(n) * 7 % 100
    text = [f"name {i % 13}" for i in range(n)]
    with h5py.File(path, "w", libver=version) as file:
        group = file.create_group("enterprises")
        if kind == "contiguous":
            group["a"] = numbers
            group["b"] = numbers.astype(">f4")
            group["b"].attrs["units"] = "EUR"
            group["b"].attrs["_FillValue"] = numpy.float32(-1)
        elif kind == "deflate":
            group.create_dataset("a", data=numbers, chunks=(64,),
                                 compression="gzip", shuffle=True,
                                 fletcher32=True, maxshape=(None,))
            group.create_dataset("b", data=numbers.astype("i2"), chunks=(100,),
                                 compression="lzf", fillvalue=3)
        elif kind == "compound":
            del file["enterprises"]
            row = numpy.dtype([("a", "<i4"), ("b", "<f8"), ("c", "S5")])
            rows = numpy.zeros(n, row)
            rows["a"] = numbers
            rows["c"] = b"abc"
            file.create_dataset("t", data=rows, chunks=(77,),
                                compression="gzip")
        elif kind == "texts":
            group.create_dataset("n", data=text, dtype=h5py.string_dtype())
            group.create_dataset("f", data=numpy.array(text, "S9"))
            group.create_dataset("c", data=text, dtype=h5py.string_dtype(),
                                 chunks=(50,), compression="gzip")
        elif kind == "enum":
            kinds = h5py.enum_dtype({"a": 0, "b": 1, "other": 7}, "i1")
            group.create_dataset("e", data=numbers % 2, dtype=kinds)
            group.create_dataset("x", data=numbers % 2 == 0)
            group.create_dataset("s", data=numbers, chunks=(50,),
                                 scaleoffset=0)
        elif kind == "groups":
            for g in range(12):
                for d in range(5):
                    file[f"g{g}/d{d}/v"] = numbers[:20]
            file["soft"] = h5py.SoftLink("/g1")
            for i in range(20):
                group.attrs[f"attribute {i}"] = "x" * i
            group["a"] = numbers[:5]
            group["r"] = numpy.array([group.ref] * 5, h5py.ref_dtype)


SEEDS = [(kind, version)
         for kind in ("contiguous", "deflate", "compound", "texts", "enum",
                      "groups")
         for version in (("earliest", "latest"), ("latest", "latest"))]


# ---- Changes ----------------------------------------------------------------

def change(rng, data):
    """One to four changes, as they happen or as somebody would make them."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        if rng.random() < 0.5:  # in the headers, which lie in front
            at = rng.randrange(min(len(data), 2500))
        kind = rng.randrange(7)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            n = rng.choice((2, 4, 8))
            data[at:at + n] = b"\xff" * len(data[at:at + n])
        elif kind == 3:
            n = rng.choice((2, 4, 8))
            old = int.from_bytes(data[at:at + n], "little")
            new = old + rng.choice((-1, 1, -16, 16, 1 << 31, 1 << 14))
            size = len(data[at:at + n])
            data[at:at + n] = (new % (1 << 8 * size)).to_bytes(size, "little")
        elif kind == 4:
            n = rng.randint(1, 64)
            data[at:at + n] = bytes(len(data[at:at + n]))
        elif kind == 5:
            n = rng.randint(8, 200)
            other = rng.randrange(len(data))
            piece = data[other:other + n]
            data[at:at + len(piece)] = piece[:len(data) - at]
        elif rng.random() < 0.2:
            del data[max(at, 64):]
    return bytes(data)


class Hostile(unittest.TestCase):
    """Every test has a directory of its own."""

    def setUp(self):
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="hanse-test-hostile-", dir=place)
        self.path = self.folder + "/t.h5"

    def tearDown(self):
        shutil.rmtree(self.folder)

    def probe(self, *paths, timeout=120):
        """What is said of each file."""
        done = subprocess.run([PROBE], capture_output=True, timeout=timeout,
                              input="".join(p + "\n" for p in paths).encode(),
                              env={**os.environ, "HANSE_READER": HANSE})
        output = done.stdout.decode("utf-8", "surrogateescape")
        self.assertEqual(done.returncode, 0,
                         f"{output[-2000:]}\n{done.stderr[-3000:]}")
        found = output.split("done\n")
        self.assertEqual(found.pop(), "")
        self.assertEqual(len(found), len(paths))
        for text in found:
            for status in re.findall(r"HANSE_ERR_[A-Z]+", text):
                self.assertIn(status, STATUSES, text)
        return found

    def says(self, *words):
        found, = self.probe(self.path)
        for word in words:
            self.assertIn(word, found)
        return found

    # ---- What plug-ins are not needed for -----------------------------------

    def test_texts_under_any_filter_are_read(self):
        """Only the library reads texts of varying length; the child decodes
        their chunks with our decoders."""
        text = [f"firm {i % 17}" for i in range(2000)]
        kinds = {"lzf": "lzf", "blosc": 32001, "bitshuffle": 32008,
                 "gzip": "gzip", "bzip2": 307}
        with h5py.File(self.path, "w") as file:
            options = {"blosc": (2, 2, 16, 0, 5, 1, 0), "bitshuffle": (0, 2)}
            for name, kind in kinds.items():
                if isinstance(kind, int) and not h5py.h5z.filter_avail(kind):
                    print(f"{name}: no plug-in to write with", file=sys.stderr)
                    continue
                file.create_dataset(f"enterprises/{name}", data=text,
                                    dtype=h5py.string_dtype(), chunks=(300,),
                                    compression=kind,
                                    compression_opts=options.get(name))
        found = self.says("table /enterprises")
        self.assertNotIn("HANSE_ERR", found)
        sums = re.findall(r": values (\w+)", found)
        self.assertGreaterEqual(len(sums), 2)
        self.assertEqual(len(set(sums)), 1, found)

    # ---- Random damage ------------------------------------------------------

    def test_seeds_are_sound(self):
        for kind, version in SEEDS:
            write_seed(self.path, kind, version)
            self.assertNotIn("HANSE_ERR", self.says("table /"))

    def test_changed_files_are_errors_or_right(self):
        rng = random.Random(SEED)
        seeds = []
        for kind, version in SEEDS:
            write_seed(self.path, kind, version)
            with open(self.path, "rb") as file:
                seeds.append(file.read())
        counts = {"sound": 0, "error": 0, "killed": 0, "silent": 0}
        batch = 200
        for first in range(0, ROUNDS, batch):
            names = []
            for i in range(first, min(first + batch, ROUNDS)):
                names.append(f"{self.folder}/{i % batch}")
                with open(names[-1], "wb") as file:
                    file.write(change(rng, rng.choice(seeds)))
            for text in self.probe(*names, timeout=60 + 4 * len(names)):
                counts["killed"] += "reader stopped by" in text
                counts["silent"] += "too many seconds" in text
                counts["error" if "HANSE_ERR" in text else "sound"] += 1
        print(f"seed {SEED}, {ROUNDS} rounds: {counts}", file=sys.stderr)
        self.assertGreater(counts["sound"], ROUNDS / 20)
        self.assertGreater(counts["error"], ROUNDS / 20)

    def test_files_cut_anywhere_are_errors(self):
        write_seed(self.path, "deflate", ("earliest", "latest"))
        with open(self.path, "rb") as file:
            data = file.read()
        names = []
        for n in [0, 1, 7, 8, 9, 95, 96, 511, 512] + list(
                range(600, len(data), 397)):
            names.append(f"{self.folder}/{n}")
            with open(names[-1], "wb") as file:
                file.write(data[:n])
        for text in self.probe(*names):
            self.assertIn("HANSE_ERR_FORMAT", text)

    # ---- Lies ---------------------------------------------------------------

    def patch(self, old, new, expected=1):
        with open(self.path, "rb") as file:
            data = file.read()
        self.assertEqual(data.count(old), expected)
        with open(self.path, "wb") as file:
            file.write(data.replace(old, new))

    def test_rows_without_end_are_refused(self):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/a", shape=(10**12,), dtype="f8")
        self.says("rows claimed in a file of")
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/a", shape=(10**12,), dtype="f8",
                                chunks=(1,))
        self.says("rows claimed in a file of")

    def test_many_small_chunks_end(self):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/a", shape=(10**8,), dtype="u1",
                                chunks=(1,))
        begin = time.monotonic()
        self.says("HANSE_ERR")
        self.assertLess(time.monotonic() - begin, 60)

    def test_extent_that_lies_is_an_error(self):
        with h5py.File(self.path, "w", libver="earliest") as file:
            file.create_dataset("enterprises/a", data=numpy.arange(123457))
        self.patch(struct.pack("<Q", 123457), struct.pack("<Q", 999999), 2)
        self.says("HANSE_ERR")

    def test_size_that_lies_is_an_error(self):
        """Of a contiguous dataset: none, though it has an address, or less
        than the rows have."""
        with h5py.File(self.path, "w", libver="earliest") as file:
            file.create_dataset("enterprises/a", data=numpy.arange(12347))
        honest = struct.pack("<Q", 12347 * 8)
        for lie in (0, 8, 12346 * 8):
            lying = struct.pack("<Q", lie)
            with open(self.path, "rb") as file:
                data = file.read()
            self.assertEqual(data.count(honest), 1)
            with open(self.path, "wb") as file:
                file.write(data.replace(honest, lying))
            self.says("HANSE_ERR_FORMAT", f"{lie} bytes for 12347 rows")
            with open(self.path, "wb") as file:
                file.write(data)

    def test_chunk_address_beyond_the_end_is_an_error(self):
        with h5py.File(self.path, "w", libver="earliest") as file:
            data = file.create_dataset("enterprises/a",
                                       data=numpy.arange(1000), chunks=(500,),
                                       compression="gzip")
            info = data.id.get_chunk_info(1)
        size = os.path.getsize(self.path)
        honest = struct.pack("<QQQ", 500, 0, info.byte_offset)
        for lie in (1 << 40, size - 3, (1 << 64) - 2):
            lying = struct.pack("<QQQ", 500, 0, lie)
            self.patch(honest, lying)
            self.says("HANSE_ERR_FORMAT")
            self.patch(lying, honest)

    def test_chunk_size_that_lies_is_an_error(self):
        with h5py.File(self.path, "w", libver="earliest") as file:
            data = file.create_dataset("enterprises/a",
                                       data=numpy.arange(1000), chunks=(500,),
                                       compression="gzip")
            size = data.id.get_chunk_info(1).size
        with open(self.path, "rb") as file:
            data = file.read()
        # In the index: size, filter mask, first row.
        old = struct.pack("<IIQ", size, 0, 500)
        self.assertEqual(data.count(old), 1)
        for lie in (0xffffffff, 1 << 30, size - 20, size + 9, 1):
            with open(self.path, "wb") as file:
                file.write(data.replace(old, struct.pack("<IIQ", lie, 0, 500)))
            text, = self.probe(self.path)
            if lie != size + 9:  # the compressed stream ends by itself
                self.assertIn("HANSE_ERR_FORMAT", text)

    def test_decompression_bomb_is_bounded(self):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("enterprises/a", data=numpy.zeros(10**8),
                                chunks=(10**8,), compression="gzip",
                                compression_opts=9)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.says("table /enterprises")
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(max(after, before), 2 << 20)

    # ---- What leads elsewhere -----------------------------------------------

    def secret(self):
        """A file next to it that must not be opened."""
        name = self.folder + "/secret.h5"
        with h5py.File(name, "w") as file:
            file["x"] = numpy.full(10, 424242)
        with open(self.folder + "/secret.bin", "wb") as file:
            file.write(numpy.full(10, 424242).tobytes())
        return name

    def test_external_link_is_not_followed(self):
        secret = self.secret()
        for target in (secret, "secret.h5", "../" + secret):
            with h5py.File(self.path, "w") as file:
                file["enterprises/a"] = numpy.arange(10)
                file["enterprises/x"] = h5py.ExternalLink(target, "/x")
            found = self.says("refused x: an external link")
            self.assertNotIn("x: values", found)

    def test_external_storage_is_not_read(self):
        self.secret()
        for name in (self.folder + "/secret.bin", "secret.bin"):
            with h5py.File(self.path, "w") as file:
                file["enterprises/a"] = numpy.arange(10)
                file["enterprises"].create_dataset(
                    "x", shape=(10,), dtype="i8", external=[(name, 0, 80)])
            found = self.says("refused x: external storage")
            self.assertNotIn("x: values", found)

    def test_virtual_dataset_is_not_read(self):
        secret = self.secret()
        layout = h5py.VirtualLayout(shape=(10,), dtype="i8")
        layout[:] = h5py.VirtualSource(secret, "x", shape=(10,))
        with h5py.File(self.path, "w") as file:
            file["enterprises/a"] = numpy.arange(10)
            file["enterprises"].create_virtual_dataset("x", layout)
        self.assertNotIn("x: values", self.says("refused x: a virtual dataset"))

    def test_looping_links_end(self):
        with h5py.File(self.path, "w") as file:
            group = file.create_group("a/b/c")
            group["up"] = file["a"]
            group["top"] = file["/"]
            group["self"] = h5py.SoftLink("/a/b/c/self")
            group["x"] = h5py.SoftLink("/a/b/c/y")
            group["y"] = h5py.SoftLink("/a/b/c/x")
            group["v"] = numpy.arange(5)
        self.says("table /a/b/c: 5 rows, 1 columns")

    def test_deep_groups_end(self):
        with h5py.File(self.path, "w") as file:
            group = file
            for _ in range(2000):
                group = group.create_group("g")
            group["v"] = numpy.arange(5)
        self.says("HANSE_ERR_FORMAT", "holds no table")

    def test_names_for_terminals_are_not_printed(self):
        with h5py.File(self.path, "w") as file:
            file["enterprises/a"] = numpy.arange(5)
            file.create_dataset(b"enterprises/\x1b[2Jx", data=numpy.arange(5))
        self.assertNotIn("\x1b", self.says("refused"))


def main():
    global HANSE, PROBE, ROUNDS, SEED
    parser = argparse.ArgumentParser()
    parser.add_argument("hanse", type=os.path.abspath)
    parser.add_argument("probe", type=os.path.abspath)
    parser.add_argument("-n", type=int, default=ROUNDS)
    parser.add_argument("-s", type=int, default=SEED)
    options, rest = parser.parse_known_args()
    HANSE, PROBE = options.hanse, options.probe
    ROUNDS, SEED = options.n, options.s
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
