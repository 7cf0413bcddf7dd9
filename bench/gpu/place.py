"""Where the run takes place: our build, the device runtime, the vendor's NCCL. A GPU and the stand-ins differ in these
paths, in the sizes that are worth the time, and in nothing else."""

import glob
import os
import shutil
import site
import subprocess
import sysconfig
from dataclasses import dataclass, field

MIB = 1 << 20


@dataclass
class Place:
    ours: str             # our libnccl.so.2
    programs: list        # folders of ours
    runtime: str          # file of the device runtime, or ""
    vendor_library: str   # the real libnccl.so.2, or ""
    device: int
    real: bool            # a GPU, not a stand-in
    large: int            # bytes of a large call
    patience: float       # factor of the steps' limits
    extra: dict = field(default_factory=dict)  # environment of all processes

    def program(self, name):
        files = [os.path.join(folder, name) for folder in self.programs]
        return next((file for file in files if os.path.exists(file)), files[0])

    def environment(self, **more):
        """Of a process that runs as an unchanged NCCL program with our library preloaded."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AMALGAM_", "NCCL_", "LD_PRELOAD"))}
        environment.update(self.extra, LD_PRELOAD=self.ours, AMALGAM_LOG="warn")
        if self.vendor_library:
            environment["AMALGAM_VENDOR_LIBRARY"] = self.vendor_library
        environment.update(more)
        return environment

    def facts(self):
        return {"library": self.ours, "runtime": self.runtime, "vendor_library": self.vendor_library, "device": self.device,
                "real": self.real, "large_bytes": self.large, "cores": os.cpu_count(), "system": " ".join(os.uname())}

    def text(self):
        kind = "a GPU" if self.real else "STAND-INS: every step must work, figures mean nothing"
        return (f"Amalgam on {kind}\n  library         {self.ours}\n  runtime         {self.runtime or 'not found'}\n"
                f"  vendor's NCCL   {self.vendor_library or 'not found'}\n  cores           {os.cpu_count()}\n")


def packages():
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages(), *site.getsitepackages()]
    return list(dict.fromkeys(folders))


def first(patterns):
    for pattern in patterns:
        for file in sorted(glob.glob(pattern), reverse=True):
            return os.path.realpath(file)
    return ""


def cached(name):
    """Of the dynamic linker's cache."""
    tool = shutil.which("ldconfig") or "/sbin/ldconfig"
    try:
        lines = subprocess.run([tool, "-p"], capture_output=True, text=True, check=False).stdout.splitlines()
    except OSError:
        return ""
    files = [line.split("=>")[1].strip() for line in lines if line.strip().startswith(name) and "=>" in line]
    return os.path.realpath(files[0]) if files else ""


def find_runtime():
    wheels = [os.path.join(folder, "nvidia", "*", "lib", "libcudart.so.1[0-9]") for folder in packages()]
    return first(["/usr/local/cuda/lib64/libcudart.so.1[0-9]", *wheels, "/usr/local/cuda*/lib64/libcudart.so.1[0-9]"]) \
        or cached("libcudart.so.1")


def find_nccl():
    wheels = [os.path.join(folder, "nvidia", "nccl", "lib", "libnccl.so.2") for folder in packages()]
    return first(wheels) or cached("libnccl.so.2")


def find(options):
    if not options.standins:
        dist = os.path.abspath(options.dist)
        return Place(os.path.join(dist, "lib", "libnccl.so.2"), [os.path.join(dist, "bin")], options.runtime or find_runtime(),
                     options.vendor_library or find_nccl(), options.device, True, 256 * MIB, 1)
    build = os.path.abspath(options.standins)
    folder = os.path.join(build, "tests", "vendors", "nvidia")
    runtimes = os.path.join(folder, "lib")
    programs = [os.path.join(build, "bench", each) for each in ("gpu", "perf")]
    environment = {"LD_LIBRARY_PATH": runtimes, "AMALGAM_SILENCE_TIMEOUT": "60s"}  # a busy machine stalls processes
    return Place(os.path.join(build, "src", "abi", "libnccl.so.2"), programs, os.path.join(runtimes, "libcudart.so.13"),
                 os.path.join(folder, "ccl", "libnccl.so.2"), options.device, False, 4 * MIB, 2, environment)
