#!/usr/bin/env python3
"""Counts the tests of Meson test logs and prints the closing line "N passed, N failed".

A GoogleTest program counts with each of its tests, any other program as one test. Exits 1 when a test failed or none ran.
"""

import json
import re
import sys

OK = re.compile(r"^\[       OK \] (\S+)", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] (\S+\.\S+?)[, ]", re.MULTILINE)
SKIPPED = re.compile(r"^\[  SKIPPED \] (\S+) \(", re.MULTILINE)


def count(test):
    """(passed, failed, skipped) of one program's run."""
    output = test.get("stdout", "")
    passed, failed, skipped = len(OK.findall(output)), len(set(FAILED.findall(output))), len(set(SKIPPED.findall(output)))
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0, max(skipped, 1)
    if not good:
        return passed, max(failed, 1), skipped
    return (1, 0, 0) if passed + skipped == 0 else (passed, failed, skipped)


def read(path):
    try:
        with open(path, encoding="utf-8") as log:
            return [json.loads(line) for line in log if line.strip()]
    except FileNotFoundError:
        return []


def main():
    tests = [test for path in sys.argv[1:] for test in read(path)]
    totals = [sum(column) for column in zip(*map(count, tests))] or [0, 0, 0]
    for test in tests:
        if test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP"):
            print(f"{test['result'].lower()}: {test['name']}")
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
