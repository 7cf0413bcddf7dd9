"""Writes the results: raw times as JSON, tables as Markdown, ratios as a plot, and the summary at the end."""

import json
import subprocess
import sys
from pathlib import Path

from figures import KIB, OURS, PEERS, Table, all_figures, geometric_mean, size_text

MEMALLOC = "amalgam:ncclMemAlloc"


def microseconds(value):
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def ratio_text(ratio):
    if ratio is None:
        return "-"
    value, low, high = ratio
    return f"{value:.2f}" + ("" if low != low else f" [{low:.2f}, {high:.2f}]")


def best_of(table, cell, size, backend):
    variant = table.best(cell, size, (backend,))
    return None if variant is None else table.time(cell, variant, size)


def cell_table(table, cell):
    collective, ranks, transport = cell
    present = {variant.split(":")[0] for variant in table.times[cell]}
    peers = [peer for peer in PEERS if peer in present]
    extra = [name for name in table.times[cell] if name == MEMALLOC or name.startswith("raw:")]
    head = ["size", "Amalgam µs", "GB/s", *[name.split(":")[1] + " µs" for name in extra], *[f"{peer} µs" for peer in peers],
            "best peer", "ratio [95 %]", "rounds"]
    lines = [f"### {collective}, {ranks} ranks, {transport}", "", "| " + " | ".join(head) + " |", "|" + "--:|" * len(head)]
    for size in table.sizes(cell):
        ours = table.time(cell, OURS, size)
        best = table.best(cell, size)
        row = [size_text(size), microseconds(ours), "-" if ours is None else f"{size / ours / 1e3:.2f}"]
        row += [microseconds(table.time(cell, name, size)) for name in extra]
        row += [microseconds(best_of(table, cell, size, peer)) for peer in peers]
        row += [best or "-", ratio_text(table.ratio(cell, size)) if best else "-", str(len(table.times[cell][OURS][size]))]
        lines.append("| " + " | ".join(row) + " |")
    return lines + [""]


def summary(table):
    lines = ["| figure | bar | measured | |", "|---|---|--:|---|"]
    for one in all_figures(table):
        value = "-" if one["value"] is None else f"{one['value']:.2f}"
        met = {True: "met", False: "NOT MET", None: "-"}[one["met"]] if not one["bar"].startswith("(") else ""
        lines.append(f"| {one['name']} ({one['detail']}) | {one['bar']} | {value} | {met} |")
    lines += ["", "Ratio to the best peer (above 1: Amalgam is faster), geometric mean:", "",
              "| collective | ranks | transport | below 4 KiB | from 4 KiB | worst from 4 KiB |", "|---|--:|---|--:|--:|--:|"]
    for cell in table.cells():
        small, large = list(table.ratios(cell, 0, 4 * KIB - 1).values()), list(table.ratios(cell, 4 * KIB).values())
        numbers = [geometric_mean(small), geometric_mean(large), min(large, default=float("nan"))]
        lines.append(f"| {cell[0]} | {cell[1]} | {cell[2]} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")
    return lines + [""]


def left_out(data, table):
    lines = [f"- {backend}: {reason}" for backend, reason in data["machine"]["missing"].items()]
    lines += [f"- {variant}, {cell[0]} {cell[1]} ranks {cell[2]}, round {number + 1}: {reason}"
              for cell, variant, number, reason in table.failures]
    return ["## Left out", ""] + (lines or ["Nothing: every process group ended in time with right results."]) + [""]


def settings(table):
    """As the commands were given, {ranks} standing for the number."""
    lines = ["## Settings", ""]
    for (transport, ranks, variant, given), collectives in sorted(table.settings.items()):
        lines.append(f"- {transport}, {ranks} ranks, {variant} ({', '.join(sorted(collectives))}): `{given or 'defaults'}`")
    return lines + [""]


def text(data):
    table = Table(data)
    machine = data["machine"]
    lines = [f"# Comparison of {data['date']} ({data['kind']} run)", "",
             f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, load {machine['load']:.1f} at the start. "
             f"{', '.join(machine['packages'])}. Amalgam {machine['commit']}.",
             "Times are medians over rounds; docs/compare.md says how they were taken.", "", "## Summary", ""]
    lines += summary(table) + left_out(data, table) + ["## Times", ""]
    for cell in table.cells():
        lines += cell_table(table, cell)
    return "\n".join(lines + settings(table) + ["## Notes", ""] + [f"- {note}" for note in data["notes"]] + [""])


def plot(table, path):
    """Ratio to the best peer over the size: a panel per collective, a line per ranks and transport."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot

    collectives = list(dict.fromkeys(cell[0] for cell in table.cells()))
    columns = min(3, len(collectives))
    rows = (len(collectives) + columns - 1) // columns
    canvas, panels = pyplot.subplots(rows, columns, figsize=(5 * columns, 3.6 * rows), squeeze=False, sharey=True)
    for panel in panels.flat[len(collectives):]:
        panel.set_visible(False)
    for panel, collective in zip(panels.flat, collectives):
        for cell in (cell for cell in table.cells() if cell[0] == collective):
            found = {size: table.ratio(cell, size) for size in table.sizes(cell)}
            found = {size: ratio for size, ratio in found.items() if ratio}
            if not found:
                continue
            line, = panel.plot(list(found), [r[0] for r in found.values()], marker="o", markersize=3,
                               linestyle="-" if cell[2] == "shm" else "--", label=f"{cell[1]} ranks {cell[2]}")
            panel.fill_between(list(found), [r[1] for r in found.values()], [r[2] for r in found.values()],
                               alpha=0.15, color=line.get_color())
        panel.set(xscale="log", yscale="log", title=collective, xlabel="bytes", ylabel="best peer's time / Amalgam's")
        panel.set_xscale("log", base=2)
        panel.axhline(1, color="grey", linewidth=0.8)
        panel.legend(fontsize=7)
    canvas.tight_layout()
    canvas.savefig(path)


def write(data, out):
    stem = Path(out) / (f"compare-{data['date']}" + ("" if data["kind"] == "default" else f"-{data['kind']}"))
    table = Table(data)
    words = text(data)
    with open(f"{stem}.json", "w", encoding="utf-8") as file:
        json.dump(data, file, separators=(",", ":"))
        file.write("\n")
    Path(f"{stem}.md").write_text(words, encoding="utf-8")
    plotted = make_plot(table, f"{stem}.json", f"{stem}.svg")
    print("\n".join(["", *summary(table), *left_out(data, table)]), flush=True)
    print(f"written: {stem}.json, .md" + (", .svg" if plotted else ""), flush=True)


def make_plot(table, source, path):
    """False when no matplotlib can be had. The system's python3 may have it when this one does not."""
    try:
        plot(table, path)
        return True
    except ImportError:
        pass
    done = subprocess.run(["/usr/bin/python3", __file__, source, path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print("no plot: " + (done.stderr.strip().splitlines() or ["no python3 with matplotlib"])[-1], flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    plot(Table(json.loads(Path(sys.argv[1]).read_text())), sys.argv[2])
