"""Ranks that die or do not come, and what the others see."""

import os
import signal
import time

import torch
import torch.distributed as dist
from checks import on_device, raises, whole
from cases.life import sum_of_all

SOON = 60  # seconds in which everybody must know


def die(world, victim):
    world.join(seconds=300)
    sum_of_all(world)
    torch.cuda.synchronize()
    world.meet("before the death")
    if world.rank == victim:
        os.kill(os.getpid(), signal.SIGKILL)


def died_where_calls_wait(world):
    """TORCH_NCCL_BLOCKING_WAIT: wait() raises."""
    die(world, 1)
    work = dist.all_reduce(on_device(whole(world.rank, 100)), async_op=True)
    error = raises(dist.DistBackendError, work.wait)
    print(f"what PyTorch said: {error}")
    dist.distributed_c10d._abort_process_group()


def died_with_work_parked(world):
    """TORCH_NCCL_ASYNC_ERROR_HANDLING=2: the watchdog aborts the communicator, the streams go on, the process stays."""
    die(world, 1)
    begin = time.monotonic()
    pending = [dist.all_reduce(on_device(whole(world.rank, 100)), async_op=True) for _ in range(3)]
    for work in pending:
        work.wait()
    torch.cuda.synchronize()
    assert time.monotonic() - begin < SOON
    dist.distributed_c10d._abort_process_group()


def died_and_all_end(world):
    """As it comes: the watchdog ends the processes that are left."""
    die(world, 1)
    dist.all_reduce(on_device(whole(world.rank, 100)))
    torch.cuda.synchronize()
    signal.pause()  # nothing but the watchdog ends it


def aborted_from_outside(world):
    """One rank does not come; the others' parked calls end when their own program aborts the group."""
    world.join(seconds=300)
    sum_of_all(world)
    world.meet("all have the sum")  # an abort ends what is under way elsewhere, too
    if world.rank != 0:
        dist.all_reduce(on_device(whole(world.rank, 100)), async_op=True)
        dist.distributed_c10d._abort_process_group()
        torch.cuda.synchronize()
    world.meet("aborted")
    if world.rank == 0:
        dist.distributed_c10d._abort_process_group()  # a farewell would fail by now: the others' abort is known here


def one_does_not_come(world):
    """A timeout of PyTorch's own ends the wait."""
    world.join(seconds=5)
    sum_of_all(world)
    if world.rank != 0:
        work = dist.all_reduce(on_device(whole(world.rank, 100)), async_op=True)
        raises(dist.DistBackendError, work.wait)
    world.meet("all know")
    dist.distributed_c10d._abort_process_group()
