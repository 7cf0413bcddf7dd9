"""The processes of one job, a rank each, on the stand-in stack of its vendor, with our library preloaded. Importing
PyTorch costs seconds, so they do one case after another until one fails."""

import json
import os
import pathlib
import selectors
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
PATIENCE = float(os.environ.get("AMALGAM_TEST_PATIENCE", "1"))  # of a machine that is busy with other things
START_SECONDS = 300 * PATIENCE
END_SECONDS = 120 * PATIENCE


class Failed(Exception):
    pass


def place(name):
    """Where something is, as the build says."""
    return os.environ["AMALGAM_TEST_" + name]


def environment(vendor, ordinal, report):
    """As a launcher sets it that gives each rank a device of its own, counted by vendor."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("NCCL_", "AMALGAM_", "TORCH_", "CUDA_"))} | {
        "LD_PRELOAD": place("NCCL"),
        "LD_LIBRARY_PATH": f"{place(vendor.upper() + '_RUNTIME')}:{place('STUBS')}",
        "PYTHONPATH": place("TORCH"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "STANDIN_DEVICES": str(ordinal + 1),
        "CUDA_VISIBLE_DEVICES": str(ordinal),
        "STANDIN_CCL_REPORT": report,
        "AMALGAM_VENDOR_LIBRARY": f"nvidia={place('NVIDIA_CCL')},iluvatar={place('ILUVATAR_CCL')}",
        "AMALGAM_TEST_CCL": place(vendor.upper() + "_CCL"),
        # A timeout ends the job at once: nobody collects what PyTorch would dump first.
        "TORCH_NCCL_WAIT_TIMEOUT_DUMP_MILSEC": "500",
        "TORCH_NCCL_DUMP_ON_TIMEOUT": "0",
        "TORCH_FR_BUFFER_SIZE": "0",
    }


class Rank:
    def __init__(self, number, vendor, ordinal, folder, more, prefix):
        self.number = number
        self.log = folder / f"rank{number}.log"
        receive, send = os.pipe()
        variables = environment(vendor, ordinal, str(folder / "report")) | more
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, str(HERE / "rank.py"), str(send)],
                env=variables,
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[send],
            )
        os.close(send)
        self.replies = os.fdopen(receive, "rb")

    def tell(self, **order):
        try:
            self.process.stdin.write((json.dumps(order) + "\n").encode())
        except BrokenPipeError:
            pass  # its end is noticed by whoever waits for the answer

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.replies.close()

    def where(self):
        """Makes a rank that says nothing write where it is, and gives the end of its log."""
        size = self.log.stat().st_size
        self.process.send_signal(signal.SIGUSR1)
        limit = time.monotonic() + 10
        while self.log.stat().st_size == size and self.process.poll() is None and time.monotonic() < limit:
            os.sched_yield()
        return self.tail(60)

    def tail(self, lines=12):
        text = self.log.read_text(errors="replace").strip().splitlines()[-lines:]
        return "".join(f"\n    rank {self.number} | {line}" for line in text)


class Pool:
    """vendors: one for each rank. hosts: where they are (hosts.py)."""

    def __init__(self, vendors, folder, variables, hosts):
        self.vendors = vendors
        self.address = hosts.address
        variables = {"AMALGAM_TEST_FOLDER": str(folder)} | variables
        folder.mkdir(parents=True)
        self.folder = folder
        seen = []
        self.ranks = []
        for number, vendor in enumerate(vendors):
            more = hosts.variables(number) | variables
            self.ranks.append(Rank(number, vendor, seen.count(vendor), folder, more, hosts.prefix(number)))
            seen.append(vendor)

    def start(self):
        self.collect(self.ranks, START_SECONDS)
        first, *others = self.ranks
        first.tell(do="listen", address=self.address, size=len(self.ranks))
        port = self.collect([first], START_SECONDS)[0]["port"]
        for rank in self.ranks:
            rank.tell(do="enter", rank=rank.number, vendors=self.vendors, address=self.address, port=port)
        self.collect(self.ranks, START_SECONDS)

    def run(self, case):
        for rank in self.ranks:
            rank.tell(do="run", place=case.place, joins=case.joins or case.alone)
        staying = [rank for rank in self.ranks if rank.number not in case.ends]
        seconds = case.seconds * PATIENCE
        deadline = time.monotonic() + seconds
        self.collect(staying, seconds)
        for number, code in case.ends.items():
            self.expect_end(self.ranks[number], code, deadline)
        self.ranks = staying

    def end(self):
        """All ranks leave the process group and end by themselves. Returns what each vendor's library carried."""
        for rank in self.ranks:
            rank.tell(do="end")
        deadline = time.monotonic() + END_SECONDS
        replies = self.collect(self.ranks, END_SECONDS)
        for rank in self.ranks:
            self.expect_end(rank, 0, deadline)
        return [reply["carried"] for reply in replies]

    def expect_end(self, rank, code, deadline):
        try:
            got = rank.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failed(f"rank {rank.number} does not end{rank.tail()}") from None
        if got != code:
            raise Failed(f"rank {rank.number} ended with {got}, not {code}{rank.tail()}")

    def collect(self, ranks, seconds):
        """A reply of each of the ranks; one that fails or ends, or too long a silence, is Failed."""
        deadline = time.monotonic() + seconds
        found = {}
        with selectors.DefaultSelector() as selector:
            for rank in ranks:
                selector.register(rank.replies, selectors.EVENT_READ, rank)
            while len(found) < len(ranks):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    late = [rank for rank in ranks if rank not in found]
                    raise Failed(f"no answer after {seconds} s" + "".join(rank.where() for rank in late))
                for key, _ in ready:
                    selector.unregister(key.fileobj)
                    found[key.data] = self.read(key.data)
        errors = [f"rank {rank.number}: {reply['error']}{rank.tail()}" for rank, reply in found.items() if "error" in reply]
        if errors:
            raise Failed("\n".join(errors))
        return [found[rank] for rank in ranks]

    def read(self, rank):
        line = rank.replies.readline()
        if line:
            return json.loads(line)
        rank.process.wait(END_SECONDS)
        return {"error": f"ended with {rank.process.returncode}"}

    def close(self):
        for rank in self.ranks:
            rank.close()
