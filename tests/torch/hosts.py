"""Two hosts in one machine: network namespaces joined by a virtual wire, each with a /dev/shm of its own. They end with
this process."""

import subprocess

HOLD = "mount -t tmpfs -o size=512M tmpfs /dev/shm && ip link set lo up && echo ready && read word"
UNSHARE = ["unshare", "-n", "-m", "--propagation", "private", "sh", "-c"]
ADDRESSES = ("10.78.0.1", "10.78.0.2")
WIRE = "wire0"


def possible():
    try:
        probe = "mount -t tmpfs -o size=1M tmpfs /dev/shm && ip link add a0 type veth peer name a1"
        return subprocess.run([*UNSHARE, probe], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


class Hosts:
    """`of` says on which host each rank is."""

    def __init__(self, of):
        self.of = of
        self.shells = []
        for _ in ADDRESSES:
            self.shells.append(subprocess.Popen([*UNSHARE, HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            if self.shells[-1].stdout.readline() != b"ready\n":
                raise RuntimeError("no namespace")
        self.inside(0, f"ip link add {WIRE} type veth peer name {WIRE} netns {self.shells[1].pid}")
        for host, address in enumerate(ADDRESSES):
            self.inside(host, f"ip addr add {address}/24 dev {WIRE} && ip link set {WIRE} up")

    def enter(self, host):
        return ["nsenter", "-t", str(self.shells[host].pid), "-n", "-m"]

    def inside(self, host, command):
        subprocess.run([*self.enter(host), "sh", "-c", command], check=True)

    def prefix(self, rank):
        return self.enter(self.of[rank])

    def variables(self, rank):
        return {"NCCL_HOSTID": f"host{self.of[rank]}"}

    @property
    def address(self):
        return ADDRESSES[self.of[0]]

    def close(self):
        for shell in self.shells:
            shell.stdin.close()
            shell.wait()
            shell.stdout.close()


class OneHost:
    """The machine as it is."""

    address = "127.0.0.1"

    def prefix(self, rank):
        return []

    def variables(self, rank):
        return {}

    def close(self):
        pass
