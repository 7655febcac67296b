#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Result files in other programs: each reader in a process of its own, so
that a crash is a failure and not the end, with its warnings as errors.

A Python reader prints what it found as JSON, which must be EXPECTED. Readers
in R are skipped where R or the package is missing.

usage: test_interop.py MAKE_RESULT
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from checks import check, exit_status
from compare_results import facts

MAKE_RESULT = sys.argv[1]

# What tests/sample_tables.c wrote. NaN is None.
EXPECTED = {
    "title": "Sample 产业",
    "conventions": "CF-1.8",
    "history": "hanse run enterprises.h5 -o totals.h5",
    "tables": ["by_cluster", "by_chain", "by_chain_platform", "total", "flows"],
    "cluster": [-3, 1, 2, 2000000000],
    "cluster_dtype": "int32",
    "count": [1234567, 1, 12, 0],
    "resource_total": [1234567.25, 0.1, -0.0, None],
    "information_total": [9007199254740993, -9007199254740993,
                          9223372036854775807, 7],
    "turnover_max": [18446744073709551615, 0, 1, 2],
    "turnover_min_dtype": "int64",
    "units": "kW h",
    "unit_label": "1000 EUR",
    "cell_methods": "enterprise: sum",
    "fill_is_nan": True,
    "count_has_fill": False,
    "chain": ["(empty)", "bad\\xFFbyte", "Łódź", "产业", "(missing)"],
    "chain_long_name": "industry chain 产业链",
    "chain_missing": [2, 0, 0, 0, 1],
    "flag_values": [0, 1, 2],
    "flag_meanings": "present missing empty",
    "resource_mean": [1.5, 1e300, 5e-324, "-inf", None],
    "pair_chain": ["steel", "steel", "产业"],
    "pair_platform": [4, 0, 9],
    "pair_total": [0.5, 0.25, 0.125],
    "pair_coordinates": ["chain", "platform", "platform_missing"],
    "rows_dropped": 17,
    "flow_source": [1, 1, 2000000000],
    "flow_target": [1, 2, -3],
    "flow": [12.5, None, 0.25],
    "flow_coordinates": ["source", "target"],
    "flow_status": [0, 2, 9],
    "status_dtype": "int8",
    "status_values": [0, 2, -1],
    "status_meanings": "ok zero_total lost",
    "total_count": 9007199254740993,
    "total_resource": 1234567.35,
}

# Common to the readers in Python.
PRELUDE = """
import json, math, sys
path = sys.argv[1]
def plain(v):
    if hasattr(v, "tolist"):
        v = v.tolist()
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, float):
        return None if math.isnan(v) else str(v) if math.isinf(v) else v
    return v
found = {}
def finish():
    print(json.dumps({name: plain(v) for name, v in found.items()}))
"""

H5PY = """
import h5py, numpy
f = h5py.File(path, "r")
c, h, p, t = f["by_cluster"], f["by_chain"], f["by_chain_platform"], f["total"]
in_order = []
f.id.links.visit(lambda name: in_order.append(name.decode()),
                 idx_type=h5py.h5.INDEX_CRT_ORDER)
in_order = [name for name in in_order if name in f and "/" not in name
            and isinstance(f[name], h5py.Group) and name != "provenance"]
for name in ("cluster", "count", "resource_total", "information_total",
             "turnover_max"):
    found[name] = c[name][()]
for name in ("chain_missing", "resource_mean"):
    found[name] = h[name][()]
assert c["resource_total"].dims[0][0] == c["cluster"]
assert p["count"].dims[0][0] == p["group"]
w = f["flows/by_cluster"]
assert w["flow_status"].dims[0][0] == w["group"]
found.update(
    flow_source=w["source"][()], flow_target=w["target"][()],
    flow=w["flow"][()], flow_status=w["flow_status"][()],
    flow_coordinates=w["flow"].attrs["coordinates"].split(),
    status_dtype=str(w["flow_status"].dtype),
    status_values=w["flow_status"].attrs["flag_values"],
    status_meanings=w["flow_status"].attrs["flag_meanings"])
found.update(
    title=f.attrs["title"], conventions=f.attrs["Conventions"],
    history=f.attrs["history"],
    tables=in_order,
    cluster_dtype=str(c["cluster"].dtype),
    turnover_min_dtype=str(c["turnover_min"].dtype),
    units=c["resource_total"].attrs["units"],
    unit_label=c["turnover_max"].attrs["unit_label"],
    cell_methods=c["resource_total"].attrs["cell_methods"],
    fill_is_nan=bool(numpy.isnan(c["resource_total"].attrs["_FillValue"][0])
                     and numpy.isnan(c["resource_total"].fillvalue)),
    count_has_fill="_FillValue" in c["count"].attrs,
    chain=h["chain"].asstr()[()],
    chain_long_name=h["chain"].attrs["long_name"],
    flag_values=h["chain_missing"].attrs["flag_values"],
    flag_meanings=h["chain_missing"].attrs["flag_meanings"],
    pair_chain=p["chain"].asstr()[()], pair_platform=p["platform"][()],
    pair_total=p["cooperation_total"][()],
    pair_coordinates=p["count"].attrs["coordinates"].split(),
    rows_dropped=int(p.attrs["rows_dropped"][0]),
    total_count=t["count"][()], total_resource=t["resource_total"][()])
json.loads(f["provenance/run"].asstr()[()])
finish()
"""

NETCDF4 = """
import netCDF4, numpy
f = netCDF4.Dataset(path)
f.set_auto_mask(False)
c, h, p, t = (f[g] for g in ("by_cluster", "by_chain", "by_chain_platform",
                             "total"))
for name in ("cluster", "count", "resource_total", "information_total",
             "turnover_max"):
    found[name] = c[name][:]
for name in ("chain", "chain_missing", "resource_mean"):
    found[name] = h[name][:]
assert c["resource_total"].dimensions == ("cluster",)
assert p["count"].dimensions == ("group",) and "group" not in p.variables
w = f["flows/by_cluster"]
assert w["flow"].dimensions == ("group",)
assert w["flow_status"].flag_values.dtype == w["flow_status"].dtype
found.update(
    flow_source=w["source"][:], flow_target=w["target"][:],
    flow=w["flow"][:], flow_status=w["flow_status"][:],
    flow_coordinates=w["flow"].coordinates.split(),
    status_dtype=str(w["flow_status"].dtype),
    status_values=w["flow_status"].flag_values,
    status_meanings=w["flow_status"].flag_meanings)
found.update(
    title=f.title, conventions=f.Conventions, history=f.history,
    tables=[g for g in f.groups if g != "provenance"],
    cluster_dtype=str(c["cluster"].dtype),
    turnover_min_dtype=str(c["turnover_min"].dtype),
    units=c["resource_total"].units, unit_label=c["turnover_max"].unit_label,
    cell_methods=c["resource_total"].cell_methods,
    fill_is_nan=bool(numpy.isnan(c["resource_total"]._FillValue)),
    count_has_fill="_FillValue" in c["count"].ncattrs(),
    chain_long_name=h["chain"].long_name,
    flag_values=h["chain_missing"].flag_values,
    flag_meanings=h["chain_missing"].flag_meanings,
    pair_chain=p["chain"][:], pair_platform=p["platform"][:],
    pair_total=p["cooperation_total"][:],
    pair_coordinates=p["count"].coordinates.split(),
    rows_dropped=p.rows_dropped, total_count=t["count"][()],
    total_resource=t["resource_total"][()])
finish()
"""

XARRAY = """
import xarray, numpy
def load(group):
    with xarray.open_dataset(path, group=group, engine=ENGINE) as d:
        return d.load()
root, c, h, p, t = (load(g) for g in (None, "by_cluster", "by_chain",
                                      "by_chain_platform", "total"))
for name in ("cluster", "count", "resource_total", "information_total",
             "turnover_max"):
    found[name] = c[name].values
for name in ("chain", "chain_missing", "resource_mean"):
    found[name] = h[name].values
w = load("flows/by_cluster")
assert w["flow"].dims == ("group",)
found.update(
    flow_source=w.source.values, flow_target=w.target.values,
    flow=w.flow.values, flow_status=w.flow_status.values,
    flow_coordinates=sorted(w.coords),
    status_dtype=str(w.flow_status.dtype),
    status_values=w.flow_status.flag_values,
    status_meanings=w.flow_status.flag_meanings)
assert list(c.coords) == ["cluster"]
assert c["count"].dtype == "int64"
assert c.sel(cluster=1).resource_total == 0.1
assert h.sel(chain="产业")["count"] == 4
found.update(
    title=root.title, conventions=root.Conventions, history=root.history,
    cluster_dtype=str(c.cluster.dtype),
    turnover_min_dtype=str(c.turnover_min.dtype),
    units=c.resource_total.units, unit_label=c.turnover_max.unit_label,
    cell_methods=c.resource_total.cell_methods,
    fill_is_nan=bool(numpy.isnan(c.resource_total.encoding["_FillValue"])),
    count_has_fill="_FillValue" in c["count"].encoding,
    chain_long_name=h.chain.long_name,
    flag_values=h.chain_missing.flag_values,
    flag_meanings=h.chain_missing.flag_meanings,
    pair_chain=p.chain.values, pair_platform=p.platform.values,
    pair_total=p.cooperation_total.values,
    pair_coordinates=sorted(p.coords),
    rows_dropped=int(p.attrs["rows_dropped"]),
    total_count=t["count"].item(), total_resource=t.resource_total.item())
finish()
"""

PANDAS = """
import xarray
def load(group):
    with xarray.open_dataset(path, group=group, engine="h5netcdf") as d:
        return d.to_dataframe()
c, h, p = load("by_cluster"), load("by_chain"), load("by_chain_platform")
assert list(c.columns) == ["count", "resource_total", "information_total",
                           "turnover_max", "turnover_min"]
assert c.index.name == "cluster" and h.index.name == "chain"
for name in ("count", "resource_total", "information_total", "turnover_max"):
    found[name] = c[name].values
found.update(
    cluster=c.index.values,
    turnover_min_dtype=str(c.turnover_min.dtype),
    chain=h.index.values, chain_missing=h.chain_missing.values,
    resource_mean=h.resource_mean.values,
    pair_chain=p.chain.values, pair_platform=p.platform.values,
    pair_total=p.cooperation_total.values)
finish()
"""

R_COMMON = """
options(warn = 2)
path <- commandArgs(trailingOnly = TRUE)[1]
same <- function(a, b) stopifnot(isTRUE(all.equal(as.vector(a), b,
                                                  tolerance = 0)))
chain <- c("(empty)", "bad\\\\xFFbyte", "\\u0141\\u00f3d\\u017a",
           "\\u4ea7\\u4e1a", "(missing)")
"""

R_READERS = {
    "ncdf4": """
library(ncdf4)
f <- nc_open(path)
same(ncvar_get(f, "by_chain/chain"), chain)
same(ncvar_get(f, "by_cluster/cluster"), c(-3L, 1L, 2L, 2000000000L))
same(ncvar_get(f, "by_cluster/count"), c(1234567, 1, 12, 0))
same(ncvar_get(f, "by_cluster/resource_total")[1:3], c(1234567.25, 0.1, 0))
stopifnot(is.na(ncvar_get(f, "by_cluster/resource_total")[4]))
same(ncatt_get(f, "by_cluster/resource_total", "units")$value, "kW h")
same(ncatt_get(f, 0, "title")$value, "Sample \\u4ea7\\u4e1a")
same(ncvar_get(f, "by_chain_platform/platform"), c(4L, 0L, 9L))
same(ncvar_get(f, "total/resource_total"), 1234567.35)
same(ncvar_get(f, "flows/by_cluster/target"), c(1L, 2L, -3L))
same(ncatt_get(f, "flows/by_cluster/flow_status", "flag_values")$value,
     c(0L, 2L, -1L))
nc_close(f)
""",
    "RNetCDF": """
library(RNetCDF)
f <- open.nc(path)
c <- grp.inq.nc(f, "by_cluster")$self
h <- grp.inq.nc(f, "by_chain")$self
p <- grp.inq.nc(f, "by_chain_platform")$self
same(var.get.nc(h, "chain"), chain)
same(var.get.nc(c, "cluster"), base::c(-3L, 1L, 2L, 2000000000L))
same(var.get.nc(c, "count"), base::c(1234567, 1, 12, 0))
same(var.get.nc(c, "resource_total")[1:3], base::c(1234567.25, 0.1, 0))
same(att.get.nc(c, "resource_total", "units"), "kW h")
same(att.get.nc(f, "NC_GLOBAL", "title"), "Sample \\u4ea7\\u4e1a")
same(att.get.nc(h, "chain_missing", "flag_values"), base::c(0L, 1L, 2L))
same(var.get.nc(p, "chain"), base::c("steel", "steel", "\\u4ea7\\u4e1a"))
same(dim.inq.nc(p, "group")$length, 3)
close.nc(f)
""",
    "rhdf5": """
library(rhdf5)
read <- function(name) h5read(path, name, bit64conversion = "double")
options(warn = 1)  # it warns of every integer of 64 bits
same(read("by_chain/chain"), chain)
same(read("by_cluster/cluster"), c(-3L, 1L, 2L, 2000000000L))
same(read("by_cluster/count"), c(1234567, 1, 12, 0))
same(read("by_cluster/resource_total")[1:3], c(1234567.25, 0.1, 0))
same(read("flows/by_cluster/flow_status"), c(0L, 2L, 9L))
f <- H5Fopen(path)
a <- H5Aopen(H5Dopen(f, "by_cluster/resource_total"), "units")
same(H5Aread(a), "kW h")
""",
    "hdf5r": """
library(hdf5r)
f <- H5File$new(path, mode = "r")
same(f[["by_chain/chain"]][], chain)
same(f[["by_cluster/cluster"]][], c(-3L, 1L, 2L, 2000000000L))
same(as.character(f[["by_cluster/information_total"]][]),
     c("9007199254740993", "-9007199254740993", "9223372036854775807", "7"))
same(f[["by_cluster/resource_total"]][][1:3], c(1234567.25, 0.1, 0))
same(h5attr(f[["by_cluster/resource_total"]], "units"), "kW h")
f$close_all()
""",
}


def run(name, command):
    """Runs a reader; returns its output, None when it failed or warned."""
    done = subprocess.run(command, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    check(f"{name} ends well", done.returncode == 0,
          f"status {done.returncode}\n{done.stderr}")
    return done.stdout if done.returncode == 0 else None


def check_python(name, source, path, expected, absent=()):
    # Debian's netCDF4 was built against another numpy and says so.
    output = run(name, [sys.executable, "-W", "error", "-W",
                        "ignore:numpy.ndarray size changed:RuntimeWarning",
                        "-c", PRELUDE + source, path])
    if output is None:
        return
    found = json.loads(output)
    for key, value in expected.items():
        if key not in absent:
            check(f"{name} {key}", key in found and found[key] == value,
                  f"{found.get(key)!r} and not {value!r}")


def check_dump(path):
    output = run("ncdump", ["ncdump", path]) or ""
    for line in ('int cluster(cluster) ;',
                 'string chain(chain) ;', 'group = 3 ;',
                 'resource_total:_FillValue = NaN ;',
                 'string resource_total:units = "kW h" ;',
                 'information_total = 9007199254740993, -9007199254740993,',
                 'flow_status:flag_values = 0b, 2b, -1b ;',
                 'string flow_status:flag_meanings = "ok zero_total lost" ;',
                 'source = 1, 1, 2000000000 ;', 'flow = 12.5, _, 0.25 ;',
                 'chain = "steel", "steel", "产业" ;'):
        check(f"ncdump prints {line}", line in output, "not in the output")
    output = run("h5dump", ["h5dump", path]) or ""
    for text in ("CSET H5T_CSET_UTF8", "H5T_STD_I64LE", '"(missing)"'):
        check(f"h5dump prints {text}", text in output, "not in the output")


def check_r(path):
    if shutil.which("Rscript") is None:
        print("SKIPPED readers in R: no Rscript (r-base-core)")
        return
    for package, source in R_READERS.items():
        there = subprocess.run(
            ["Rscript", "-e", f"quit(status = !requireNamespace('{package}', "
             "quietly = TRUE))"], capture_output=True)
        if there.returncode != 0:
            print(f"SKIPPED R package {package}: not installed")
            continue
        run(f"R {package}", ["Rscript", "-e", R_COMMON + source, path])


def check_provenance(folder):
    """Everything but /provenance is the same whatever the provenance says."""
    other = os.path.join(folder, "other.h5")
    first = os.path.join(folder, "out.h5")
    subprocess.run([MAKE_RESULT, other, "--provenance",
                    '{"threads": 8, "host": "elsewhere"}'], check=True)
    with open(first, "rb") as a, open(other, "rb") as b:
        check("provenance is written", a.read() != b.read())
    check("all else is the same", facts(first) == facts(other))
    check("comparison sees a difference", len(facts(first)) > 20)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.h5")
        subprocess.run([MAKE_RESULT, path], check=True)
        check_python("h5py", H5PY, path, EXPECTED)
        check_python("netCDF4", NETCDF4, path, EXPECTED)
        for engine in ("h5netcdf", "netcdf4"):
            check_python(f"xarray {engine}",
                         f"ENGINE = '{engine}'\n" + XARRAY, path, EXPECTED,
                         absent=("tables",))
        in_frames = {key: value for key, value in EXPECTED.items()
                     if key in ("cluster", "count", "resource_total",
                                "information_total", "turnover_max", "chain",
                                "chain_missing", "resource_mean",
                                "turnover_min_dtype", "pair_chain",
                                "pair_platform", "pair_total")}
        check_python("pandas", PANDAS, path, in_frames)
        check_dump(path)
        check_r(path)
        check_provenance(folder)
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
