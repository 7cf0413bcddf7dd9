"""Words that the library must not use, and where they are allowed all the same."""

import re

import project

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')

# (pattern, folders it concerns, files where it is allowed, reason)
RULES = (
    (r"\bgetenv\s*\(|\benviron\b", ("src/", "transports/"), ("src/config/", "src/tools/"), "settings are read in src/config only"),
    (r"\brandom_device\b", ("src/", "transports/"), (), "getrandom: random_device needs a newer C library"),
    (r"\bstd::cout\b|\bprintf\s*\(|\bputs\s*\(", ("src/", "transports/"), ("src/tools/",), "the library prints nothing to standard output"),
    (r"(?<![\w:.>])(?:std::|::)?(?:exit|abort|quick_exit)\s*\(\s*\w*\s*\)\s*;", ("src/", "transports/"), ("src/tools/",), "the library never ends the process"),
    (r"\bsleep_for\b|\busleep\s*\(|\bsleep\s*\(", ("tests/unit/",), (), "sleeping is no synchronisation"),
    (r"#include\s*<iostream>", ("src/", "transports/"), ("src/tools/",), "has a static constructor"),
)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def problems():
    for name in project.sources():
        rules = [rule for rule in RULES if name.startswith(rule[1]) and not name.startswith(rule[2] or ("\0",))]
        if not rules:
            continue
        code = STRING.sub(blank, COMMENT.sub(blank, project.text(name)))
        for pattern, _, _, reason in rules:
            for match in re.finditer(pattern, code):
                line = code.count("\n", 0, match.start()) + 1
                yield f"{name}:{line}: {match.group(0).strip()}: {reason}"
        if name.endswith(".h") and not name.endswith("-inl.h") and "#pragma once" not in code and "#ifndef" not in code:
            yield f"{name}:1: no #pragma once"
