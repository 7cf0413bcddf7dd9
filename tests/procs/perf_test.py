#!/usr/bin/env python3
"""The bundled benchmarks as programs: every collective with three processes, threads and groups, a launcher's variables,
JSON, wrong options, and a rank that dies.

usage: perf_test.py DIRECTORY_OF_PROGRAMS SPOILER (spoil.c as a library)"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = ["all_gather", "all_reduce", "alltoall", "broadcast", "gather", "reduce", "reduce_scatter", "scatter", "sendrecv"]
NOT_IN_PLACE = {"alltoall", "sendrecv"}
REDUCING = {"all_reduce", "reduce", "reduce_scatter"}
LAUNCHERS = ("RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID", "NCCL_COMM_ID", "MASTER_ADDR", "MASTER_PORT")
BRIEF = ["-n", "2", "-w", "1"]
SECONDS = 240

directory = pathlib.Path(sys.argv.pop(1))
spoiler = sys.argv.pop(1)


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if name not in LAUNCHERS}
    return {**clean, **more}


def command(name, *arguments):
    return [str(directory / f"{name}_perf"), *arguments]


def run(name, *arguments, env=None):
    return subprocess.run(command(name, *arguments), capture_output=True, text=True, timeout=SECONDS, env=env or environment())


def rows(output):
    """The table: one list of columns per size."""
    return [line.split() for line in output.splitlines() if line.strip() and not line.startswith("#")]


class Perf(unittest.TestCase):
    def check_table(self, done, expected_rows, in_place=True):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        table = rows(done.stdout)
        self.assertEqual(len(table), expected_rows, done.stdout)
        for row in table:
            self.assertEqual(len(row), 15, row)
            self.assertEqual(row[8], "0", row)
            self.assertEqual(row[12], "0" if in_place else "N/A", row)
        self.assertIn("# Out of bounds values : 0 OK", done.stdout)
        self.assertIn("# Avg bus bandwidth", done.stdout)
        return table

    def test_every_program_checks_three_processes(self):
        for name in PROGRAMS:
            with self.subTest(name):
                done = run(name, "--ranks", "3", "-b", "1K", "-e", "256K", "-f", "16", *BRIEF)
                table = self.check_table(done, 3, name not in NOT_IN_PLACE)
                self.assertEqual(table[0][3], "sum" if name in REDUCING else "none")

    def test_every_type_and_operation_is_exact(self):
        for name in ("all_reduce", "reduce_scatter"):
            with self.subTest(name):
                done = run(name, "-t", "3", "-b", "4800", "-e", "4800", "-o", "all", "-d", "all", "-n", "1", "-w", "0")
                self.check_table(done, 12 * 6)

    def test_a_wrong_byte_on_every_rank_is_found_and_fails_the_run(self):
        for name in ("all_reduce", "all_gather"):
            with self.subTest(name):
                done = run(name, "--ranks", "2", "-d", "int32", "-b", "64K", "-e", "64K", *BRIEF, env=environment(LD_PRELOAD=spoiler))
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                (row,) = rows(done.stdout)
                self.assertEqual((row[8], row[12]), ("2", "2"))
                self.assertIn("# Out of bounds values : 4 FAILED", done.stdout)

    def test_a_killed_rank_ends_the_run_and_is_named(self):
        endless = command("all_reduce", "--ranks", "3", "-b", "1K", "-e", "1K", "-n", "10000000")
        with subprocess.Popen(endless, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
            victim = next(line for line in job.stdout if line.startswith("#  Rank  1 "))
            os.kill(int(victim.split()[4]), signal.SIGKILL)
            _, errors = job.communicate(timeout=SECONDS)
        self.assertEqual(job.returncode, 128 + signal.SIGKILL, errors)
        self.assertIn("rank 1 was killed by signal 9", errors)

    def test_ranks_are_threads_and_groups_and_processes_together(self):
        done = run("all_reduce", "--ranks", "2", "-t", "2", "-g", "2", "-b", "64K", "-e", "64K", *BRIEF)
        self.check_table(done, 1)
        self.assertIn("#  Rank  7 ", done.stdout)
        for arguments in (["-t", "3"], ["-g", "2"], ["-g", "2", "-m", "3"], ["-g", "2", "--blocking-comm", "0"]):
            with self.subTest(arguments):
                self.check_table(run("all_gather", *arguments, "-b", "6K", "-e", "6K", *BRIEF), 1)

    def test_memory_of_the_library_and_registration(self):
        for kind in ("1", "2"):
            done = run("reduce_scatter", "--ranks", "2", "--memory", "nccl", "-R", kind, "-b", "1M", "-e", "1M", *BRIEF)
            self.check_table(done, 1)

    def test_each_root_in_turn(self):
        table = self.check_table(run("broadcast", "-t", "3", "-r", "-1", "-b", "4K", "-e", "4K", *BRIEF), 3)
        self.assertEqual([row[4] for row in table], ["0", "1", "2"])

    def test_json_holds_every_iteration(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "run.json"
            done = run("all_reduce", "--ranks", "2", "-b", "1K", "-e", "4K", "-f", "4", "-n", "5", "--json", str(path))
            self.check_table(done, 2)
            result = json.loads(path.read_text())
        self.assertEqual([row["bytes"] for row in result["results"]], [1024, 4096])
        for row in result["results"]:
            for timing in (row["out_of_place"], row["in_place"]):
                self.assertEqual(len(timing["iterations_us"]), 5)
                self.assertEqual(timing["wrong"], 0)
                self.assertGreater(timing["time_us"], 0)
        self.assertEqual(result["out_of_bounds"], 0)
        self.assertEqual(len(result["ranks"]), 2)

    def start_ranks(self, variables):
        arguments = ["-b", "1K", "-e", "1K", *BRIEF]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        ranks = [subprocess.Popen(command("all_reduce", *arguments), env=environment(**one), **pipes) for one in variables]
        outputs = [rank.communicate(timeout=SECONDS) for rank in ranks]
        for rank, (out, err) in zip(ranks, outputs):
            self.assertEqual(rank.returncode, 0, out + err)
        self.assertEqual(len(rows(outputs[0][0])), 1)
        self.assertEqual([out for out, _ in outputs[1:]], [""] * (len(ranks) - 1))  # one table

    def test_ranks_of_torchrun_meet_next_to_the_master_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        common = {"WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port - 1)}
        self.start_ranks([{"RANK": str(rank), **common} for rank in range(3)])

    def test_ranks_of_a_local_mpirun_meet_in_a_private_file(self):
        with tempfile.TemporaryDirectory() as folder:
            common = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "PMIX_NAMESPACE": "a/job", "TMPDIR": folder}
            self.start_ranks([{"OMPI_COMM_WORLD_RANK": str(rank), **common} for rank in range(2)])
            meeting, = pathlib.Path(folder).iterdir()
            self.assertEqual(meeting.stat().st_mode & 0o777, 0o700)
            self.assertEqual(list(meeting.iterdir()), [])

    def test_a_multi_host_launcher_without_an_address_is_told_what_to_do(self):
        several = {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"}
        done = run("all_reduce", env=environment(**several))
        self.assertEqual(done.returncode, 1)
        self.assertIn("NCCL_COMM_ID", done.stderr)

    def test_wrong_options_end_with_two_and_a_text(self):
        wrong = (["--frobnicate"], ["-b", "many"], ["-o", "xor"], ["-d", "float128"], ["-D", "1"], ["-r", "2", "--ranks", "2"], ["-f", "1"],
                 ["-b", "8", "-e", "4"])
        for arguments in wrong:
            with self.subTest(arguments):
                done = run("all_reduce", *arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertNotEqual(done.stderr.strip(), "")
                self.assertEqual(done.stdout, "")

    def test_options_of_gpus_are_noted(self):
        done = run("all_reduce", "-g", "2", "-b", "1K", "-e", "1K", "-G", "1", *BRIEF)
        self.check_table(done, 1)
        self.assertIn("note: -G is ignored", done.stderr)

    def test_help_names_the_options(self):
        done = run("all_reduce", "-h")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--ranks", done.stdout)

    def test_a_run_beyond_its_time_limit_ends_with_a_text(self):
        done = run("all_reduce", "--ranks", "2", "-b", "1K", "-e", "1K", "-n", "10000000", "-T", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("took longer than 1 s", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv, verbosity=2)
