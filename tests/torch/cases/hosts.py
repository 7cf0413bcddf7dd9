"""What goes over the wire between two hosts, and what does not."""

import os
import re

import torch
import torch.distributed as dist
from checks import on_device, same, whole

SENT = re.compile(r"rank (\d+) sent peer (\d+) .* bytes (\d+)$", re.MULTILINE)
MIB = 1 << 20


def sent_by_wire():
    """Bytes that this host's interface has sent, by the kernel's count."""
    with open("/proc/net/dev", encoding="ascii") as table:
        for line in table:
            name, _, numbers = line.partition(":")
            if name.strip() == "wire0":
                return int(numbers.split()[8])
    raise AssertionError("no wire")


def sent_by_rank(path):
    """{peer: bytes} of what the TCP transport sent, by its own journal."""
    bytes_to = {}
    with open(path, encoding="ascii") as journal:
        for _, peer, count in SENT.findall(journal.read()):
            bytes_to[int(peer)] = bytes_to.get(int(peer), 0) + int(count)
    return bytes_to


def bytes_of_an_all_reduce(world):
    """TCP carries what goes between the hosts and nothing else, and the wire has what TCP was given and little more. As
    every host must hear of the other's data, no way can be shorter than the data."""
    os.environ["AMALGAM_TRACE_FILE"] = journal = f"{os.environ['AMALGAM_TEST_FOLDER']}/tcp{world.rank}"
    world.join()
    tensor = on_device(whole(world.rank, 2 * MIB))
    before = sent_by_wire()
    dist.all_reduce(tensor)
    same(tensor, sum(whole(rank, 2 * MIB) for rank in range(world.size)), "8 MiB")
    torch.cuda.synchronize()
    world.meet("the sum is there")
    by_wire = sent_by_wire() - before
    dist.destroy_process_group()
    mine = sent_by_rank(journal)
    neighbours = {rank for rank in range(world.size) if world.vendors[rank] == world.vendor}
    assert not neighbours & set(mine), f"TCP between ranks of one host: {mine}"
    world.store.set(f"sent/{world.rank}", str(sum(mine.values())))
    by_tcp = sum(int(world.store.get(f"sent/{rank}")) for rank in neighbours)
    print(f"wire {by_wire}, TCP {by_tcp}")
    assert by_tcp >= 8 * MIB, by_tcp
    assert by_tcp <= by_wire <= by_tcp * 1.05 + MIB, (by_wire, by_tcp)
    world.meet("compared")
