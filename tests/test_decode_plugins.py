#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_decode_plugins.py DECODE_CHUNK [TEST...]: chunks as h5py, the HDF5 plug-ins and
PyTables write them, decoded and compared byte by byte. What needs a plug-in
that is not installed is skipped."""
import bz2
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy
import tables

DECODE = ""
BZIP2, BLOSC, LZ4, BITSHUFFLE = 307, 32001, 32004, 32008

BLOSC_SHUFFLES = {"none": 0, "bytes": 1, "bits": 2}
BLOSC_CODECS = {"blosclz": 0, "lz4": 1, "lz4hc": 2, "snappy": 3, "zlib": 4,
                "zstd": 5}
BITSHUFFLE_CODECS = {"none": 0, "lz4": 2}


def values(kind, n_values, seed=1):
    """Values that compress, with noise in the low bytes."""
    random = numpy.random.default_rng(seed)
    if kind == "compound":
        row = numpy.dtype([("a", "<i4"), ("b", "<f8"), ("c", "S5")])
        data = numpy.zeros(n_values, row)
        data["a"] = numpy.arange(n_values)
        data["b"] = numpy.round(random.lognormal(8, 2, n_values), 2)
        data["c"] = b"abc"
        return data
    if kind == "noise":
        return random.integers(0, 256, n_values, "u1")
    return random.geometric(0.02, n_values).astype(kind)


def chunks(dataset):
    """Stored bytes, mask and raw bytes of each chunk of a dataset with one
    dimension; edge chunks are filled up."""
    size = dataset.chunks[0]
    fill = numpy.full(size, dataset.fillvalue, dataset.dtype)
    for start in range(0, dataset.shape[0], size):
        mask, stored = dataset.id.read_direct_chunk((start,))
        raw = fill.copy()
        part = dataset[start:start + size]
        raw[:len(part)] = part
        yield stored, mask, raw.tobytes()


def pipeline(dataset):
    creation = dataset.id.get_create_plist()
    filters = [creation.get_filter(i) for i in range(creation.get_nfilters())]
    return [f"{f[0]}:{','.join(map(str, f[2]))}" if f[2] else str(f[0])
            for f in filters]


class Decoder:
    """The program, asked chunk by chunk."""

    def __init__(self):
        self.process = subprocess.Popen([DECODE], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def decode(self, stored, mask, raw_bytes, filters):
        """(data, "") or (None, error)"""
        words = (len(stored), raw_bytes, mask, *filters)
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n" +
                                 stored)
        self.process.stdin.flush()
        size = int(self.process.stdout.readline())
        if size < 0:
            return None, self.process.stdout.readline().decode().strip()
        return self.process.stdout.read(size), ""

    def close(self):
        self.process.communicate(timeout=60)
        return self.process.returncode


class Chunks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.decoder = Decoder()

    @classmethod
    def tearDownClass(cls):
        if cls.decoder.close() != 0:
            raise RuntimeError("the decoder failed")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hanse-test-decode-")
        self.path = self.folder.name + "/t.h5"

    def tearDown(self):
        self.folder.cleanup()

    def check(self, dataset):
        filters = pipeline(dataset)
        n_chunks = 0
        for stored, mask, raw in chunks(dataset):
            data, error = self.decoder.decode(stored, mask, len(raw), filters)
            self.assertEqual(error, "", filters)
            self.assertEqual(data, raw, filters)
            n_chunks += 1
        self.assertGreater(n_chunks, 0)

    def write_and_check(self, data, chunk, **options):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("x", data=data, chunks=(chunk,), **options)
        with h5py.File(self.path, "r") as file:
            self.check(file["x"])

    def need(self, number, package):
        if not h5py.h5z.filter_avail(number):
            self.skipTest(f"{package} is not installed")

    # ---- h5py's own filters -------------------------------------------------

    def test_h5py_filters(self):
        for kind in ("u1", "<i2", ">i4", "<f8", "compound", "noise"):
            data = values(kind, 2500)
            for options in ({"compression": "gzip"}, {"compression": "lzf"},
                            {"fletcher32": True}, {"shuffle": True}):
                for more in ({}, {"shuffle": True}, {"fletcher32": True},
                             {"shuffle": True, "fletcher32": True}):
                    with self.subTest(kind=kind, **{**options, **more}):
                        self.write_and_check(data, 1000, **{**options, **more})

    def test_lzf_stores_noise_as_it_is(self):
        """The filter leaves itself out and says so in the mask."""
        with h5py.File(self.path, "w") as file:
            noise = file.create_dataset("x", data=values("noise", 3000),
                                        chunks=(1000,), compression="lzf")
            masks = [mask for _, mask, _ in chunks(noise)]
            self.assertEqual(masks, [1, 1, 1])
            self.check(noise)

    def test_lzf_of_long_runs(self):
        data = numpy.repeat(values("<i4", 50), 300)
        for chunk in (15000, 4000):
            self.write_and_check(data, chunk, compression="lzf")
            self.write_and_check(data, chunk, compression="lzf", shuffle=True)

    # ---- Plug-ins -----------------------------------------------------------

    def test_blosc(self):
        self.need(BLOSC, "hdf5-filter-plugin-blosc-serial")
        for kind in ("u1", "<i4", "<f8", "compound"):
            data = values(kind, 25000)
            for shuffle in BLOSC_SHUFFLES.values():
                for codec in BLOSC_CODECS.values():
                    with self.subTest(kind=kind, shuffle=shuffle, codec=codec):
                        self.write_and_check(
                            data, 20000, compression=BLOSC,
                            compression_opts=(0, 0, 0, 0, 5, shuffle, codec))

    def test_bitshuffle(self):
        self.need(BITSHUFFLE, "bitshuffle")
        for kind in ("u1", "<i2", "<i4", "<f8", "compound"):
            data = values(kind, 10007)
            for block in (0, 512):
                for codec in BITSHUFFLE_CODECS.values():
                    with self.subTest(kind=kind, block=block, codec=codec):
                        self.write_and_check(
                            data, 4003, compression=BITSHUFFLE,
                            compression_opts=(block, codec))

    def test_lz4(self):
        self.need(LZ4, "hdf5-filter-plugin")
        for kind in ("u1", "<i4", "<f8", "compound", "noise"):
            data = values(kind, 10007)
            for block in (0, 1000):
                with self.subTest(kind=kind, block=block):
                    self.write_and_check(data, 4003, compression=LZ4,
                                         compression_opts=(block,))

    def test_bzip2(self):
        self.need(BZIP2, "hdf5-filter-plugin")
        for kind in ("u1", "<i4", "<f8", "compound", "noise"):
            data = values(kind, 10007)
            for level in (1, 9):
                with self.subTest(kind=kind, level=level):
                    self.write_and_check(data, 4003, compression=BZIP2,
                                         compression_opts=(level,))

    def test_bzip2_cut_or_damaged_is_an_error(self):
        data = values("<i4", 5000).tobytes()
        stored = bz2.compress(data)
        filters = ["307:9"]
        self.assertEqual(self.decoder.decode(stored, 0, len(data), filters),
                         (data, ""))
        for n in range(0, len(stored) - 1, 97):
            found, error = self.decoder.decode(stored[:n], 0, len(data),
                                               filters)
            self.assertIsNone(found)
            self.assertIn("bzip2: damaged stream", error)
        for size, words in ((len(data) - 1, "more than the expected"),
                            (len(data) + 1, "decoded to 20000 bytes, "
                                            "expected 20001")):
            found, error = self.decoder.decode(stored, 0, size, filters)
            self.assertIsNone(found)
            self.assertIn(words, error)
        for at in range(4, len(stored), 53):
            damaged = bytearray(stored)
            damaged[at] ^= 0x10
            found, error = self.decoder.decode(bytes(damaged), 0, len(data),
                                               filters)
            if found is not None:  # the end, which nobody reads
                self.assertEqual(found, data)
            else:
                self.assertIn("bzip2: ", error)

    def test_pytables(self):
        """Tables with PyTables' own Blosc, row by row."""
        data = values("compound", 9000)
        for library in ("zlib", "blosc", "blosc:lz4", "blosc:zstd"):
            for shuffle in (False, True):
                with self.subTest(library=library, shuffle=shuffle):
                    options = tables.Filters(5, library, shuffle=shuffle,
                                             fletcher32=True)
                    with tables.open_file(self.path, "w") as file:
                        file.create_table("/", "t", data, filters=options,
                                          chunkshape=(4000,))
                    if library != "zlib":
                        self.need(BLOSC, "hdf5-filter-plugin-blosc-serial")
                    with h5py.File(self.path, "r") as file:
                        self.check(file["t"])

    # ---- Errors --------------------------------------------------

    def test_checksum_and_mask(self):
        with h5py.File(self.path, "w") as file:
            data = file.create_dataset("x", data=values("<f8", 1000),
                                       chunks=(1000,), fletcher32=True)
            stored, mask, raw = next(chunks(data))
        damaged = bytes([stored[0] ^ 1]) + stored[1:]
        found, error = self.decoder.decode(damaged, mask, len(raw), ["3"])
        self.assertIsNone(found)
        self.assertIn("fletcher32: checksum mismatch", error)
        found, _ = self.decoder.decode(damaged[:-4], 1, len(raw), ["3"])
        self.assertEqual(found, damaged[:-4])


if __name__ == "__main__":
    DECODE = sys.argv.pop(1)
    unittest.main()
