"""The vendor stacks that a demo can put a rank on: stand-ins of this build (docs/stand-ins.md), and plain CPU memory."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Stack:
    """Files are relative to BUILD/tests/vendors."""
    vendor: str
    prefix: str = ""   # of the runtime's functions
    runtime: str = ""  # the device runtime
    library: str = ""  # the collective library


STACKS = {stack.vendor: stack for stack in (
    Stack("nvidia", "cuda", "nvidia/lib/libcudart.so.13", "nvidia/ccl/libnccl.so.2"),
    Stack("amd", "hip", "amd/lib/libamdhip64.so.6", "amd/ccl/librccl.so.1"),
    Stack("cpu"),
)}


def vendors_folder(build):
    return os.path.join(os.path.abspath(build), "tests", "vendors")


def environment(stack, build, ours, devices):
    """What a rank's process is started with: nothing tells the program itself that Amalgam is there."""
    folder = vendors_folder(build)
    libraries = ",".join(f"{each.vendor}={os.path.join(folder, each.library)}" for each in STACKS.values() if each.library)
    wanted = dict(os.environ, LD_PRELOAD=ours, AMALGAM_VENDOR_LIBRARY=libraries, STANDIN_DEVICES=str(devices))
    if not stack.runtime:
        wanted["AMALGAM_DEVICE"] = "host"
    return wanted
