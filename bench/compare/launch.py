"""Builds the programs of the comparison and runs one process group at a time, each under a time limit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BOARD_BYTES = 64 * 1024


def find_library():
    """The folder with libnccl.so.2: what ./dev build made, or AMALGAM_BUILD_DIR."""
    named = os.environ.get("AMALGAM_BUILD_DIR")
    places = [ROOT / named / "src/abi"] if named else []
    places += [ROOT / "dist/lib", ROOT / "build/src/abi"]
    for place in places:
        if (place / "libnccl.so.2").exists():
            return place
    sys.exit("compare: no libnccl.so.2 found; run ./dev build first")


def is_current(program, sources):
    return program.exists() and all(source.stat().st_mtime < program.stat().st_mtime for source in sources)


def build(out):
    """Compiles what can be compiled. Returns ({backend: program}, {backend: why it is missing})."""
    out.mkdir(parents=True, exist_ok=True)
    library = find_library()
    flags = ["-std=c++20", "-O2", "-g", "-DAMALGAM_NO_DEVICE_HEADERS=1", f"-I{ROOT}", f"-I{ROOT / 'include'}"]
    core = str(HERE / "core.cc")
    recipes = {
        "amalgam": ("g++", "amalgam.cc", [str(library / "libnccl.so.2"), f"-Wl,-rpath,{library}"]),
        "openmpi": ("mpicxx.openmpi", "mpi.cc", []),
        "mpich": ("mpicxx.mpich", "mpi.cc", []),
        "gloo": ("g++", "gloo.cc", ["-lgloo", "-lpthread"]),
        "raw": ("g++", "raw.cc", []),
    }
    programs, missing, running = {}, {}, {}
    for backend, (compiler, source, libraries) in recipes.items():
        program = out / f"compare-{backend}"
        programs[backend] = str(program)
        if is_current(program, [HERE / source, HERE / "core.cc", HERE / "core.h"]):
            continue
        if shutil.which(compiler) is None:
            missing[backend] = f"{compiler} is not installed"
            continue
        command = [compiler, *flags, str(HERE / source), core, "-o", str(program), *libraries]
        running[backend] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for backend, process in running.items():
        _, errors = process.communicate()
        if process.returncode != 0:
            missing[backend] = "does not build: " + (errors.strip().splitlines() or ["?"])[0]
    programs = {backend: program for backend, program in programs.items() if backend not in missing}
    if "amalgam" not in programs:
        sys.exit(f"compare: Amalgam's program {missing['amalgam']}")
    return programs, missing


class Group:
    """The processes of one measurement, their files, and how to be rid of them."""

    def __init__(self, program, variant, ranks, arguments, cores):
        self.program, self.variant, self.ranks, self.arguments, self.cores = program, variant, ranks, arguments, cores
        self.folder = tempfile.mkdtemp(prefix="compare-", dir="/tmp")
        self.processes = []

    def run(self, limit):
        """Returns (records, reason); reason is '' when every process ended well."""
        try:
            self._start()
            return self._collect(limit)
        finally:
            self._end()

    def _environment(self):
        board = os.path.join(self.folder, "board")
        with open(board, "wb") as file:
            file.truncate(BOARD_BYTES)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AMALGAM_", "NCCL_", "OMPI_", "MPIR_", "UCX_"))}
        environment.update(COMPARE_BOARD=board, COMPARE_MEET=self.folder, COMPARE_RANKS=str(self.ranks))
        environment.update(self.variant.environment)
        return environment

    def _start(self):
        environment = self._environment()
        errors = open(os.path.join(self.folder, "stderr"), "wb")
        output = open(os.path.join(self.folder, "stdout"), "wb")
        common = dict(stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True)
        command = [self.program, *self.arguments]
        if self.variant.launcher:
            launcher = [part.replace("{ranks}", str(self.ranks)) for part in self.variant.launcher]
            self.processes.append(subprocess.Popen(launcher + command, env=environment, **common))
        else:
            for rank in range(self.ranks):
                mine = dict(environment, COMPARE_RANK=str(rank))
                bound = ["taskset", "-c", str(self.cores[rank])] if self.variant.bind and self.ranks <= len(self.cores) else []
                self.processes.append(subprocess.Popen(bound + command, env=mine, **common))
        errors.close()
        output.close()

    def _collect(self, limit):
        deadline = time.monotonic() + limit
        reason = ""
        while any(process.poll() is None for process in self.processes):
            if any(process.poll() not in (None, 0) for process in self.processes):
                time.sleep(0.3)  # lets the others say what they saw
                break
            if time.monotonic() > deadline:
                reason = f"not done after {limit:.0f} s"
                break
            time.sleep(0.005)
        codes = [process.poll() for process in self.processes]
        bad = [code for code in codes if code not in (None, 0)]
        if not reason and bad:
            reason = f"ended with {bad[0]}: {self._last_words()}"
        return self._records(), reason

    def _last_words(self):
        text = Path(self.folder, "stderr").read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("---")]
        own = [line for line in lines if line.startswith("compare:")]
        return (own or lines or ["no message"])[0][:200]

    def _records(self):
        records = []
        for line in Path(self.folder, "stdout").read_text(errors="replace").splitlines():
            if line.startswith('{"compare"'):
                try:
                    records.append(json.loads(line))
                except ValueError:
                    pass  # cut off by a kill
        return records

    def _end(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGTERM if self.variant.launcher and process.poll() is None else signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._end_strays()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_strays(self):
        """mpirun puts ranks into sessions of their own; a rank is ours when its environment names our folder."""
        mark = f"COMPARE_MEET={self.folder}\0".encode()
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                if mark in Path("/proc", entry, "environ").read_bytes():
                    os.kill(int(entry), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
