"""Builds a variant of libnccl.so.2 whose sources differ in a few places, by the commands of the project's own build."""

import json
import os
import re
import shlex
import subprocess

LIBRARY = "src/abi/libnccl.so.2"


class DoesNotApply(Exception):
    """A variant that is about a source which has changed."""


def apply(text, change):
    found = text.count(change.old)
    if found != 1:
        raise DoesNotApply(f"{change.file} has {found} places that read {change.old!r}; it must be one")
    return text.replace(change.old, change.new)


class Builder:
    def __init__(self, build_dir):
        self.build_dir = os.path.abspath(build_dir)
        with open(os.path.join(self.build_dir, "compile_commands.json"), encoding="utf-8") as file:
            entries = json.load(file)
        self.root = os.path.dirname(self.build_dir)
        self.entries = {os.path.realpath(os.path.join(e["directory"], e["file"])): e for e in entries}
        commands = ["ninja", "-C", self.build_dir, "-t", "commands", "-s", LIBRARY]
        self.link = shlex.split(subprocess.run(commands, check=True, capture_output=True, text=True).stdout.splitlines()[-1])

    def build(self, folder, changes):
        """The path of the library with these changes; without any it is the project's own, linked again."""
        os.makedirs(folder, exist_ok=True)
        texts = {}
        for change in changes:
            if change.file not in texts:
                with open(os.path.join(self.root, change.file), encoding="utf-8") as file:
                    texts[change.file] = file.read()
            texts[change.file] = apply(texts[change.file], change)
        return self._link(folder, [self._compile(folder, name, text) for name, text in texts.items()])

    def _compile(self, folder, name, text):
        """(the object in the build, the object in its place)"""
        entry = self.entries[os.path.realpath(os.path.join(self.root, name))]
        source = os.path.join(folder, name.replace("/", "_"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        command = shlex.split(entry["command"])
        was = command[command.index("-o") + 1]
        places = {"-o": source + ".o", "-MF": source + ".d", "-c": source}
        for option, place in places.items():
            command[command.index(option) + 1] = place
        command += ["-include", os.path.join(os.path.dirname(os.path.abspath(__file__)), "broken.h"), "-w"]
        run(command, self.build_dir)
        return was, source + ".o"

    def _link(self, folder, objects):
        library = os.path.join(folder, "libnccl.so.2")
        command = list(self.link)
        command[command.index("-o") + 1] = library
        for was, now in objects:
            if was in command:
                command[command.index(was)] = now
            else:  # it is in an archive, from which nobody needs it any more
                command.insert(command.index("-o") + 2, now)
        run(command, self.build_dir)
        return library


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotApply("\n".join(re.findall(r".*error.*", done.stderr)[:5]) or done.stderr[-500:])
