"""The dependency rule between layers: who may include whom."""

import project

# A layer may include itself, what it names here, and what those may include.
BELOW = {
    "base": (),
    "config": ("base",),
    "observe": ("config",),
    "bootstrap": ("observe",),
    "cluster": ("base",),
    "topo": ("cluster", "observe"),
    "plan": ("cluster",),
    "reduce": ("base",),
    "engine": ("plan", "reduce", "observe"),
    "comm": ("engine", "bootstrap", "topo"),
    "launch": ("comm",),
    "abi": ("launch", "include"),
    "include": (),
    "transports": ("observe", "include"),
    "plugins": ("base", "include"),
}
FREE = ("tests", "bench", "tools", "src/tools")  # anything but a rule for others: nobody includes them


def layer(name):
    parts = name.split("/")
    if parts[0] == "src":
        return "src/tools" if parts[1] == "tools" else parts[1]
    return parts[0]


def allowed(name):
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(BELOW[current])
    return seen


def problems():
    for name in project.sources():
        owner = layer(name)
        if owner in FREE:
            continue
        if owner not in BELOW:
            yield f"{name}: folder '{owner}' has no place in tools/lint/layers.py"
            continue
        for line, target, path in project.includes(name):
            if path is None:
                yield f'{name}:{line}: "{target}" is no file of the project: use <> for others'
            elif layer(path) not in allowed(owner):
                yield f"{name}:{line}: {owner} must not include {layer(path)} ({target})"
