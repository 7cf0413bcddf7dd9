"""Data parallel training. A reference on the CPU, in this process, sees all ranks' batches; in double precision, so that
a difference means a mistake and no rounding."""

import torch
import torch.distributed as dist
from checks import close
from torch.nn.parallel import DistributedDataParallel

STEPS = 4
TOLERANCE = 1e-11


def make_model(width=12, seed=5):
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(8, width), torch.nn.GELU(), torch.nn.LayerNorm(width), torch.nn.Linear(width, width), torch.nn.Tanh(), torch.nn.Linear(width, 3)]
    return torch.nn.Sequential(*layers).double()


def batch(rank, step, samples=6):
    generator = torch.Generator().manual_seed(1000 * step + rank)
    return torch.randn(samples, 8, generator=generator, dtype=torch.float64), torch.randn(samples, 3, generator=generator, dtype=torch.float64)


def loss_of(model, data, target):
    return (model(data) - target).square().mean()


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def adamw(model):
    return torch.optim.AdamW(model.parameters(), lr=0.01)


def reference(world, make_optimizer=sgd, steps=STEPS):
    """The loss of each step on this rank's batch, before the step, and the model in the end."""
    model = make_model()
    optimizer = make_optimizer(model)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        each = [loss_of(model, *batch(rank, step)) for rank in range(world.size)]
        losses.append(each[world.rank].item())
        (sum(each) / world.size).backward()
        optimizer.step()
    return losses, model


def train(world, model, make_optimizer=sgd, steps=STEPS):
    optimizer = make_optimizer(model)
    losses = []
    for step in range(steps):
        data, target = (one.cuda() for one in batch(world.rank, step))
        optimizer.zero_grad()
        loss = loss_of(model, data, target)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


def agrees(losses, model, want_losses, want_model, tolerance=TOLERANCE):
    close(torch.tensor(losses, dtype=torch.float64), torch.tensor(want_losses, dtype=torch.float64), tolerance, "losses")
    for got, want in zip(model.parameters(), want_model.parameters()):
        close(got, want.detach(), tolerance, "a parameter at the end")


def ddp(world):
    for make_optimizer in (sgd, adamw):
        model = DistributedDataParallel(make_model(seed=5 + world.rank).cuda(), device_ids=[0])  # rank 0's weights count
        agrees(train(world, model, make_optimizer), model, *reference(world, make_optimizer))


def ddp_many_buckets(world):
    """Small buckets: the gradients' sums run beside the backward pass."""
    model = DistributedDataParallel(make_model().cuda(), device_ids=[0], bucket_cap_mb=0.0005, gradient_as_bucket_view=True)
    agrees(train(world, model), model, *reference(world))


def ddp_accumulates(world):
    """Two batches to a step, the first without communication."""
    model = DistributedDataParallel(make_model().cuda(), device_ids=[0])
    with model.no_sync():
        loss_of(model, *(one.cuda() for one in batch(world.rank, 0))).backward()
    loss_of(model, *(one.cuda() for one in batch(world.rank, 1))).backward()
    want = make_model()
    sum(loss_of(want, *batch(rank, step)) for rank in range(world.size) for step in range(2)).div(world.size).backward()
    for got, expected in zip(model.parameters(), want.parameters()):
        close(got.grad, expected.grad, TOLERANCE, "a gradient")


def ddp_by_hook(world):
    """Gradients travel in half precision."""
    from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook

    model = DistributedDataParallel(make_model().float().cuda(), device_ids=[0])
    model.register_comm_hook(None, bf16_compress_hook)
    data, target = (one.float().cuda() for one in batch(world.rank, 0))
    loss_of(model, data, target).backward()
    want = make_model()
    sum(loss_of(want, *batch(rank, 0)) for rank in range(world.size)).div(world.size).backward()
    for got, expected in zip(model.parameters(), want.parameters()):
        close(got.grad.double(), expected.grad, 0.02, "a gradient")


def ddp_uneven_inputs(world):
    """Ranks have unequal numbers of batches; those that are done go on shadowing the others' calls."""
    model = DistributedDataParallel(make_model().cuda(), device_ids=[0])
    optimizer = sgd(model)
    with model.join(divide_by_initial_world_size=False):
        for step in range(world.rank + 1):
            data, target = (one.cuda() for one in batch(world.rank, step))
            optimizer.zero_grad()
            loss_of(model, data, target).backward()
            optimizer.step()
    want = make_model()
    optimizer = sgd(want)
    for step in range(world.size):
        optimizer.zero_grad()
        active = range(step, world.size)
        sum(loss_of(want, *batch(rank, step)) for rank in active).div(len(active)).backward()
        optimizer.step()
    for got, expected in zip(model.parameters(), want.parameters()):
        close(got, expected.detach(), TOLERANCE, "a parameter at the end")


def ddp_in_mixed_precision(world):
    """Autocast and a scaler, whose check for infinities all ranks must agree in."""
    model = DistributedDataParallel(make_model().float().cuda(), device_ids=[0])
    optimizer = sgd(model)
    scaler = torch.amp.GradScaler("cuda", init_scale=2.0**8)
    for step in range(2):
        data, target = (one.float().cuda() for one in batch(world.rank, step))
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = loss_of(model, data, target)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    mine = torch.cat([one.detach().flatten() for one in model.parameters()])
    others = [torch.empty_like(mine) for _ in range(world.size)]
    dist.all_gather(others, mine)
    for other in others:
        assert torch.equal(other.cpu(), others[0].cpu())
    _, want = reference(world, steps=2)
    for got, expected in zip(model.parameters(), want.parameters()):
        close(got.double(), expected.detach(), 0.05, "a parameter at the end")


def zero(world):
    """The optimizer's state lies in parts on the ranks."""
    from torch.distributed.optim import ZeroRedundancyOptimizer

    model = DistributedDataParallel(make_model().cuda(), device_ids=[0])

    def make_optimizer(of):
        return ZeroRedundancyOptimizer(of.parameters(), optimizer_class=torch.optim.AdamW, lr=0.01)

    agrees(train(world, model, make_optimizer), model, *reference(world, adamw))


def ddp_unequal_batches(world):
    """The hook of docs/pytorch.md: each rank's gradient counts by its share of the samples."""
    samples = [2 + rank for rank in range(world.size)]

    def weigh(share, bucket):
        work = dist.all_reduce(bucket.buffer(), dist._make_nccl_premul_sum(share), async_op=True)
        return work.get_future().then(lambda done: done.value()[0])

    model = DistributedDataParallel(make_model().cuda(), device_ids=[0])
    model.register_comm_hook(samples[world.rank] / sum(samples), weigh)
    loss_of(model, *(one.cuda() for one in batch(world.rank, 0, samples[world.rank]))).backward()
    want = make_model()
    everything = [batch(rank, 0, samples[rank]) for rank in range(world.size)]
    loss_of(want, torch.cat([data for data, _ in everything]), torch.cat([target for _, target in everything])).backward()
    for got, expected in zip(model.parameters(), want.parameters()):
        close(got.grad, expected.grad, TOLERANCE, "a gradient")
