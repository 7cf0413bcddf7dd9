"""Each library at each documented setting that might be its best, per collective, number of ranks and transport.

A variant is (backend, name, launcher, environment, bind). Which variant is best is measured, not assumed; the report
prints the settings of every variant in full.
"""

from dataclasses import dataclass, field


@dataclass
class Variant:
    backend: str
    name: str
    launcher: list = field(default_factory=list)  # empty: run.py starts the ranks itself
    environment: dict = field(default_factory=dict)
    bind: bool = False  # one core per rank while there are enough

    @property
    def key(self):
        return f"{self.backend}:{self.name}"

    @property
    def settings(self):
        words = [f"{name}={value}" for name, value in self.environment.items()] + self.launcher
        return " ".join(words) + (" (bound to cores)" if self.bind else "")


# Open MPI's algorithm numbers: those that might beat its own choice on few ranks of one machine.
OPENMPI_ALGORITHMS = {
    "allreduce": [("recursive-doubling", "allreduce", 3, 0), ("segmented-ring", "allreduce", 5, 131072),
                  ("rabenseifner", "allreduce", 6, 0)],
    "reduce": [("pipeline", "reduce", 3, 131072)],
    "broadcast": [("pipeline", "bcast", 3, 131072)],
    "allgather": [("ring", "allgather", 4, 0)],
    "reduce_scatter": [("recursive-halving", "reduce_scatter_block", 3, 0)],
    "alltoall": [("pairwise", "alltoall", 2, 0)],
}
OPENMPI_SM_COLLECTIVES = ("allreduce", "reduce", "broadcast")  # what its coll/sm component has of its own
MPICH_RELEASE_GATHER = {"allreduce": "ALLREDUCE", "reduce": "REDUCE", "broadcast": "BCAST"}


def mca(**parameters):
    words = []
    for name, value in parameters.items():
        words += ["--mca", name, str(value)]
    return words


def tuned(operation, algorithm, segment):
    chosen = {"coll_tuned_use_dynamic_rules": 1, f"coll_tuned_{operation}_algorithm": algorithm}
    if segment:
        chosen[f"coll_tuned_{operation}_algorithm_segmentsize"] = segment
    return mca(**chosen)


def openmpi(collective, ranks, transport, cores):
    place = "core" if ranks <= cores else "none"
    start = ["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "--bind-to", place, "-np", "{ranks}"]
    algorithms = OPENMPI_ALGORITHMS[collective]
    if transport == "shm":
        base = start + mca(pml="ob1", btl="self,vader")
        plain = base + mca(btl_vader_single_copy_mechanism="none")
        found = [Variant("openmpi", "vader", plain), Variant("openmpi", "vader+cma", base + mca(btl_vader_single_copy_mechanism="cma"))]
        found += [Variant("openmpi", f"vader,{name}", plain + tuned(*rest)) for name, *rest in algorithms]
        if collective in OPENMPI_SM_COLLECTIVES:
            found.append(Variant("openmpi", "vader,coll-sm", plain + mca(coll_sm_priority=100)))
        return found
    base = start + mca(pml="ob1", btl="self,tcp", btl_tcp_if_include="lo")
    wide = base + mca(btl_tcp_links=2, btl_tcp_sndbuf=4194304, btl_tcp_rcvbuf=4194304)
    found = [Variant("openmpi", "tcp", base), Variant("openmpi", "tcp,2-links,4M-buffers", wide)]
    return found + [Variant("openmpi", f"tcp,{name}", base + tuned(*rest)) for name, *rest in algorithms]


def mpich(collective, ranks, transport, cores):
    start = ["mpirun.mpich"] + (["-bind-to", "core"] if ranks <= cores else []) + ["-n", "{ranks}"]
    waiting = {} if ranks <= cores else {"MPIR_CVAR_POLLS_BEFORE_YIELD": "1"}
    found = []

    def add(name, **environment):
        found.append(Variant("mpich", name, start, dict(waiting, **environment)))

    if transport == "shm":
        add("posix")
        if collective in MPICH_RELEASE_GATHER:
            name = MPICH_RELEASE_GATHER[collective]
            add("posix,release-gather", **{f"MPIR_CVAR_{name}_POSIX_INTRA_ALGORITHM": "release_gather",
                                           f"MPIR_CVAR_{name}_INTRA_ALGORITHM": "auto"})
        add("ucx-shm", MPIR_CVAR_NOLOCAL="1", UCX_TLS="self,sm")
        return found
    tcp = dict(MPIR_CVAR_NOLOCAL="1", UCX_TLS="self,tcp", UCX_NET_DEVICES="lo")
    add("ucx-tcp", **tcp)
    add("ucx-tcp,4M-buffers", **dict(tcp, UCX_TCP_SNDBUF="4m", UCX_TCP_RCVBUF="4m"))
    if collective == "allreduce":
        add("ucx-tcp,reduce-scatter-allgather", **dict(tcp, MPIR_CVAR_ALLREDUCE_INTRA_ALGORITHM="reduce_scatter_allgather"))
    return found


def gloo(collective, ranks, transport, cores):
    if transport == "shm":
        return []
    names = ["ring", "bcube", "halving_doubling", "ring_chunked"] if collective == "allreduce" else ["default"]
    return [Variant("gloo", f"tcp,{name}", environment={"COMPARE_GLOO": name}) for name in names]


def where(transport):
    """The peers are told the loopback interface too."""
    return {"AMALGAM_TRANSPORTS": transport, "AMALGAM_INTERFACES": "lo"}


def amalgam(transport, with_memalloc):
    found = [Variant("amalgam", "malloc", environment=where(transport), bind=True)]
    if with_memalloc:
        environment = dict(where(transport), COMPARE_MEMORY="nccl")
        found.append(Variant("amalgam", "ncclMemAlloc", environment=environment, bind=True))
    return found


def raw(collective, ranks, transport, sockets):
    if transport != "tcp" or ranks != 2 or collective != "allreduce":
        return []
    return [Variant("raw", f"{n}-sockets", environment={"COMPARE_SOCKETS": str(n)}, bind=True) for n in sockets]


def variants_of(collective, ranks, transport, cores, sockets):
    """Amalgam first, then the peers: the order in which a round runs them."""
    return (amalgam(transport, transport == "shm") + openmpi(collective, ranks, transport, cores)
            + mpich(collective, ranks, transport, cores) + gloo(collective, ranks, transport, cores)
            + raw(collective, ranks, transport, sockets))


NOTES = [
    "Gloo's Debian build has no shared-memory transport: it stands in the TCP tables only.",
    "Gloo's reduce_scatter is its old-style halving-doubling algorithm, the only one it has.",
    "MPI_Bcast works in place; Amalgam's and Gloo's broadcasts also copy the root's buffer.",
    "allgather, reduce_scatter, alltoall: the size is the larger of a rank's two buffers, at least one float per rank.",
]
