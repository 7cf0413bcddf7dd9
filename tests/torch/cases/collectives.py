"""Every collective of torch.distributed, in every type that PyTorch lets it have."""

import checks
import torch
import torch.distributed as dist
from checks import on_device, same, whole

OPERATIONS = {
    dist.ReduceOp.SUM: lambda all_ranks: all_ranks.sum(0, dtype=all_ranks.dtype),
    dist.ReduceOp.PRODUCT: lambda all_ranks: all_ranks.prod(0, dtype=all_ranks.dtype),
    dist.ReduceOp.MIN: lambda all_ranks: all_ranks.amin(0),
    dist.ReduceOp.MAX: lambda all_ranks: all_ranks.amax(0),
}


def everybody(world, count, dtype, salt=0, largest=4):
    return torch.stack([whole(rank, count, dtype, salt, largest) for rank in range(world.size)])


def all_reduce(world):
    for salt, dtype in enumerate(checks.NUMBERS):
        for operation, reference in OPERATIONS.items():
            data = everybody(world, 1000, dtype, salt, largest=2)
            tensor = on_device(data[world.rank])
            dist.all_reduce(tensor, operation)
            same(tensor, reference(data), f"{operation} of {dtype}")
        average_of(world, dtype)


def average_of(world, dtype):
    """The mean is rounded in the type; multiples of the number of ranks have a mean that is exact in all."""
    data = everybody(world, 333, dtype) * world.size
    tensor = on_device(data[world.rank])
    dist.all_reduce(tensor, dist.ReduceOp.AVG)
    want = (data.double().sum(0) / world.size).to(dtype)
    checks.close(tensor, want, 0.02 if dtype in (torch.float16, torch.bfloat16) else 1e-6, f"mean of {dtype}")


def broadcast(world):
    for root in range(world.size):
        for dtype in checks.NUMBERS + checks.BYTES + (torch.bool, torch.complex64):
            tensor = on_device(whole(world.rank, 777, torch.float32, root).to(dtype))
            dist.broadcast(tensor, root)
            same(tensor, whole(root, 777, torch.float32, root).to(dtype), f"{dtype} from {root}")


def reduce(world):
    for root in range(world.size):
        for operation, reference in OPERATIONS.items():
            data = everybody(world, 500, torch.int32, root)
            tensor = on_device(data[world.rank])
            dist.reduce(tensor, root, operation)
            if world.rank == root:
                same(tensor, reference(data), f"{operation} to {root}")


def all_gather(world):
    for dtype in checks.NUMBERS + checks.BYTES + (torch.bool,):
        data = torch.stack([whole(rank, 300).to(dtype) for rank in range(world.size)])
        mine = on_device(data[world.rank])
        parts = [torch.empty_like(mine) for _ in range(world.size)]
        dist.all_gather(parts, mine)
        for rank, part in enumerate(parts):
            same(part, data[rank], f"{dtype} of rank {rank}")
        together = torch.empty(300 * world.size, dtype=dtype, device="cuda")
        dist.all_gather_into_tensor(together, mine)
        same(together, data.flatten(), f"{dtype} in one tensor")


def all_gather_uneven(world):
    parts = [torch.empty(100 + 7 * rank, device="cuda") for rank in range(world.size)]
    dist.all_gather(parts, on_device(whole(world.rank, 100 + 7 * world.rank)))
    for rank, part in enumerate(parts):
        same(part, whole(rank, 100 + 7 * rank), f"part of rank {rank}")


def reduce_scatter(world):
    for dtype in checks.NUMBERS:
        for operation, reference in OPERATIONS.items():
            data = everybody(world, 64 * world.size, dtype, largest=2)
            want = reference(data).view(world.size, 64)[world.rank]
            mine = torch.empty(64, dtype=dtype, device="cuda")
            dist.reduce_scatter_tensor(mine, on_device(data[world.rank]), operation)
            same(mine, want, f"{operation} of {dtype}")
            mine = torch.empty(64, dtype=dtype, device="cuda")
            dist.reduce_scatter(mine, list(on_device(data[world.rank]).view(world.size, 64)), operation)
            same(mine, want, f"{operation} of {dtype}, from a list")


def reduce_scatter_uneven(world):
    sizes = [50 + 3 * rank for rank in range(world.size)]
    data = everybody(world, sum(sizes), torch.float32)
    mine = torch.empty(sizes[world.rank], device="cuda")
    dist.reduce_scatter(mine, list(on_device(data[world.rank]).split(sizes)))
    same(mine, data.sum(0).split(sizes)[world.rank], "uneven part")


def all_to_all(world):
    for dtype in checks.NUMBERS + checks.BYTES:
        blocks = [[whole(source, 40, torch.float32, salt=target).to(dtype) for target in range(world.size)] for source in range(world.size)]
        result = torch.empty(40 * world.size, dtype=dtype, device="cuda")
        dist.all_to_all_single(result, on_device(torch.cat(blocks[world.rank])))
        same(result, torch.cat([row[world.rank] for row in blocks]), f"{dtype}")


def all_to_all_uneven(world):
    def block(source, target):
        return whole(source, 10 + 4 * source + 3 * target if source != (target + 1) % world.size else 0, torch.float32, target)

    mine = [block(world.rank, target) for target in range(world.size)]
    want = [block(source, world.rank) for source in range(world.size)]
    result = torch.empty(sum(one.numel() for one in want), device="cuda")
    dist.all_to_all_single(result, on_device(torch.cat(mine)), [one.numel() for one in want], [one.numel() for one in mine])
    same(result, torch.cat(want), "one tensor")
    parts = [torch.empty(one.numel(), device="cuda") for one in want]
    dist.all_to_all(parts, [on_device(one) for one in mine])
    for source, part in enumerate(parts):
        same(part, want[source], f"from rank {source}")


def gather_and_scatter(world):
    for root in range(world.size):
        mine = on_device(whole(world.rank, 200, salt=root))
        parts = [torch.empty_like(mine) for _ in range(world.size)] if world.rank == root else None
        dist.gather(mine, parts, root)
        for rank, part in enumerate(parts or []):
            same(part, whole(rank, 200, salt=root), f"gathered at {root} from {rank}")
        parts = [on_device(whole(root, 200, salt=rank)) for rank in range(world.size)] if world.rank == root else None
        dist.scatter(mine, parts, root)
        same(mine, whole(root, 200, salt=world.rank), f"scattered from {root}")


def barrier(world):
    """Nobody is through before everybody has come: each says in the store that it comes."""
    for turn in range(5):
        key = f"barrier{turn}"
        world.store.add(key, 1)
        dist.barrier()
        assert world.store.add(key, 0) == world.size


def objects(world):
    def thing(rank):
        return {"rank": rank, "words": ["word"] * (rank * 50 + 1)}

    everything = [None] * world.size
    dist.all_gather_object(everything, thing(world.rank))
    assert everything == [thing(rank) for rank in range(world.size)]
    for root in range(world.size):
        some = [thing(root), "text"] if world.rank == root else [None, None]
        dist.broadcast_object_list(some, root)
        assert some == [thing(root), "text"]
    gathered = [None] * world.size if world.rank == 1 else None
    dist.gather_object(thing(world.rank), gathered, 1)
    assert world.rank != 1 or gathered == everything
    mine = [None]
    dist.scatter_object_list(mine, everything if world.rank == 0 else None, 0)
    assert mine == [thing(world.rank)]


def odd_sizes(world):
    """Nothing at all, one element, and what no size of a piece divides; from the middle of a buffer, too."""
    for count in (0, 1, 3, 255, 4097, 100003):
        data = everybody(world, count + 3, torch.float32)
        around = on_device(data[world.rank])
        tensor = around[2 : 2 + count]
        dist.all_reduce(tensor)
        want = data[world.rank].clone()
        want[2 : 2 + count] = data.sum(0)[2 : 2 + count]
        same(around, want, f"{count} elements and what is around them")


def many_pieces(world):
    """More than what fits into the staging memory at once."""
    count = (9 << 20) // 4 + 13
    data = everybody(world, count, torch.float32)
    tensor = on_device(data[world.rank])
    dist.all_reduce(tensor)
    same(tensor, data.sum(0), "9 MiB")
    parts = torch.empty(world.size * count, device="cuda")
    dist.all_gather_into_tensor(parts, on_device(data[world.rank]))
    same(parts, data.flatten(), "9 MiB of each")
