"""Point to point: a pair's messages, batches, rings, and messages to oneself."""

import torch
import torch.distributed as dist
from checks import on_device, same, whole


def send_and_receive(world):
    """Every pair in both directions, each pair by itself: lazily, a communicator of two ranks is made for it."""
    for low in range(world.size):
        for high in range(low + 1, world.size):
            if world.rank not in (low, high):
                continue
            peer = high if world.rank == low else low
            mine, theirs = on_device(whole(world.rank, 2000, salt=peer)), torch.empty(2000, device="cuda")
            for sender in (low, high):
                if world.rank == sender:
                    dist.send(mine, peer)
                else:
                    dist.recv(theirs, peer)
            same(theirs, whole(peer, 2000, salt=world.rank), f"from {peer}")


def batches(world):
    """A ring in both directions, sizes that differ with the distance, and one message to oneself."""
    right, left = (world.rank + 1) % world.size, (world.rank - 1) % world.size

    def message(source, target, salt):
        return whole(source, 1000 * (salt + 1) + 10 * target, torch.int64, salt)

    for turn in range(3):
        plan = [(right, left, turn), (left, right, turn + 3), (world.rank, world.rank, turn + 6)]
        received = [torch.empty_like(message(source, world.rank, salt), device="cuda") for _, source, salt in plan]
        operations = [dist.P2POp(dist.isend, on_device(message(world.rank, target, salt)), target) for target, _, salt in plan]
        operations += [dist.P2POp(dist.irecv, got, source) for got, (_, source, _) in zip(received, plan)]
        for work in dist.batch_isend_irecv(operations):
            work.wait()
        for got, (_, source, salt) in zip(received, plan):
            same(got, message(source, world.rank, salt), f"turn {turn} from {source}")


def everybody_to_everybody(world):
    """All at once, several of a pair, in the order of their sending."""
    others = [rank for rank in range(world.size) if rank != world.rank]
    received = {(peer, turn): torch.empty(300, device="cuda") for turn in range(3) for peer in others}
    operations = []
    for turn in range(3):
        for peer in others:
            operations.append(dist.P2POp(dist.isend, on_device(whole(world.rank, 300, salt=peer + 10 * turn)), peer))
            operations.append(dist.P2POp(dist.irecv, received[peer, turn], peer))
    for work in dist.batch_isend_irecv(operations):
        work.wait()
    for (peer, turn), got in received.items():
        same(got, whole(peer, 300, salt=world.rank + 10 * turn), f"message {turn} from {peer}")


def large_messages(world):
    """More than a stage holds, both ways at once."""
    count = (5 << 20) // 4 + 3
    peer = world.size - 1 - world.rank
    if peer == world.rank:
        return
    got = torch.empty(count, device="cuda")
    operations = [dist.P2POp(dist.isend, on_device(whole(world.rank, count)), peer), dist.P2POp(dist.irecv, got, peer)]
    for work in dist.batch_isend_irecv(operations):
        work.wait()
    same(got, whole(peer, count), f"from {peer}")
