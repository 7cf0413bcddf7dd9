#!/usr/bin/env python3
"""Preloading the library into programs that never call it changes nothing: no output, no thread, same exit code.

usage: check_preload.py LIBRARY"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sanitizer  # noqa: E402

LIBRARY = os.path.abspath(sys.argv[1])
RUNTIME = sanitizer.runtime(LIBRARY)
PRELOAD = ":".join(filter(None, (RUNTIME, LIBRARY)))
QUIET = {"ASAN_OPTIONS": "detect_leaks=0"}  # the leaks of programs that are not ours
TASKS = "import os; print(len(os.listdir('/proc/self/task')), 'libnccl.so.2' in open('/proc/self/maps').read())"

failures = []


def run(*command):
    environment = {**os.environ, **QUIET, "LD_PRELOAD": PRELOAD}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def expect_silent(*command, code=0, stdout=""):
    done = run(*command)
    if (done.returncode, done.stdout, done.stderr) != (code, stdout, ""):
        failures.append(f"{command}: exit {done.returncode}, output {done.stdout!r}, errors {done.stderr!r}")


def expect_shared_state():
    """Both names, opened in either order, are one library with one state."""
    folder = os.path.dirname(LIBRARY)
    program = """
import ctypes, sys
first, second = (ctypes.CDLL(path) for path in sys.argv[1:3])
def address(library): return ctypes.cast(library.pncclGetVersion, ctypes.c_void_p).value
assert address(first) == address(second), 'two copies'
first.ncclCommCount(None, None)
second.ncclGetLastError.restype = ctypes.c_char_p
assert b'' != second.ncclGetLastError(None), 'the error was not shared'
"""
    names = [os.path.join(folder, name) for name in ("libnccl.so.2", "librccl.so.1")]
    for order in (names, names[::-1]):
        done = subprocess.run([sys.executable, "-c", program, *order], capture_output=True, text=True,
                              env={**os.environ, **QUIET, "LD_PRELOAD": RUNTIME}, timeout=120)
        if done.returncode != 0:
            failures.append(f"{order}: {done.stderr}")


expect_silent("/bin/true")
expect_silent("/bin/false", code=1)
expect_silent("bash", "-c", ":")
expect_silent("bash", "-c", "echo a; exit 3", code=3, stdout="a\n")
expect_silent(sys.executable, "-c", "pass")
expect_silent(sys.executable, "-c", TASKS, stdout="1 True\n")
expect_shared_state()
for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
