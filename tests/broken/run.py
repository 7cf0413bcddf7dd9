#!/usr/bin/env python3
"""Shows that the stand-ins catch our mistakes: variants of the library, each with one rule broken, run tests that must
fail, crash or hang on them. The library without a change runs the same tests first and must pass.

usage: run.py BUILD_DIR [NAME…]    (names of variants; all by default)
       run.py --table              (what docs/stand-ins.md shows of them)

The last line is "N passed, N failed".
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import library
import programs
import variants

SECONDS = 120  # for the unbroken library


def bound(seconds):
    """After how long a program hangs that took so long with the unbroken library."""
    return 20 + 10 * seconds


class Suite:
    def __init__(self, build_dir):
        self.folder = os.path.join(os.path.abspath(build_dir), "broken")
        self.builder = library.Builder(build_dir)
        self.programs = programs.Programs(build_dir)
        self.passed, self.failed = 0, 0
        self.seconds = {}  # by case, with the unbroken library

    def report(self, good, name, text):
        print(f"[       OK ] broken.{name} ({text})" if good else f"[  FAILED  ] broken.{name}, {text}", flush=True)
        self.passed += good
        self.failed += not good

    def run_case(self, path, name, number, case, seconds):
        return self.programs.run(path, case, seconds, os.path.join(self.folder, name, f"{number}.log"))

    def unbroken(self, cases):
        """Whether the library passes all of this on the way that the variants go."""
        path = self.builder.build(os.path.join(self.folder, "unbroken"), [])
        for number, case in enumerate(cases):
            outcome = self.run_case(path, "unbroken", number, case, SECONDS)
            self.seconds[case] = outcome.seconds
            self.report(outcome.how == programs.PASSES, f"unbroken.{number}",
                        f"{case}: {outcome.how} {outcome.detail}, {outcome.seconds:.1f} s")

    def broken(self, variant):
        try:
            path = self.builder.build(os.path.join(self.folder, variant.name), variant.changes)
        except library.DoesNotApply as problem:
            return False, f"does not apply: {problem}"
        outcomes = [self.run_case(path, variant.name, number, case, bound(self.seconds[case]))
                    for number, case in enumerate(variant.cases)]
        return self.judge(variant, list(zip(variant.cases, outcomes)))

    @staticmethod
    def judge(variant, outcomes):
        """Every case must see the variant, in the way in which that rule shows."""
        told = "; ".join(f"{case}: {outcome.how}, {' '.join(outcome.detail.split())[:150]}" for case, outcome in outcomes)
        return all(outcome.how in variant.caught for _, outcome in outcomes), told


def table():
    """Lines of Markdown."""
    lines = ["| rule | variant | seen by | how |", "|---|---|---|---|"]
    for variant in variants.ALL:
        cases = "; ".join(str(case) for case in variant.cases)
        lines.append(f"| {variant.rule} | `{variant.name}` | {cases} | {', '.join(variant.caught)} |")
    return lines


def is_documented(root):
    with open(os.path.join(root, "docs", "stand-ins.md"), encoding="utf-8") as file:
        return "\n".join(table()) in file.read()


def main():
    if sys.argv[1:] == ["--table"]:
        print("\n".join(table()))
        return 0
    build_dir, *names = sys.argv[1:]
    unknown = set(names) - {variant.name for variant in variants.ALL}
    if unknown:
        sys.exit(f"no variant is called {', '.join(sorted(unknown))}")
    chosen = [variant for variant in variants.ALL if not names or variant.name in names]
    suite = Suite(build_dir)
    suite.report(is_documented(suite.builder.root), "documented", "docs/stand-ins.md has the table that run.py --table prints")
    suite.unbroken(sorted({case for variant in chosen for case in variant.cases}, key=str))
    with ThreadPoolExecutor(2) as pool:  # those that hang use no processor
        for variant, (good, told) in zip(chosen, pool.map(suite.broken, chosen)):
            suite.report(good, variant.name, told)
    print(f"{suite.passed} passed, {suite.failed} failed")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
