#!/usr/bin/env python3
"""One rank as a ctypes client, as vLLM's and CuPy's users have it.

    client.py LIBNCCL VENDOR RUNTIME PREFIX RANK RANKS DEVICE

RUNTIME is the file of the vendor's runtime, PREFIX its functions' ("cuda", "hip"); both are "-" for a CPU rank. Rank 0
prints the id, the others read it. Every rank gives other numbers, and each result is compared with what all make.
"""

import ctypes
import os
import re
import sys
import zlib
from ctypes import byref, c_int, c_int32, c_size_t, c_uint, c_void_p

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "abi"))
from client import Nccl  # pylint: disable=wrong-import-position

INT32, SUM, COUNT = 2, 0, 30011


class Device:
    """A thread's device and stream; memory is the device's."""

    def __init__(self, runtime, prefix, device):
        self.library = ctypes.CDLL(runtime)
        self.prefix = prefix
        self.stream = c_void_p()
        self.call("SetDevice", device)
        self.call("StreamCreateWithFlags", byref(self.stream), c_uint(1))

    def call(self, name, *arguments):
        result = getattr(self.library, self.prefix + name)(*arguments)
        if result != 0:
            raise RuntimeError(f"{self.prefix}{name}: {result}")

    def make(self, count):
        memory = c_void_p()
        self.call("Malloc", byref(memory), c_size_t(4 * count))
        return memory

    def write(self, memory, values):
        self.call("MemcpyAsync", memory, values, c_size_t(ctypes.sizeof(values)), c_int(1), self.stream)

    def read(self, memory, count):
        values = (c_int32 * count)()
        self.call("MemcpyAsync", values, memory, c_size_t(4 * count), c_int(2), self.stream)
        self.call("StreamSynchronize", self.stream)
        return list(values)


class Host:
    """A CPU rank: memory is plain."""
    stream = None

    def __init__(self):
        self.kept = []

    def make(self, count):
        self.kept.append((c_int32 * count)())
        return ctypes.cast(self.kept[-1], c_void_p)

    def write(self, memory, values):
        ctypes.memmove(memory, values, ctypes.sizeof(values))

    def read(self, memory, count):
        return list((c_int32 * count).from_address(memory.value))


def exchange_id(nccl, rank):
    if rank != 0:
        return bytes.fromhex(sys.stdin.readline().split()[1])
    identity = nccl.unique_id()
    print("id", identity.hex(), flush=True)
    return identity


def values(rank):
    return [rank * 1000 + i % 977 for i in range(COUNT)]


def expect(what, got, wanted):
    if got != wanted:
        at = next(i for i in range(len(wanted)) if got[i] != wanted[i])
        sys.exit(f"{what}: element {at} is {got[at]}, not {wanted[at]}")


def check(nccl, comm, device, rank, ranks):
    send, receive = device.make(COUNT), device.make(COUNT * ranks)
    device.write(send, (c_int32 * COUNT)(*values(rank)))
    everybody = [values(r) for r in range(ranks)]
    nccl.AllReduce(send, receive, COUNT, INT32, SUM, comm, device.stream)
    expect("allreduce", device.read(receive, COUNT), [sum(column) for column in zip(*everybody)])
    nccl.AllGather(send, receive, COUNT, INT32, comm, device.stream)
    expect("allgather", device.read(receive, COUNT * ranks), sum(everybody, []))
    nccl.Broadcast(send, receive, COUNT, INT32, ranks - 1, comm, device.stream)
    expect("broadcast", device.read(receive, COUNT), everybody[-1])
    nccl.GroupStart()
    nccl.Send(send, COUNT, INT32, (rank + 1) % ranks, comm, device.stream)
    nccl.Recv(receive, COUNT, INT32, (rank - 1) % ranks, comm, device.stream)
    nccl.GroupEnd()
    expect("message", device.read(receive, COUNT), everybody[rank - 1])


def tell_island(nccl, comm, device, rank, vendor):
    """The ranks of this client's vendor, by themselves."""
    island = c_void_p()
    nccl.CommSplit(comm, zlib.crc32(vendor.encode()) & 0xffff, 0, byref(island), None)
    data = device.make(1)
    device.write(data, (c_int32 * 1)(1 << rank))
    nccl.AllReduce(data, data, 1, INT32, SUM, island, device.stream)
    print("island", vendor, device.read(data, 1)[0])
    nccl.CommDestroy(island)


def tell_mapped():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        folders = re.findall(r"/tests/vendors/([a-z]+)/\S*\.so", maps.read())
    for vendor in sorted(set(folders)):
        print("mapped", vendor)


def main():
    library, vendor, runtime, prefix = sys.argv[1:5]
    rank, ranks, number = map(int, sys.argv[5:8])
    device = Host() if runtime == "-" else Device(runtime, prefix, number)
    nccl = Nccl(library)
    comm = nccl.init(ranks, exchange_id(nccl, rank), rank)
    check(nccl, comm, device, rank, ranks)
    tell_island(nccl, comm, device, rank, vendor)
    nccl.CommDestroy(comm)
    tell_mapped()


main()
