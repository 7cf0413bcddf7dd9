"""Long functions and files: a report, and a failure where they are out of hand."""

import json
import subprocess

import project

FUNCTION_REPORT, FUNCTION_FAIL = 60, 100
FILE_REPORT, FILE_FAIL = 600, 800


def functions():
    """(lines, file, first line, name) of every function body."""
    command = ["ctags", "--languages=C,C++", "--langmap=C++:+.h", "--kinds-C++=f", "--kinds-C=f", "--fields=+ne", "--output-format=json", "-f", "-", "-L", "-"]
    output = subprocess.run(command, cwd=project.ROOT, check=True, capture_output=True, text=True, input="\n".join(project.sources())).stdout
    for line in output.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["end"] - tag["line"] + 1, tag["path"], tag["line"], tag["name"]


def check():
    """(report lines, failure lines)"""
    report, failures = [], []
    for lines, name, first, function in sorted(functions(), reverse=True):
        if lines > FUNCTION_REPORT:
            (failures if lines > FUNCTION_FAIL else report).append(f"{name}:{first}: function {function} has {lines} lines")
    for name in project.sources():
        lines = project.text(name).count("\n")
        if lines > FILE_REPORT:
            (failures if lines > FILE_FAIL else report).append(f"{name}: {lines} lines")
    return report, failures
