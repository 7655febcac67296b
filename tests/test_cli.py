#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_cli.py PROGRAM [TEST...]: the program as a person or a script meets it:
messages, exit statuses, what stays on disk after a failure, the terminal."""
import fcntl
import functools
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import h5py
import numpy

PROGRAM = ""
TESTS = os.path.dirname(os.path.abspath(__file__))
N_ROWS = 1000


def write_table(path, columns, name="/enterprises"):
    with h5py.File(path, "w") as file:
        group = file.create_group(name)
        for column, values in columns.items():
            group[column] = values


def small_columns(n_rows=N_ROWS):
    rng = numpy.random.default_rng(7)
    return {
        "cluster": rng.integers(0, 10, n_rows).astype("i4"),
        "chain": rng.integers(0, 5, n_rows).astype("i2"),
        "resource": rng.lognormal(3, 2, n_rows),
        "strategy": rng.normal(0, 1, n_rows),
        "staff": rng.integers(0, 500, n_rows).astype("i8"),
        "active": rng.integers(0, 2, n_rows).astype("u1"),
    }


class Program(unittest.TestCase):
    """Every test has a directory of its own with a table t.h5."""

    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.mkdtemp(prefix="hanse-test-cli-")
        write_table(cls.keep + "/t.h5", small_columns())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.keep)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="hanse-test-cli-")
        self.addCleanup(shutil.rmtree, self.directory)
        shutil.copy(self.keep + "/t.h5", self.path("t.h5"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def hanse(self, *words, **options):
        """Exit status, standard output, standard error."""
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
            **options,
        )
        out = done.stdout.decode() if done.stdout is not None else ""
        return done.returncode, out, done.stderr.decode()

    def succeed(self, *words, **options):
        status, out, err = self.hanse(*words, **options)
        self.assertEqual((status, err), (0, ""), words)
        return out

    def assert_no_temporaries(self, directory=None):
        left = [n for n in os.listdir(directory or self.directory)
                if ".hanse-" in n]
        self.assertEqual(left, [])

    def fail_run(self, expected_status, pattern, *words, **options):
        """A run that fails: status, one message that says what, and the
        earlier output as it was, byte for byte."""
        output = self.path("out.h5")
        if not os.path.exists(output):
            self.succeed("run", "t.h5", "-o", "out.h5", "-q")
        with open(output, "rb") as file:
            before = file.read()
        status, out, err = self.hanse("run", *words, **options)
        self.assertEqual(status, expected_status, err)
        self.assertEqual(out, "")
        self.assertTrue(err.startswith("hanse: error: "), err)
        self.assertRegex(err, pattern)
        with open(output, "rb") as file:
            self.assertEqual(file.read(), before, "the old output changed")
        self.assert_no_temporaries()

    def assert_same_result(self, a, b):
        subprocess.run(
            ["/usr/bin/python3", TESTS + "/compare_results.py", self.path(a),
             self.path(b)],
            check=True,
        )

    def provenance(self, name):
        with h5py.File(self.path(name)) as file:
            return json.loads(file["/provenance/run"][()])


class Usage(Program):
    COMMANDS = ["run", "explain", "show", "info", "generate", "version"]

    def test_help_of_every_command(self):
        for words in ([], *([c] for c in self.COMMANDS)):
            out = self.succeed(*words, "--help")
            self.assertTrue(out.startswith("usage: hanse"), out)
            self.assertLessEqual(max(map(len, out.splitlines())), 80, words)
        self.assertEqual(self.succeed("help", "run"),
                         self.succeed("run", "--help"))
        for command in self.COMMANDS:
            self.assertRegex(self.succeed("--help"), rf"(?m)^  {command} ")

    def test_no_command(self):
        status, out, err = self.hanse()
        self.assertEqual((status, out), (2, ""))
        self.assertTrue(err.startswith("usage: hanse"))

    def test_version(self):
        self.assertRegex(self.succeed("--version"), r"^hanse \d+\.\d+\.\d+\n$")
        out = self.succeed("version")
        for word in ("hanse ", "compiler ", "HDF5 ", "OpenMP ", "processor "):
            self.assertRegex(out, rf"(?m)^{word}")

    def test_wrong_usage_is_explained(self):
        cases = [
            (["rnu"], "unknown command 'rnu', did you mean 'run'?"),
            (["zzzzzz"], "unknown command 'zzzzzz'; 'hanse --help' lists"),
            (["run", "--treads", "2"],
             "unknown option '--treads', did you mean '--threads'?"),
            (["run", "--treads=2"], "'--treads', did you mean '--threads'?"),
            (["run", "-Z"], "unknown option '-Z'; see 'hanse run --help'"),
            (["run", "--m", "x"], "option '--m' is ambiguous"),
            (["run", "t.h5", "-o"],
             "option '--output' needs a value: --output FILE"),
            (["run", "--quiet=3"], "option '--quiet' takes no value"),
            (["run", "t.h5"], "no output file; give one with -o"),
            (["run", "t.h5", "-o", "o.h5", "--records-storage", "gzip:0"],
             "compression gzip: expected a level from 1 to 9, found '0'"),
            (["run", "-o", "out.h5"], "no input file"),
            (["run", "t.h5", "-o", "out.h5", "--threads", "0"],
             "--threads '0': write a number from 1"),
            (["run", "t.h5", "-o", "out.h5", "--threads", "2x"], "--threads"),
            (["run", "t.h5", "-o", "out.h5", "--memory", "much"],
             "--memory 'much': write a size"),
            (["run", "t.h5", "-o", "out.h5", "--missing-keys", "dropp"],
             "write group or drop"),
            (["run", "t.h5", "-o", "out.h5", "--statistics", "total,men"],
             "unknown statistic 'men'"),
            (["run", "t.h5", "-o", "out.h5", "--measure", "=x"],
             "write NAME for a column or NAME=FORMULA"),
            (["run", "t.h5", "-o", "out.h5", "--measure", "staff/2"],
             "measure 'staff/2': a name is a letter"),
            (["run", "t.h5", "-o", "out.h5", "--by", "cluster,"],
             "a name is missing around a comma"),
            (["run", "t.h5", "-o", "out.h5", "--by", "chain", "--by",
              "chain"], "'by_chain' is asked for twice"),
            (["run", "a.yaml", "b.yaml"], "two job files"),
            (["run", "t.h5", "./t.h5", "-o", "out.h5"],
             "are the same file, whose rows would count twice"),
            (["version", "x"], "version takes no operand"),
        ]
        for words, message in cases:
            status, out, err = self.hanse(*words)
            self.assertEqual((status, out), (2, ""), (words, err))
            self.assertIn(message, err, words)
            self.assertTrue(err.startswith("hanse: error: "), err)
        self.assertEqual(os.listdir(self.directory), ["t.h5"])

    def test_full_standard_output_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            status, _, err = self.hanse("--help", stdout=full)
        self.assertEqual(status, 1)
        self.assertIn("cannot write to standard output", err)

    def test_control_characters_do_not_reach_the_terminal(self):
        status, _, err = self.hanse("run", "\x1b[31mred.h5", "-o", "out.h5")
        self.assertEqual(status, 1)
        self.assertNotIn("\x1b", err)
        self.assertIn("\\x1b[31mred.h5", err)


class Errors(Program):
    """Each error path: message, status, old output untouched."""

    def run_words(self, *more):
        return ["t.h5", "-o", "out.h5", *more]

    def test_missing_file(self):
        self.fail_run(1, "gone.h5", "gone.h5", "-o", "out.h5")
        self.fail_run(1, r"no file matches 'gone-\*.h5'", "gone-*.h5", "-o",
                      "out.h5")

    def test_not_hdf5(self):
        self.write("n.h5", "just a text\n" * 100)
        self.fail_run(1, "n.h5.*not.*HDF5", "n.h5", "-o", "out.h5")
        self.write("n.h5", "")
        self.fail_run(1, "n.h5", "n.h5", "-o", "out.h5")
        self.fail_run(1, "directory", self.directory, "-o", "out.h5")

    def test_truncated_file(self):
        with open(self.path("t.h5"), "rb") as file:
            data = file.read()
        for size in (9, 100, len(data) // 2, len(data) - 1):
            with open(self.path("cut.h5"), "wb") as file:
                file.write(data[:size])
            self.fail_run(1, "cut.h5", "cut.h5", "-o", "out.h5")

    def test_missing_column(self):
        self.fail_run(2, "no column 'clutser'.*did you mean 'cluster'",
                      *self.run_words("--by", "clutser"))
        self.fail_run(2, "resurce.*did you mean 'resource'",
                      *self.run_words("--resource", "2 * resurce"))
        self.fail_run(2, "activ", *self.run_words("--where", "activ == 1"))
        self.fail_run(2, "nothing", *self.run_words("--measure", "nothing"))

    def test_column_that_cannot_be_used_says_why(self):
        columns = small_columns()
        columns["vector"] = numpy.zeros((N_ROWS, 3))
        columns["half"] = numpy.zeros(N_ROWS, "f2")
        write_table(self.path("v.h5"), columns)
        for words in (("--by", "cluster,vector"), ("--resource", "1 + vector"),
                      ("--where", "vector > 1"), ("--measure", "vector")):
            message = r"column 'vector' cannot be used: 2 dimensions"
            self.fail_run(2, message, "v.h5", "-o", "out.h5", *words)
            self.assertRegex(self.hanse("explain", "v.h5", *words)[2], message)
        self.fail_run(2, r"cannot be used: .*float32.*\n  half\*2\n  \^~~~\n$",
                      "v.h5", "-o", "out.h5", "--resource", "half*2")
        # By convention it would be taken, and silently missed.
        columns["information"] = numpy.zeros((N_ROWS, 2))
        write_table(self.path("v.h5"), columns)
        self.fail_run(2, "'information' cannot be used: 2 dim.*name the meas",
                      "v.h5", "-o", "out.h5")
        self.succeed("run", "v.h5", "-o", "v-out.h5", "-q", "--resource",
                     "resource")

    def test_faulty_formula(self):
        self.fail_run(2, r"filter: .*\n  active ==\n +\^\n$",
                      *self.run_words("--where", "active == "))

    def test_no_such_table(self):
        self.fail_run(2, "/firms", *self.run_words("--table", "/firms"))

    def test_columns_of_unequal_length(self):
        columns = small_columns()
        columns["strategy"] = columns["strategy"][:-1]
        write_table(self.path("u.h5"), columns)
        self.fail_run(1, "strategy", "u.h5", "-o", "out.h5")

    def test_wrong_type(self):
        columns = small_columns()
        columns["name"] = [f"firm {i}" for i in range(N_ROWS)]
        write_table(self.path("w.h5"), columns)
        self.fail_run(2, "name", "w.h5", "-o", "out.h5", "--measure", "name")
        self.fail_run(2, "name", "w.h5", "-o", "out.h5", "--where",
                      "name > 3")
        self.fail_run(2, "resource", "w.h5", "-o", "out.h5", "--by",
                      "resource")

    def test_files_with_other_columns(self):
        columns = small_columns()
        del columns["chain"]
        write_table(self.path("o.h5"), columns)
        self.fail_run(2, "o.h5: no column 'chain'", "t.h5", "o.h5", "-o",
                      "out.h5")

    def test_empty_table(self):
        write_table(self.path("e.h5"),
                    {k: v[:0] for k, v in small_columns().items()})
        self.fail_run(1, "no row", "e.h5", "-o", "out.h5")
        with h5py.File(self.path("e.h5"), "w"):
            pass
        self.fail_run(1, "e.h5", "e.h5", "-o", "out.h5")

    def test_no_row_left_by_the_filter(self):
        self.fail_run(1, "filter 'active == 7' is true for none of the 1,000 "
                         "rows",
                      *self.run_words("--where", "active == 7"))

    def test_integer_overflow_names_the_group(self):
        columns = small_columns()
        columns["cluster"][:] = 1
        columns["cluster"][500:] = 42
        columns["staff"][:] = 1
        columns["staff"][500:502] = 2**63 - 1
        write_table(self.path("i.h5"), columns)
        self.fail_run(1, r"(?s)staff.*42", "i.h5", "-o", "out.h5", "--by",
                      "cluster", "--measure", "staff")

    def test_unwritable_directory(self):
        self.fail_run(1, "cannot write none/out.h5.*create the directory",
                      "t.h5", "-o", "none/out.h5")
        self.fail_run(1, "it is a directory", "t.h5", "-o", ".")
        self.fail_run(1, "it is a device", "t.h5", "-o", "/dev/null")
        # The superuser may write everywhere: be somebody else.
        closed = self.path("closed")
        os.mkdir(closed)
        program = shutil.copy(PROGRAM, self.path("hanse"))
        os.chmod(self.directory, 0o755)
        self.succeed("run", "t.h5", "-o", "out.h5", "-q")
        os.chmod(self.path("t.h5"), 0o644)
        shutil.copy(self.path("out.h5"), closed + "/out.h5")
        with open(closed + "/out.h5", "rb") as file:
            before = file.read()
        os.chmod(closed, 0o555)
        self.addCleanup(os.chmod, closed, 0o755)
        other = {"user": 65534} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [program, "run", "t.h5", "-o", "closed/out.h5"],
            cwd=self.directory, capture_output=True, check=False, **other)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"cannot write closed/out.h5: Permission denied",
                      done.stderr)
        with open(closed + "/out.h5", "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(closed), ["out.h5"])

    def test_unwritable_output_is_found_before_rows_are_read(self):
        # Reading would end with a line of progress.
        self.fail_run(1, r"\Ahanse: error: cannot write [^\n]*\n\Z", "t.h5",
                      "-o", "none/out.h5", "--progress")

    def test_file_size_limit(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        self.fail_run(1, "cannot write out.h5: File too large",
                      *self.run_words(), preexec_fn=limit)

    def test_file_size_limit_amid_many_groups(self):
        # Their rows are made while the file is written, on all threads.
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        self.succeed("generate", "many.h5", "-n", "100000", "--quiet")
        words = ["many.h5", "--by", "enterprise_id", "-m", "resource"]
        for threads in "1", "2":
            self.fail_run(1, "cannot write out.h5: File too large", *words,
                          "-o", "out.h5", "--threads", threads,
                          preexec_fn=limit)
        results = []
        for threads in "1", "2", "3":
            self.succeed("run", *words, "-o", "out.h5", "--threads", threads,
                         "--quiet")
            with h5py.File(self.path("out.h5")) as file:
                table = file["by_enterprise_id"]
                results.append({name: table[name][:].tobytes()
                                for name in table})
                self.assertEqual(len(table["count"]), 100000)
                self.assertTrue((table["count"][:] == 1).all())
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_many_groups_that_are_all_dropped(self):
        # A table without rows, where the rows of others are made while the
        # file is written.
        n = 100000
        with h5py.File(self.path("none.h5"), "w") as file:
            group = file.create_group("/enterprises")
            group["a"] = numpy.arange(n, dtype="i4")
            group["b"] = numpy.full(n, -1, "i4")
            group["b"].attrs["_FillValue"] = numpy.int32(-1)
            group["resource"] = numpy.ones(n)
        self.succeed("run", "none.h5", "-o", "out.h5", "--by", "rollup(a,b)",
                     "-m", "resource", "--missing-keys", "drop", "--quiet")
        with h5py.File(self.path("out.h5")) as file:
            self.assertEqual(len(file["by_a/count"]), n)
            self.assertEqual(file["by_a/resource_total"][:].sum(), n)
            for name in "a", "b", "count", "resource_total":
                self.assertEqual(len(file["by_a_b"][name]), 0)

    def test_full_disk(self):
        mount = self.path("disk")
        os.mkdir(mount)
        script = (
            'set -e; mount -t tmpfs -o size=64k hanse disk; '
            '"$0" run t.h5 -o disk/out.h5 -q --by chain; '
            'cp disk/out.h5 before; '
            'dd if=/dev/zero of=disk/fill bs=4096 2>/dev/null || true; '
            'echo mounted; status=0; '
            '"$0" run t.h5 -o disk/out.h5 || status=$?; '
            'cmp disk/out.h5 before; ls -A disk; exit $status')
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, PROGRAM],
            cwd=self.directory, capture_output=True, check=False)
        if b"mounted" not in done.stdout:
            self.skipTest("cannot mount a small file system here: "
                          + done.stderr.decode())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"cannot write disk/out.h5: No space left on device; "
                      b"free space there or write elsewhere", done.stderr)
        self.assertEqual(done.stdout, b"mounted\nfill\nout.h5\n")

    def test_unknown_key_in_the_job(self):
        self.write("job.yaml", "input:\n  files: [t.h5]\n"
                               "output: {file: out.h5}\n"
                               "grup_by: [cluster]\n")
        self.fail_run(2, "job.yaml:4:1: unknown key 'grup_by', did you mean "
                         "'group_by'?", "job.yaml")
        self.write("job.yaml", "input: [t.h5\n")
        self.fail_run(2, r"job.yaml:2:1: not valid YAML", "--job",
                      "job.yaml")
        self.fail_run(1, "cannot open the job file none.yaml", "none.yaml")

    def test_faults_of_the_job_have_a_place(self):
        good = ["input:", "  files: [t.h5]", "  where: active == 1",
                "group_by:", "  - cluster", "  - [chain, active]", "models:",
                "  resource: 2*resource", "measures:", "  staff:",
                "  half: staff / 2", "output: out.h5"]
        faults = [
            ("  where: activ == 1", "3:10: filter: no column 'activ'"),
            ("  - clutser", "5:5: group by: no column 'clutser'"),
            ("  - [chain, resource]", "6:13: group by: column 'resource' is"),
            ("  resource: 2*resurce", "8:13: measure 'resource': no column"),
            ("  stuff:", "10:3: measure 'stuff': no column 'stuff'"),
            ("  half: staff / /", "11:9: measure 'half': "),
            ("  the half: 1", "11:13: measure 'the half': a name is"),
        ]
        for fault, message in faults:
            row = int(message.split(":")[0]) - 1
            self.write("job.yaml",
                       "\n".join(good[:row] + [fault] + good[row + 1:]))
            message = "hanse: error: job.yaml:" + message
            self.fail_run(2, "^" + message, "job.yaml")
            self.assertIn(message, self.hanse("explain", "job.yaml")[2])
        self.write("job.yaml", "\n".join(good))
        self.succeed("run", "job.yaml", "-q")
        # What options say in place of the job stands nowhere in the file.
        for words in (("--where", "activ"), ("--by", "clutser"),
                      ("--resource", "resurce"), ("--measure", "half=haff")):
            status, _, err = self.hanse("run", "job.yaml", *words)
            self.assertEqual(status, 2)
            self.assertRegex(err, "^hanse: error: (filter|group by|measure)")

    def test_output_that_is_an_input(self):
        os.link(self.path("t.h5"), self.path("link.h5"))
        with open(self.path("t.h5"), "rb") as file:
            before = file.read()
        for name in ("t.h5", "./t.h5", "link.h5"):
            self.fail_run(2, "is the input file t.h5", "t.h5", "-o", name)
            self.fail_run(2, "is the input file t.h5",
                          *self.run_words("--json-summary", name))
        with open(self.path("t.h5"), "rb") as file:
            self.assertEqual(file.read(), before)

    def test_memory_too_small(self):
        self.fail_run(1, "memory", *self.run_words("--memory", "4K"))


def processor_seconds(n_rows):
    """Of a run with slow_measures() over so many rows."""
    with tempfile.TemporaryDirectory() as directory:
        table = directory + "/t.h5"
        write_table(table, small_columns(n_rows))
        start = os.times().children_user
        subprocess.run([PROGRAM, "run", table, "-qo", directory + "/o.h5",
                        *slow_measures()], check=True)
        return os.times().children_user - start


@functools.cache
def large_columns():
    """As many rows as take about a second of processor time, which other work
    on the machine does not change, with slow_measures(); starting and writing
    take their time however many rows there are."""
    few, more = 1_000, 200_000
    seconds = processor_seconds(more) - processor_seconds(few)
    n_rows = int((more - few) / max(0.01, seconds))
    return small_columns(max(50_000, min(4_000_000, n_rows)))


def slow_measures(n=32):
    """Options that make a run slow."""
    words = ["--threads", "1", "--statistics", "all"]
    for i in range(n):
        words += ["--measure", f"m{i}=exp(log(abs(strategy) + {i + 1}))"]
    return words


class Interrupted(Program):
    """Signals in the middle of a run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_table(cls.keep + "/large.h5", large_columns())

    def setUp(self):
        super().setUp()
        os.symlink(self.keep + "/large.h5", self.path("large.h5"))
        self.succeed("run", "t.h5", "-o", "out.h5", "-q")
        with open(self.path("out.h5"), "rb") as file:
            self.before = file.read()

    def start(self, n_measures=32):
        return subprocess.Popen(
            [PROGRAM, "run", "large.h5", "-o", "out.h5",
             *slow_measures(n_measures)],
            cwd=self.directory, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def wait_for_work(self, child):
        """Until it has worked for 0.4 s, more than opening takes."""
        ticks = 0.4 * os.sysconf("SC_CLK_TCK")
        worked = 0
        while worked < ticks:
            if child.poll() is not None:
                self.fail(f"ended by itself: {child.communicate()}")
            with open(f"/proc/{child.pid}/stat", encoding="utf-8") as file:
                worked = int(file.read().rsplit(")", 1)[1].split()[11])
            time.sleep(0.01)

    def old_output(self):
        with open(self.path("out.h5"), "rb") as file:
            return file.read() == self.before

    def test_signals_stop_the_run(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            child = self.start(40)
            self.wait_for_work(child)
            child.send_signal(number)
            out, err = child.communicate(timeout=60)
            self.assertEqual(child.returncode, -number, err)
            self.assertEqual(out, b"")
            self.assertIn(b"nothing was written", err)
            self.assertTrue(self.old_output())
            self.assert_no_temporaries()

    def test_kill_at_random_moments(self):
        seed = random.randrange(2**32)
        print(f"test_kill_at_random_moments: seed {seed}")
        rng = random.Random(seed)
        self.succeed("run", "large.h5", "-o", "whole.h5", "-q",
                     *slow_measures())
        start = time.monotonic()
        self.start().communicate(timeout=60)
        whole = time.monotonic() - start
        n_old = 0
        for _ in range(12):
            with open(self.path("out.h5"), "wb") as file:
                file.write(self.before)
            child = self.start()
            # Around the end, where the file is written, as often as before.
            time.sleep(whole * rng.choice([rng.uniform(0, 1),
                                           rng.uniform(0.9, 1.1)]))
            child.kill()
            child.communicate(timeout=60)
            if self.old_output():
                n_old += 1
            else:
                self.assert_same_result("out.h5", "whole.h5")
        print(f"test_kill_at_random_moments: {n_old} of 12 before the end")
        self.assertGreater(n_old, 0)


class Output(Program):
    """What a run that succeeds prints and writes."""

    def test_conventions_without_options(self):
        self.succeed("run", "t.h5", "-o", "out.h5")
        columns = small_columns()
        with h5py.File(self.path("out.h5")) as file:
            self.assertEqual(
                {"by_cluster", "by_chain", "total"},
                {n for n in file if isinstance(file[n], h5py.Group)}
                - {"provenance"})
            self.assertEqual(file["by_cluster"]["count"][:].sum(), N_ROWS)
            self.assertAlmostEqual(
                float(file["total"]["resource_total"][()].ravel()[0]),
                columns["resource"].sum(), places=6)
            self.assertIn("cooperation_total", file["by_chain"])
            self.assertNotIn("information_total", file["by_chain"])
        self.assertEqual(os.stat(self.path("out.h5")).st_mode & 0o777, 0o600)

    def test_summary_says_what_was_done(self):
        out = self.succeed("run", "t.h5", "-o", "out.h5", "--where",
                           "active == 1")
        kept = int(small_columns()["active"].sum())
        self.assertIn("written  out.h5\n", out)
        self.assertIn(f"rows     1,000 read, {kept} kept\n", out)
        self.assertIn("groups   by_cluster 10, by_chain 5, total 1\n", out)
        self.assertRegex(out, r"(?m)^time     .* rows/s, .*B/s, 1 thread$")
        self.assertRegex(out, r"(?m)^memory   .* MB at most$")
        self.assertRegex(out, r"(?m)^confined seccomp(, no| and) Landlock")

    def test_trusted_input_gives_the_same_result(self):
        self.succeed("run", "t.h5", "-o", "out.h5", "-q")
        out = self.succeed("run", "t.h5", "-o", "trusted.h5",
                           "--trusted-input")
        self.assertIn("confined none: trusted\n", out)
        self.assertIn("seccomp", self.provenance("out.h5")["confinement"])
        self.assertEqual(self.provenance("trusted.h5")["confinement"],
                         "none: trusted")
        self.assert_same_result("out.h5", "trusted.h5")
        self.assertEqual(self.succeed("explain", "t.h5"),
                         self.succeed("explain", "t.h5", "--trusted-input"))
        self.assertEqual(self.succeed("info", "t.h5"),
                         self.succeed("info", "t.h5", "--trusted-input"))

    def test_trusted_input_starts_no_process(self):
        """A program that is no reader would be found out."""
        environment = {**os.environ, "HANSE_READER": "/bin/true"}
        status, _, err = self.hanse("run", "t.h5", "-o", "out.h5",
                                    env=environment)
        self.assertEqual(status, 1)
        self.assertIn("/bin/true, ended with status 0", err)
        self.succeed("run", "t.h5", "-o", "out.h5", "--trusted-input",
                     env=environment)

    def test_quiet_prints_nothing(self):
        self.assertEqual(self.succeed("run", "t.h5", "-o", "out.h5",
                                      "--quiet"), "")

    def test_json_summary(self):
        self.succeed("run", "t.h5", "-o", "out.h5", "-q", "--json-summary",
                     "s.json", "--where", "active == 1")
        with open(self.path("s.json"), encoding="utf-8") as file:
            summary = json.load(file)
        self.assertEqual(summary["status"], "done")
        self.assertEqual(summary["output"], "out.h5")
        self.assertEqual(summary["rows_read"], N_ROWS)
        self.assertEqual(summary["rows_kept"],
                         small_columns()["active"].sum())
        self.assertEqual(summary["tables"]["by_chain"],
                         {"groups": 5, "rows_dropped": 0})
        for key in ("seconds", "rows_per_second", "bytes",
                    "bytes_per_second", "peak_memory_bytes", "threads"):
            self.assertGreater(summary[key], 0, key)
        self.assertIn("seccomp", summary["confinement"])

    def test_peak_memory_is_the_programs_own(self):
        held = bytearray(os.urandom(1 << 20)) * 600
        self.succeed("run", "t.h5", "-o", "out.h5", "-q", "--json-summary",
                     "s.json")
        with open(self.path("s.json"), encoding="utf-8") as file:
            peak = json.load(file)["peak_memory_bytes"]
        self.assertGreater(peak, 4 << 20)
        self.assertLess(peak, len(held) // 2)

    def test_json_summary_that_is_the_output_is_refused(self):
        os.mkdir(self.path("d"))
        for output, summary in (("new.h5", "new.h5"), ("new.h5", "./new.h5"),
                                ("d/a", "d/../d/a")):
            status, _, err = self.hanse("run", "t.h5", "-o", output,
                                        "--json-summary", summary)
            self.assertEqual(status, 2, err)
            self.assertIn("are the same file", err)
        self.succeed("run", "t.h5", "-o", "out.h5", "-q")
        self.fail_run(2, "are the same file", "t.h5", "-o", "out.h5",
                      "--json-summary", "./out.h5")
        self.succeed("run", "t.h5", "-o", "a", "--json-summary", "d/a", "-q")

    def test_json_summary_that_cannot_be_written_stops_the_run(self):
        status, _, err = self.hanse("run", "t.h5", "-o", "out.h5",
                                    "--json-summary", "none/s.json")
        self.assertEqual(status, 1)
        self.assertIn("cannot write none/s.json", err)
        self.assertFalse(os.path.exists(self.path("out.h5")))

    def test_json_summary_of_a_failed_run_is_not_written(self):
        self.write("s.json", "old")
        status, _, _ = self.hanse("run", "t.h5", "-o", "out.h5",
                                  "--json-summary", "s.json", "--where",
                                  "active == 7")
        self.assertEqual(status, 1)
        with open(self.path("s.json"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")
        self.assert_no_temporaries()

    def test_job_file_and_options_give_the_same(self):
        self.write("job.yaml", """
input: {files: [t.h5], where: active == 1}
group_by: [chain, [cluster, chain]]
statistics: [mean, max]
models: {resource: 2 * resource}
measures: {staff: , half: staff / 2}
output: {file: a.h5}
""")
        self.succeed("run", "job.yaml", "-q")
        self.succeed("run", "t.h5", "-o", "b.h5", "-q", "--by", "chain",
                     "--by", "cluster,chain", "--statistics", "mean,max",
                     "--where", "active == 1", "--resource", "2 * resource",
                     "-m", "staff", "-m", "half=staff / 2")
        with h5py.File(self.path("a.h5"), "r+") as a, \
                h5py.File(self.path("b.h5"), "r+") as b:
            self.assertEqual(a.attrs["history"], "hanse run job.yaml")
            del a.attrs["history"], b.attrs["history"]
        self.assert_same_result("a.h5", "b.h5")

    def test_options_override_the_job(self):
        self.write("job.yml", "input: {files: [gone.h5]}\n"
                              "group_by: [cluster]\noutput: a.h5\n")
        self.succeed("run", "job.yml", "t.h5", "-o", "b.h5", "--by", "chain",
                     "-q")
        self.assertFalse(os.path.exists(self.path("a.h5")))
        with h5py.File(self.path("b.h5")) as file:
            self.assertIn("by_chain", file)
            self.assertNotIn("by_cluster", file)

    def test_history_has_what_can_change_a_result(self):
        words = ["--by", "chain", "t.h5", "--where", "active == 1 && staff >= 0",
                 "-s", "mean"]
        self.succeed("run", *words, "-o", "a.h5", "--threads", "1")
        self.succeed("run", *words, "-qo", "b b.h5", "--threads=3",
                     "--memory", "1G", "--progress", "--json-summary", "j")
        with h5py.File(self.path("a.h5")) as a, \
                h5py.File(self.path("b b.h5")) as b:
            self.assertEqual(a.attrs["history"], b.attrs["history"])
            self.assertEqual(
                a.attrs["history"],
                "hanse run t.h5 --by chain --where 'active == 1 && staff >= "
                "0' --statistics mean")
        self.assert_same_result("a.h5", "b b.h5")

    def test_provenance_says_how(self):
        environment = dict(os.environ, SLURM_JOB_ID="4711",
                           SLURM_JOB_NODELIST="n[1-2]")
        self.succeed("run", "t.h5", "-o", "out.h5", "-q", "--by", "chain",
                     "--threads", "1", env=environment)
        provenance = self.provenance("out.h5")
        self.assertEqual(provenance["job"], {
            "group_by": ["chain"], "input": {"files": ["t.h5"]},
            "output": {"file": "out.h5"}})
        [entry] = provenance["inputs"]
        self.assertEqual(entry["file"], "t.h5")
        self.assertEqual(entry["size_bytes"],
                         os.stat(self.path("t.h5")).st_size)
        self.assertEqual(provenance["threads"], 1)
        self.assertEqual(provenance["slurm"],
                         {"job_id": "4711", "nodes": "n[1-2]"})
        self.assertEqual(provenance["rows_read"], N_ROWS)
        self.assertLessEqual(provenance["start"], provenance["end"])
        for key in ("host", "version", "hdf5_version", "command"):
            self.assertTrue(provenance[key], key)

    def test_file_name_that_is_not_utf8(self):
        name = b"t\xff.h5"
        os.rename(self.path("t.h5"), os.path.join(
            os.fsencode(self.directory), name))
        self.succeed("run", name, "-o", "out.h5", "-q")
        self.assertEqual(self.provenance("out.h5")["inputs"][0]["file"],
                         "t\\xFF.h5")
        with h5py.File(self.path("out.h5")) as file:
            self.assertEqual(file.attrs["history"], "hanse run $'t\\xff.h5'")

    def test_threads_by_default(self):
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith(("OMP_", "SLURM_"))}
        n_all = len(os.sched_getaffinity(0))
        for extra, expected in (
                ({}, n_all),
                ({"SLURM_CPUS_PER_TASK": "3"}, 3),
                ({"SLURM_CPUS_PER_TASK": "junk"}, n_all),
                ({"SLURM_CPUS_PER_TASK": "3", "OMP_NUM_THREADS": "5"}, 5)):
            out = self.succeed("version", env={**clean, **extra})
            self.assertRegex(out, rf"OpenMP .*, {expected} threads", extra)

    def test_memory_by_default(self):
        out = self.succeed("version", env=dict(os.environ,
                                               SLURM_MEM_PER_NODE="1000"))
        self.assertRegex(out, r"memory +786 MB by default")


class Explain(Program):
    def test_plan_of_a_job(self):
        self.write("job.yaml", "input: {files: [t.h5], where: active == 1}\n"
                               "group_by: [[cluster, chain]]\n"
                               "measures: {staff: }\noutput: out.h5\n")
        out = self.succeed("explain", "job.yaml", "--threads", "2")
        for line in (
                r"input +t.h5, 1,000 rows",
                r"table +/enterprises \(.*\), 1,000 rows",
                r"columns +.*active uint8.*\(4 of 6, 15 bytes a row\)",
                r"filter +active == 1",
                r"measures +staff = staff \(integer\)",
                r"statistics +count, <measure>_total",
                r"groupings +by_cluster_chain: cluster, chain",
                r" +total: all rows",
                r"threads +[12]",
                r"memory +readers about .*; limit .*B",
                r"output +out.h5"):
            self.assertRegex(out, rf"(?m)^{line}$")
        self.assertFalse(os.path.exists(self.path("out.h5")))

    def test_errors_are_those_of_run(self):
        words = ["t.h5", "--by", "clutser"]
        status, out, err = self.hanse("explain", *words)
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(self.hanse("run", *words, "-o", "out.h5"),
                         (2, "", err))


class Terminal(Program):
    """Progress on a terminal, and none elsewhere."""

    def setUp(self):
        super().setUp()
        write_table(self.path("large.h5"), large_columns())

    def run_on_terminal(self, *words, columns=80, term="xterm"):
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        child = subprocess.Popen(
            [PROGRAM, "run", "large.h5", "-o", "out.h5", *slow_measures(),
             *words],
            cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=follower,
            env=dict(os.environ, TERM=term))
        os.close(follower)
        screen = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            screen += part
        os.close(leader)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0)
        return screen.decode(), out.decode()

    def test_bar_is_drawn_and_taken_away(self):
        screen, out = self.run_on_terminal()
        self.assertRegex(
            screen, r"\r\[#*\.*\]  *\d+ %  +[\d,]+ rows  +[\d.]+ [kM]? ?"
                    r"rows/s  +[\d.]+ [kMG]B/s  .* left\x1b\[K")
        ends = {drawn.index("rows/s") for drawn in screen.split("\r")
                if "rows/s" in drawn and " min " not in drawn}
        self.assertEqual(len(ends), 1, "the figures jump")
        self.assertTrue(screen.endswith("\r\x1b[K"), repr(screen[-40:]))
        self.assertNotIn("\n", screen)
        for drawn in screen.split("\r"):
            self.assertLess(len(drawn.replace("\x1b[K", "")), 80)
        self.assertIn("written  out.h5", out)

    def test_narrow_terminal_is_not_wrapped(self):
        screen, _ = self.run_on_terminal(columns=30)
        drawn = [d.replace("\x1b[K", "") for d in screen.split("\r")]
        self.assertGreater(max(map(len, drawn)), 20)
        self.assertLess(max(map(len, drawn)), 30)

    def test_quiet_and_dumb_terminals_see_nothing(self):
        self.assertEqual(self.run_on_terminal("--quiet"), ("", ""))
        self.assertEqual(self.run_on_terminal(term="dumb")[0], "")

    def test_pipe_sees_lines_only_when_asked(self):
        words = ["run", "large.h5", "-o", "out.h5", "--threads", "1"]
        self.assertEqual(self.hanse(*words)[2], "")
        err = self.hanse(*words, "--progress")[2]
        n_rows = f"{len(large_columns()['staff']):,}"
        self.assertRegex(err, rf"^hanse: 100 %  {n_rows} rows  .* left\n$")
        self.assertEqual(self.hanse(*words, "--progress", "-q")[2], "")


def main():
    global PROGRAM
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()


if __name__ == "__main__":
    main()
