"""One process, without others: arithmetic and copies, and PyTorch's own use of several devices in a process."""

import unittest

import device_check
import torch
import torch.cuda.nccl
from checks import close, same, whole


def arithmetic(world):
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromModule(device_check))
    assert result.wasSuccessful(), result


def nccl_of_one_process(world):
    """torch.cuda.nccl: a communicator of all devices, a call of each in one group."""
    data = [whole(device, 1000).cuda(device) for device in range(3)]
    results = [torch.empty(1000, device=f"cuda:{device}") for device in range(3)]
    torch.cuda.nccl.all_reduce(data, results)
    for device, result in enumerate(results):
        same(result, sum(whole(one, 1000) for one in range(3)), f"device {device}")
    torch.cuda.nccl.broadcast(data)
    for device, tensor in enumerate(data):
        same(tensor, whole(0, 1000), f"device {device}")
    assert world.carried_since_mark() == {"allreduce": 3, "broadcast": 3, "communicators": 3}, world.carried_since_mark()


def data_parallel(world):
    """Replicas are broadcast, gradients summed, from PyTorch's own threads."""
    torch.manual_seed(2)
    model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2)).double()
    data = torch.randn(12, 5, dtype=torch.float64)
    model(data).square().mean().backward()
    want = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    parallel = torch.nn.DataParallel(model.cuda(0), device_ids=[0, 1, 2])
    parallel(data.cuda(0)).square().mean().backward()
    for parameter, gradient in zip(model.parameters(), want):
        close(parameter.grad, gradient, 1e-12, "a gradient")
