#!/usr/bin/env python3
"""Runs the tests of one shape of job, and prints them as GoogleTest does, which is what counts them.

usage: run.py SHAPE [--smoke] [--gtest_filter=PATTERN]
"""

import argparse
import fnmatch
import pathlib
import sys
import tempfile
import time

import catalog
import hosts
import pool

SKIPPED = 77

MIXED = ("nvidia", "iluvatar", "nvidia", "iluvatar", "nvidia")
SHAPES = {
    "apart": ("nvidia", "iluvatar"),  # each by itself
    "pair": ("nvidia", "nvidia"),
    "mixed": MIXED,
    "hosts": MIXED,  # each vendor's on a host of its own
}


class Suite:
    def __init__(self, shape, selected, folder, where):
        self.shape = shape
        self.title = shape.capitalize()
        self.selected = selected
        self.folder = folder
        self.hosts = where
        self.pools = 0
        self.pool = None  # of the cases that share one
        self.failures = 0

    def make_pool(self, variables):
        self.pools += 1
        made = pool.Pool(SHAPES[self.shape], self.folder / str(self.pools), variables, self.hosts)
        try:
            made.start()
        except pool.Failed:
            made.close()
            raise
        return made

    def alone(self, case):
        own = self.make_pool(case.environment)
        try:
            own.run(case)
            own.end()
        finally:
            own.close()

    def shared(self, case):
        if self.pool is None:
            self.pool = self.make_pool({})
        try:
            self.pool.run(case)
        except pool.Failed:
            self.drop()
            raise

    def drop(self):
        self.pool.close()
        self.pool = None

    def all_end(self):
        """The processes that did all the shared cases."""
        try:
            carried = self.pool.end()
        finally:
            self.drop()
        for vendor in set(SHAPES[self.shape]):
            if not any(one["allreduce"] for one, of in zip(carried, SHAPES[self.shape]) if of == vendor):
                raise pool.Failed(f"{vendor}'s library carried no allreduce: {carried}")

    def report(self, name, function):
        print(f"[ RUN      ] {self.title}.{name}", flush=True)
        start = time.monotonic()
        word = "      OK"
        try:
            function()
        except pool.Failed as failure:
            print(failure)
            word = " FAILED "
            self.failures += 1
        print(f"[{word:>9} ] {self.title}.{name} ({(time.monotonic() - start) * 1000:.0f} ms)", flush=True)

    def run(self):
        for case in self.selected:
            self.report(case.name, lambda case=case: self.alone(case) if case.alone else self.shared(case))
        if self.pool is not None:
            self.report("all_end", self.all_end)
        return 1 if self.failures else 0


def chosen(shape, smoke, patterns):
    def matches(name):
        return any(fnmatch.fnmatchcase(f"{shape.capitalize()}.{name}", pattern) for pattern in patterns.split(":"))

    return catalog.find(shape, smoke, matches)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--gtest_filter", default="*")
    return parser.parse_args()


def main():
    options = arguments()
    if not (pathlib.Path(pool.place("TORCH")) / "torch").is_dir():
        print("no PyTorch here: ./dev test torch installs it")
        return SKIPPED
    if options.shape == "hosts" and not hosts.possible():
        print("two hosts need root, unshare, nsenter, ip and virtual interfaces")
        return SKIPPED
    selected = chosen(options.shape, options.smoke, options.gtest_filter)
    where = hosts.Hosts([vendor == "iluvatar" for vendor in MIXED]) if options.shape == "hosts" else hosts.OneHost()
    with tempfile.TemporaryDirectory(prefix="amalgam-torch-") as folder:
        try:
            return Suite(options.shape, selected, pathlib.Path(folder), where).run()
        finally:
            where.close()


if __name__ == "__main__":
    sys.exit(main())
