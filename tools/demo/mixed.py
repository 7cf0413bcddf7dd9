"""Six ranks on two vendors' devices and a CPU, each a process, in one communicator."""

import os
import subprocess
import time
from dataclasses import asdict

import stacks
from cases import CASES, Case
from job import Job

RANKS = ["nvidia", "amd", "nvidia", "cpu", "nvidia", "amd"]
LATE = RANKS.index("cpu")
LATE_CALL = Case("allreduce", "float32", 1_000_000, "sum")
SPLIT_CALL = Case("allreduce", "float32", 100_000, "sum")


def heading(text):
    print(f"\n{text}\n")


def indent(text):
    print("\n".join("  " + line for line in text.rstrip().splitlines()))


def show_ranks(job):
    heading("1. Six programs are started with LD_PRELOAD. They know NCCL and their own device, nothing else.")
    print("  rank  process  device            runtime")
    for rank, (vendor, process) in enumerate(zip(RANKS, job.processes)):
        stack = stacks.STACKS[vendor]
        device = f"{vendor} device {job.devices[rank]}" if stack.runtime else "CPU"
        print(f"  {rank:4}  {process.pid:7}  {device:16}  {os.path.basename(stack.runtime) or 'none'}")


def show_init(job):
    heading("2. ncclCommInitRank: who they are together, as rank 0 sees it (AMALGAM_LOG=info logs the same)")
    identity = job.ask([0], {"do": "id"})[0]["id"]
    indent(job.short(job.ask_all({"do": "init", "id": identity})[0]["text"]))


def show_collectives(job):
    heading("3. Collectives, every byte of every rank checked")
    print("  collective            type          bytes of a block    median µs  checked")
    good = True
    for case in CASES:
        answers = job.ask_all({"do": "case", "case": asdict(case)})
        right = all(answer["right"] for answer in answers)
        slowest = max(answer["us"] for answer in answers)
        print(f"  {case.label():20}  {case.kind:8}  {case.bytes():20,}  {slowest:11,.0f}  {'right' if right else 'WRONG'}")
        good = good and right
    return good


def show_late_rank(job):
    heading(f"4. Rank {LATE} is late")
    others = [rank for rank in range(len(RANKS)) if rank != LATE]
    request = {"do": "enter", "case": asdict(LATE_CALL)}
    job.ask(others, request)
    print("  Five device ranks have called ncclAllReduce; the calls have returned and their streams wait. Which rank is missing?")
    pid = job.processes[0].pid
    print(f"\n  $ amalgam status {pid}")
    tool = os.path.join("dist", "bin", "amalgam")
    indent(subprocess.run([tool, "status", str(pid)], check=True, stdout=subprocess.PIPE, text=True, timeout=40).stdout)
    job.ask([LATE], request)
    right = all(answer["right"] for answer in job.ask_all({"do": "complete"}))
    print(f"\n  Rank {LATE} calls, too: all six have the {'right' if right else 'WRONG'} sum.")
    return right


def show_split(job):
    heading("5. ncclCommSplit by vendor: ranks of one vendor alone are their own library's")
    answers = job.ask_all({"do": "split", "case": asdict(SPLIT_CALL)})
    for vendor in stacks.STACKS:
        members = [rank for rank, each in enumerate(RANKS) if each == vendor]
        carried = [line for line in answers[members[0]]["text"].splitlines() if "carried by" in line]
        how = job.short(carried[0].strip()) if carried else "carried by Amalgam"
        print(f"  {vendor}, {'ranks' if len(members) > 1 else 'rank'} {', '.join(map(str, members))}: {how}")
    return all(answer["right"] for answer in answers)


def main(build):
    begin = time.monotonic()
    print("Amalgam: NVIDIA, AMD and a CPU in one NCCL communicator, on stand-ins of the vendors' stacks")
    with Job(RANKS, build) as job:
        show_ranks(job)
        show_init(job)
        good = [show_collectives(job), show_late_rank(job), show_split(job)]
        job.ask_all({"do": "destroy"})
    print(f"\n{'Everything was right' if all(good) else 'SOMETHING WAS WRONG'}, in {time.monotonic() - begin:.1f} s.")
    return 0 if all(good) else 1
