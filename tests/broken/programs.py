"""Runs chosen cases of the project's tests on a library of our choice, for so long and no longer."""

import json
import os
import re
import resource
import signal
import subprocess
import time

PASSES, FAILS, CRASHES, HANGS = "passes", "fails", "crash", "hang"


class Outcome:
    def __init__(self, how, detail, seconds):
        self.how, self.detail, self.seconds = how, detail, seconds


def prepare():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judge(code, output):
    """(how, detail) of a program that has ended."""
    misuse = re.search(r"^stand-in: .*", output, re.MULTILINE)
    failed = re.search(r"^\[  FAILED  \] (\S+)", output, re.MULTILINE)
    if "cannot be preloaded" in output or "error while loading" in output:
        return PASSES, "the library could not be loaded"
    if code < 0 or (misuse and code != 0):
        return CRASHES, misuse.group(0) if misuse else signal.Signals(-code).name
    if code != 0:
        problem = re.search(r"Failure\n(.*\n?.*\n?.*)", output)
        return FAILS, f"{failed.group(1) if failed else 'exit ' + str(code)}: {problem.group(1) if problem else ''}"
    ran = re.search(r"^\[==========\] (\d+) tests? from .* ran", output, re.MULTILINE)
    if ran is None or ran.group(1) == "0":
        return FAILS, "no test ran"
    return PASSES, ""


class Programs:
    """The tests of a build directory, by their names there."""

    def __init__(self, build_dir):
        with open(os.path.join(build_dir, "meson-info", "intro-tests.json"), encoding="utf-8") as file:
            self.tests = {test["name"]: test for test in json.load(file)}

    def run(self, library, case, seconds, log):
        test = self.tests[case.test]
        environment = dict(os.environ, **test["env"], **case.environment, LD_PRELOAD=library)
        command = [test["cmd"][0], f"--gtest_filter={case.filter}"]
        begin = time.monotonic()
        with open(log, "w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment,
                                       cwd=os.path.dirname(log), start_new_session=True, preexec_fn=prepare)
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            taken = time.monotonic() - begin
            output.seek(0)
            text = output.read()
        if code is None:
            cases = re.findall(r"^\[ RUN      \] (\S+)", text, re.MULTILINE)
            return Outcome(HANGS, cases[-1] if cases else "before the first test", taken)
        return Outcome(*judge(code, text), taken)
