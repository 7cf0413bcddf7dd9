"""One rank of the demo: a program that knows NCCL and its own device, and does what its standard input says.

A line in is {"do": NAME, …}, a line out its answer; {"error": TEXT} ends the demo.
"""

import json
import os
import statistics
import sys
import time

import binding
import stacks
from cases import Case, expected, given

ROUNDS = 3


class Call:
    """One call of a communicator: its buffers, and what must be in them afterwards."""

    def __init__(self, device, comm, case):
        self.device, self.comm, self.case = device, comm, case
        self.wanted = expected(case, comm.rank, comm.ranks)
        self.send = device.buffer(given(case, comm.rank, comm.ranks))
        self.receive = device.buffer(b"\xa5" * len(self.wanted))  # what no case gives
        device.wait()

    def enqueue(self):
        self.comm.run(self.case, self.device.address(self.send), self.device.address(self.receive), self.device.stream)

    def end(self):
        right = self.device.read(self.receive, len(self.wanted)) == self.wanted
        self.device.release(self.send)
        self.device.release(self.receive)
        return right


class Rank:
    def __init__(self, options):
        stack = stacks.STACKS[options["stack"]]
        self.rank, self.ranks = options["rank"], options["ranks"]
        file = os.path.join(stacks.vendors_folder(options["build"]), stack.runtime)
        self.device = binding.Device(file, stack.prefix) if stack.runtime else binding.HostMemory()
        self.device.use(options["device"])
        self.color = list(stacks.STACKS).index(options["stack"])
        self.comm = binding.Nccl()
        self.late = None

    def do_id(self, _):
        return {"id": self.comm.make_id().hex()}

    def do_init(self, request):
        self.comm.init(self.ranks, bytes.fromhex(request["id"]), self.rank)
        return {"text": self.comm.describe()}

    def do_case(self, request):
        call = Call(self.device, self.comm, Case(**request["case"]))
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            call.enqueue()
            self.device.wait()
            times.append(time.perf_counter() - begin)
        return {"us": 1e6 * statistics.median(times), "right": call.end()}

    def do_enter(self, request):
        """The call alone: on a device it returns while others are missing, and the stream waits."""
        self.late = Call(self.device, self.comm, Case(**request["case"]))
        self.late.enqueue()
        return {}

    def do_complete(self, _):
        return {"right": self.late.end()}

    def do_split(self, request):
        """Each vendor's ranks alone."""
        child = self.comm.split(self.color)
        call = Call(self.device, child, Case(**request["case"]))
        call.enqueue()
        self.device.wait()
        answer = {"text": child.describe(), "right": call.end()}
        child.destroy()
        return answer

    def do_destroy(self, _):
        self.comm.destroy()
        return {}


def main():
    me = Rank(json.loads(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(me, "do_" + request["do"])(request)
        except binding.Failure as failure:
            answer = {"error": str(failure)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
