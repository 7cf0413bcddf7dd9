"""Checks that run a compiler: each header compiles alone, clang-format, clang-tidy."""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import tempfile

import project

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-unused-const-variable"]
INCLUDES = ["-Isrc", "-Iinclude", "-I.", "-Itests"]
CACHE = project.ROOT / ".cache" / "lint"


def run(command, **options):
    return subprocess.run(command, cwd=project.ROOT, capture_output=True, text=True, check=False, **options)


def in_parallel(jobs, function, items):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [problem for problems in pool.map(function, items) for problem in problems]


# The same content, flags and headers gave no problem before: nothing to do.
def stamp(kind, name, extra):
    digest = hashlib.sha256(f"{kind}\0{extra}\0{name}".encode())
    for path in sorted(project.closure(name)):
        digest.update(path.encode() + b"\0" + project.text(path).encode() + b"\0")
    return CACHE / kind / digest.hexdigest()


def unless_stamped(kind, name, extra, check):
    path = stamp(kind, name, extra)
    if path.exists():
        return []
    problems = check()
    if not problems:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return problems


def compile_alone(name, language, standard):
    compiler = shlex.split(os.environ.get("CXX" if language == "c++" else "CC", "g++" if language == "c++" else "gcc"))
    defines = ["-D_GNU_SOURCE", "-DFMT_STATIC_THOUSANDS_SEPARATOR=1"]
    command = [*compiler, f"-std={standard}", "-fsyntax-only", *WARNINGS, *defines, *INCLUDES, "-x", language, "-"]
    spelled = name.removeprefix("src/").removeprefix("include/").removeprefix("tests/")

    def check():
        result = run(command, input=f'#include "{spelled}"\n')
        return [f"{name} does not compile alone as {standard}:\n{result.stderr.rstrip()}"] if result.returncode else []

    return unless_stamped("header", name, " ".join(command), check)


def check_headers(jobs):
    headers = [name for name in project.sources() if name.endswith(".h") and not name.endswith("-inl.h")]
    tasks = [(name, "c++", "c++20") for name in headers]
    tasks += [(name, "c", "c11") for name in headers if name.startswith("include/")]
    return in_parallel(jobs, lambda task: compile_alone(*task), tasks)


def check_format():
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as names:
        names.write("\n".join(project.sources()))
        names.flush()
        result = run(["xargs", "-a", names.name, "-d", "\n", "clang-format", "--dry-run", "-Werror"])
    files = sorted({line.split(":", 1)[0] for line in result.stderr.splitlines() if ": error:" in line})
    return [f"{name}: not formatted, run ./dev fmt" for name in files] or ([result.stderr] if result.returncode else [])


def relative(line):
    path, separator, rest = line.partition(":")
    return os.path.relpath(os.path.normpath(project.ROOT / "build" / path), project.ROOT) + separator + rest


def tidy(name, build_dir, config):
    def check():
        result = run(["clang-tidy", "--quiet", "-p", str(build_dir), "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-pragma-once-outside-header", name])
        lines = [line for line in result.stdout.splitlines() if ": error:" in line or ": warning:" in line]
        if result.returncode and not lines:
            lines = [f"{name}: clang-tidy failed: {(result.stderr or result.stdout).strip()[-800:]}"]
        return [relative(line) for line in lines]

    return unless_stamped("tidy", name, config, check)


def check_tidy(names, build_dir, jobs):
    commands = json.loads((project.ROOT / build_dir / "compile_commands.json").read_text(encoding="utf-8"))
    known = {os.path.relpath(os.path.join(entry["directory"], entry["file"]), project.ROOT) for entry in commands}
    wanted = [name for name in names if name.endswith(".cc") and name.startswith(("src/", "transports/")) and name in known]
    config = (project.ROOT / ".clang-tidy").read_text(encoding="utf-8")
    return sorted(set(in_parallel(jobs, lambda name: tidy(name, build_dir, config), wanted))), len(wanted)

