"""All tests: which function of cases/ is run by which shape of job, and how long it may take. Needs no PyTorch."""

import dataclasses

APART, PAIR, MIXED, HOSTS, BOTH = ("apart",), ("pair",), ("mixed",), ("hosts",), ("pair", "mixed")
ALL = BOTH + HOSTS


@dataclasses.dataclass(frozen=True)
class Case:
    place: str  # module.function
    shapes: tuple = BOTH
    seconds: float = 120  # an end, no measure: machines are slow and shared
    smoke: bool = False
    joins: bool = False  # makes its process groups itself: the default one is destroyed before it
    alone: bool = False  # the same, in processes of its own, with this environment
    environment: dict = dataclasses.field(default_factory=dict)
    ends: dict = dataclasses.field(default_factory=dict)  # rank: exit code, of ranks that end in this case

    @property
    def name(self):
        return self.place.partition(".")[2]


DEATH = {1: -9}
THREE_DEVICES = {"STANDIN_DEVICES": "3", "CUDA_VISIBLE_DEVICES": "0,1,2"}
CASES = [
    Case("devices.arithmetic", APART, alone=True, smoke=True),
    Case("devices.nccl_of_one_process", APART, alone=True, environment=THREE_DEVICES),
    Case("devices.data_parallel", APART, alone=True, environment=THREE_DEVICES),
    Case("collectives.all_reduce", ALL, smoke=True),
    Case("collectives.broadcast"),
    Case("collectives.reduce"),
    Case("collectives.all_gather"),
    Case("collectives.all_gather_uneven"),
    Case("collectives.reduce_scatter"),
    Case("collectives.reduce_scatter_uneven"),
    Case("collectives.all_to_all", smoke=True),
    Case("collectives.all_to_all_uneven"),
    Case("collectives.gather_and_scatter"),
    Case("collectives.barrier", smoke=True),
    Case("collectives.objects", smoke=True),
    Case("collectives.odd_sizes"),
    Case("collectives.many_pieces"),
    Case("operations.premul_sum", smoke=True),
    Case("operations.complex_and_bool"),
    Case("operations.coalesced", smoke=True),
    Case("operations.mean_of_unequal_batches", smoke=True),
    Case("messages.send_and_receive", smoke=True),
    Case("messages.batches", ALL, smoke=True),
    Case("messages.everybody_to_everybody"),
    Case("messages.large_messages"),
    Case("groups.of_one_vendor", ALL, smoke=True),
    Case("groups.interleaved", smoke=True),
    Case("groups.of_one_rank"),
    Case("groups.subgroup_ends"),
    Case("order.works", smoke=True),
    Case("order.copies_around_a_call", smoke=True),
    Case("order.several_streams"),
    Case("order.groups_side_by_side"),
    Case("training.ddp", ALL, smoke=True),
    Case("training.ddp_many_buckets"),
    Case("training.ddp_accumulates"),
    Case("training.ddp_by_hook"),
    Case("training.ddp_uneven_inputs"),
    Case("training.ddp_unequal_batches"),
    Case("training.ddp_in_mixed_precision"),
    Case("training.zero"),
    Case("sharding.fsdp1"),
    Case("sharding.fsdp2", ALL, smoke=True),
    Case("sharding.fsdp2_clips_and_saves"),
    Case("tensor_parallel.columns_and_rows", smoke=True),
    Case("tensor_parallel.sequence"),
    Case("tensor_parallel.redistribution"),
    Case("pipeline.uneven_stages", smoke=True),
    Case("hosts.bytes_of_an_all_reduce", HOSTS, alone=True, smoke=True, environment={"AMALGAM_TRANSPORTS": "loopback,shm,trace:tcp"}),
    Case("groups.eager_and_split", alone=True),
    Case("life.again_and_again", joins=True),
    Case("life.without_blocking", alone=True, environment={"TORCH_NCCL_USE_COMM_NONBLOCKING": "1"}),
    Case("life.an_id_of_each_rank", MIXED, alone=True, environment={"TORCH_NCCL_RANKS_PER_ROOT": "1"}),
    Case("life.options", joins=True),
    Case("life.shrunk", joins=True),
    Case("life.ends_without_destroy", MIXED, alone=True),
    Case("life.registered_memory", joins=True),
    Case("failure.died_where_calls_wait", MIXED, alone=True, ends=DEATH, environment={"TORCH_NCCL_BLOCKING_WAIT": "1"}),
    Case("failure.died_with_work_parked", alone=True, ends=DEATH, environment={"TORCH_NCCL_ASYNC_ERROR_HANDLING": "2"}, smoke=True),
    Case("failure.died_and_all_end", MIXED, alone=True, ends=DEATH | {rank: -6 for rank in (0, 2, 3, 4)}),
    Case("failure.aborted_from_outside", alone=True, environment={"TORCH_NCCL_ASYNC_ERROR_HANDLING": "0"}),
    Case("failure.one_does_not_come", MIXED, alone=True, environment={"TORCH_NCCL_BLOCKING_WAIT": "1"}),
]


def find(shape, smoke, matches):
    return [one for one in CASES if shape in one.shapes and (one.smoke or not smoke) and matches(one.name)]
