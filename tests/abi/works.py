"""What the random client issues: buffers, collectives, messages and alltoallvs, each with its expected outcome."""

import ctypes
import random
from ctypes import byref, c_int, c_size_t, c_void_p

import elements as el

COLLECTIVES = ["AllReduce", "Reduce", "ReduceScatter", "Broadcast", "Bcast", "AllGather", "AlltoAll",
               "Gather", "Scatter"]
REDUCING = COLLECTIVES[:3]
ROOTED = ["Reduce", "Broadcast", "Bcast", "Gather", "Scatter"]
COUNTS = [0, 1, 2, 3, 5, 7, 8, 61, 64, 100, 1000, 1023, 4097, 20011, 65537, 300007]
GUARD = 64  # bytes around each buffer that nobody may touch
FILL = 0xA5


class Failure(Exception):
    pass


class Buffer:
    """Bytes for a call, with untouchable ones around them, from the interpreter or from ncclMemAlloc."""

    def __init__(self, nccl, content, shift, registered=False):
        self.nccl, self.size = nccl, len(content)
        self.start = GUARD + shift
        total = self.size + 2 * GUARD + shift
        self.allocated = None
        if registered:
            self.allocated = c_void_p()
            nccl.MemAlloc(byref(self.allocated), total)
            self.memory = (ctypes.c_ubyte * total).from_address(self.allocated.value)
        else:
            self.memory = (ctypes.c_ubyte * total)()
        ctypes.memset(self.memory, FILL, total)
        ctypes.memmove(self.address(), content, self.size)

    def address(self, offset=0):
        return ctypes.addressof(self.memory) + self.start + offset

    def content(self):
        return ctypes.string_at(self.address(), self.size)

    def close(self):
        whole = memoryview(self.memory).cast("B")
        intact = set(whole[:self.start]) == {FILL} and set(whole[self.start + self.size:]) == {FILL}
        whole.release()
        if self.allocated is not None:
            del self.memory
            self.nccl.MemFree(self.allocated)
        if not intact:
            raise Failure("bytes outside the buffer were written")


class Rank:
    """A communicator of this process and this rank's own generator."""

    def __init__(self, comm, rank, ranks, seed):
        self.comm, self.rank, self.ranks = comm, rank, ranks
        self.random = random.Random(f"{seed} {rank}")


class Case:
    """One collective, the same for all ranks."""

    def __init__(self, shared, ranks):
        self.ranks = ranks
        self.name = shared.choice(COLLECTIVES)
        self.kind = shared.choice(el.TYPES)
        self.op = shared.randrange(6) if self.name in REDUCING else el.SUM
        self.count = shared.choice(COUNTS)
        if self.name not in ("AllReduce", "Reduce", "Broadcast", "Bcast"):
            self.count = min(self.count, 65537)
        self.root = shared.randrange(ranks)
        self.in_place = shared.random() < 0.4 and self.name != "AlltoAll" or self.name == "Bcast"
        self.columns = [[self.kind.random(shared, self.op, ranks) for _ in range(el.PERIOD)] for _ in range(ranks)]
        self.scalars = [self.kind.random_scalar(shared) for _ in range(ranks)]
        self.patterns = [el.encode(self.kind, column) for column in self.columns]

    def __str__(self):
        op = f" {el.OPERATIONS[self.op]}" if self.name in REDUCING else ""
        return (f"{self.name}{op} of {self.count} {self.kind.name} on {self.ranks} ranks, root {self.root}"
                f"{', in place' if self.in_place else ''}")

    def sent(self, rank):
        """Elements in the send buffer of a rank; 0 where it is not read."""
        if self.name in ("ReduceScatter", "AlltoAll") or self.name == "Scatter" and rank == self.root:
            return self.count * self.ranks
        if self.name == "Scatter" or self.name in ("Broadcast", "Bcast") and rank != self.root:
            return 0
        return self.count

    def received(self, rank):
        """Elements in the receive buffer; 0 where it must not be written."""
        if self.name in ("AllGather", "AlltoAll") or self.name == "Gather" and rank == self.root:
            return self.count * self.ranks
        if self.name in ("Gather", "Reduce") and rank != self.root:
            return 0
        return self.count

    def input(self, rank):
        return el.stretch(self.patterns[rank], self.kind.size, 0, self.sent(rank))

    def in_place_at(self, rank):
        """(offset of the send buffer, of the receive buffer), in bytes, in the one buffer of an in-place call."""
        own = rank * self.count * self.kind.size
        if self.name == "AllGather" or self.name == "Gather" and rank == self.root:
            return own, 0
        if self.name == "ReduceScatter" or self.name == "Scatter" and rank == self.root:
            return 0, own
        return 0, 0

    def output(self, rank):
        size, block = self.kind.size, self.count
        if self.received(rank) == 0:
            return b""
        if self.name in ("AllGather", "Gather"):
            return b"".join(el.stretch(pattern, size, 0, block) for pattern in self.patterns)
        if self.name == "AlltoAll":
            return b"".join(el.stretch(pattern, size, rank * block, block) for pattern in self.patterns)
        if self.name in ("Broadcast", "Bcast", "Scatter"):
            start = rank * block if self.name == "Scatter" else 0
            return el.stretch(self.patterns[self.root], size, start, block)
        reduced = el.encode(self.kind, el.reduce(self.kind, self.op, self.columns, self.scalars))
        return el.stretch(reduced, size, self.first(rank), block)

    def first(self, rank):
        return rank * self.count if self.name == "ReduceScatter" else 0

    def wrong(self, rank, got):
        if self.op == el.AVG and self.name in REDUCING and self.kind.floating:
            values = el.reduce(self.kind, self.op, self.columns, self.scalars)
            return el.far_off(self.kind, got, values, self.first(rank)) if got else ""
        return el.mismatch(self.kind, got, self.output(rank))


class Collective:
    """A case as one rank issues and checks it."""

    def __init__(self, nccl, rank, case, stream):
        self.nccl, self.rank, self.case = nccl, rank, case
        self.stream = stream
        allocated = rank.random.random() < 0.3
        shift = rank.random.choice((0, 0, 8, case.kind.size))
        sent, received = case.input(rank.rank), case.received(rank.rank) * case.kind.size
        if case.in_place:
            send_at, receive_at = case.in_place_at(rank.rank)
            whole = bytearray([FILL]) * max(send_at + len(sent), receive_at + received)
            whole[send_at:send_at + len(sent)] = sent
            self.buffers = [Buffer(nccl, bytes(whole), shift, allocated)]
            self.send, self.receive = self.buffers[0].address(send_at), self.buffers[0].address(receive_at)
            self.receive_buffer, self.receive_at = self.buffers[0], receive_at
        else:
            empty = bytes([FILL]) * received
            self.buffers = [Buffer(nccl, sent, shift, allocated), Buffer(nccl, empty, shift, allocated)]
            self.send, self.receive = (buffer.address() for buffer in self.buffers)
            self.receive_buffer, self.receive_at = self.buffers[1], 0
        self.sent, self.received = sent, received
        if not case.in_place and rank.random.random() < 0.5:  # where a buffer is not used it may be NULL
            self.send = self.send if sent else None
            self.receive = self.receive if received else None
        self.handle = c_int(case.op)
        if case.op == el.PREMUL:
            scalar = case.kind.encode(case.scalars[rank.rank])
            nccl.RedOpCreatePreMulSum(byref(self.handle), scalar, case.kind.code, 1, rank.comm)

    def issue(self):
        case, comm = self.case, self.rank.comm
        call = getattr(self.nccl, case.name)
        buffers = (self.send, self.receive, case.count, case.kind.code)
        if case.name == "Bcast":
            call(self.receive, case.count, case.kind.code, case.root, comm, self.stream)
        elif case.name == "Reduce":
            call(*buffers, self.handle, case.root, comm, self.stream)
        elif case.name in REDUCING:
            call(*buffers, self.handle, comm, self.stream)
        elif case.name in ROOTED:
            call(*buffers, case.root, comm, self.stream)
        else:
            call(*buffers, comm, self.stream)
        if case.op == el.PREMUL:  # as frameworks do: right after the call
            self.nccl.RedOpDestroy(self.handle, comm)

    def check(self):
        start = self.receive_at
        wrong = self.case.wrong(self.rank.rank, self.receive_buffer.content()[start:start + self.received])
        if not wrong and not self.case.in_place and self.buffers[0].content() != self.sent:
            wrong = "the send buffer was changed"
        if wrong:
            raise Failure(f"rank {self.rank.rank}: {self.case}: {wrong}")
        for buffer in self.buffers:
            buffer.close()


class Messages:
    """Random messages among all ranks, several to a pair and to oneself, in each rank's own order."""

    def __init__(self, nccl, rank, shared_seed, stream):
        self.nccl, self.rank, self.stream, self.seed = nccl, rank, stream, shared_seed
        shared = random.Random(shared_seed)
        self.calls, self.expected, self.sends = [], [], []
        for _ in range(shared.randrange(1, 3 * rank.ranks)):
            source, target = shared.randrange(rank.ranks), shared.randrange(rank.ranks)
            kind, count = shared.choice(el.TYPES), shared.choice(COUNTS[:-2])
            content = shared.randbytes(el.PERIOD * kind.size)
            content = el.stretch(content, kind.size, 0, count)
            if source == rank.rank:
                self.calls.append((target, "Send", Buffer(nccl, content, 0), kind, count))
            if target == rank.rank:
                buffer = Buffer(nccl, bytes([FILL]) * len(content), 0)
                self.calls.append((source, "Recv", buffer, kind, count))
                self.expected.append((source, buffer, content))
        order = {key: rank.random.random() for key in {(call[0], call[1]) for call in self.calls}}
        self.calls.sort(key=lambda call: order[call[0], call[1]])  # stable: each pair's messages keep their order

    def issue(self):
        for peer, name, buffer, kind, count in self.calls:
            getattr(self.nccl, name)(buffer.address(), count, kind.code, peer, self.rank.comm, self.stream)

    def check(self):
        for source, buffer, content in self.expected:
            if buffer.content() != content:
                raise Failure(f"rank {self.rank.rank}: a message of {len(content)} bytes from rank {source} arrived "
                              f"wrong (messages of seed {self.seed})")
        for call in self.calls:
            call[2].close()


class Vectors:
    """An AlltoAllv with a random matrix of counts and gaps between the blocks."""

    def __init__(self, nccl, rank, shared_seed, stream):
        self.nccl, self.rank, self.stream = nccl, rank, stream
        shared = random.Random(shared_seed)
        self.kind, ranks = shared.choice(el.TYPES), rank.ranks
        counts = [[shared.choice(COUNTS[:12]) for _ in range(ranks)] for _ in range(ranks)]
        gaps = [shared.randrange(4) for _ in range(ranks)]
        seeds = [[shared.random() for _ in range(ranks)] for _ in range(ranks)]

        def block(source, target):
            return random.Random(seeds[source][target]).randbytes(counts[source][target] * self.kind.size)

        def laid_out(blocks):
            offsets, content = [], b""
            for gap, part in zip(gaps, blocks):
                content += bytes([FILL]) * (gap * self.kind.size)
                offsets.append(len(content) // self.kind.size)
                content += part
            return content, offsets

        me = rank.rank
        content, send_offsets = laid_out([block(me, target) for target in range(ranks)])
        self.want, receive_offsets = laid_out([block(source, me) for source in range(ranks)])
        self.send = Buffer(nccl, content, 0)
        self.receive = Buffer(nccl, bytes([FILL]) * len(self.want), 0)

        def array(values):
            return (c_size_t * ranks)(*values)

        self.arguments = [self.send.address(), array(counts[me]), array(send_offsets), self.receive.address(),
                          array([row[me] for row in counts]), array(receive_offsets), self.kind.code]

    def issue(self):
        self.nccl.AlltoAllv(*self.arguments, self.rank.comm, self.stream)

    def check(self):
        if wrong := el.mismatch(self.kind, self.receive.content(), self.want):
            raise Failure(f"rank {self.rank.rank}: AlltoAllv of {self.kind.name}: {wrong}")
        self.send.close()
        self.receive.close()
