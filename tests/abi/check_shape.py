#!/usr/bin/env python3
"""The shape of the shared library: exported names, SONAME, what it needs, symbol versions, links, texts in the file.

usage: check_shape.py LIBRARY SYMBOLS_TXT"""

import pathlib
import re
import subprocess
import sys

GLIBC_LIMIT = (2, 34)
ALLOWED_NEEDED = re.compile(r"(libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|ld-linux[\w.-]*|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1)$")
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan|lsan)\.so")

failures = []


def expect(condition, text):
    if not condition:
        failures.append(text)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def listed_names(path):
    lines = (line.strip() for line in path.read_text().splitlines())
    return {line for line in lines if line and not line.startswith("#")}


def exported(library):
    """name -> (address, type letter) of every defined dynamic symbol."""
    symbols = {}
    for line in output("nm", "-D", "--defined-only", str(library)).splitlines():
        address, kind, name = line.split()
        symbols[name] = (int(address, 16), kind)
    return symbols


def check_names(symbols, wanted):
    have = set(symbols)
    expect(have >= wanted, f"missing: {sorted(wanted - have)}")
    expect(have <= wanted, f"exported but not listed: {sorted(have - wanted)}")
    expect(not any("@" in name for name in have), "a symbol carries a version")
    for name in sorted(have):
        twin = "p" + name
        if not name.startswith("nccl") or twin not in have:
            continue
        expect(symbols[name][0] == symbols[twin][0], f"{name} and {twin} have different addresses")
        expect(symbols[name][1] in "WV", f"{name} is not weak")
        expect(symbols[twin][1] == "T", f"{twin} is not a global function")


def check_dynamic(library, sanitized):
    dynamic = output("readelf", "-dW", str(library))
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    expect(soname == ["libnccl.so.2"], f"SONAME is {soname}")
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    if not sanitized:
        expect(all(ALLOWED_NEEDED.match(name) for name in needed), f"NEEDED has more than glibc and libgcc_s: {needed}")
    for flag in ("SYMBOLIC", "BIND_NOW", "NOW", "RPATH", "RUNPATH", "TEXTREL"):
        if flag in ("RPATH", "RUNPATH") and sanitized:
            continue
        expect(not re.search(rf"\b{flag}\b", dynamic), f"the dynamic section has {flag}")


def check_versions(library, sanitized):
    undefined = output("nm", "-D", "--undefined-only", str(library))
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"@GLIBC_([\d.]+)", undefined)}
    too_new = sorted(v for v in versions if v > GLIBC_LIMIT)
    if sanitized:
        return
    expect(not too_new, f"needs glibc newer than {GLIBC_LIMIT}: " +
           " ".join(re.findall(r"\S+@GLIBC_(?:%s)\b" % "|".join(".".join(map(str, v)) for v in too_new), undefined)))
    foreign = [line.split()[-1] for line in undefined.splitlines()
               if "@GLIBC" not in line and "@GCC" not in line and line.split()[0] != "w"]
    expect(not foreign, f"undefined and from no known library: {foreign}")


def check_file(library):
    data = library.read_bytes()
    expect(re.search(rb"NCCL version 2\.28\.9\+cuda13\.0", data), "the version text is not in the file")
    rccl = library.with_name("librccl.so.1")
    expect(rccl.is_symlink() and rccl.resolve() == library.resolve(), "librccl.so.1 is not a link to the library")
    plain = library.with_name("libnccl.so")
    expect(plain.resolve() == library.resolve(), "libnccl.so is not a link to the library")


def main():
    library, names = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    sanitized = bool(SANITIZERS.search(output("readelf", "-dW", str(library))))
    check_names(exported(library), listed_names(names))
    check_dynamic(library, sanitized)
    check_versions(library, sanitized)
    check_file(library)
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(1 if failures else 0)


main()
