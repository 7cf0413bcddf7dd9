#!/usr/bin/env python3
"""Makes what a PyTorch CUDA wheel needs beside the stand-in runtime: one library that has every function which neither
the wheel nor the stand-ins have, under the name of every library that is missing. A call of such a function ends the
process with its name.

    stubs.py TORCH STANDINS OUT

TORCH is the installed package's folder, STANDINS the folder of libcudart.so.13. OUT goes into LD_LIBRARY_PATH with it.
"""

import collections
import pathlib
import re
import subprocess
import sys

FUNCTION = re.compile(r"(__)?(cu|nv)")
LIBRARY = re.compile(r"lib(cu|nv)")

HEAD = """#include <stdio.h>
#include <stdlib.h>
static void refuse(const char* name) {
  fprintf(stderr, "stub library: %s was called\\n", name);
  abort();
}
#define STUB(name) void name(void) { refuse(#name); }
"""


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(files, which):
    """(name, version) of each; no version is ''."""
    found = set()
    for file in files:
        for line in output("nm", "-D", which, str(file)).splitlines():
            kind, name = line.split()[-2:]
            if kind not in "wv":  # a weak one may stay without a definition
                name, _, version = name.replace("@@", "@").partition("@")
                found.add((name, version))
    return found


def libraries(paths):
    return sorted(path for path in paths if path.is_file())


def needed(files):
    lines = "".join(output("readelf", "-d", str(file)) for file in files)
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", lines))


def missing_functions(wheel, standins):
    have = {name for name, _ in symbols(wheel + standins, "--defined-only")}
    wanted = symbols(wheel, "--undefined-only")
    return {(name, version) for name, version in wanted if FUNCTION.match(name) and name not in have}


def build(functions, out):
    nodes = collections.defaultdict(list)
    for name, version in sorted(functions):
        nodes[version].append(name)
    source, script, library = out / "stubs.c", out / "stubs.map", out / "libstubs.so"
    source.write_text(HEAD + "".join(f"STUB({name})\n" for name in sorted({name for name, _ in functions})))
    script.write_text("".join(f"{node} {{ global: {'; '.join(names)}; }};\n" for node, names in nodes.items() if node))
    output("cc", "-shared", "-fPIC", "-o", str(library), str(source), f"-Wl,--version-script={script}")


def main():
    torch, standins, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    wheel = libraries(torch.rglob("*.so*"))
    ours = libraries(standins.glob("lib*.so*"))
    functions = missing_functions(wheel, ours)
    build(functions, out)
    present = {file.name for file in wheel + ours}
    names = sorted(name for name in needed(wheel) - present if LIBRARY.match(name))
    for name in names:
        link = out / name
        link.unlink(missing_ok=True)
        link.symlink_to("libstubs.so")
    print(f"{len(functions)} functions, libraries: {' '.join(names)}")


if __name__ == "__main__":
    main()
