#!/usr/bin/env python3
"""Random NCCL calls through ctypes, each compared with plain Python arithmetic: collectives, messages, groups, splits,
shrinks, premultiplied sums, NULL buffers where NCCL allows them, count 0, non-blocking communicators.

usage: ctypes_random.py LIBRARY [--cases N] [--seed N] [--ranks N,…] [--worlds processes,threads,one] [--huge]

Worlds: ranks as processes (which load the library after the fork), one thread per rank, one thread with InitAll.
All ranks draw the same cases from the same seed; what only one rank knows (its order inside a group, whether it passes
NULL) comes from a generator of its own. --huge adds messages of more than 2^31 bytes and needs 5 GB of memory."""

import argparse
import ctypes
import faulthandler
import hashlib
import os
import random
import sys
import threading
import traceback
from ctypes import byref, c_int, c_size_t, c_void_p

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elements as el  # noqa: E402
import sanitizer  # noqa: E402
from client import Nccl  # noqa: E402

COLLECTIVES = ["AllReduce", "Reduce", "ReduceScatter", "Broadcast", "Bcast", "AllGather", "AlltoAll", "Gather", "Scatter"]
REDUCING = COLLECTIVES[:3]
ROOTED = ["Reduce", "Broadcast", "Bcast", "Gather", "Scatter"]
COUNTS = [0, 1, 2, 3, 5, 7, 8, 61, 64, 100, 1000, 1023, 4097, 20011, 65537, 300007]
TIMEOUT = 120
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
            self.buffers = [Buffer(nccl, sent, shift, allocated), Buffer(nccl, bytes([FILL]) * received, shift, allocated)]
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
                raise Failure(f"rank {self.rank.rank}: a message of {len(content)} bytes from rank {source} arrived wrong "
                              f"(messages of seed {self.seed})")
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


class World:
    """The ranks that this thread drives: one, or all of an InitAll."""

    def __init__(self, nccl, local, shared):
        self.nccl, self.local, self.shared = nccl, local, shared
        self.ranks = local[0].ranks

    def group(self, actions, always=False):
        grouped = always or len(self.local) > 1
        if grouped:
            self.nccl.GroupStart()
        for action in actions:
            action()
        if grouped:
            self.nccl.GroupEnd()
        self.nccl.wait([rank.comm for rank in self.local])

    def run(self, make, always=False):
        """`make` gives a rank's list of works; all of them run as one group, or bare where possible."""
        works = [(rank, make(rank)) for rank in self.local]
        if len(self.local) > 1:
            for rank, _ in works:
                rank.random.shuffle(works)
                break
        self.group([work.issue for _, each in works for work in each], always)
        for _, each in works:
            for work in each:
                work.check()

    def single(self):
        case, stream = Case(self.shared, self.ranks), self.stream()
        self.run(lambda rank: [Collective(self.nccl, rank, case, stream)])

    def several(self):
        """A group of collectives, messages and an alltoallv, in one order for all ranks."""
        cases = [Case(self.shared, self.ranks) for _ in range(self.shared.randrange(1, 5))]
        seeds = [self.shared.random() for _ in range(self.shared.randrange(3))]
        vector = self.shared.random() if self.shared.random() < 0.3 else None
        stream = self.stream()

        def works(rank):
            all_works = [Collective(self.nccl, rank, case, stream) for case in cases]
            places = sorted(rank.random.randrange(len(cases) + 1) for _ in seeds)
            for place, seed in reversed(list(zip(places, seeds))):  # the messages keep their order
                all_works.insert(place, Messages(self.nccl, rank, seed, stream))
            if vector is not None:
                all_works.append(Vectors(self.nccl, rank, vector, stream))
            return all_works
        self.run(works, always=True)

    def same_bits(self):
        """A sum of floats that rounds: the bits are the same on all ranks and near the exact sum."""
        kind = self.shared.choice([kind for kind in el.TYPES if kind.floating])
        count = self.shared.choice(COUNTS[1:])
        inputs = [el.random_bits(kind, self.shared, el.PERIOD) for _ in range(self.ranks)]
        results = []

        class Sum:
            def __init__(work, rank):
                content = el.stretch(inputs[rank.rank], kind.size, 0, count)
                work.rank, work.buffer = rank, Buffer(self.nccl, content, 0)

            def issue(work):
                at = work.buffer.address()
                self.nccl.AllReduce(at, at, count, kind.code, el.SUM, work.rank.comm, None)

            def check(work):
                results.append((work.rank, hashlib.sha256(work.buffer.content()).digest()))
                work.buffer.close()

        class Compare:
            def __init__(work, rank):
                own = next(digest for who, digest in results if who is rank)
                work.rank, work.size = rank, len(own)
                work.buffer = Buffer(self.nccl, own * rank.ranks, 0)

            def issue(work):
                at, own = work.buffer.address(), work.rank.rank * work.size
                self.nccl.AllGather(at + own, at, work.size, 1, work.rank.comm, None)

            def check(work):
                content = work.buffer.content()
                if content != content[:work.size] * work.rank.ranks:
                    raise Failure(f"a sum of {count} {kind.name} has other bits on other ranks")
                work.buffer.close()

        self.run(lambda rank: [Sum(rank)])
        self.run(lambda rank: [Compare(rank)])

    def child(self, make):
        """Communicators made from this world's in one group; works on them, then ends them."""
        made = [(rank, c_void_p()) for rank in self.local]
        self.group([lambda rank=rank, out=out: make(rank, out) for rank, out in made])
        inner = self.shared.random()
        families = {}
        for rank, out in made:
            if out.value is None:
                continue
            size = self.nccl.number(self.nccl.CommCount, out)
            number = self.nccl.number(self.nccl.CommUserRank, out)
            key = self.family(rank.rank)
            families.setdefault(key, []).append(Rank(out, number, size, inner))
        for key in sorted(families):
            world = World(self.nccl, families[key], random.Random(f"{inner} {key}"))
            for _ in range(3):
                world.step(depth=1)
            world.close(finalize=world.shared.random() < 0.5)

    def split(self):
        colors = [self.shared.choice((-1, 0, 1, 1)) for _ in range(self.ranks)]
        keys = [self.shared.randrange(-2, 3) for _ in range(self.ranks)]
        self.family = lambda rank: colors[rank]
        self.child(lambda rank, out: self.nccl.CommSplit(rank.comm, colors[rank.rank], keys[rank.rank], byref(out), None))

    def shrink(self):
        gone = self.shared.randrange(self.ranks)
        self.family = lambda rank: 0
        listed = (c_int * 1)(gone)

        def make(rank, out):
            if rank.rank != gone:
                self.nccl.CommShrink(rank.comm, listed, 1, byref(out), None, 0)
        self.child(make)

    def stream(self):
        return self.shared.choice((None, None, 0x1000, 0x2000))

    def step(self, depth=0):
        draw = self.shared.random()
        if draw < 0.05 and depth == 0:
            self.split()
        elif draw < 0.08 and depth == 0 and self.ranks > 1:
            self.shrink()
        elif draw < 0.25:
            self.several()
        elif draw < 0.33:
            self.same_bits()
        else:
            self.single()

    def close(self, finalize=False):
        if finalize:
            self.group([lambda rank=rank: self.nccl.CommFinalize(rank.comm) for rank in self.local])
        self.group_destroy()

    def group_destroy(self):
        self.nccl.GroupStart()
        for rank in self.local:
            self.nccl.CommDestroy(rank.comm)
        self.nccl.GroupEnd()


def huge(world):
    """More than 2^31 bytes in one call: an allreduce in place, a broadcast, a message."""
    nccl, count = world.nccl, (1 << 31) + 12345
    rank = world.local[0]
    buffer = c_void_p()
    nccl.MemAlloc(byref(buffer), count)
    tail = 4096  # compared exactly; the rest by samples

    def wait():
        nccl.wait([rank.comm])

    def expect(value, what):
        for at in (0, (1 << 31) - 1, 1 << 31, count - tail, *range(7, count - tail, count // 50)):
            got = ctypes.string_at(buffer.value + at, tail if at == count - tail else 1)
            if set(got) != {value}:
                raise Failure(f"rank {rank.rank}: {what} of {count} bytes: byte {at} is {got[0]}, not {value}")

    ctypes.memset(buffer, rank.rank + 1, count)
    nccl.AllReduce(buffer, buffer, count, 1, el.SUM, rank.comm, None)
    wait()
    expect(sum(range(1, rank.ranks + 1)), "allreduce")
    ctypes.memset(buffer, rank.rank + 1, count)
    nccl.Broadcast(buffer, buffer, count, 0, 1, rank.comm, None)
    wait()
    expect(2, "broadcast")
    ctypes.memset(buffer, rank.rank + 5, count)
    if rank.rank == 0:
        nccl.Send(buffer, count, 0, 1, rank.comm, None)
        wait()
    elif rank.rank == 1:
        nccl.Recv(buffer, count, 0, 0, rank.comm, None)
        wait()
        expect(5, "message")
    nccl.MemFree(buffer)


def drive(world, options):
    for _ in range(options.cases):
        world.step()
    if options.huge and len(world.local) == 1 and world.ranks == 2:
        huge(world)
    world.close(finalize=world.shared.random() < 0.5)


def one_rank(nccl, options, ranks, rank, identity, blocking, salt):
    comm = nccl.init(ranks, identity, rank, blocking)
    shared = random.Random(f"{options.seed} {salt} {ranks}")
    drive(World(nccl, [Rank(comm, rank, ranks, shared.random())], shared), options)


def in_processes(options, ranks, blocking):
    """Each child loads the library itself; the id travels from rank 0 through pipes."""
    pipes = [os.pipe() for _ in range(ranks)]
    children = []
    for rank in range(ranks):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                watchdog()
                nccl = Nccl(options.library)
                if rank == 0:
                    identity = nccl.unique_id()
                    for _, write in pipes[1:]:
                        os.write(write, identity)
                else:
                    identity = os.read(pipes[rank][0], 128)
                one_rank(nccl, options, ranks, rank, identity, blocking, f"processes {blocking}")
                code = 0
            except BaseException:  # the child must end here, whatever happened
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    for read, write in pipes:
        os.close(read)
        os.close(write)
    return all([os.waitpid(child, 0)[1] == 0 for child in children])


def in_threads(options, ranks, blocking):
    nccl = Nccl(options.library)
    identity, failures = nccl.unique_id(), []

    def body(rank):
        try:
            one_rank(nccl, options, ranks, rank, identity, blocking, f"threads {blocking}")
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # the other ranks would wait for this one
    threads = [threading.Thread(target=body, args=(rank,)) for rank in range(ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return not failures


def in_one_thread(options, ranks, blocking):
    nccl = Nccl(options.library)
    comms = (c_void_p * ranks)()
    nccl.CommInitAll(comms, ranks, None)
    shared = random.Random(f"{options.seed} one {ranks}")
    local = [Rank(c_void_p(comm), rank, ranks, shared.random()) for rank, comm in enumerate(comms)]
    drive(World(nccl, local, shared), options)
    return True


def watchdog():
    """Ends a process whose ranks wait for each other for ever."""
    def end():
        sys.stderr.write(f"no end after {TIMEOUT} s\n")
        faulthandler.dump_traceback()
        sys.stderr.flush()
        os._exit(3)
    timer = threading.Timer(TIMEOUT, end)
    timer.daemon = True
    timer.start()


def in_child(body, *arguments):
    """A process of its own per world: each loads the library afresh."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if body is not in_processes:
                watchdog()
            code = 0 if body(*arguments) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def main():
    sanitizer.restart_with_runtime(sys.argv[1])
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--ranks", default="1,2,3,5")
    parser.add_argument("--worlds", default="processes,threads,one")
    parser.add_argument("--huge", action="store_true")
    options = parser.parse_args()
    worlds = {"processes": in_processes, "threads": in_threads, "one": in_one_thread}
    print(f"seed {options.seed}, {options.cases} cases a communicator", flush=True)
    failed = False
    for name in options.worlds.split(","):
        for ranks in map(int, options.ranks.split(",")):
            for blocking in (True, False) if name != "one" else (True,):
                if not in_child(worlds[name], options, ranks, blocking):
                    print(f"FAILED: {name}, {ranks} ranks, {'blocking' if blocking else 'non-blocking'}; "
                          f"again with --seed {options.seed} --worlds {name} --ranks {ranks}", flush=True)
                    failed = True
    sys.exit(1 if failed else 0)


main()
