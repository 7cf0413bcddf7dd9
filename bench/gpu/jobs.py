"""Processes of a step: started together, ended together, whatever happens to one of them."""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import tempfile
import time


class Failure(Exception):
    pass


class Skip(Exception):
    """What a step needs is not here."""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def stop(processes):
    for process in processes:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_lines(text, number=4):
    return " | ".join(text.strip().splitlines()[-number:])[-600:]


def share(until, part):
    """A part of the time that is left."""
    now = time.monotonic()
    return now + part * (until - now)


def run(commands, until):
    """Each command is (arguments, environment). Gives the standard outputs; fails with the first that fails, or at `until`."""
    begin = time.monotonic()
    files = [tempfile.TemporaryFile("w+") for _ in range(2 * len(commands))]
    outputs, errors = files[::2], files[1::2]
    processes = []
    try:
        for (arguments, environment), output, error in zip(commands, outputs, errors):
            processes.append(subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=error,
                                              start_new_session=True))
        failed = wait(processes, until)
    finally:
        stop(processes)
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read())
        file.close()
    if failed is not None:
        code = processes[failed].returncode
        what = f"nothing came within {until - begin:.0f} s" if code == -signal.SIGKILL else f"process {failed} ended with {code}"
        raise Failure(f"{what}: {last_lines(texts[2 * failed + 1] or texts[2 * failed])}")
    return texts[::2]


def wait(processes, until):
    """The number of the process that failed first, or is late; None when all ended well."""
    with selectors.DefaultSelector() as running:
        for number, process in enumerate(processes):
            running.register(os.pidfd_open(process.pid), selectors.EVENT_READ, number)
        try:
            while running.get_map():
                ended = running.select(max(0.0, until - time.monotonic()))
                for key, _ in ended:
                    if processes[key.data].wait() != 0:
                        return key.data
                    running.unregister(key.fd)
                    os.close(key.fd)
                if not ended:
                    return min(key.data for key in running.get_map().values())
        finally:
            for key in list(running.get_map().values()):
                os.close(key.fd)
    return None


def probe(here, part, until, *arguments, environment=None, wrapper=()):
    """Runs one part of gpu_probe and gives its figures."""
    if not here.runtime:
        raise Skip("no device runtime was found (--runtime)")
    command = [*wrapper, here.program("gpu_probe"), part, "--runtime", here.runtime, "--device", str(here.device), *arguments]
    output = run([(command, environment or here.environment())], until)[0]
    return json.loads(output.strip().splitlines()[-1])


CPU = "cpu"


def perf(here, name, ranks, arguments, until, environments=None, shared=None):
    """Runs NAME_perf with a process for each of `ranks`: a device number, or CPU. Gives the rows of its JSON."""
    if not here.runtime:
        raise Skip("no device runtime was found (--runtime)")
    shared = {"WORLD_SIZE": str(len(ranks)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port() - 1), **(shared or {})}
    with tempfile.TemporaryDirectory() as folder:
        table = os.path.join(folder, "table.json")
        commands = []
        for rank, where in enumerate(ranks):
            own = {"AMALGAM_DEVICE": "host"} if where == CPU else {}
            own.update((environments or {}).get(rank, {}))
            command = [here.program(f"{name}_perf"), *arguments, "-J", table]
            if where != CPU:
                command += ["--device", str(where), "--runtime", here.runtime]
            commands.append((command, here.environment(**shared, **own, RANK=str(rank))))
        run(commands, until)
        with open(table, encoding="utf-8") as file:
            result = json.load(file)
    if result["out_of_bounds"] != 0:
        raise Failure(f"{name}_perf: {result['out_of_bounds']} wrong elements")
    return result["results"]
