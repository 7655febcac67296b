#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Statistics of `hanse run` against numpy, pandas and exact fractions, and
against themselves: threads, orders of rows, division into files, and memory too
small to keep the values of quantiles or the different ones.

usage: test_statistics_program.py HANSE
"""
import collections
import json
import math
import subprocess
import sys
import tempfile
import unittest
from fractions import Fraction

import h5py
import numpy as np
import pandas as pd

HANSE = sys.argv[1]
EVERYTHING = ("all,range,sum_squares,skew,kurtosis,nunique,mode,wmean,median,"
              "p1,p25,p99.9,cov,corr,top3")


def write(path, columns):
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            text = values.dtype.kind in "OU"
            file.create_dataset(
                f"enterprises/{name}",
                data=values.astype(object) if text else values,
                dtype=h5py.string_dtype() if text else None)


def read(path):
    tables = {}
    with h5py.File(path) as file:
        for table in file:
            if table == "provenance" or not isinstance(file[table], h5py.Group):
                continue
            tables[table] = {
                name: np.atleast_1d(d[()]) for name, d in file[table].items()
                if isinstance(d, h5py.Dataset) and name != "group"}
    return tables


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name
        self.addCleanup(self.folder.cleanup)

    def run_raw(self, files, *options):
        return subprocess.run(
            [HANSE, "run", *files, "-o", f"{self.path}/out.h5", *options],
            text=True, capture_output=True, check=False)

    def run_job(self, files, *options):
        done = self.run_raw(files, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return read(f"{self.path}/out.h5")

    def table(self, columns, *options, name="in.h5"):
        write(f"{self.path}/{name}", columns)
        return self.run_job([f"{self.path}/{name}"], *options)

    def assert_same(self, one, other):
        self.assertEqual(one.keys(), other.keys())
        for table in one:
            self.assertEqual(one[table].keys(), other[table].keys())
            for name, values in one[table].items():
                self.assertEqual(values.dtype, other[table][name].dtype, name)
                self.assertEqual(values.tolist().__repr__(),
                                 other[table][name].tolist().__repr__(),
                                 f"{table}/{name}")


def population(n, seed=1):
    rng = np.random.default_rng(seed)
    x = np.round(rng.lognormal(8, 2, n), 2)
    x[rng.random(n) < 0.03] = np.nan
    return {
        "enterprise_id": rng.permutation(n) + 10**12,
        "cluster": rng.integers(0, 40, n).astype("i4"),
        "chain": rng.integers(0, 6, n).astype("i2"),
        "x": x,
        "y": x * 0.3 + rng.normal(0, 2000, n),
        "staff": rng.integers(0, 500, n).astype("i4"),
        "weight": rng.integers(1, 9, n).astype("f8"),
    }


class Peers(Case):
    """Within the errors that the others make."""

    def test_pandas_agrees(self):
        columns = population(30000)
        found = self.table(
            columns, "--by", "cluster", "-m", "x", "-m", "staff", "-s",
            EVERYTHING + ",first,last", "--weights", "weight")["by_cluster"]
        frame = pd.DataFrame(columns)
        groups = frame.groupby("cluster")
        for m in "x", "staff":
            g = groups[m]
            expected = {
                "total": g.sum(), "mean": g.mean(), "var": g.var(),
                "range": g.max() - g.min(), "skew": g.skew(),
                "kurtosis": g.apply(pd.Series.kurt), "first": g.first(),
                "last": g.last(), "nunique": g.nunique(),
                "sum_squares": g.apply(lambda v: (v.astype(float)**2).sum()),
                "mode": g.apply(lambda v: v.mode().min()),
                "median": g.median(), "p1": g.quantile(0.01),
                "p25": g.quantile(0.25), "p99_9": g.quantile(0.999),
                "wmean": groups.apply(lambda f, m=m: np.average(
                    f[m].dropna(), weights=f.weight[f[m].notna()])),
            }
            for name, values in expected.items():
                np.testing.assert_allclose(found[f"{m}_{name}"], values,
                                           rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(
            found["x_staff_cov"],
            groups.apply(lambda f: f.x.cov(f.staff)), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(
            found["x_staff_corr"],
            groups.apply(lambda f: f.x.corr(f.staff)), rtol=1e-9, atol=1e-12)

    def test_largest_values_with_their_ids(self):
        columns = population(5000)
        frame = pd.DataFrame(columns)
        found = self.table(columns, "--by", "cluster", "-m", "staff", "-s",
                           "top3")["by_cluster"]
        for row, (_, f) in enumerate(frame.groupby("cluster")):
            best = f.sort_values(["staff", "enterprise_id"],
                                 ascending=[False, True])
            for i in range(3):
                self.assertEqual(found[f"staff_top{i + 1}"][row],
                                 best.staff.iloc[i])
                self.assertEqual(found[f"staff_top{i + 1}_id"][row],
                                 best.enterprise_id.iloc[i])


class Exactness(Case):
    def test_small_deviation_from_a_large_mean(self):
        """Mean 1e9, deviation 0.1: variance right to the last digit."""
        rng = np.random.default_rng(3)
        x = 1e9 + rng.normal(0, 0.1, 20000)
        found = self.table({"x": x}, "-m", "x", "-s",
                           "var,std,skew,kurtosis")["total"]
        values = [Fraction(v) for v in x]
        n = len(values)
        mean = sum(values) / n
        m2, m3, m4 = (sum((v - mean)**k for v in values) for k in (2, 3, 4))
        self.assertEqual(found["x_var"][0], float(m2 / (n - 1)))
        self.assertEqual(found["x_std"][0], math.sqrt(float(m2 / (n - 1))))
        kurtosis = Fraction(n * (n + 1) * (n - 1), (n - 2) * (n - 3)) * m4 / \
            m2**2 - Fraction(3 * (n - 1)**2, (n - 2) * (n - 3))
        self.assertEqual(found["x_kurtosis"][0], float(kurtosis))
        square = Fraction(n * n * (n - 1), (n - 2)**2) * m3**2 / m2**3
        scale = 1 << 400
        root = Fraction(math.isqrt(int(square * scale * scale)), scale)
        self.assertEqual(abs(found["x_skew"][0]), float(root))
        self.assertEqual(math.copysign(1, found["x_skew"][0]),
                         1 if m3 > 0 else -1)

    def test_integers_beyond_2_53(self):
        x = np.array([2**62 + 1, 2**62 + 3, -(2**62) - 5, 2**62 + 1], "i8")
        found = self.table({"x": x}, "-m", "x", "-s",
                           "range,first,last,mode,nunique,median,top1,"
                           "sum_squares,count")["total"]
        self.assertEqual(int(found["x_range"][0]), 2**63 + 8)
        self.assertEqual(found["x_first"][0], 2**62 + 1)
        self.assertEqual(found["x_last"][0], 2**62 + 1)
        self.assertEqual(found["x_mode"][0], 2**62 + 1)
        self.assertEqual(found["x_top1"][0], 2**62 + 3)
        self.assertEqual(found["x_nunique"][0], 3)
        self.assertEqual(found["x_sum_squares"][0],
                         float(sum(int(v)**2 for v in x)))

    def test_perfect_correlation_is_one(self):
        x = np.random.default_rng(4).normal(0, 1, 1000)
        found = self.table({"x": x, "y": 2 * x, "z": -4 * x}, "-m", "x", "-m",
                           "y", "-m", "z", "-s", "corr,cov")["total"]
        self.assertEqual(found["x_y_corr"][0], 1.0)
        self.assertEqual(found["x_z_corr"][0], -1.0)

    def test_infinities_and_zeros(self):
        x = np.array([1.0, -0.0, np.inf, 0.0, np.nan, 1.0])
        found = self.table({"x": x, "w": np.ones(6)}, "-m", "x", "--weights",
                           "w", "-s", EVERYTHING.replace(",cov,corr", "") +
                           ",first,last")["total"]
        for name in ("range", "sum_squares", "skew", "kurtosis", "wmean",
                     "p99_9", "var"):
            self.assertTrue(math.isnan(found[f"x_{name}"][0]), name)
        self.assertEqual(found["x_median"][0], 1.0)
        self.assertEqual(found["x_nunique"][0], 3)
        self.assertEqual(str(found["x_mode"][0]), "0.0")
        self.assertEqual(found["x_top1"][0], math.inf)
        self.assertEqual(found["x_top1_id"][0], 2)


class Invariance(Case):
    def test_threads_orders_and_files(self):
        columns = population(20000, 5)
        options = ["--by", "cluster", "--by", "cluster,chain", "--by",
                   "chain", "-m", "x", "-m", "y", "-m", "staff", "-s",
                   EVERYTHING, "--weights", "weight"]
        one = self.table(columns, *options, "--threads", "1")
        order = np.random.default_rng(1).permutation(20000)
        shuffled = {name: values[order] for name, values in columns.items()}
        self.assert_same(one, self.table(shuffled, *options, "--threads", "3"))
        files = []
        for i, part in enumerate(np.array_split(np.arange(20000), 3)):
            files.append(f"{self.path}/part{i}.h5")
            write(files[-1], {n: v[part] for n, v in columns.items()})
        self.assert_same(one, self.run_job(files, *options, "--threads", "8"))

    def test_first_and_last_go_through_all_files(self):
        columns = population(9000, 6)
        frame = pd.DataFrame(columns).groupby("cluster").x
        files = []
        for i, part in enumerate(np.array_split(np.arange(9000), 4)):
            files.append(f"{self.path}/part{i}.h5")
            write(files[-1], {n: v[part] for n, v in columns.items()})
        found = self.run_job(files, "--by", "cluster", "-m", "x", "-s",
                             "first,last", "--threads", "4")["by_cluster"]
        np.testing.assert_array_equal(found["x_first"], frame.first())
        np.testing.assert_array_equal(found["x_last"], frame.last())

    def test_quantiles_in_little_memory(self):
        rng = np.random.default_rng(7)
        n = 1_500_000
        columns = {"cluster": rng.integers(0, 300, n).astype("i4"),
                   "x": rng.lognormal(8, 2, n),
                   "u": rng.integers(0, 2**64, n, "u8"),
                   "few": rng.integers(-3, 3, n).astype("f8")}
        columns["x"][::7] = np.nan
        options = ["--by", "cluster", "-m", "x", "-m", "u", "-m", "few", "-s",
                   "median,p1,p90,p99.9,count", "--where", "few < 2",
                   "--threads", "2"]
        plenty = self.table(columns, *options)
        for memory in "60M", "25M", "14M":
            little = self.run_job([f"{self.path}/in.h5"], *options, "--memory",
                                  memory)
            self.assert_same(plenty, little)
        kept = (columns["few"] < 2)
        x = columns["x"][kept & ~np.isnan(columns["x"])]
        np.testing.assert_allclose(plenty["total"]["x_p90"][0],
                                   np.quantile(x, 0.9), rtol=1e-14)
        self.assertEqual(plenty["total"]["few_median"][0],
                         np.median(columns["few"][kept]))

    def test_explain_names_the_passes(self):
        write(f"{self.path}/in.h5", population(50000))
        for memory, words in ("1G", "then quantiles, from values kept"), \
                ("400K", "2 and on, for quantiles: read"):
            done = subprocess.run(
                [HANSE, "explain", f"{self.path}/in.h5", "-m", "x", "-s",
                 "median", "--memory", memory], text=True, capture_output=True,
                check=False)
            self.assertIn(words, done.stdout, done.stderr)


class Texts(Case):
    def test_text_ids_and_short_groups(self):
        columns = {"cluster": np.array([1, 1, 1, 2, 3]),
                   "x": np.array([5.0, 5.0, 7.0, 1.0, np.nan]),
                   "name": np.array(["b", "a", "", "ü", "z"])}
        found = self.table(columns, "--by", "cluster", "-m", "x", "-s", "top3",
                           "--id", "name")
        group = found["by_cluster"]
        ids = [[t.decode() for t in group[f"x_top{i}_id"]] for i in (1, 2, 3)]
        self.assertEqual(ids[0], ["(empty)", "ü", "(none)"])
        self.assertEqual(ids[1], ["a", "(none)", "(none)"])
        self.assertEqual(ids[2], ["b", "(none)", "(none)"])
        np.testing.assert_array_equal(group["x_top1"], [7, 1, np.nan])
        np.testing.assert_array_equal(group["x_top3"], [5, np.nan, np.nan])
        done = subprocess.run([HANSE, "show", f"{self.path}/out.h5",
                               "by_cluster"], text=True, capture_output=True,
                              check=True)
        self.assertIn("(none)", done.stdout)


class Errors(Case):
    def refuse(self, options, status, words):
        write(f"{self.path}/in.h5", population(100))
        done = self.run_raw([f"{self.path}/in.h5"], *options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(words, done.stderr)

    def test_what_is_wrong_is_said(self):
        self.refuse(["-m", "x", "-s", "wmean"], 2, "needs weights")
        self.refuse(["-m", "x", "-s", "cov"], 2, "two measures")
        self.refuse(["-m", "x", "-s", "mediann"], 2, "did you mean 'median'?")
        self.refuse(["-m", "x", "-s", "p0"], 2, "unknown statistic 'p0'")
        self.refuse(["-m", "x", "-s", "top2", "--id", "enterprise"], 2,
                  "id: no column 'enterprise'")
        self.refuse(["-m", "x", "-s", "top2", "--id", "y"], 2,
                  "must be an integer or text")
        self.refuse(["-m", "x", "-s", "wmean", "--weights", "wieght"], 2,
                  "did you mean 'weight'?")

    def test_places_in_job_files(self):
        write(f"{self.path}/in.h5", population(100))
        with open(f"{self.path}/job.yaml", "w", encoding="utf-8") as file:
            file.write(f"input: {{files: ['{self.path}/in.h5']}}\n"
                       "measures: {x: }\n"
                       "statistics: [wmean, top1]\n"
                       "weights: wieght\n"
                       "id: enterprise_id\n")
        done = self.run_raw([f"{self.path}/job.yaml"])
        self.assertEqual(done.returncode, 2)
        self.assertIn("job.yaml:4:10: weights: no column 'wieght'",
                      done.stderr)


class DifferentValues(Case):
    """More of them in a group, or in all, than memory holds."""

    @staticmethod
    def most_frequent(values):
        counts = collections.Counter(values.tolist())
        most = max(counts.values())
        return len(counts), min(v for v, n in counts.items() if n == most)

    def compare(self, group, key, columns, kept):
        for row, (n_kept, k) in enumerate(zip(group["count"],
                                              group.get(key, [None]))):
            rows = kept if k is None else kept & (columns[key] == k)
            self.assertEqual(n_kept, rows.sum())
            for measure in ("x", "i", "u"):
                values = columns[measure][rows]
                values = values[~np.isnan(values)] if measure == "x" else values
                n, mode = self.most_frequent(values)
                self.assertEqual(group[f"{measure}_nunique"][row], n)
                self.assertEqual(group[f"{measure}_mode"][row], mode)
            x = columns["x"][rows]
            self.assertEqual(group["x_median"][row], np.nanmedian(x))

    def test_beyond_memory(self):
        random = np.random.default_rng(3)
        n = 300_000
        columns = {"x": random.integers(-90_000, 90_000, n) / 8,
                   "i": random.integers(-2**40, 2**40, n),
                   "u": random.integers(2**63 - 99, 2**63 + 99_999, n, "u8"),
                   "k": np.where(random.random(n) < 0.7, 1,
                                 random.integers(2, 9, n))}
        columns["x"][::11] = np.nan
        columns["x"][::13] = -0.0
        columns["x"][5::2600] = 0.0
        columns["i"][::7000] = 2**40 + 5
        columns["i"][1::7000] = 2**40 + 4
        columns["i"][3::7000] = 2**40 + 4
        arguments = ["--by", "k", "--where", "k != 3", "-m", "x",
                     "-m", "i", "-m", "u", "-s", "nunique,mode,median,count"]
        plenty = self.table(columns, *arguments)
        self.assertEqual(plenty["total"]["i_mode"][0], 2**40 + 4)
        summary = f"{self.path}/summary.json"
        for threads in "1", "3":
            few = self.table(columns, *arguments, "--memory", "8M", "--threads",
                             threads, "--json-summary", summary)
            self.assert_same(plenty, few)
            with open(summary, encoding="utf-8") as file:
                self.assertGreater(json.load(file)["bytes"],
                                   4 * sum(c.nbytes for c in columns.values()))
        kept = columns["k"] != 3
        self.compare(plenty["by_k"], "k", columns, kept)
        self.compare(plenty["total"], None, columns, kept)

    def test_readers_that_need_most_of_memory(self):
        n = 600_000
        values = np.random.default_rng(4).permutation(n) / 4
        with h5py.File(f"{self.path}/in.h5", "w") as file:
            file.create_dataset("enterprises/x", data=values, chunks=(n,),
                                compression="gzip", compression_opts=1)
        for memory in "8M", "12M":
            found = self.run_job([f"{self.path}/in.h5"], "-m", "x", "-s",
                                 "nunique,mode,median", "--memory", memory,
                                 "--threads", "1")["total"]
            self.assertEqual(found["x_nunique"][0], n)
            self.assertEqual(found["x_mode"][0], 0)
            self.assertEqual(found["x_median"][0], np.median(values))

    def test_explain_names_the_passes(self):
        write(f"{self.path}/in.h5", population(50000))
        for memory, words in ("1G", "nique, mode), kept in memory, at most"), \
                ("1M", "2 and on, where different values (nunique, mode) do"):
            done = subprocess.run(
                [HANSE, "explain", f"{self.path}/in.h5", "-m", "x", "-s",
                 "mode", "--memory", memory], text=True, capture_output=True,
                check=False)
            self.assertIn(words, done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
