"""The ways in which our library and a vendor's come into one process, each as a process of its own.

usage: check_matrix.py BUILD_FOLDER OUR_LIBRARY JEMALLOC

BUILD_FOLDER has the programs; they are copied into a tree where the vendor's library can be present or not: they find it
relative to themselves, by RPATH or RUNPATH. OUR_LIBRARY is the true one; a stand-in of it counts the calls that enter.
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, OUR_LIBRARY, JEMALLOC = (os.path.abspath(path) for path in sys.argv[1:4])
PATHS = ("rpath", "runpath")
STAND_IN_VERSION, OUR_VERSION = "777", "22809"


class Tree:
    """A folder with the programs, ours/libnccl.so.2 and, if present, real/lib{nccl.so.2,rccl.so.1}."""

    def __init__(self, folder, true_one, present):
        self.folder = folder
        for name in os.listdir(BUILD):
            if name.startswith(("client_", "libframework_", "libaudit")) and os.path.isfile(os.path.join(BUILD, name)):
                shutil.copy(os.path.join(BUILD, name), folder)
        os.mkdir(self.path("ours"))
        os.mkdir(self.path("real"))
        shutil.copy(OUR_LIBRARY if true_one else os.path.join(BUILD, "ours", "libnccl.so.2"), self.path("ours", "libnccl.so.2"))
        os.symlink("libnccl.so.2", self.path("ours", "librccl.so.1"))
        if present:
            for name in ("libnccl.so.2", "librccl.so.1", "libhelper_nccl.so", "libhelper_rccl.so"):
                shutil.copy(os.path.join(BUILD, "real", name), self.path("real"))
        self.version = OUR_VERSION if true_one else STAND_IN_VERSION
        self.ours = self.path("ours", "libnccl.so.2")
        self.vendor = ("" if present else "absent:") + self.path("real", "libnccl.so.2")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run(self, program, way="start", vendor=None, framework="-", preload=(), jemalloc=False, **variables):
        preload = [*preload, *([JEMALLOC] if jemalloc else [])]
        environment = {**os.environ, "MATRIX_OURS": self.ours, **variables}
        environment.pop("LD_LIBRARY_PATH", None)
        if "LD_AUDIT" in variables:  # audit modules take of the thread-local room that jemalloc wants
            environment["GLIBC_TUNABLES"] = "glibc.rtld.optional_static_tls=16384"
        if preload:
            environment["LD_PRELOAD"] = ":".join(preload)
        command = [self.path(program), way, self.version, vendor or self.vendor, framework]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def ways(tree, path):
    """name of a way → arguments of Tree.run"""
    framework = tree.path(f"libframework_{path}.so")
    return {
        "linked": {"program": f"client_linked_{path}"},
        "preload": {"program": f"client_{path}", "preload": [tree.ours]},
        "preload both": {"program": f"client_{path}", "preload": [tree.ours, tree.path("ours", "librccl.so.1")]},
        "audit": {"program": f"client_{path}", "LD_AUDIT": tree.path("libaudit.so")},
        "ctypes local": {"program": "client_plain", "way": "local", "framework": framework},
        "ctypes global": {"program": "client_plain", "way": "global", "framework": framework},
    }


class Matrix(unittest.TestCase):
    def check(self, done):
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def trees(self):
        for true_one, present in itertools.product((False, True), repeat=2):
            with tempfile.TemporaryDirectory() as folder:
                yield Tree(folder, true_one, present), true_one, present

    def test_the_two_never_mix(self):
        mallocs = (False, True) if os.path.exists(JEMALLOC) else (False,)
        for tree, true_one, present in self.trees():
            for path, jemalloc in itertools.product(PATHS, mallocs):
                for name, arguments in ways(tree, path).items():
                    with self.subTest(way=name, path=path, real=present, jemalloc=jemalloc, true=true_one):
                        self.check(tree.run(**arguments, jemalloc=jemalloc))

    # torch's preload of its dependencies opens the vendor's library by path
    def test_a_vendors_library_that_was_opened_by_path_is_repaired(self):
        for tree, true_one, present in self.trees():
            if not present:
                continue
            for path in PATHS:
                with self.subTest(path=path, true=true_one):
                    self.check(tree.run(f"client_{path}", preload=[tree.ours], MATRIX_FIRST=tree.vendor))

    # RCCL's file has another name: preloading NCCL's name alone does not keep it away
    def test_an_rccl_that_is_mapped_at_start_is_repaired(self):
        for tree, true_one, present in self.trees():
            if not present:
                continue
            rccl = tree.path("real", "librccl.so.1")
            for path in PATHS:
                with self.subTest(path=path, true=true_one):
                    self.check(tree.run(f"client_rccl_{path}", vendor=rccl, preload=[tree.ours], MATRIX_FIRST=rccl))

    def test_without_ours_the_program_gets_the_vendors(self):
        for tree, true_one, present in self.trees():
            if true_one or not present:
                continue
            for path in PATHS:
                done = tree.run(f"client_{path}")
                self.assertEqual((done.returncode, done.stdout), (1, "the program was told 12345\n"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
