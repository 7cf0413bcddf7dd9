#!/usr/bin/env python3
"""Finds tests of a Meson build directory and what must be built for them.

usage: select_tests.py BUILD_DIR WORD…

A WORD is a suite or the name of a test; one that is neither is an error. Prints lines "suite NAME", "test NAME" for the
words, and "target PATH" for what Ninja must build.
"""

import json
import os
import sys


def read(build_dir, what):
    with open(os.path.join(build_dir, "meson-info", f"intro-{what}.json"), encoding="utf-8") as file:
        return json.load(file)


def suites(test):
    return {suite.rsplit(":", 1)[-1] for suite in test["suite"]}


def select(tests, words):
    known = {test["name"] for test in tests}.union(*map(suites, tests))
    unknown = [word for word in words if word not in known]
    if unknown:
        sys.exit(f"no suite or test is called {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return [test for test in tests if test["name"] in words or suites(test) & set(words)]


def kinds(tests, words):
    """("suite" or "test", word) of each word; a suite goes before a test of that name."""
    known = set().union(*map(suites, tests))
    return [("suite" if word in known else "test", word) for word in words]


def targets(build_dir, tests):
    """Programs and libraries that the tests run or name, as Ninja knows them."""
    root = os.path.abspath(build_dir)
    files = {target["id"]: target["filename"] for target in read(build_dir, "targets")}
    wanted = set()
    for test in tests:
        paths = list(test["cmd"])
        for target in test["depends"]:
            paths += files.get(target, [])
        wanted.update(os.path.relpath(path, root) for path in paths if path.startswith(root + os.sep))
    outputs = {os.path.relpath(name, root) for names in files.values() for name in names}
    return sorted(wanted & outputs)


def main():
    build_dir, *words = sys.argv[1:]
    tests = read(build_dir, "tests")
    selected = select(tests, words)
    for kind, word in kinds(tests, words):
        print(kind, word)
    for target in targets(build_dir, selected):
        print("target", target)


if __name__ == "__main__":
    main()
