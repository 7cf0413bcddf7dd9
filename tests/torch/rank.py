"""One rank of a job: does what pool.py tells it by lines on standard input, and answers on the descriptor it was given.

usage: rank.py DESCRIPTOR
"""

import ctypes
import faulthandler
import json
import os
import signal
import sys
import traceback

import bridge
import torch.distributed as dist
import world as worlds

import cases


class Rank:
    def __init__(self):
        self.store = None
        self.world = None

    def listen(self, address, size):
        """The store at which all meet lives in rank 0."""
        self.store = dist.TCPStore(address, 0, size, is_master=True, wait_for_workers=False)
        return {"port": self.store.port}

    def enter(self, rank, vendors, address, port):
        if self.store is None:
            self.store = dist.TCPStore(address, port, len(vendors), is_master=False)
        self.world = worlds.World(rank, vendors, self.store)
        return {}

    def run(self, place, joins):
        """The process group stays for the next case, unless this one makes its own."""
        if joins and dist.is_initialized():
            dist.destroy_process_group()
        elif not joins and not dist.is_initialized():
            self.world.join()
        self.world.mark()
        cases.find(place)(self.world)
        if joins and dist.is_initialized() and self.world.leaves:
            dist.destroy_process_group()
        return {}

    def end(self):
        if dist.is_initialized() and self.world.leaves:
            dist.destroy_process_group()
        return {"carried": worlds.carried()}


PR_SET_PDEATHSIG = 1


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody is left behind in a call
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # where it is, for pool.py
    replies = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    bridge.install()
    rank = Rank()
    print("{}", file=replies)
    for line in sys.stdin:
        order = json.loads(line)
        what = order.pop("do")
        try:
            reply = getattr(rank, what)(**order)
        except BaseException:  # whatever it is, the other side must hear of it
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), file=replies)
        if what == "end":
            break


if __name__ == "__main__":
    main()
