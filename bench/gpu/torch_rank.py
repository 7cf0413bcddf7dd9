"""One rank of PyTorch, an unchanged program: collectives, a training step, times. Rank 0 prints one line of JSON.

usage: torch_rank.py nccl|gloo [BYTES]      with torchrun's variables
"""

import json
import os
import sys
import time


def finish(answer):
    if os.environ["RANK"] == "0":
        print(json.dumps(answer), flush=True)
    raise SystemExit(0)


def timed(torch, dist, size, rounds):
    tensor = torch.ones(max(size // 4, 1), device="cuda")
    times = []
    for _ in range(rounds + 3):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    middle = sorted(times[3:])[rounds // 2]
    return {"bytes": size, "us": round(1e6 * middle, 1), "gbps": round(size / middle / 1e9, 3)}


def check(torch, dist):
    rank, ranks = dist.get_rank(), dist.get_world_size()
    data = torch.arange(100_003, device="cuda", dtype=torch.float32) + rank
    dist.all_reduce(data)
    expected = torch.arange(100_003, dtype=torch.float32) * ranks + sum(range(ranks))
    assert torch.equal(data.cpu(), expected), "all_reduce"
    gathered = torch.empty(ranks * 1000, device="cuda")
    dist.all_gather_into_tensor(gathered, torch.full((1000,), float(rank), device="cuda"))
    assert torch.equal(gathered.cpu(), torch.arange(ranks).repeat_interleave(1000).float()), "all_gather"
    part = torch.empty(1000, device="cuda")
    dist.reduce_scatter_tensor(part, torch.ones(ranks * 1000, device="cuda"))
    assert torch.equal(part.cpu(), torch.full((1000,), float(ranks))), "reduce_scatter"
    dist.barrier()


def train(torch, dist):
    """Equal parameters on all ranks after three steps of DDP on unequal data."""
    torch.manual_seed(0)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(64, 64).cuda())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        data = torch.full((8, 64), float(dist.get_rank() + step), device="cuda")
        optimizer.zero_grad()
        model(data).square().mean().backward()
        optimizer.step()
    own = torch.cat([each.detach().flatten() for each in model.parameters()])
    largest = own.clone()
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    assert torch.equal(own, largest), "parameters differ between ranks"


def main():
    import torch
    import torch.distributed as dist
    if not torch.cuda.is_available():
        finish({"skip": f"torch {torch.__version__} finds no device"})
    torch.cuda.set_device(0)
    backend = sys.argv[1]
    dist.init_process_group(backend)
    answer = {"torch": torch.__version__, "backend": backend}
    if backend == "nccl":
        check(torch, dist)
        train(torch, dist)
        answer["checked"] = "collectives, DDP"
    for size in (8, int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 20):
        answer[str(size)] = timed(torch, dist, size, 20)
    dist.destroy_process_group()
    finish(answer)


if __name__ == "__main__":
    main()
