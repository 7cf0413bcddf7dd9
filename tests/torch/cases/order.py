"""Streams: a call runs after what its stream holds before it and before what comes behind, in order of issue."""

import torch
import torch.distributed as dist
from checks import on_device, same, whole


def works(world):
    """Handles: several in flight, waited for in another order, asked, and turned into futures."""
    data = [on_device(whole(world.rank, 5000, salt=salt)) for salt in range(6)]
    pending = [dist.all_reduce(tensor, async_op=True) for tensor in data]
    for work in reversed(pending[1:]):
        work.wait()
    pending[0].get_future().wait()
    torch.cuda.synchronize()
    for salt, (work, tensor) in enumerate(zip(pending, data)):
        assert work.is_completed()
        same(tensor, sum(whole(rank, 5000, salt=salt) for rank in range(world.size)), f"work {salt}")


def pinned(tensor):
    return tensor.pin_memory()


def copies_around_a_call(world):
    """Copy in, call, copy out, all queued without the host's waiting, on the null stream and on others."""
    for turn, stream in enumerate([torch.cuda.default_stream(), torch.cuda.Stream(), torch.cuda.Stream(priority=-1)]):
        source, result = pinned(whole(world.rank, 300000, salt=turn)), pinned(torch.zeros(300000))
        with torch.cuda.stream(stream):
            tensor = torch.empty(300000, device="cuda")
            for _ in range(4):
                tensor.copy_(source, non_blocking=True)
                dist.all_reduce(tensor)
                result.copy_(tensor, non_blocking=True)
        stream.synchronize()
        same(result, sum(whole(rank, 300000, salt=turn) for rank in range(world.size)), f"stream {turn}")


def several_streams(world):
    """One communicator on several streams at once: they follow each other as they were issued on every rank."""
    streams = [torch.cuda.Stream() for _ in range(4)]
    sources = [pinned(whole(world.rank, 50000, salt=turn)) for turn in range(12)]
    results = [pinned(torch.zeros(50000)) for _ in range(12)]
    for turn, (source, result) in enumerate(zip(sources, results)):
        with torch.cuda.stream(streams[turn % 4]):
            tensor = torch.empty(50000, device="cuda")
            tensor.copy_(source, non_blocking=True)
            dist.all_reduce(tensor)
            result.copy_(tensor, non_blocking=True)
    torch.cuda.synchronize()
    for turn, result in enumerate(results):
        same(result, sum(whole(rank, 50000, salt=turn) for rank in range(world.size)), f"turn {turn}")


def groups_side_by_side(world):
    """Calls of two communicators in flight at once."""
    first, second = dist.new_group(list(range(world.size))), dist.new_group(list(range(world.size)))
    pairs = [(first, 1), (second, 2)]
    data = {salt: on_device(whole(world.rank, 100000, salt=salt)) for _, salt in pairs}
    pending = [dist.all_reduce(data[salt], group=group, async_op=True) for group, salt in pairs]
    for work in pending:
        work.wait()
    for salt, tensor in data.items():
        same(tensor, sum(whole(rank, 100000, salt=salt) for rank in range(world.size)), f"group {salt}")
