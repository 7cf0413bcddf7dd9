"""The steps: each gives figures, or fails, or says why it cannot run here."""

import importlib.util
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from typing import Callable

import jobs
from jobs import CPU, Failure, Skip

LEAST_S = 5
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ["all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce", "alltoall", "gather", "scatter", "sendrecv"]
REDUCING = {"all_reduce", "reduce_scatter", "reduce"}
WAITING = ["-z", "1", "-a", "3"]  # every call is waited for; times are the slowest rank's


@dataclass
class Step:
    title: str
    limit_s: float
    body: Callable  # (place, results so far, until when) → figures

    def run(self, here, results, limit_s):
        try:
            return {"state": "done", "figures": self.body(here, results, time.monotonic() + limit_s)}
        except Skip as reason:
            return {"state": "left out", "text": str(reason)}
        except (Failure, OSError, ValueError, KeyError) as reason:
            return {"state": "failed", "text": f"{type(reason).__name__}: {reason}" if not isinstance(reason, Failure) else str(reason)}


def figures_of(row):
    timing = row["out_of_place"]
    return {"bytes": row["bytes"], "us": round(timing["median_us"], 2), "gbps": round(row["bytes"] / timing["median_us"] / 1e3, 3)}


def timed(here, ranks, size, rounds, until, arguments=(), **how):
    """Allreduce of one size, checked."""
    options = ["-b", str(size), "-e", str(size), "-n", str(rounds), "-w", "3", "-c", "1", *WAITING, *arguments]
    return figures_of(jobs.perf(here, "all_reduce", ranks, options, until, **how)[0])


def attempt(figures, name, body):
    """Another library beside ours may not be able to do this: then its text is the figure."""
    try:
        figures[name] = body()
    except (Failure, Skip) as reason:
        figures[name] = {"not available": str(reason)}


def machine(here, _, until):
    return jobs.probe(here, "machine", until, "--bytes", str(here.large), "--rounds", "10")


def delegation(here, _, until):
    if not here.vendor_library:
        raise Skip("no NCCL of the vendor's was found (--vendor-library)")
    rounds = "51" if here.real else "11"
    return jobs.probe(here, "delegation", until, "--vendor-library", here.vendor_library, "--rounds", rounds)


def check(here, _, until):
    """All types, operations and collectives on one device rank and two CPU ranks; several pieces, and odd sizes."""
    figures = {}
    ranks = [CPU, here.device, CPU]
    for name in PROGRAMS:
        options = ["-n", "1", "-w", "0", "-c", "1", "-d", "all", "-b", "10008", "-e", "10008"]
        rows = jobs.perf(here, name, ranks, options + (["-o", "all"] if name in REDUCING else []), until)
        many = jobs.perf(here, name, ranks, ["-n", "1", "-w", "0", "-b", "9M", "-e", "9M"], until) if here.real else []
        figures[name] = {"cases": len(rows) + len(many), "wrong": 0}
    return figures


def beside_cpu(here, _, until):
    """One device rank and 1 to 8 CPU ranks: latency and bandwidth."""
    figures = {}
    for others in (1, 2, 4, 8):
        ranks = [here.device] + [CPU] * others
        figures[str(others)] = {"small": timed(here, ranks, 8, 300 if here.real else 10, until),
                                "large": timed(here, ranks, here.large, 8 if here.real else 2, until)}
    return figures


def exchange(here, _, until):
    return jobs.probe(here, "exchange", until, "--bytes", str(here.large // 4), "--rounds", "50" if here.real else "5")


def two_islands(here, _, until):
    """Two ranks on one device, each an island of its own, as processes and as threads."""
    sizes = {"8": 8, "medium": here.large // 32, "large": here.large // 4}
    rounds = {"8": 200, "medium": 30, "large": 10} if here.real else dict.fromkeys(sizes, 3)
    alone = {"AMALGAM_ISLANDS": "alone"}
    figures = {"processes": {}, "threads": {}}
    for name, size in sizes.items():
        figures["processes"][name] = timed(here, [here.device] * 2, size, rounds[name], until, shared=alone)
        figures["threads"][name] = timed(here, [here.device], size, rounds[name], until, ["-t", "2"], shared=alone)
    return figures


def peers(here, _, until):
    """The same by the vendor's NCCL, which takes two ranks of one device when their host ids differ, and by Gloo."""
    sizes = {"8": 8, "medium": here.large // 32, "large": here.large // 4}
    figures = {"nccl": {}, "gloo": {}}
    own_hosts = {rank: {"NCCL_HOSTID": f"host-{rank}"} for rank in (0, 1)}
    directly = {"LD_PRELOAD": here.vendor_library, "NCCL_SOCKET_IFNAME": "lo"}
    for name, size in sizes.items():
        if here.vendor_library:
            attempt(figures["nccl"], name, lambda: timed(here, [here.device] * 2, size, 10 if here.real else 2, jobs.share(until, 1 / 3),
                                                         environments=own_hosts, shared=directly))
    attempt(figures, "gloo", lambda: torch_job(here, "gloo", 2, jobs.share(until, 1 / 3), str(here.large // 4)))
    return figures


def need_torch():
    if importlib.util.find_spec("torch") is None:
        raise Skip("torch cannot be imported here")


def torch_job(here, what, ranks, until, *arguments, environments=None):
    need_torch()
    port = str(jobs.free_port())
    commands = []
    for rank in range(ranks):
        shared = {"RANK": str(rank), "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = here.environment(**shared, **(environments or {}).get(rank, {}))
        commands.append(([sys.executable, os.path.join(HERE, "torch_rank.py"), what, *arguments], environment))
    answer = json.loads(jobs.run(commands, until)[0].strip().splitlines()[-1])
    if "skip" in answer:
        raise Skip(answer["skip"])
    return answer


def pytorch(here, _, until):
    """Unchanged PyTorch: one rank by the vendor's library, and two ranks of one device as two islands."""
    alone = {rank: {"AMALGAM_ISLANDS": "alone"} for rank in (0, 1)}
    figures = {"single": torch_job(here, "nccl", 1, jobs.share(until, 1 / 2))}
    figures["mixed"] = torch_job(here, "nccl", 2, jobs.share(until, 1 / 2), environments=alone)
    return figures


def graphs(here, _, until):
    return jobs.probe(here, "graphs", until)


def streams(here, _, until):
    """Parked streams with few and many channels, and programs that call on the null stream."""
    figures = {}
    for connections in ("1", "8", "32"):
        environment = here.environment(CUDA_DEVICE_MAX_CONNECTIONS=connections)
        figures[f"{connections} connections"] = jobs.probe(here, "streams", until, environment=environment)
        figures[f"{connections} connections, null stream"] = timed(
            here, [here.device, CPU], 1 << 20, 5, until, ["-y", "1"], shared={"CUDA_DEVICE_MAX_CONNECTIONS": connections})
    blocking = here.environment(CUDA_LAUNCH_BLOCKING="1")
    figures["blocking launches"] = jobs.probe(here, "graphs", until, environment=blocking)["mixed"]
    return figures


def endings(here, _, until):
    return {"abort": jobs.probe(here, "abort", until), "kill": jobs.probe(here, "kill", until)}


def sanitizer(here, _, until):
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not here.real or not os.path.exists(tool):
        raise Skip("compute-sanitizer is not here" if here.real else "compute-sanitizer needs a real device")
    wrapper = [tool, "--error-exitcode", "9", "--log-file", os.devnull]
    return {part: jobs.probe(here, part, until, wrapper=wrapper) for part in ("graphs", "abort")}


STEPS = {
    "machine": Step("what the machine can do", 40, machine),
    "delegation": Step("1. a call that the vendor's library carries", 60, delegation),
    "check": Step("2. one device rank among CPU ranks: all types, operations, collectives", 90, check),
    "beside_cpu": Step("2. one device rank beside 1 to 8 CPU ranks", 90, beside_cpu),
    "exchange": Step("3. the bare exchange of two processes", 40, exchange),
    "two_islands": Step("3. two ranks on one device as two islands", 60, two_islands),
    "peers": Step("3. the same by NCCL and Gloo", 90, peers),
    "pytorch": Step("4. PyTorch", 90, pytorch),
    "graphs": Step("5. graphs", 40, graphs),
    "streams": Step("6. parked streams, few channels, the null stream", 60, streams),
    "endings": Step("7. abort and kill", 40, endings),
    "sanitizer": Step("8. compute-sanitizer", 60, sanitizer),
}
