#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_hostile_runs.py HANSE DUMP_SOURCE [-n ROUNDS] [-s SEED] [--keep FOLDER]
[TEST...]: the whole program on damaged files. A run ends by itself in bounded
time and memory, with a result or with one message, and what it reads by itself
is what the HDF5 library reads. --keep saves a file for each new kind of end;
tests/hostile holds such files, which are replayed."""
import argparse
import glob
import gzip
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import unittest

import test_hostile

HANSE = ""
DUMP = ""
ROUNDS = 300
SEED = 1
KEEP = None
HERE = os.path.dirname(os.path.abspath(__file__))

# Columns of test_hostile's seeds, so that a run reads all of them.
OPTIONS = {
    "contiguous": ["-b", "a", "-m", "a", "-m", "b"],
    "deflate": ["-b", "a", "-b", "b", "-m", "a", "-m", "b"],
    "compound": ["-b", "a", "-b", "c", "-m", "b"],
    "texts": ["-b", "n", "-b", "f", "-b", "c,n", "-m", "one=1"],
    "enum": ["-b", "e", "-b", "x", "-m", "s"],
    "groups": ["-m", "a"],
}
LIMIT_CPU_S = 1  # of each process
LIMIT_WALL_S = 600  # a busy machine gives little
LIMIT_MEMORY = 1 << 30
EVERY = 16  # of the rounds with a result are read by the library as well


class Outcome:
    """How a program ended."""

    def __init__(self, status, out, err, usage):
        self.status, self.out, self.err = status, out, err
        self.usage = usage

    def kind(self):
        """The message without names and numbers."""
        text = re.sub(r"^hanse: error: (/[^:]*: )?", "", self.err)
        text = re.sub(r"'[^']*'|\(.*?\)(?=\))|[0-9a-f]{6,}|\d+", "N", text)
        return f"{self.status} {text.strip()}"[:160]


def run(words, folder):
    """Starts the program with few resources and waits for it."""
    names = [folder + "/out", folder + "/err"]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    pid = os.posix_spawn(
        words[0], words, {**os.environ, "HANSE_READER": HANSE,
                          "OMP_NUM_THREADS": "2"},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, names[0], flags, 0o600),
                      (os.POSIX_SPAWN_OPEN, 2, names[1], flags, 0o600)])
    # Before it has started anybody, who then has the same limit.
    resource.prlimit(pid, resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S))
    signal.setitimer(signal.ITIMER_REAL, LIMIT_WALL_S)
    try:
        _, how, usage = os.wait4(pid, 0)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    texts = []
    for name in names:
        with open(name, encoding="utf-8", errors="surrogateescape") as file:
            texts.append(file.read())
    status = os.waitstatus_to_exitcode(how)
    return Outcome(status, texts[0], texts[1], usage)


def plain(text):
    """Without labels: of a damaged enum the library takes them from memory that
    nobody wrote."""
    described = json.loads(text)
    for column in described["columns"].values():
        del column["labels"]
    return described


def on_alarm(*_):
    raise TimeoutError(f"no end in {LIMIT_WALL_S} s")


class Runs(unittest.TestCase):
    """Every test has a directory of its own."""

    @classmethod
    def setUpClass(cls):
        signal.signal(signal.SIGALRM, on_alarm)

    def setUp(self):
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="hanse-test-runs-", dir=place)
        self.path = self.folder + "/t.h5"
        self.output = self.folder + "/o.h5"
        self.kinds = {}

    def tearDown(self):
        shutil.rmtree(self.folder)

    def check(self, kind, data, compare):
        """One file; returns how the run ended."""
        with open(self.path, "wb") as file:
            file.write(data)
        done = run([HANSE, "run", self.path, "-o", self.output, "-q",
                    "--memory", "256M", *OPTIONS[kind]], self.folder)
        self.assertIn(done.status, (0, 1, 2), done.err)
        self.assertEqual(done.out, "")
        self.assertLess(done.usage.ru_maxrss, LIMIT_MEMORY >> 10)
        left = [n for n in os.listdir(self.folder) if ".hanse-" in n]
        self.assertEqual(left, [])
        if done.status == 0:
            self.assertEqual(done.err, "")
            os.unlink(self.output)
        else:
            self.assertRegex(done.err, r"\Ahanse: error: [^\x00-\x09\x0b-\x1f]*\n\Z")
            self.assertFalse(os.path.exists(self.output))
        if done.status == 0 and compare:
            self.compare()
        return done

    def compare(self):
        """Our decoder and the library say the same, where both can."""
        ours = run([DUMP, self.path], self.folder)
        library = run([DUMP, "-l", self.path], self.folder)
        for done in (ours, library):
            self.assertIn(done.status, (0, 1), done.err)
            self.assertEqual(done.err, "")
        if ours.status == 0 and library.status == 0:
            self.assertEqual(plain(ours.out), plain(library.out))

    def keep(self, kind, data, done):
        """Saves the first file that ends in a new way."""
        name = done.kind()
        self.kinds[name] = self.kinds.get(name, 0) + 1
        if KEEP is None or self.kinds[name] > 1:
            return
        os.makedirs(KEEP, exist_ok=True)
        path = f"{KEEP}/{kind}_{len(self.kinds):03d}.h5.gz"
        with open(path, "wb") as file:
            file.write(gzip.compress(data, 9, mtime=0))
        with open(KEEP + "/kinds.txt", "a", encoding="utf-8") as file:
            file.write(f"{os.path.basename(path)} {name}\n")

    def test_changed_files_end_cleanly(self):
        rng = random.Random(SEED)
        seeds = []
        for kind, version in test_hostile.SEEDS:
            test_hostile.write_seed(self.path, kind, version)
            with open(self.path, "rb") as file:
                seeds.append((kind, file.read()))
        begin = time.monotonic()
        counts = {0: 0, 1: 0, 2: 0}
        n_killed = 0
        for i in range(ROUNDS):
            kind, data = rng.choice(seeds)
            data = test_hostile.change(rng, data)
            try:
                done = self.check(kind, data, i % EVERY == 0)
            except BaseException:
                print(f"seed {SEED}, round {i}: kept in failed.h5",
                      file=sys.stderr)
                shutil.copy(self.path, (KEEP or ".") + "/failed.h5")
                raise
            counts[done.status] += 1
            n_killed += "reader stopped" in done.err
            self.keep(kind, data, done)
            if i % 1000 == 999:
                print(f"{i + 1} rounds, {time.monotonic() - begin:.0f} s, "
                      f"{counts}, {n_killed} readers died",
                      file=sys.stderr, flush=True)
        print(f"seed {SEED}, {ROUNDS} rounds: results {counts[0]}, failed "
              f"{counts[1]}, not such a table {counts[2]}, readers died "
              f"{n_killed}", file=sys.stderr)
        self.assertGreater(counts[0], ROUNDS / 20)
        self.assertGreater(counts[1], ROUNDS / 20)

    def test_saved_files_end_as_before(self):
        """tests/hostile: a file for each kind of end that campaigns found."""
        names = sorted(glob.glob(HERE + "/hostile/*.h5.gz"))
        self.assertGreater(len(names), 30)
        n_failed = 0
        for name in names:
            with self.subTest(name=os.path.basename(name)):
                with gzip.open(name) as file:
                    data = file.read()
                kind = os.path.basename(name).split("_")[0]
                n_failed += self.check(kind, data, True).status != 0
        self.assertGreater(n_failed, len(names) / 2)


def main():
    global HANSE, DUMP, ROUNDS, SEED, KEEP
    parser = argparse.ArgumentParser()
    parser.add_argument("hanse", type=os.path.abspath)
    parser.add_argument("dump", type=os.path.abspath)
    parser.add_argument("-n", type=int, default=ROUNDS)
    parser.add_argument("-s", type=int, default=SEED)
    parser.add_argument("--keep", type=os.path.abspath)
    options, rest = parser.parse_known_args()
    HANSE, DUMP, KEEP = options.hanse, options.dump, options.keep
    ROUNDS, SEED = options.n, options.s
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
