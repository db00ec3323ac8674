#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of the fuzzer as a whole, with QEMU, monitor and kernels.

Usage: machine_test.py [-v] [MachineTest.test_name]
Exit:  0 all passed, 1 one failed or could not be run.

Kernels with planted bugs are built in build/fuzz, beside the one that is
tested; what a run leaves goes to STAMPEDE_OUT (build/test).
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import leakcheck  # noqa: E402  (its place is known only now)

FUZZ = ROOT / "build/fuzz"
TOOL = FUZZ / "stampede-fuzz"
OUT = ROOT / os.environ.get("STAMPEDE_OUT", "build/test") / "machine"
SEEDS = ROOT / "corpus/seeds"
LIMIT = 600
# On a loaded machine a slow step is no hang.
PATIENT = "--budget-ms=200"

# A child that asks for the uptime: PLANT=demand strikes there.
STRIKE = "program harts=2 seed=0\n0: fork 1\n1: store a0 8\n1: uptime\n"
# What crash=NAME breaks, in which flavour, and the signature it has to have.
CRASHES = {
    "panic": ("plain", "panic-selftest-asked-for-by-crash-panic"),
    "stack": ("plain", "panic-trap-kernel-stack-overflow"),
    "text": ("plain", "panic-trap-exception-in-the-kernel"),
    "hang": ("plain", "hang-endless-loop"),
    "free-list": ("debug", "panic-kalloc-free-list-is-broken"),
    "double-free": ("debug", "panic-kfree-frame-is-free-already"),
}
# Planted bugs, and how findings about them begin: one of them as it says first,
# and all of them in one of these ways.
PLANTS = {
    "fork_leak": ("audit-",),
    "copyout_shared": ("oracle-memory-holds", "oracle-a-call-wrote",
                       "oracle-a-read"),
    "drop_first": ("panic-kfree", "audit-"),
    "zero_skip": ("oracle-memory-that-was-never-written-is-not-zero",
                  "oracle-memory-holds"),
    "read_over": ("oracle-a-call-wrote-outside-of-its-buffer-read",),
}
OPS_MAX = 6


def make(*words: str) -> None:
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    done = subprocess.run(["make", jobs, *words], cwd=ROOT, text=True,
                          env=leakcheck.clean_environment(), timeout=LIMIT,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"make {' '.join(words)}: {done.stderr}")


def tool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TOOL, *words], cwd=ROOT, text=True, timeout=LIMIT,
                          capture_output=True, check=False)


def rows(*words: str | Path) -> list[dict[str, object]]:
    done = tool("run", "--json", PATIENT, *words)
    if done.returncode == 2:
        raise RuntimeError(done.stderr or done.stdout)
    return [json.loads(line) for line in done.stdout.splitlines()]


class MachineTest(unittest.TestCase):
    """One QEMU after the other."""

    @classmethod
    def setUpClass(cls) -> None:
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir(parents=True)
        make("fuzz-tools")
        make("FUZZ=cover")
        cls.strike = OUT / "strike.prog"
        cls.strike.write_text(STRIKE, encoding="utf-8")

    def test_every_seed_passes_and_is_put_back(self) -> None:
        """All of RAM is compared with the snapshot after each run."""
        seen = rows("--verify", "--repeat=2", SEEDS)
        self.assertGreaterEqual(len(seen), 20)
        for row in seen:
            self.assertEqual((row["verdict"], row["differs"]), ("pass", ""),
                             row)

    def test_repeats_are_equal(self) -> None:
        """Verdict, coverage and trace: 50 times each."""
        for row in rows("--repeat=50", SEEDS):
            self.assertEqual((row["verdict"], row["differs"]), ("pass", ""),
                             row)
            self.assertEqual(row["runs"], 50)

    def test_seeds_differ_in_their_order(self) -> None:
        """Another seed is another schedule, and each is a stable one."""
        text = (SEEDS / "three_lanes.prog").read_text(encoding="utf-8")
        files = []
        for seed in range(1, 21):
            file = OUT / f"seed{seed}.prog"
            file.write_text(re.sub(r"program .*", "program harts=3 "
                                   f"seed={seed}", text), encoding="utf-8")
            files.append(file)
        seen = rows("--repeat=3", *files)
        self.assertTrue(all(row["verdict"] == "pass" for row in seen), seen)
        self.assertGreater(len({row["trace"] for row in seen}), 10)

    def test_crashes_are_told_and_leave_nothing(self) -> None:
        make("FUZZ=cover", "PLANT=demand")
        make("FUZZ=cover", "PLANT=demand", "FLAVOR=debug")
        for crash, (flavor, signature) in CRASHES.items():
            with self.subTest(crash=crash):
                kernel = FUZZ / f"{flavor}-plant-demand/kernel"
                pair = [self.strike, SEEDS / "fork11.prog"]
                # Short, for the first hangs have to use all of it.
                seen = rows("--verify", "--budget-ms=15", f"--kernel={kernel}",
                            f"--append=batch crash={crash}", *pair * 5)
                for n, row in enumerate(seen):
                    if n % 2 == 0:
                        self.assertEqual(row["verdict"], "FAIL", row)
                        self.assertTrue(str(row["signature"]).startswith(
                            signature), row)
                    else:
                        self.assertEqual(row["verdict"], "pass", row)

    def test_planted_bugs_become_findings(self) -> None:
        """From the seeds: found, small, and the same ten times of ten."""
        for plant, names in PLANTS.items():
            with self.subTest(plant=plant):
                make("FUZZ=cover", f"PLANT={plant}")
                self.check_findings(plant, names)

    def check_findings(self, plant: str, names: tuple[str, ...]) -> None:
        kernel = FUZZ / f"plain-plant-{plant}/kernel"
        hits = OUT / plant / "crashes"
        hits.mkdir(parents=True)
        for row in rows(f"--kernel={kernel}", SEEDS):
            if row["verdict"] == "FAIL":
                seed = Path(str(row["file"]))
                shutil.copy(seed, hits / f"id:{seed.stem}")
        self.assertTrue(list(hits.iterdir()), "no seed fails")
        store = OUT / plant / "findings"
        done = tool("triage", PATIENT, f"--out={store}", f"{hits}={kernel}")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        found = sorted(store.glob("0*"))
        self.assertTrue(any(finding.name[4:].startswith(names[0])
                            for finding in found), found)
        for finding in found:
            self.assertTrue(finding.name[4:].startswith(names), finding)
            report = (finding / "report.md").read_text(encoding="utf-8")
            self.assertIn("Reproduced: 10 of 10", report)
            ops = int(re.search(r"Operations: (\d+)", report)[1])
            self.assertLessEqual(ops, OPS_MAX, finding.name)
            again = subprocess.run([finding / "again.sh"], text=True,
                                   timeout=LIMIT, capture_output=True,
                                   check=False)
            self.assertEqual(again.returncode, 1, again.stdout)

    def test_wrong_kernels_are_named(self) -> None:
        for words, message in (
                (["--kernel=/dev/null"], "not a 64-bit ELF"),
                (["--kernel=/no/such"], "No such file"),
                ([f"--kernel={FUZZ}/monitor.elf"], "no mailbox"),
                ([f"--monitor={FUZZ}/plain/kernel"], "not the monitor"),
                (["--qemu=/no/such"], "QEMU ended before")):
            done = tool("run", *words, SEEDS / "empty.prog")
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
