"""NCCL and a device runtime through ctypes, as any program would bind them: by their own names and sonames."""

import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p

import elements
from cases import OPERATIONS

TO_DEVICE, TO_HOST = 1, 2
NAMES = {"allreduce": "ncclAllReduce", "reduce": "ncclReduce", "broadcast": "ncclBroadcast", "allgather": "ncclAllGather",
         "reducescatter": "ncclReduceScatter", "alltoall": "ncclAlltoAll", "gather": "ncclGather", "scatter": "ncclScatter"}


class UniqueId(ctypes.Structure):
    _fields_ = [("internal", ctypes.c_byte * 128)]


class Failure(Exception):
    pass


class HostMemory:
    """A CPU rank's memory and streams: none."""
    stream = None

    def use(self, device):
        pass

    def buffer(self, data):
        return (ctypes.c_char * max(len(data), 1)).from_buffer_copy(data or b"\0")

    def address(self, buffer):
        return ctypes.addressof(buffer)

    def read(self, buffer, size):
        return ctypes.string_at(buffer, size)

    def wait(self):
        pass

    def release(self, buffer):
        pass


class Device:
    """The runtime's calls have NCCL's habit: 0 is success."""

    def __init__(self, library, prefix):
        self.library = ctypes.CDLL(library)
        self.prefix = prefix
        self.stream = None

    def call(self, name, *arguments):
        result = getattr(self.library, self.prefix + name)(*arguments)
        if result != 0:
            raise Failure(f"{self.prefix}{name}: error {result}")

    def use(self, device):
        self.call("SetDevice", device)
        self.stream = c_void_p()
        self.call("StreamCreateWithFlags", byref(self.stream), 1)

    def buffer(self, data):
        memory = c_void_p()
        self.call("Malloc", byref(memory), c_size_t(max(len(data), 1)))
        self.call("MemcpyAsync", memory, c_char_p(data), c_size_t(len(data)), TO_DEVICE, self.stream)
        return memory

    def address(self, buffer):
        return buffer.value

    def read(self, buffer, size):
        data = ctypes.create_string_buffer(size)
        self.call("MemcpyAsync", data, buffer, c_size_t(size), TO_HOST, self.stream)
        self.wait()
        return data.raw

    def wait(self):
        self.call("StreamSynchronize", self.stream)

    def release(self, buffer):
        self.call("Free", buffer)


class Nccl:
    """A communicator."""

    def __init__(self):
        self.library = ctypes.CDLL("libnccl.so.2")
        self.library.ncclGetLastError.restype = c_char_p
        self.handle = c_void_p()
        self.rank, self.ranks = 0, 1

    def call(self, name, *arguments):
        result = getattr(self.library, name)(*arguments)
        if result != 0:
            raise Failure(f"{name}: {self.library.ncclGetLastError(None).decode()}")

    def make_id(self):
        identity = UniqueId()
        self.call("ncclGetUniqueId", byref(identity))
        return bytes(identity)

    def init(self, ranks, identity, rank):
        self.call("ncclCommInitRank", byref(self.handle), c_int(ranks), UniqueId.from_buffer_copy(identity), c_int(rank))
        self.learn()

    def learn(self):
        rank, ranks = c_int(), c_int()
        self.call("ncclCommUserRank", self.handle, byref(rank))
        self.call("ncclCommCount", self.handle, byref(ranks))
        self.rank, self.ranks = rank.value, ranks.value

    def split(self, color):
        child = Nccl()
        self.call("ncclCommSplit", self.handle, c_int(color), c_int(0), byref(child.handle), None)
        child.learn()
        return child

    def describe(self):
        """Not NCCL's: what Amalgam says of the communicator."""
        text = ctypes.create_string_buffer(4096)
        self.call("amalgam_describe", self.handle, text, c_size_t(len(text)))
        return text.value.decode()

    def destroy(self):
        self.call("ncclCommDestroy", self.handle)

    def run(self, case, send, receive, stream):
        """Enqueues the call of a case; `send` and `receive` are addresses."""
        count, kind = c_size_t(case.count), c_int(elements.number(case.kind))
        tail = [self.handle, stream]
        operation = [c_int(OPERATIONS[case.operation])] if case.operation else []
        rooted = case.collective in ("reduce", "broadcast", "gather", "scatter")
        root = [c_int(case.root)] if rooted else []
        if case.collective in NAMES:
            self.call(NAMES[case.collective], c_void_p(send), c_void_p(receive), count, kind, *operation, *root, *tail)
            return
        self.call("ncclGroupStart")
        self.call("ncclSend", c_void_p(send), count, kind, c_int((self.rank + 1) % self.ranks), *tail)
        self.call("ncclRecv", c_void_p(receive), count, kind, c_int((self.rank - 1) % self.ranks), *tail)
        self.call("ncclGroupEnd")
