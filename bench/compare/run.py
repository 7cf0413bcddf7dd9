#!/usr/bin/env python3
"""Measures Amalgam beside Open MPI, MPICH and Gloo on this machine. docs/compare.md says what the figures mean.

A cell is (collective, ranks, transport). A round of a cell runs every variant once, one after the other, each as a
fresh process group that measures all sizes: neighbours in time are compared with each other. After a cell's first
round only those settings of a peer go on that were near the best at some size.
"""

import argparse
import datetime
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import figures
import launch
import report
import variants

COLLECTIVES = ["allreduce", "allgather", "reduce_scatter", "broadcast", "alltoall", "reduce"]
KIB, MIB = 1024, 1024 * 1024
SIZES = [8, 64, 512, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB]
LARGEST = {2: 256 * MIB, 4: 64 * MIB, 8: 16 * MIB}  # of the default run
NEAR_BEST = 1.15
SOCKETS = "4,8"  # what Amalgam opens between two ranks over one interface: 4 (sockets_per_rail) for each channel


def parse_arguments():
    parser = argparse.ArgumentParser(description="Amalgam beside Open MPI, MPICH and Gloo")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--quick", action="store_true", help="allreduce of 2 ranks only, up to 16 MiB, 3 rounds; for development")
    kind.add_argument("--full", action="store_true", help="every power of two at every number of ranks, no time limit; resumable")
    parser.add_argument("--collectives", default="", help="comma-separated; all six by default")
    parser.add_argument("--ranks", default="", help="comma-separated; 2,4,8 by default")
    parser.add_argument("--transports", default="", help="comma-separated; shm,tcp by default")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of allreduce; other collectives get at most 3")
    parser.add_argument("--minutes", type=float, default=0, help="no new measurement after this long")
    parser.add_argument("--raw-sockets", default=SOCKETS, help="connections of the raw-socket exchange, one column for each number")
    parser.add_argument("--out", default=str(launch.ROOT / "bench/results"), help="folder of the results")
    parser.add_argument("--report-only", metavar="JSON", help="prints the report of an earlier run's JSON again")
    return parser.parse_args()


def configure(arguments):
    """The kind of run as plain numbers."""
    words = lambda text, default: text.split(",") if text else default
    quick, full = arguments.quick, arguments.full
    plan = argparse.Namespace(
        kind="quick" if quick else "full" if full else "default",
        collectives=words(arguments.collectives, ["allreduce"] if quick else COLLECTIVES),
        ranks=[int(n) for n in words(arguments.ranks, [2] if quick else [2, 4, 8])],
        transports=words(arguments.transports, ["shm", "tcp"]),
        rounds=arguments.rounds or (3 if quick else 7),
        minutes=arguments.minutes or (3.5 if quick else 1e6 if full else 28),
        seconds=0.02 if quick else 0.1 if full else 0.04,
        limit=20 if quick else 400 if full else 25)
    return plan


def sizes_of(plan, ranks):
    if plan.kind == "full":
        return [2 ** power for power in range(3, 29)]
    largest = 16 * MIB if plan.kind == "quick" else LARGEST.get(ranks, 16 * MIB)
    return [size for size in SIZES if size <= largest]


class Store:
    """Results as JSON lines, one per process group, written as they come."""

    def __init__(self, path, resume):
        self.path, self.groups = path, []
        if resume and path.exists():
            for line in path.read_text().splitlines():
                try:
                    self.groups.append(json.loads(line))
                except ValueError:
                    pass  # the line that an interruption cut off
        elif path.exists():
            path.unlink()

    def find(self, cell, round_number, key):
        for group in self.groups:
            if (group["collective"], group["ranks"], group["transport"]) == cell and \
                    (group["round"], group["variant"]) == (round_number, key):
                return group
        return None

    def add(self, group):
        self.groups.append(group)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(group) + "\n")


class Run:
    def __init__(self, arguments, plan, programs, store):
        self.arguments, self.plan, self.programs, self.store = arguments, plan, programs, store
        self.sockets = [int(number) for number in arguments.raw_sockets.split(",")]
        self.cores = sorted(os.sched_getaffinity(0))
        self.begin = time.monotonic()
        self.dropped = {}  # (cell, variant key) -> why
        self.unrun = []  # what the report must say was not measured
        self.slowest = {}  # cell -> seconds of its last round

    def cells(self):
        """Those with a bar to reach first, in case time runs out."""
        found = [(collective, ranks, transport) for ranks in self.plan.ranks for transport in self.plan.transports
                 for collective in self.plan.collectives]
        return sorted(found, key=lambda cell: cell[0] != "allreduce")

    def variants(self, cell):
        found = variants.variants_of(*cell, len(self.cores), self.sockets)
        return [v for v in found if v.backend in self.programs and (cell, v.key) not in self.dropped]

    def minutes_gone(self):
        return (time.monotonic() - self.begin) / 60

    def go(self):
        for number in range(self.plan.rounds):
            for cell in self.cells():
                if cell[0] != "allreduce" and number >= 3:
                    continue
                if self.minutes_gone() + self.slowest.get(cell, 0) / 60 > self.plan.minutes:
                    print(f"time is up: no round {number + 1} of {cell}", flush=True)
                    if number == 0:
                        self.unrun.append(f"time ran out: nothing of {cell} was measured")
                    continue
                self.round(cell, number)

    def round(self, cell, number):
        begin = time.monotonic()
        said = []
        order = self.variants(cell)
        order = order[number % len(order):] + order[:number % len(order)]  # nobody always runs after the same one
        for variant in order:
            # The clock may also run out within a first round; Amalgam and its first peers come first.
            if self.minutes_gone() > self.plan.minutes + 0.5:
                self.unrun.append(f"time ran out: {variant.key} did not run in round {number + 1} of {cell}")
                continue
            group = self.store.find(cell, number, variant.key) or self.measure(cell, number, variant)
            if group["reason"]:
                self.dropped[(cell, variant.key)] = group["reason"]
                print(f"  left out: {variant.key} {cell}: {group['reason']}", flush=True)
            said.append(f"{variant.key} {self.brief(group)}")
        if number == 0:
            self.screen(cell)
        self.slowest[cell] = time.monotonic() - begin
        print(f"[{self.minutes_gone():5.1f} min] round {number + 1}/{self.plan.rounds if cell[0] == 'allreduce' else min(3, self.plan.rounds)} "
              f"{cell[0]} {cell[1]} ranks {cell[2]}: " + "; ".join(said), flush=True)

    def measure(self, cell, number, variant):
        collective, ranks, transport = cell
        sizes = ",".join(str(size) for size in sizes_of(self.plan, ranks))
        words = ["--collective", collective, "--sizes", sizes, "--seconds", str(self.plan.seconds)]
        limit = self.plan.limit * (1 if ranks <= len(self.cores) else 1.5)
        group = launch.Group(self.programs[variant.backend], variant, ranks, words, self.cores)
        records, reason = group.run(limit)
        wrong = [record["size"] for record in records if record["check"] != "ok"]
        if wrong and not reason:
            reason = f"wrong result at {wrong} bytes"
        if not records and not reason:
            reason = "no result line"
        result = dict(collective=collective, ranks=ranks, transport=transport, round=number, backend=variant.backend,
                      variant=variant.key, settings=variant.settings, reason=reason,
                      results=[{k: r[k] for k in ("size", "bytes", "us")} for r in records if r["check"] == "ok"])
        self.store.add(result)
        return result

    @staticmethod
    def brief(group):
        if not group["results"]:
            return "-"
        ends = (group["results"][0], group["results"][-1])
        return "/".join(f"{statistics.median(result['us']):.3g}" for result in ends) + " us"

    def screen(self, cell):
        """Peers' settings that were near the best nowhere stop here; each peer keeps its best one."""
        times = {}  # variant key -> {size: median}
        for variant in self.variants(cell):
            group = self.store.find(cell, 0, variant.key)
            if group:
                times[variant.key] = {r["size"]: statistics.median(r["us"]) for r in group["results"]}
        peers = [key for key in times if key.split(":")[0] in figures.PEERS]
        for backend in figures.PEERS:
            own = [key for key in peers if key.startswith(backend + ":")]
            if not own:
                continue
            best = lambda keys, size: min((times[key][size] for key in keys if size in times[key]), default=float("inf"))
            useful = {key for key in own for size in times[key] if times[key][size] <= NEAR_BEST * best(peers, size)}
            leader = max(own, key=lambda key: sum(times[key].get(size) == best(own, size) for size in times[key]))
            for key in own:
                if key not in useful and key != leader:
                    self.dropped[(cell, key)] = ""


def describe_machine(programs, missing):
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    packages = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "openmpi-bin", "mpich", "libgloo-dev"],
                              capture_output=True, text=True, check=False).stdout.split("\n")
    commit = subprocess.run(["git", "-C", str(launch.ROOT), "describe", "--always", "--dirty"], capture_output=True,
                            text=True, check=False).stdout.strip()
    return dict(cpu=model, cores=len(os.sched_getaffinity(0)), kernel=os.uname().release, load=os.getloadavg()[0],
                packages=[line for line in packages if line], commit=commit, missing=missing)


def main():
    arguments = parse_arguments()
    if arguments.report_only:
        print(report.text(json.loads(Path(arguments.report_only).read_text())))
        return
    plan = configure(arguments)
    if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
        sys.exit("compare: run it without a real-time priority: ranks that spin would keep the kernel's network threads off the cores")
    print("building the programs", flush=True)
    programs, missing = launch.build(launch.ROOT / os.environ.get("AMALGAM_BUILD_DIR", "build") / "compare")
    for backend, reason in missing.items():
        print(f"left out: {backend}: {reason}", flush=True)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    lines = out / f"compare-{plan.kind}.jsonl"
    run = Run(arguments, plan, programs, Store(lines, resume=plan.kind == "full"))
    machine = describe_machine(programs, missing)
    print(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']:.1f}; {', '.join(machine['packages'])}", flush=True)
    if machine["load"] > 0.5 * machine["cores"]:
        print("warning: this machine is busy; the figures will say little", flush=True)
    run.go()
    data = dict(date=datetime.date.today().isoformat(), kind=plan.kind, machine=machine, notes=variants.NOTES + run.unrun,
                groups=run.store.groups)
    report.write(data, out)
    if plan.kind != "full":
        lines.unlink(missing_ok=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the ranks are ended too
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
