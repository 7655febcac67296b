# SPDX-License-Identifier: Apache-2.0
"""Counts what tests in Python find right and wrong, and goes on after both."""

FAILED = []
PASSED = []


def check(name, condition, detail=""):
    (PASSED if condition else FAILED).append(name)
    if not condition:
        print(f"FAILED {name}: {detail}")


def exit_status():
    """Prints the count; 1 when something failed, or nothing was checked."""
    print(f"{len(PASSED)} checks passed, {len(FAILED)} failed")
    return 1 if FAILED or not PASSED else 0
