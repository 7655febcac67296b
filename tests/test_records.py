#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Record-level results: every value in h5py, netCDF4, xarray and the tools of
both formats, the same bytes from any number of threads, every storage, a full
disk.

usage: test_records.py MAKE_RECORDS HANSE
"""
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings

import h5py
import netCDF4
import numpy as np
import xarray

from checks import check, exit_status
from compare_results import facts

MAKE_RECORDS, HANSE = sys.argv[1], sys.argv[2]
MEANINGS = ("ok empty_group zero_total negative_value too_few_members "
            "constant_indicator infeasible_parameters not_converged "
            "non_finite_value")
CHUNK = 65536


def make(path, rows, storage="gzip:6+shuffle", threads=2, morsel=16384,
         columns=1, **options):
    return subprocess.run(
        [MAKE_RECORDS, path, str(rows), storage, str(threads), str(morsel),
         str(columns)], capture_output=True, text=True, **options)


def expected(rows, column=0):
    i = np.arange(rows)
    values = (i % 1000 + column) / 8.0
    values[i % 7 == 3] = np.nan
    if column == 0:
        values[i % 11 == 5] = np.nan
    status = (i % 9).astype(np.int8)
    status[i % 101 == 5] = 1
    return values, status


def same_bits(found, values):
    """NaN, too, must be the one NaN of numpy."""
    return np.array_equal(np.ascontiguousarray(found).view(np.uint64),
                          values.view(np.uint64))


def content(path):
    with open(path, "rb") as stream:
        return stream.read()


def check_h5py(path, rows):
    values, status = expected(rows)
    with h5py.File(path) as file:
        group = file["records"]
        award, code = group["award"], group["award_status"]
        check("h5py order", list(group) == ["award", "award_status", "record"]
              or list(group) == ["record", "award", "award_status"],
              list(group))
        check("h5py values", same_bits(award[()], values))
        check("h5py codes", np.array_equal(code[()], status))
        check("h5py types", award.dtype == "<f8" and code.dtype == "i1")
        check("h5py units", award.attrs["units"] == "kW h")
        check("h5py long_name",
              award.attrs["long_name"] == "award of the record")
        check("h5py fill", np.isnan(award.attrs["_FillValue"][0])
              and np.isnan(award.fillvalue) and "_FillValue" not in code.attrs)
        check("h5py flags", list(code.attrs["flag_values"]) == list(range(9))
              and code.attrs["flag_values"].dtype == np.int8
              and code.attrs["flag_meanings"] == MEANINGS)
        check("h5py dimension", award.dims[0][0] == group["record"]
              and code.dims[0][0] == group["record"]
              and group["record"].id.get_storage_size() == 0)
        check("h5py no coordinates", "coordinates" not in award.attrs)


def check_netcdf4(path, rows):
    values, status = expected(rows)
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        group = file["records"]
        check("netCDF4 dimension", group["award"].dimensions == ("record",)
              and len(group.dimensions["record"]) == rows
              and "record" not in group.variables)
        check("netCDF4 values", same_bits(group["award"][:], values))
        check("netCDF4 codes", np.array_equal(group["award_status"][:], status))
        check("netCDF4 flags", group["award_status"].flag_meanings == MEANINGS)
        check("netCDF4 filters", group["award"].filters()["zlib"]
              and group["award"].filters()["shuffle"])


def check_xarray(path, rows):
    values, status = expected(rows)
    for engine in ("h5netcdf", "netcdf4"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "numpy.ndarray size changed")
            with xarray.open_dataset(path, group="records",
                                     engine=engine) as data:
                check(f"xarray {engine} values",
                      same_bits(data.award.values, values))
                check(f"xarray {engine} codes",
                      data.award_status.dtype == np.int8
                      and np.array_equal(data.award_status.values, status))
                check(f"xarray {engine} has no coordinates",
                      not data.coords and data.award.dims == ("record",))


def check_tools(path, rows):
    dump = subprocess.run(["ncdump", "-h", "-s", path], capture_output=True,
                          text=True)
    for line in (f"record = {rows} ;", "double award(record) ;",
                 "byte award_status(record) ;", "award:_DeflateLevel = 6 ;",
                 'award:_Shuffle = "true" ;', "award:_FillValue = NaN ;",
                 "award_status:flag_values = 0b, 1b, 2b, 3b, 4b, 5b, 6b, 7b, "
                 "8b ;"):
        check(f"ncdump prints {line}", line in dump.stdout, dump.stderr)
    done = subprocess.run(["h5dump", "-d", "/records/award", "-s", "100000",
                           "-c", "2", path], capture_output=True, text=True)
    check("h5dump reads", "(100000): 0, 0.125" in done.stdout, done.stdout)
    shown = subprocess.run([HANSE, "show", path, "--format", "json"],
                           capture_output=True, text=True)
    check("hanse show shows the tables", shown.returncode == 0
          and '"by_cluster"' in shown.stdout
          and '"flows/by_cluster"' in shown.stdout
          and "award" not in shown.stdout, shown.stderr)


def check_readers(folder):
    path = os.path.join(folder, "records.h5")
    rows = 3 * CHUNK + 12345
    done = make(path, rows)
    check("made", done.returncode == 0, done.stderr)
    check_h5py(path, rows)
    check_netcdf4(path, rows)
    check_xarray(path, rows)
    check_tools(path, rows)


def check_threads(folder):
    """The same bytes for any number of threads and any cut of the source."""
    first = None
    for threads in (1, 2, 3, 8):
        for morsel in (1000, 16384, CHUNK, 100003, 10**6):
            path = os.path.join(folder, "threads.h5")
            done = make(path, 7 * CHUNK + 1, threads=threads, morsel=morsel,
                        columns=3)
            check(f"{threads} threads", done.returncode == 0, done.stderr)
            found = content(path)
            first = found if first is None else first
            check(f"{threads} threads, morsels of {morsel}: same bytes",
                  found == first)
    with h5py.File(path) as file:
        for column, name in enumerate(("award", "award_2", "award_3")):
            check(f"{name} is right",
                  same_bits(file[f"records/{name}"][()],
                            expected(7 * CHUNK + 1, column)[0]))


def check_sizes(folder):
    for rows in (0, 1, 7, CHUNK - 1, CHUNK, CHUNK + 1):
        path = os.path.join(folder, "sizes.h5")
        done = make(path, rows)
        check(f"{rows} rows", done.returncode == 0, done.stderr)
        values, status = expected(rows)
        with h5py.File(path) as file:
            check(f"{rows} rows: values",
                  same_bits(file["records/award"][()], values))
            check(f"{rows} rows: codes",
                  np.array_equal(file["records/award_status"][()], status))


def check_storages(folder):
    rows = 2 * CHUNK + 777
    values, status = expected(rows)
    sizes = {}
    for storage in ("none", "shuffle", "none+shuffle", "gzip", "gzip:1",
                    "shuffle+gzip:9", "lz4", "lz4+shuffle", "zstd:3+shuffle"):
        path = os.path.join(folder, "storage.h5")
        done = make(path, rows, storage)
        check(f"{storage}: made", done.returncode == 0, done.stderr)
        if storage.startswith(("lz4", "zstd")):
            # In a program without plug-ins, hanse itself.
            done = subprocess.run(
                [HANSE, "run", path, "--table", "/records", "--measure",
                 "a=award", "--measure", "s=award_status", "-q", "-o",
                 os.path.join(folder, "sums.h5")],
                capture_output=True, text=True)
            check(f"{storage}: hanse reads it", done.returncode == 0,
                  done.stderr)
            with h5py.File(os.path.join(folder, "sums.h5")) as file:
                check(f"{storage}: hanse reads it right",
                      file["total/a_total"][()] == np.nansum(values)
                      and file["total/s_total"][()] == status.sum())
            continue
        with h5py.File(path) as file:
            check(f"{storage}: values",
                  same_bits(file["records/award"][()], values))
            check(f"{storage}: codes",
                  np.array_equal(file["records/award_status"][()], status))
            sizes[storage] = file["records/award"].id.get_storage_size()
    check("storage matters", sizes["gzip"] < sizes["none"] // 4
          and sizes["none"] == 3 * CHUNK * 8 == sizes["shuffle"], sizes)
    for wrong in ("gzipp", "gzip+lz4", "shuffle+shuffle", "gzip:10", ""):
        done = make(os.path.join(folder, "wrong.h5"), 10, wrong)
        check(f"storage '{wrong}' is refused", done.returncode == 1
              and ("known are" in done.stderr or "expected" in done.stderr),
              done.stderr)


def check_full_disk(folder):
    """A limit on the file's size stands for the full disk: the same error, the
    old file stays, no temporary is left."""
    inner = os.path.join(folder, "full")
    os.mkdir(inner)
    path = os.path.join(inner, "out.h5")
    with open(path, "w", encoding="ascii") as stream:
        stream.write("old")
    for threads in (1, 3):
        for size in (0, 5000, 20000, 700000, 2000000):
            done = make(path, 20 * CHUNK, "none", threads,
                        preexec_fn=lambda: resource.setrlimit(
                            resource.RLIMIT_FSIZE, (size, size)))
            check(f"full at {size}: message", done.returncode == 1
                  and "cannot write" in done.stderr, done.stderr)
            check(f"full at {size}: old file", content(path) == b"old"
                  and os.listdir(inner) == ["out.h5"], os.listdir(inner))


JOB = """\
input: {files: [enterprises.h5]}
group_by: [cluster]
models:
  resource:
    evaluate:
      indicators: [{name: labour, weight: 0.4}, {name: equipment, weight: 0.6}]
    allocate: {rule: proportional, claim: demand}
output: {file: out.h5, records: {storage: gzip:1}}
"""


def check_run(folder):
    """A run from the table to the records: aligned with the input, whatever
    the threads; awards of a cluster sum up to what the table says."""
    def hanse(*arguments):
        done = subprocess.run([HANSE, *arguments], cwd=folder,
                              capture_output=True, text=True)
        check(f"hanse {arguments[0]}", done.returncode == 0, done.stderr)

    with open(os.path.join(folder, "job.yaml"), "w", encoding="ascii") as file:
        file.write(JOB)
    hanse("generate", "enterprises.h5", "-n", "200000", "-q", "--clusters",
          "50", "--chunk", "10000", "--compress", "lz4")
    found = []
    for threads in (1, 2, 3, 8):
        hanse("run", "job.yaml", "--threads", str(threads), "-q", "-o",
              f"out{threads}.h5")
        found.append(facts(os.path.join(folder, f"out{threads}.h5")))
        check(f"{threads} threads: the same", found[0] == found[-1])
    hanse("run", "job.yaml", "-q", "--records-storage", "none", "-o",
          "plain.h5")
    with h5py.File(os.path.join(folder, "out1.h5")) as file, \
            h5py.File(os.path.join(folder, "plain.h5")) as plain, \
            h5py.File(os.path.join(folder, "enterprises.h5")) as table:
        records = file["records"]
        numbers = [name for name in records if records[name].dtype == "<f8"
                   and name != "record"]
        check("numbers in /records", len(numbers) > 0, list(records))
        for name in numbers:
            check(f"{name}: storage of the job",
                  records[name].compression_opts == 1
                  and not records[name].shuffle)
            check(f"{name}: storage of the option",
                  plain["records"][name].compression is None)
            check(f"{name}: the same in every storage",
                  same_bits(plain["records"][name][()], records[name][()]))
            check(f"{name}: one value for each row",
                  len(records[name]) == 200000)
        cluster = table["enterprises/cluster"][()]
        # All that has a resource and a claim is pooled; the rest stays.
        award = records["allocation"][()]
        own = table["enterprises/resource"][()]
        award = np.where(np.isnan(award), own, award)
        award = np.where(np.isnan(award), 0.0, award)
        for key, total in zip(file["by_cluster/cluster"][()],
                              file["by_cluster/resource_total"][()]):
            found = math.fsum(award[cluster == key])
            check(f"cluster {key}: records sum up to the total",
                  math.isclose(found, total, rel_tol=1e-14),
                  f"{found} and {total}")


def main():
    folder = tempfile.mkdtemp(prefix="hanse-records-")
    try:
        check_readers(folder)
        check_threads(folder)
        check_sizes(folder)
        check_storages(folder)
        check_full_disk(folder)
        check_run(folder)
    finally:
        shutil.rmtree(folder)
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
