"""The collectives of the demo: what each rank gives, calls and must get."""

from dataclasses import dataclass

import elements

OPERATIONS = {"sum": 0, "prod": 1, "max": 2}
# How many blocks of `count` elements a rank gives and gets; n ranks, `root` only at the root.
SHAPES = {"allreduce": ("1", "1"), "reduce": ("1", "root"), "broadcast": ("1", "1"), "allgather": ("1", "n"),
          "reducescatter": ("n", "1"), "alltoall": ("n", "n"), "gather": ("1", "root n"), "scatter": ("root n", "1"),
          "ring": ("1", "1")}


@dataclass(frozen=True)
class Case:
    collective: str
    kind: str        # of the elements
    count: int       # of a block
    operation: str = ""
    root: int = 0

    def label(self):
        return " ".join(part for part in (self.collective, self.operation) if part)

    def bytes(self):
        return self.count * elements.size(self.kind)


CASES = [
    Case("allreduce", "float32", 2, "sum"),
    Case("allreduce", "bfloat16", 256 << 10, "sum"),
    Case("allreduce", "float32", 1 << 20, "sum"),
    Case("allreduce", "int64", 1000, "prod"),
    Case("reduce", "float64", 100_000, "max", 1),
    Case("broadcast", "int8", 1 << 20, root=3),
    Case("allgather", "float16", 250_001),
    Case("reducescatter", "float32", 250_000, "sum"),
    Case("alltoall", "int32", 100_003),
    Case("gather", "float32", 65_536, root=3),
    Case("scatter", "bfloat16", 65_537, root=1),
    Case("ring", "float32", 1 << 18),
]


def blocks(shape, rank, ranks, root):
    if shape.startswith("root") and rank != root:
        return 0
    return ranks if shape.endswith("n") else 1


def given(case, rank, ranks):
    return elements.block(case.kind, rank, case.count * blocks(SHAPES[case.collective][0], rank, ranks, case.root))


def expected(case, rank, ranks):
    if blocks(SHAPES[case.collective][1], rank, ranks, case.root) == 0:
        return b""
    kind, count = case.kind, case.count
    everybody = range(ranks)
    if case.collective in ("allreduce", "reduce"):
        return elements.combined(kind, case.operation, ranks, count)
    if case.collective == "reducescatter":
        return elements.combined(kind, case.operation, ranks, count, rank * count)
    if case.collective in ("allgather", "gather"):
        return b"".join(elements.block(kind, other, count) for other in everybody)
    if case.collective == "alltoall":
        return b"".join(elements.block(kind, other, count, rank * count) for other in everybody)
    if case.collective == "scatter":
        return elements.block(kind, case.root, count, rank * count)
    return elements.block(kind, case.root if case.collective == "broadcast" else (rank - 1) % ranks, count)
