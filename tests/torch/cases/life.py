"""Beginnings and ends of process groups and their communicators."""

import torch
import torch.distributed as dist
from checks import on_device, same, whole


def sum_of_all(world, salt=0, group=None, ranks=None):
    ranks = range(world.size) if ranks is None else ranks
    tensor = on_device(whole(world.rank, 1000, salt=salt))
    dist.all_reduce(tensor, group=group)
    same(tensor, sum(whole(rank, 1000, salt=salt) for rank in ranks), f"sum {salt}")


def again_and_again(world):
    """Process groups one after another in the same processes."""
    for turn in range(3):
        world.join(device_id=world.device if turn == 1 else None)
        sum_of_all(world, turn)
        dist.destroy_process_group()


def without_blocking(world):
    """TORCH_NCCL_USE_COMM_NONBLOCKING: calls may answer that they are in progress."""
    world.join(device_id=world.device)
    for turn in range(3):
        sum_of_all(world, turn)
    group = dist.new_group(list(range(1, world.size)))
    if world.rank > 0:
        sum_of_all(world, 5, group, range(1, world.size))


def an_id_of_each_rank(world):
    """TORCH_NCCL_RANKS_PER_ROOT=1: as many ids as ranks."""
    world.join()
    sum_of_all(world)


def options(world):
    """A config of the caller's."""
    config = dist.ProcessGroupNCCL.Options()
    config.is_high_priority_stream = True
    config.config.max_ctas = 4
    config.config.cga_cluster_size = 2
    world.join(pg_options=config)
    sum_of_all(world)


def shrunk(world):
    """The last rank leaves."""
    world.join(device_id=world.device)
    sum_of_all(world)
    torch.cuda.synchronize()
    last = world.size - 1
    if world.rank == last:
        world.meet("shrunk")
        return
    group = dist.distributed_c10d.shrink_group([last])
    tensor = on_device(whole(world.rank, 100))
    dist.all_reduce(tensor, group=group)
    same(tensor, sum(whole(rank, 100) for rank in range(last)), "those who stay")
    world.meet("shrunk")


def ends_without_destroy(world):
    """A rank that ends without leaving the process group ends by itself, and well."""
    world.join()
    sum_of_all(world)
    torch.cuda.synchronize()
    world.meet("all done")
    world.leaves = False


def registered_memory(world):
    """PyTorch's allocator on ncclMemAlloc, segments registered."""
    world.join(device_id=world.device)
    backend = dist.distributed_c10d._get_default_group()._get_backend(world.device)
    with torch.cuda.use_mem_pool(torch.cuda.MemPool(backend.mem_allocator)):
        tensor = torch.empty(100000, device="cuda")
    tensor.copy_(whole(world.rank, 100000))
    dist.all_reduce(tensor)
    same(tensor, sum(whole(rank, 100000) for rank in range(world.size)), "sum in registered memory")
