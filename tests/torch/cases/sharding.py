"""Fully sharded data parallel training, both generations, against the same reference as DDP."""

import torch
from cases.training import TOLERANCE, adamw, make_model, reference, sgd, train
from checks import close
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, ShardingStrategy, fully_shard
from torch.distributed.fsdp.wrap import ModuleWrapPolicy


def losses_agree(got, want):
    close(torch.tensor(got, dtype=torch.float64), torch.tensor(want, dtype=torch.float64), 1e-10, "losses")


def fsdp1(world):
    for strategy in (ShardingStrategy.FULL_SHARD, ShardingStrategy.SHARD_GRAD_OP, ShardingStrategy.NO_SHARD):
        policy = ModuleWrapPolicy({torch.nn.Linear})
        model = FullyShardedDataParallel(make_model(), device_id=0, auto_wrap_policy=policy, sharding_strategy=strategy, sync_module_states=True)
        losses, want = reference(world)
        losses_agree(train(world, model), losses)
        with FullyShardedDataParallel.summon_full_params(model):
            for got, expected in zip(model.parameters(), want.parameters()):
                close(got.flatten(), expected.detach().flatten(), TOLERANCE, "a parameter at the end")


def shard(world, mesh, **options):
    model = make_model().cuda()
    for layer in model:
        if isinstance(layer, torch.nn.Linear):
            fully_shard(layer, mesh=mesh, **options)
    return fully_shard(model, mesh=mesh, **options)


def fsdp2(world):
    mesh = init_device_mesh("cuda", (world.size,))
    for make_optimizer in (sgd, adamw):
        for reshard in (True, False):
            model = shard(world, mesh, reshard_after_forward=reshard)
            losses, want = reference(world, make_optimizer)
            losses_agree(train(world, model, make_optimizer), losses)
            for got, expected in zip(model.parameters(), want.parameters()):
                close(got.full_tensor(), expected.detach(), TOLERANCE, "a parameter at the end")


def fsdp2_clips_and_saves(world):
    """The norm over all shards, and the whole model's state gathered on rank 0."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    model = shard(world, init_device_mesh("cuda", (world.size,)))
    want = make_model()
    for one in (model, want):
        for number, parameter in enumerate(one.parameters()):
            parameter.grad = torch.full_like(parameter, number + 1.0)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).full_tensor()
    close(norm, torch.nn.utils.clip_grad_norm_(want.parameters(), 1.0), 1e-12, "norm")
    state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    assert bool(state) == (world.rank == 0)
    for name, value in state.items():
        close(value, want.state_dict()[name], 0, name)
