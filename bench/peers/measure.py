# SPDX-License-Identifier: Apache-2.0
"""Whole processes, in turn.

Imports neither h5py nor numpy: the peak memory of a child includes what its
parent held when it was started.
"""
import os
import statistics
import sys
import time


class Failed(Exception):
    """A process that did not end with 0."""


def run(words, environment=None, output=None):
    """Seconds, seconds of processors and peak bytes of a process; its standard
    output, or nothing, goes to the file `output`."""
    actions = [(os.POSIX_SPAWN_OPEN, 1, output or os.devnull,
                os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
    begin = time.perf_counter()
    child = os.posix_spawnp(words[0], words, {**os.environ,
                                              **(environment or {})},
                            file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        raise Failed(" ".join(words))
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * 1024}


def in_turn(jobs, n_runs):
    """Name to lists of what run() returns; jobs are name to (words,
    environment). The first turn only warms the caches; other load on the
    machine meets all of a turn. Names whose process fails are left out, with
    its words."""
    found, failed = {name: [] for name in jobs}, {}
    for turn in range(n_runs + 1):
        for name, (words, environment) in jobs.items():
            if name in failed:
                continue
            try:
                result = run(words, environment)
            except Failed as fault:
                failed[name] = str(fault)
                continue
            if turn > 0:
                found[name].append(result)
    return {name: {key: [result[key] for result in results]
                   for key in results[0]}
            for name, results in found.items() if name not in failed}, failed


def median(values):
    return statistics.median(values)


def machine():
    load = os.getloadavg()[0]
    words = f"{os.cpu_count()} processors, load {load:.1f} at the start"
    if load > 0.5 * os.cpu_count():
        words += ": the machine was busy, the figures are worth little"
    return words


def stop(words):
    sys.exit(f"{os.path.basename(sys.argv[0])}: error: {words}")
