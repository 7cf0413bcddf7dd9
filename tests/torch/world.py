"""What a case knows of the job it runs in: who is who, the process group, and what the stand-in of this rank's
collective library has carried."""

import ctypes
import datetime
import os

import torch
import torch.distributed as dist

KINDS = ("allreduce", "reduce", "broadcast", "reducescatter", "allgather", "alltoall", "gather", "scatter", "send", "recv")


class _Counters(ctypes.Structure):
    _fields_ = [("calls", ctypes.c_uint64 * len(KINDS))] + [
        (name, ctypes.c_uint64) for name in ("communicators", "refused", "aborted", "bytes")
    ]


def carried():
    """Calls that this process's stand-in of the vendor's library has been given so far, by kind."""
    try:
        library = ctypes.CDLL(os.environ["AMALGAM_TEST_CCL"], mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:  # nobody has opened it
        return dict.fromkeys(KINDS + ("communicators",), 0)
    library.standin_ccl_counters.restype = ctypes.POINTER(_Counters)
    counters = library.standin_ccl_counters().contents
    return dict(zip(KINDS, counters.calls)) | {"communicators": counters.communicators}


class World:
    def __init__(self, rank, vendors, store):
        self.rank = rank
        self.size = len(vendors)
        self.vendors = vendors
        self.vendor = vendors[rank]
        self.device = torch.device("cuda", 0)
        self.store = store
        self._generation = 0
        self.leaves = True  # the process group, in the end
        self._before = carried()

    @property
    def mixed(self):
        return len(set(self.vendors)) > 1

    def ranks_of(self, vendor):
        return [rank for rank, one in enumerate(self.vendors) if one == vendor]

    def fresh_store(self):
        """Another name space for each process group: all ranks make them in the same order."""
        self._generation += 1
        return dist.PrefixStore(f"generation{self._generation}", self.store)

    def join(self, seconds=100, **options):
        torch.cuda.set_device(self.device)
        timeout = datetime.timedelta(seconds=seconds)
        dist.init_process_group("nccl", store=self.fresh_store(), rank=self.rank, world_size=self.size, timeout=timeout, **options)

    def meet(self, name, seconds=100):
        """All ranks, by the store alone."""
        key = f"meet/{self._generation}/{name}"
        if self.store.add(key, 1) == self.size:
            self.store.set(key + "/all", "")
        self.store.wait([key + "/all"], datetime.timedelta(seconds=seconds))

    def mark(self):
        self._before = carried()

    def carried_since_mark(self):
        now = carried()
        return {kind: count - self._before[kind] for kind, count in now.items() if count != self._before[kind]}
