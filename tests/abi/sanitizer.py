"""A library built with a sanitizer needs that sanitizer's runtime to be first in the process."""

import os
import re
import subprocess
import sys


def runtime(library):
    """Path of the runtime to preload before `library`, or "" for a plain build."""
    listed = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    found = re.search(r"lib[at]san\.so\S* => (\S+)", listed)
    return found.group(1) if found else ""


def restart_with_runtime(library):
    """Starts this script again with the runtime preloaded, when it is needed and not there yet."""
    path = runtime(library)
    if path and path not in os.environ.get("LD_PRELOAD", ""):
        os.environ["LD_PRELOAD"] = path
        os.environ["ASAN_OPTIONS"] = "detect_leaks=0"  # the interpreter's own
        os.execv(sys.executable, [sys.executable, *sys.argv])
