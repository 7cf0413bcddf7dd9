"""One model on all ranks: layers cut by columns and rows, with and without a sequence that is cut as well."""

import torch
from checks import close
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, SequenceParallel, parallelize_module


def make_model(world):
    torch.manual_seed(9)
    width = 4 * world.size
    return torch.nn.Sequential(torch.nn.LayerNorm(8), torch.nn.Linear(8, width), torch.nn.GELU(), torch.nn.Linear(width, 8)).double()


def same(value):
    return value


def steps(model, device, world, cut=same, whole=same):
    """`cut` makes this rank's input of the whole, `whole` makes the whole of the model's output."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, foreach=False)  # beside DTensors there are plain ones
    losses = []
    for step in range(3):
        generator = torch.Generator().manual_seed(step)
        data = torch.randn(2, world.size * 2, 8, generator=generator, dtype=torch.float64).to(device)
        optimizer.zero_grad()
        loss = (whole(model(cut(data))) - data).square().mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return torch.tensor(losses, dtype=torch.float64)


def by_plan(world, plan, cut=same, whole=same):
    mesh = init_device_mesh("cuda", (world.size,))
    model = parallelize_module(make_model(world).cuda(), mesh, plan)
    close(steps(model, "cuda", world, cut, whole), steps(make_model(world), "cpu", world), 1e-11, "losses")


def columns_and_rows(world):
    by_plan(world, {"1": ColwiseParallel(), "3": RowwiseParallel()})


def sequence(world):
    """All-gather before the columns, reduce-scatter behind the rows."""
    plan = {
        "0": SequenceParallel(),
        "1": ColwiseParallel(input_layouts=Shard(1)),
        "3": RowwiseParallel(output_layouts=Shard(1), use_local_output=False),
    }
    by_plan(world, plan, lambda data: data.chunk(world.size, 1)[world.rank], lambda value: value.full_tensor())


def redistribution(world):
    """Tensors between their ways to be laid out, sizes that do not divide."""
    mesh = init_device_mesh("cuda", (world.size,))
    value = torch.arange(7.0 * 9).view(7, 9)
    there = distribute_tensor(value.cuda(), mesh, [Shard(0)])
    for placement in (Shard(1), Replicate(), Shard(0), Replicate()):
        there = there.redistribute(mesh, [placement])
        close(there.full_tensor(), value, 0, f"{placement}")
    partial = DTensor.from_local(value.cuda() * (world.rank + 1), mesh, [torch.distributed.tensor.Partial()])
    close(partial.full_tensor(), value * sum(range(1, world.size + 1)), 0, "sum of parts")
