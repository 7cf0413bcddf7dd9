"""Groups of some ranks: of one vendor, which that vendor's library carries whole, and of several."""

import torch
import torch.distributed as dist
from checks import on_device, same, whole


def sum_in(group, ranks, rank, salt):
    if rank not in ranks:
        return
    tensor = on_device(whole(rank, 400, salt=salt))
    dist.all_reduce(tensor, group=group)
    same(tensor, sum(whole(one, 400, salt=salt) for one in ranks), f"sum in {ranks}")


def of_one_vendor(world):
    """Each vendor's stand-in has carried the calls of its own group, and has met no other vendor's rank."""
    mine = None
    for vendor in sorted(set(world.vendors)):
        group = dist.new_group(world.ranks_of(vendor))
        if vendor == world.vendor:
            mine = group
    ranks = world.ranks_of(world.vendor)
    world.mark()
    for salt in range(3):
        sum_in(mine, ranks, world.rank, salt)
    root = ranks[-1]
    tensor = on_device(whole(world.rank, 100))
    dist.broadcast(tensor, root, group=mine)
    same(tensor, whole(root, 100), "broadcast")
    torch.cuda.synchronize()
    carried = world.carried_since_mark()
    assert carried == {"allreduce": 3, "broadcast": 1, "communicators": 1}, carried


def interleaved(world):
    """Even ranks, odd ranks and neighbours, in reverse and in turn, in use at the same time."""
    sets = [tuple(range(0, world.size, 2)), tuple(range(1, world.size, 2)), tuple(range(world.size))]
    sets += [(rank, rank + 1) for rank in range(world.size - 1)]
    groups = [dist.new_group(list(ranks)) for ranks in sets]
    for turn in range(3):
        for ranks, group in zip(sets, groups):
            sum_in(group, ranks, world.rank, turn)


def of_one_rank(world):
    groups = [dist.new_group([rank]) for rank in range(world.size)]
    sum_in(groups[world.rank], [world.rank], world.rank, 1)


def subgroup_ends(world):
    """A group is destroyed while others go on."""
    ranks = list(range(world.size - 1))
    group = dist.new_group(ranks)
    sum_in(group, ranks, world.rank, 1)
    if world.rank in ranks:
        torch.cuda.synchronize()
        dist.destroy_process_group(group)
    sum_in(None, list(range(world.size)), world.rank, 2)


def eager_and_split(world):
    """With a device given, communicators are made at once and new groups are splits of their parent. PyTorch 2.11's
    split_group reads beyond a vector unless the process group is the process's first."""
    world.join(device_id=world.device)
    sets = [list(range(0, world.size, 2)), list(range(1, world.size, 2)), list(range(world.size))[::-1]]
    groups = [dist.new_group(ranks) for ranks in sets]
    for turn in range(2):
        for ranks, group in zip(sets, groups):
            sum_in(group, ranks, world.rank, turn)
    half = dist.split_group(split_ranks=[[0], list(range(1, world.size))])
    ranks = [0] if world.rank == 0 else list(range(1, world.size))
    sum_in(half, ranks, world.rank, 5)
