"""A pipeline: each rank has some layers, activations and gradients go by send and receive."""

import torch
import torch.distributed as dist
from checks import close

MICRO_BATCHES = 4


def layers(world):
    """Uneven: rank r has r + 1 layers, of unequal widths."""
    torch.manual_seed(4)
    widths = [6 + 2 * (number % 4) for number in range(world.size * (world.size + 1) // 2 + 1)]
    return [torch.nn.Sequential(torch.nn.Linear(a, b), torch.nn.Tanh()).double() for a, b in zip(widths, widths[1:])], widths


def micro_batch(step, number, width):
    generator = torch.Generator().manual_seed(10 * step + number)
    return torch.randn(3 + number, width, generator=generator, dtype=torch.float64)


def first_layer(rank):
    return rank * (rank + 1) // 2


def forward(world, stage, widths, step, number):
    begin = first_layer(world.rank)
    data = micro_batch(step, number, widths[0]).cuda()
    if world.rank > 0:
        data = torch.empty(3 + number, widths[begin], dtype=torch.float64, device="cuda", requires_grad=True)
        dist.recv(data.detach(), world.rank - 1)
    result = stage(data)
    if world.rank < world.size - 1:
        dist.send(result.detach(), world.rank + 1)
    return data, result


def backward(world, data, result):
    if world.rank == world.size - 1:
        loss = result.square().mean() / MICRO_BATCHES
        loss.backward()
    else:
        gradient = torch.empty_like(result)
        dist.recv(gradient, world.rank + 1)
        result.backward(gradient)
        loss = torch.zeros((), dtype=torch.float64)
    if world.rank > 0:
        dist.send(data.grad, world.rank - 1)
    return loss.item()


def uneven_stages(world):
    everything, widths = layers(world)
    begin, end = first_layer(world.rank), first_layer(world.rank + 1)
    stage = torch.nn.Sequential(*everything[begin:end]).cuda()
    whole = torch.nn.Sequential(*layers(world)[0])
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in (stage, whole)]
    for step in range(2):
        for optimizer in optimizers:
            optimizer.zero_grad()
        passes = [forward(world, stage, widths, step, number) for number in range(MICRO_BATCHES)]
        losses = [backward(world, *one) for one in passes]
        want = [whole(micro_batch(step, number, widths[0])).square().mean() / MICRO_BATCHES for number in range(MICRO_BATCHES)]
        sum(want).backward()
        for optimizer in optimizers:
            optimizer.step()
        if world.rank == world.size - 1:
            close(torch.tensor(losses, dtype=torch.float64), torch.stack(want).detach(), 1e-12, f"losses of step {step}")
    for got, expected in zip(stage.parameters(), whole[begin:end].parameters()):
        close(got, expected.detach(), 1e-12, "a parameter of the stage")
