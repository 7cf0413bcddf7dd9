"""What was found, for people: a line for each step as it ends, and a table with the targets."""

import steps

GOOD = {True: "met", False: "MISSED"}


def line(name, result):
    text = f": {result['text']}" if "text" in result else ""
    return f"  {result['state']:9} {result['seconds']:6.1f} s  {steps.STEPS[name].title}{text}"


def figures(results, name):
    return results.get(name, {}).get("figures")


def delegation_rows(results):
    for name, row in (figures(results, "delegation") or {}).items():
        yield (f"delegated call, {name.replace('_', ' ')}", f"{row['added_ns']:.0f} ns added to {row['direct_ns']:.0f}", "≤ 100 ns",
               row["added_ns"] <= 100)


def best_of_machine(results, others):
    """What no implementation can beat: copies both ways at once, or the CPUs' copying."""
    machine = figures(results, "machine")
    return min(machine["both_gbps_each"], machine["memcpy_gbps"][str(others)]) if machine else None


def cpu_rows(results):
    for others, row in (figures(results, "beside_cpu") or {}).items():
        best = best_of_machine(results, others)
        large, small = row["large"], row["small"]
        yield f"1 device + {others} CPU ranks, {small['bytes']} B", f"{small['us']:.1f} µs", "", None
        bound = f"≥ 80 % of {best:.1f} GB/s" if best else ""
        yield (f"1 device + {others} CPU ranks, {large['bytes'] >> 20} MiB", f"{large['gbps']:.2f} GB/s", bound,
               large["gbps"] >= 0.8 * best if best else None)


def island_rows(results):
    islands, floor = figures(results, "two_islands"), figures(results, "exchange")
    if not islands:
        return
    bare = {row["bytes"]: row for row in floor["rows"]} if floor else {}
    for how, rows in islands.items():
        for row in rows.values():
            small = row["bytes"] <= 8
            floor_row = bare.get(row["bytes"])
            target, good = "", None
            if how == "threads" and small:
                target, good = "≤ 60 µs", row["us"] <= 60
            elif how == "processes" and floor_row and small:
                target, good = f"≤ 1.25 × {floor_row['us']:.1f} µs", row["us"] <= 1.25 * floor_row["us"]
            elif how == "processes" and floor_row:
                target, good = f"≥ 80 % of {floor_row['gbps']:.2f} GB/s", row["gbps"] >= 0.8 * floor_row["gbps"]
            yield f"2 islands on one device, {how}, {row['bytes']} B", f"{row['us']:.1f} µs, {row['gbps']:.2f} GB/s", target, good


def peer_rows(results):
    for library, rows in (figures(results, "peers") or {}).items():
        if "not available" in rows:
            yield f"the same by {library}", f"not available: {rows['not available']}", "", None
            continue
        for row in rows.values():
            if not isinstance(row, dict):
                continue
            text = row.get("not available")
            yield (f"the same by {library}, {row.get('bytes', '?')} B",
                   f"not available: {text}" if text else f"{row['us']:.1f} µs, {row['gbps']:.2f} GB/s", "", None)


def ending_rows(results):
    endings = figures(results, "endings")
    if not endings:
        return
    yield "abort of a parked call", f"{endings['abort']['abort_ms']:.1f} ms", "< 1 s", endings["abort"]["abort_ms"] < 1000
    yield "a killed peer is told after", f"{endings['kill']['error_after_ms']:.1f} ms", "", None


def table(here, results):
    text = ["# Amalgam on a GPU" if here.real else "# Amalgam on stand-ins (figures mean nothing)", ""]
    machine = figures(results, "machine")
    if machine:
        text.append(f"{machine['device']}, {machine['cores']} cores; copies {machine['to_host_gbps']:.1f} GB/s to the host, "
                    f"{machine['to_device_gbps']:.1f} to the device, {machine['both_gbps_each']:.1f} each way at once.\n")
    text += ["| step | state | seconds |", "|---|---|---|"]
    text += [f"| {steps.STEPS[name].title} | {result['state']}{': ' + result['text'] if 'text' in result else ''} | {result['seconds']} |"
             for name, result in results.items()]
    text += ["", "| figure | measured | target | |", "|---|---|---|---|"]
    for rows in (delegation_rows, cpu_rows, island_rows, peer_rows, ending_rows):
        for what, measured, target, good in rows(results):
            verdict = "" if good is None else GOOD[good] if here.real else "not judged"
            text.append(f"| {what} | {measured} | {target} | {verdict} |")
    return "\n".join(text) + "\n"
