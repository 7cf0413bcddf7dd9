"""Arithmetic of the comparison: medians over rounds, paired ratios with bootstrap intervals, the figures to reach."""

import math
import random
import statistics
from collections import defaultdict

PEERS = ("openmpi", "mpich", "gloo")
OURS = "amalgam:malloc"
KIB, MIB = 1024, 1024 * 1024
RESAMPLES = 1000


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else float("nan")


def interval(values):
    """95 % bootstrap interval of the median. With one value there is none."""
    if len(values) < 2:
        return (float("nan"), float("nan"))
    generator = random.Random(len(values))  # the same data give the same interval
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return (medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES) - 1])


class Table:
    """times[cell][variant][size][round] = median microseconds of that round."""

    def __init__(self, data):
        self.groups = data["groups"]
        self.times = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
        self.settings, self.failures = defaultdict(set), []
        for group in self.groups:
            cell = (group["collective"], group["ranks"], group["transport"])
            self.settings[(group["transport"], group["ranks"], group["variant"], group["settings"])].add(group["collective"])
            if group["reason"]:
                self.failures.append((cell, group["variant"], group["round"], group["reason"]))
            for result in group["results"]:
                self.times[cell][group["variant"]][result["size"]][group["round"]] = statistics.median(result["us"])

    def cells(self):
        return list(self.times)

    def sizes(self, cell):
        return sorted({size for sizes in self.times[cell].values() for size in sizes})

    def time(self, cell, variant, size):
        rounds = self.times[cell].get(variant, {}).get(size, {}) if cell in self.times else {}
        return statistics.median(rounds.values()) if rounds else None

    def best(self, cell, size, backends=PEERS):
        """The fastest setting of the fastest peer. Settings that stopped after a first round count only if all did."""
        found = [(len(sizes[size]) > 1, variant) for variant, sizes in self.times[cell].items()
                 if variant.split(":")[0] in backends and size in sizes]
        repeated = [variant for often, variant in found if often] or [variant for _, variant in found]
        return min(repeated, key=lambda variant: self.time(cell, variant, size), default=None)

    def ratio(self, cell, size, other=None, ours=OURS):
        """(other's time / ours, low, high) over the rounds that have both; None without any."""
        other = other or self.best(cell, size)
        mine, theirs = (self.times[cell].get(name, {}).get(size, {}) for name in (ours, other))
        ratios = [theirs[number] / mine[number] for number in sorted(mine.keys() & theirs.keys())]
        return (statistics.median(ratios), *interval(ratios)) if ratios else None

    def ratios(self, cell, least=0, most=1 << 62):
        if cell not in self.times:
            return {}
        found = {size: self.ratio(cell, size) for size in self.sizes(cell) if least <= size <= most}
        return {size: ratio[0] for size, ratio in found.items() if ratio}


def figure(name, bar, value, met, detail=""):
    return dict(name=name, bar=bar, value=value, met=met, detail=detail)


def from_ratios(name, bar, ratios, reduce, limit, below=False):
    if not ratios:
        return figure(name, bar, None, None, "not measured")
    value = reduce(ratios.values())
    worst = (max if below else min)(ratios, key=ratios.get)
    return figure(name, bar, value, value <= limit if below else value >= limit, f"worst at {size_text(worst)}")


def all_figures(table):
    """Every figure of the comparison that has a bar."""
    shm, tcp = ("allreduce", 2, "shm"), ("allreduce", 2, "tcp")
    large, small, wide = table.ratios(shm, 4 * KIB), table.ratios(shm, 0, 4 * KIB - 1), table.ratios(tcp, 64 * KIB)
    latency = {size: 1 / ratio for size, ratio in small.items()}
    found = [
        from_ratios("allreduce 2 ranks shm, from 4 KiB: geometric mean against the best peer", ">= 1.2", large,
                    lambda values: geometric_mean(list(values)), 1.2),
        from_ratios("allreduce 2 ranks shm, from 4 KiB: worst size", ">= 0.9", large, min, 0.9),
        from_ratios("allreduce 2 ranks shm, below 4 KiB: latency / best peer's, worst size", "<= 1.5", latency, max, 1.5, True),
        from_ratios("allreduce 2 ranks tcp, from 64 KiB: worst size against the best peer", ">= 1.0", wide, min, 1.0),
        from_ratios("allreduce 2 ranks tcp, from 64 KiB: geometric mean", "(no bar)", wide,
                    lambda values: geometric_mean(list(values)), 0),
        from_ratios("allreduce 2 ranks tcp, from 16 MiB: share of raw sockets, worst size", ">= 0.7", raw_shares(table, tcp), min, 0.7),
    ]
    for transport in ("shm", "tcp"):
        eight = ("allreduce", 8, transport)
        found.append(from_ratios(f"allreduce 8 ranks {transport}, from 1 MiB: aggregate (ranks x bytes / time) of 8 over 2 ranks, worst size",
                                 ">= 0.5", aggregate_ratios(table, transport), min, 0.5))
        found.append(from_ratios(f"allreduce 8 ranks {transport}, from 1 MiB: worst size against the best peer", ">= 1.0",
                                 table.ratios(eight, MIB), min, 1.0))
    if any(variant.startswith("amalgam") for _, variant, _, _ in table.failures):
        found.append(figure("Amalgam finished every measurement", "yes", None, False, "see Left out"))
    return found


def raw_shares(table, cell):
    if cell not in table.times:
        return {}
    raw = {size: table.best(cell, size, ("raw",)) for size in table.sizes(cell) if size >= 16 * MIB}
    found = {size: table.ratio(cell, size, name) for size, name in raw.items() if name}
    return {size: ratio[0] for size, ratio in found.items() if ratio}


def aggregate_ratios(table, transport):
    two, eight = ("allreduce", 2, transport), ("allreduce", 8, transport)
    if eight not in table.times or two not in table.times:
        return {}
    found = {}
    for size in table.sizes(eight):
        times = table.time(two, OURS, size), table.time(eight, OURS, size)
        if size >= MIB and None not in times:
            found[size] = (8 / times[1]) / (2 / times[0])
    return found


def size_text(size):
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"
