#!/usr/bin/env python3
"""Random NCCL calls through ctypes, each compared with plain Python arithmetic: collectives, messages, groups, splits,
shrinks, premultiplied sums, NULL buffers where NCCL allows them, count 0, non-blocking communicators.

usage: ctypes_random.py LIBRARY [--cases N] [--seed N] [--ranks N,…] [--worlds processes,threads,one] [--huge]
AMALGAM_TEST_CASES, AMALGAM_TEST_SEED and AMALGAM_TEST_HUGE=1 are the options' defaults.

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
from ctypes import byref, c_int, c_void_p

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elements as el  # noqa: E402
import sanitizer  # noqa: E402
from client import Nccl  # noqa: E402
from works import COUNTS, Buffer, Case, Collective, Failure, Messages, Rank, Vectors  # noqa: E402

TIMEOUT = 120


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
        works[0][0].random.shuffle(works)  # one thread may call for its ranks in any order
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
        families = {}  # this thread's new ranks, by the communicator they are in
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

        def make(rank, out):
            self.nccl.CommSplit(rank.comm, colors[rank.rank], keys[rank.rank], byref(out), None)
        self.child(make)

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
    identity = nccl.unique_id()

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
    return True


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
    parser.add_argument("--cases", type=int, default=int(os.environ.get("AMALGAM_TEST_CASES", 30)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AMALGAM_TEST_SEED", 20261125)))
    parser.add_argument("--ranks", default="1,2,3,5")
    parser.add_argument("--worlds", default="processes,threads,one")
    parser.add_argument("--huge", action="store_true", default=os.environ.get("AMALGAM_TEST_HUGE") == "1")
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
