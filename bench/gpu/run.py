#!/usr/bin/env python3
"""Measures and checks Amalgam on a machine with a GPU, in at most 8 minutes: docs/benchmarks.md, "On a GPU".

usage: run.py [--dist DIST] [--standins BUILD] [--out DIRECTORY] [STEP…]

Needs the installed build (dist/) and Python, nothing else; what is missing here is named and left out. With --standins
the same runs on a build directory's stand-ins: other files, same steps, figures that mean nothing.
"""

import argparse
import json
import os
import signal
import sys
import time

import place
import report
import steps

BUDGET_S = 480


def arguments():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description="Measures and checks Amalgam on a machine with a GPU.")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {' '.join(steps.STEPS)}; all without")
    parser.add_argument("--dist", default=os.path.join(root, "dist"), help="the installed build")
    parser.add_argument("--standins", metavar="BUILD", help="build directory whose programs and stand-ins are used, instead of dist/ and a GPU")
    parser.add_argument("--device", type=int, default=0, help="number of the GPU")
    parser.add_argument("--runtime", help="libcudart.so of the GPU (found by itself)")
    parser.add_argument("--vendor-library", help="the real libnccl.so.2 (found by itself)")
    parser.add_argument("--out", default=os.environ.get("OUT", "."), help="folder for gpu.json and gpu.md")
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="seconds for everything")
    options = parser.parse_args()
    unknown = set(options.steps) - set(steps.STEPS)
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    return options


def run(options, here):
    """One after another; a step that fails or takes too long loses itself alone."""
    deadline = time.monotonic() + options.budget
    results = {}
    for name in options.steps or steps.STEPS:
        begin = time.monotonic()
        left = deadline - begin
        step = steps.STEPS[name]
        if left < steps.LEAST_S:
            results[name] = {"state": "left out", "text": f"no time left of {options.budget:.0f} s"}
        else:
            results[name] = step.run(here, results, min(left, step.limit_s * here.patience))
        results[name]["seconds"] = round(time.monotonic() - begin, 1)
        print(report.line(name, results[name]), flush=True)
    return results


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the steps' processes end with this one
    options = arguments()
    here = place.find(options)
    print(here.text(), flush=True)
    results = run(options, here)
    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "gpu.json"), "w", encoding="utf-8") as file:
        json.dump({"place": here.facts(), "steps": results}, file, indent=1)
    table = report.table(here, results)
    with open(os.path.join(options.out, "gpu.md"), "w", encoding="utf-8") as file:
        file.write(table)
    print("\n" + table)
    return 1 if any(result["state"] == "failed" for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
