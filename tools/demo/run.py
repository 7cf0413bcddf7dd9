#!/usr/bin/env python3
"""Shows the library at work on this machine, without an accelerator: ./dev demo.

usage: run.py --build BUILD [DEMO]      from the root of the checkout, built and installed into dist/
"""

import argparse

import mixed

DEMOS = {"mixed": mixed.main}  # name: function of the build directory that gives the exit code


def main():
    parser = argparse.ArgumentParser(description="Amalgam at work on stand-ins of vendors' stacks.")
    parser.add_argument("demo", nargs="?", default="mixed", choices=DEMOS)
    parser.add_argument("--build", required=True, help="build directory")
    options = parser.parse_args()
    return DEMOS[options.demo](options.build)


if __name__ == "__main__":
    raise SystemExit(main())
