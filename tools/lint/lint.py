#!/usr/bin/env python3
"""All checks of the sources. Prints each problem, then a line for each check, and exits 1 when one of them failed."""

import argparse
import sys
import time

import compilers
import layers
import project
import rules
import sizes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", default="build", help="configured build directory (for clang-tidy's compile commands)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="clang-tidy on all files instead of the changed ones")
    parser.add_argument("--fast", action="store_true", help="without clang-tidy")
    parser.add_argument("--list-sources", action="store_true", help="print the project's C and C++ files and stop")
    return parser.parse_args()


def check_sizes():
    report, failures = sizes.check()
    for line in report:
        print(f"long: {line}")
    return failures


def check_tidy(options):
    files = project.sources() if options.all else project.changed_sources()
    problems, count = compilers.check_tidy(files, options.build_dir, options.jobs)
    print(f"clang-tidy: {count} files{'' if options.all else ' that changed'}")
    return problems


def main():
    options = arguments()
    if options.list_sources:
        print("\n".join(project.sources()))
        return 0
    checks = [
        ("format", compilers.check_format),
        ("layers", layers.problems),
        ("rules", rules.problems),
        ("sizes", check_sizes),
        ("headers compile alone", lambda: compilers.check_headers(options.jobs)),
    ]
    if not options.fast:
        checks.append(("clang-tidy", lambda: check_tidy(options)))
    failed = 0
    for name, check in checks:
        start = time.monotonic()
        problems = list(check())
        print("\n".join(problems)) if problems else None
        print(f"lint {name}: {'ok' if not problems else f'{len(problems)} problems'} ({time.monotonic() - start:.1f} s)", flush=True)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
