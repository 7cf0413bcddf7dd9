"""Which files are the project's, and how they include one another."""

import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("src", "include", "transports", "plugins", "tests", "bench", "tools")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
INCLUDE_ROOTS = ("src", "include", "tests", "")


@functools.lru_cache(maxsize=None)
def sources():
    """All C and C++ files, tracked or not yet, as paths relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *FOLDERS]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return sorted(name for name in names if name.endswith((".h", ".cc", ".c")) and (ROOT / name).is_file())


def changed_sources():
    """Files that differ from the last commit, or that the last commit changed when nothing does."""
    def names(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")

    changed = set(names("diff", "--name-only", "HEAD")) | set(names("ls-files", "--others", "--exclude-standard"))
    changed &= set(sources())
    if not changed:
        changed = set(names("show", "--name-only", "--format=", "HEAD")) & set(sources())
    return sorted(changed)


@functools.lru_cache(maxsize=None)
def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@functools.lru_cache(maxsize=None)
def includes(name):
    """[(line number, text of the include, file it names or None)] of the quoted includes of a file."""
    found = []
    for match in INCLUDE.finditer(text(name)):
        line = text(name).count("\n", 0, match.start(1)) + 1
        found.append((line, match.group(1), resolve(name, match.group(1))))
    return found


def resolve(name, target):
    beside = pathlib.PurePosixPath(name).parent
    for folder in (*INCLUDE_ROOTS, str(beside)):
        path = (pathlib.PurePosixPath(folder) / target).as_posix()
        if (ROOT / path).is_file():
            return path
    return None


@functools.lru_cache(maxsize=None)
def closure(name):
    """The file and every project file that it includes, directly or not."""
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        waiting.extend(target for _, _, target in includes(current) if target)
    return frozenset(seen)
