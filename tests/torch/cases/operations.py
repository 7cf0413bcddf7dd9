"""What PyTorch makes of other calls: premultiplied sums, complex numbers and truth values, coalesced calls."""

import torch
import torch.distributed as dist
from checks import close, on_device, same, whole
from torch.distributed.distributed_c10d import _coalescing_manager


def premul_sum(world):
    """Each rank's own factor, as a number and as a tensor on the device. PyTorch ends the operation's handle right
    after the call."""
    factors = [rank + 1 for rank in range(world.size)]
    for dtype in (torch.float16, torch.float32, torch.float64):  # PyTorch 2.11 hands the factor of bfloat16 as an fp32
        want = sum(whole(rank, 500, torch.float64) * factor for rank, factor in enumerate(factors)).to(dtype)
        for factor in (float(factors[world.rank]), on_device(torch.tensor([factors[world.rank]], dtype=dtype))):
            tensor = on_device(whole(world.rank, 500, dtype))
            dist.all_reduce(tensor, dist._make_nccl_premul_sum(factor))
            same(tensor, want, f"{dtype}")
    data = [whole(rank, 8 * world.size) * factors[rank] for rank in range(world.size)]
    mine = torch.empty(8, device="cuda")
    dist.reduce_scatter_tensor(mine, on_device(whole(world.rank, 8 * world.size)), dist._make_nccl_premul_sum(float(factors[world.rank])))
    same(mine, sum(data).view(world.size, 8)[world.rank], "reduce-scatter")


def complex_and_bool(world):
    data = [torch.complex(whole(rank, 100), whole(rank, 100, salt=1)) for rank in range(world.size)]
    tensor = on_device(data[world.rank])
    dist.all_reduce(tensor)
    same(tensor, sum(data), "complex")
    truth = [whole(rank, 100) > 3 for rank in range(world.size)]
    tensor = on_device(truth[world.rank])
    dist.all_reduce(tensor)
    same(tensor, torch.stack(truth).any(0), "any of them")
    tensor = on_device(truth[world.rank])
    dist.all_reduce(tensor, dist.ReduceOp.PRODUCT)
    same(tensor, torch.stack(truth).all(0), "all of them")


def coalesced(world):
    """One group of calls."""
    mine = [on_device(whole(world.rank, 50 + salt, salt=salt)) for salt in range(4)]
    with _coalescing_manager(device=world.device):
        for tensor in mine:
            dist.all_reduce(tensor)
    for salt, tensor in enumerate(mine):
        same(tensor, sum(whole(rank, 50 + salt, salt=salt) for rank in range(world.size)), f"sum {salt}")
    parts = [torch.empty(30 * world.size, device="cuda") for _ in range(3)]
    with _coalescing_manager(device=world.device, async_ops=True) as works:
        for salt, part in enumerate(parts):
            dist.all_gather_into_tensor(part, on_device(whole(world.rank, 30, salt=salt)))
    works.wait()
    for salt, part in enumerate(parts):
        same(part, torch.cat([whole(rank, 30, salt=salt) for rank in range(world.size)]), f"gathered {salt}")
    sums = [torch.empty(5, device="cuda") for _ in range(3)]
    with _coalescing_manager(device=world.device, async_ops=True) as works:
        for salt, part in enumerate(sums):
            dist.reduce_scatter_tensor(part, on_device(whole(world.rank, 5 * world.size, salt=salt)))
    works.wait()
    for salt, part in enumerate(sums):
        want = sum(whole(rank, 5 * world.size, salt=salt) for rank in range(world.size))
        same(part, want.view(world.size, 5)[world.rank], f"scattered {salt}")


def mean_of_unequal_batches(world):
    """AVG weighs every rank alike. Where ranks have unequal batches, the mean over all samples is a premultiplied sum
    with each rank's share of the samples: docs/pytorch.md."""
    samples = [rank + 2 for rank in range(world.size)]
    data = [whole(rank, samples[rank] * 7, torch.float64).view(samples[rank], 7) for rank in range(world.size)]
    weights = on_device(torch.arange(7, dtype=torch.float64)).requires_grad_()
    (on_device(data[world.rank]) @ weights).square().mean().backward()
    reference = torch.arange(7, dtype=torch.float64).requires_grad_()
    (torch.cat(data) @ reference).square().mean().backward()

    plain = weights.grad.clone()
    dist.all_reduce(plain, dist.ReduceOp.AVG)
    assert not torch.allclose(plain.cpu(), reference.grad), "these batches would not show the difference"
    dist.all_reduce(weights.grad, dist._make_nccl_premul_sum(samples[world.rank] / sum(samples)))
    close(weights.grad, reference.grad, 1e-12, "mean over all samples")
