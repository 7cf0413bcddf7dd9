"""The processes of a demo: one for each rank, told what to do by lines, ended together."""

import json
import os
import selectors
import subprocess
import sys
import tempfile

import stacks

PATIENCE_S = 60
HERE = os.path.dirname(os.path.abspath(__file__))


class Job:
    def __init__(self, vendors, build):
        self.build = build
        self.devices = [vendors[:rank].count(vendor) for rank, vendor in enumerate(vendors)]
        self.errors = tempfile.TemporaryFile("w+")
        ours = os.path.abspath(os.path.join("dist", "lib", "libnccl.so.2"))
        self.processes = []
        for rank, vendor in enumerate(vendors):
            options = {"stack": vendor, "device": self.devices[rank], "rank": rank, "ranks": len(vendors), "build": build}
            self.processes.append(subprocess.Popen(
                [sys.executable, os.path.join(HERE, "rank.py"), json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.errors, text=True, env=stacks.environment(stacks.STACKS[vendor], build, ours, vendors.count(vendor))))

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        died = {rank: process.poll() for rank, process in enumerate(self.processes) if process.poll() is not None}
        for process in self.processes:
            if failure:
                process.kill()
            process.stdin.close()  # its end is the rank's end
        codes = [process.wait(PATIENCE_S) for process in self.processes]
        self.errors.seek(0)
        said = self.errors.read()
        if said:
            print(said, end="", file=sys.stderr)
        if failure and died:
            print(f"ended before: {', '.join(f'rank {rank} with {code}' for rank, code in died.items())}", file=sys.stderr)
        if not failure and any(codes):
            sys.exit(f"a rank ended with an error: exit codes {codes}")

    def ask_all(self, request):
        return self.ask(range(len(self.processes)), request)

    def ask(self, ranks, request):
        """All are asked before the first answer is awaited: a collective needs everybody."""
        for rank in ranks:
            self.processes[rank].stdin.write(json.dumps(request) + "\n")
            self.processes[rank].stdin.flush()
        return [self.answer(rank) for rank in ranks]

    def answer(self, rank):
        output = self.processes[rank].stdout
        with selectors.DefaultSelector() as selector:  # an answer is one line, written at once
            selector.register(output, selectors.EVENT_READ)
            line = output.readline() if selector.select(PATIENCE_S) else ""
        answer = json.loads(line) if line else {"error": f"no answer within {PATIENCE_S} s, or the process has ended"}
        if "error" in answer:
            raise SystemExit(f"rank {rank}: {answer['error']}")
        return answer

    def short(self, text):
        """Without the folder of this checkout."""
        return text.replace(os.getcwd() + os.sep, "")
