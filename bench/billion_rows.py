#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A billion rows in bounded memory.

Makes a table of 32 GB in a file of some megabytes on the disk, sums three
measures by a thousand clusters, compares the totals with the formula that the
values follow, and prints time and peak memory of the process.

  cluster      int32, row modulo 1000; chunks of a million rows, gzip
  contiguous   float64, one piece of 8 GB; holes but for a million rows in each
               hundred million
  large_chunk  float64, the same values in unfiltered chunks of 1 GB
  never        float64, never written: fill value 0.25

usage: billion_rows.py HANSE [--rows N] [--threads N] [--folder DIR] [--json FILE]
                       [--keep]
"""
import argparse
import json
import os
import subprocess
import sys
import time

GROUPS = 1000
KEY_CHUNK = 1_000_000
PERIOD = 100_000_000  # a block of KEY_CHUNK rows is written in each so many
LARGE_CHUNK = 125_000_000


def make_table(path, n_rows):
    import h5py
    import numpy as np
    import zlib

    keys = np.arange(KEY_CHUNK, dtype="<i4") % GROUPS
    values = keys + 0.5
    stored = zlib.compress(keys.tobytes(), 6)
    with h5py.File(path, "w") as file:
        table = file.create_group("enterprises")
        cluster = table.create_dataset("cluster", (n_rows,), "<i4",
                                       chunks=(KEY_CHUNK,), compression="gzip")
        for first in range(0, n_rows, KEY_CHUNK):
            cluster.id.write_direct_chunk((first,), stored)
        for name, chunk in ("contiguous", None), ("large_chunk", LARGE_CHUNK):
            form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            if chunk is not None:
                form.set_chunk((min(chunk, n_rows),))
            form.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            form.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            h5py.h5d.create(table.id, name.encode(), h5py.h5t.IEEE_F64LE,
                            h5py.h5s.create_simple((n_rows,)), form)
        table.create_dataset("never", (n_rows,), "<f8", chunks=(KEY_CHUNK,),
                             fillvalue=0.25)
        places = [table["contiguous"].id.get_offset()]
        places += [table["large_chunk"].id.get_chunk_info(i).byte_offset
                   for i in range(table["large_chunk"].id.get_num_chunks())]
    # Past the library, which would read and write chunks of 1 GB for it.
    with open(path, "r+b") as raw:
        for first in range(0, n_rows, PERIOD):
            raw.seek(places[0] + 8 * first)
            raw.write(values.tobytes())
            raw.seek(places[1 + first // LARGE_CHUNK] +
                     8 * (first % LARGE_CHUNK))
            raw.write(values.tobytes())


def check(path, n_rows):
    import h5py
    import numpy as np

    with h5py.File(path) as file:
        found = file["by_cluster"]
        key = np.arange(GROUPS)
        blocks = -(-n_rows // PERIOD)
        written = blocks * (KEY_CHUNK // GROUPS) * (key + 0.5)
        expected = {"cluster": key, "count": np.full(GROUPS, n_rows // GROUPS),
                    "contiguous_total": written, "large_chunk_total": written,
                    "never_total": np.full(GROUPS, n_rows // GROUPS * 0.25)}
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name][...], values, name)


def run(words):
    """Seconds, peak bytes of memory."""
    begin = time.perf_counter()
    child = os.posix_spawn(words[0], words, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(words)}")
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def main():
    # h5py and numpy only in processes of their own: the peak memory of a child
    # includes what its parent held when it was started.
    if sys.argv[1:2] in (["--make"], ["--check"]):
        step = make_table if sys.argv[1] == "--make" else check
        return step(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hanse")
    parser.add_argument("--rows", type=int, default=1_000_000_000,
                        help="a multiple of a million")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", default="build/bench/bench/data")
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.rows <= 0 or options.rows % KEY_CHUNK != 0:
        parser.error("--rows: a multiple of a million")
    os.makedirs(options.folder, exist_ok=True)
    table = os.path.join(options.folder, f"sparse_{options.rows}.h5")
    result = os.path.join(options.folder, "sparse_totals.h5")
    me = [sys.executable, os.path.abspath(__file__)]
    subprocess.run(me + ["--make", table, str(options.rows)], check=True)
    facts = os.stat(table)
    seconds, peak = run([os.path.abspath(options.hanse), "run", table, "-o", result, "--by",
                         "cluster", "--measure", "contiguous", "--measure",
                         "large_chunk", "--measure", "never", "--threads",
                         str(options.threads), "--quiet"])
    subprocess.run(me + ["--check", result, str(options.rows)], check=True)
    os.remove(result)
    if not options.keep:
        os.remove(table)
    print(f"{options.rows} rows, {facts.st_size / 1e9:.1f} GB, "
          f"{facts.st_blocks * 512 / 1e6:.0f} MB of them on the disk, "
          f"{options.threads} threads: {seconds:.1f} s, "
          f"{options.rows / seconds / 1e6:.0f} M rows/s, "
          f"{peak / 1e6:.0f} MB of memory at most; totals are right")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "seconds": seconds,
                       "peak_bytes": peak, "threads": options.threads,
                       "file_bytes": facts.st_size}, file, indent=2)
            file.write("\n")


main()
