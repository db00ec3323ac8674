#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of what becomes of failing inputs: triage, findings, minimize, repro.

The tool is linked with finding_vm.c in place of vm.c: a machine whose bugs
are known.  The kernel is a few empty functions.  Both are compiled here.

Usage: finding_test.py [-v] [FindingTest.test_name]
Exit:  0 all passed, 1 one failed, 2 the tool cannot be built.
"""
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = """
    fuzz/host/afl.c fuzz/host/capture.c fuzz/host/disk.c fuzz/host/driver.c
    fuzz/host/elf.c fuzz/host/features.c fuzz/host/files.c
    fuzz/host/finding.c fuzz/host/index.c fuzz/host/list.c fuzz/host/main.c
    fuzz/host/minimize.c fuzz/host/minimize_cost.c
    fuzz/host/minimize_main.c fuzz/host/minimize_steps.c
    fuzz/host/options.c fuzz/host/report.c fuzz/host/repro.c fuzz/host/run.c
    fuzz/host/runup.c fuzz/host/signature.c fuzz/host/stop.c
    fuzz/host/store.c fuzz/host/symbols.c fuzz/host/triage.c
    fuzz/host/triage_input.c fuzz/host/trial.c fuzz/host/watchdog.c
    fuzz/tests/finding_vm.c fuzz/wire/codec.c fuzz/wire/kinds.c
    fuzz/wire/load.c fuzz/wire/out.c fuzz/wire/parse.c fuzz/wire/print.c
    fuzz/wire/prog2c.c fuzz/wire/values.c""".split()
CC = os.environ.get("CROSS", "riscv64-unknown-elf-") + "gcc"
LIMIT = 30  # seconds that anything may take
TOOL = ""

KERNEL_SOURCE = """
__attribute__((noinline)) void panic(void) { asm volatile("nop; nop; nop"); }
__attribute__((noinline)) void kfree(void) { asm volatile("nop; nop; nop"); }
__attribute__((noinline)) void sys_exit(void) { asm volatile("nop;nop;nop"); }
__attribute__((noinline)) void scheduler(void) { asm volatile("nop;nop;nop"); }
void _start(void) { panic(); kfree(); sys_exit(); scheduler(); }
"""

CALLS = {name: number for number, name in enumerate(re.findall(
    r"^CALL\((\w+)", (ROOT / "fuzz/wire/calls.def").read_text(), re.M))}


def program(*ops: tuple[int, str], harts: int = 1, seed: int = 0) -> bytes:
    """A program in binary from pairs of lane and call; arguments are 1."""
    head = b"SP1" + bytes([harts]) + struct.pack("<I", seed)
    return head + b"".join(
        struct.pack("<BBBBHHHH", CALLS[call], lane, 0, 0, 1, 1, 1, 1)
        for lane, call in ops)


NOISE = [(0, "touch"), (1, "store"), (2, "check"), (1, "pause")]
PANIC = [(0, "fork"), (0, "exec")]
AUDIT = [(0, "open"), (0, "audit")]
TRAP = [(2, "mknod")]
FLAKY = [(0, "uptime")]


def tool(*args: str, env: dict[str, str] | None = None
         ) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOL, *args], capture_output=True, text=True, timeout=LIMIT,
        errors="replace", env={**os.environ, **(env or {})}, check=False)


class FindingTest(unittest.TestCase):
    kernels: tempfile.TemporaryDirectory[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.kernels = tempfile.TemporaryDirectory(prefix="finding-test-")
        folder = Path(cls.kernels.name)
        source = folder / "kernel.c"
        source.write_text(KERNEL_SOURCE, encoding="utf-8")
        cls.kernel = folder / "kernel"
        subprocess.run(
            [CC, "-g", "-O1", "-nostdlib", "-fno-omit-frame-pointer",
             "-mcmodel=medany", "-Wl,-Ttext=0x80000000", "-o",
             str(cls.kernel), str(source)], check=True)
        cls.monitor = folder / "monitor.elf"
        shutil.copy(cls.kernel, cls.monitor)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.kernels.cleanup()

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="finding-test-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.crashes = self.dir / "out" / "main" / "crashes"
        self.crashes.mkdir(parents=True)
        self.out = self.dir / "findings"
        self.count = 0

    def machine(self) -> list[str]:
        return [f"--kernel={self.kernel}", f"--monitor={self.monitor}"]

    def save(self, *ops: tuple[int, str], harts: int = 1,
             folder: Path | None = None) -> Path:
        path = (folder or self.crashes) / f"id:{self.count:06},sig:06,op:x y"
        path.write_bytes(program(*ops, harts=harts))
        self.count += 1
        return path

    def triage(self, *args: str, status: int = 1,
               env: dict[str, str] | None = None) -> str:
        done = tool("triage", *self.machine(), f"--out={self.out}", *args,
                    str(self.dir / "out"), env=env)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done.stdout

    def index(self) -> dict[str, list[dict[str, object]]]:
        text = (self.out / "index.json").read_text(encoding="utf-8")
        return json.loads(text)

    def check_whole(self, folder: Path) -> None:
        for name in ("finding.txt", "report.md", "program.prog",
                     "program.bin", "program.c", "console.txt", "trace.txt",
                     "again.sh", "hits.txt"):
            self.assertTrue((folder / name).exists(), f"{folder}/{name}")
        self.assertTrue(os.access(folder / "again.sh", os.X_OK))

    def test_groups_and_writes_everything(self) -> None:
        self.save(*NOISE, *PANIC, *NOISE, harts=4)
        self.save(*PANIC, *NOISE, *NOISE, *NOISE)
        self.save(*NOISE, *AUDIT)
        self.save(*NOISE, (3, "load"))
        self.save(*NOISE, *TRAP)
        self.triage()
        index = self.index()
        self.assertEqual(len(index["findings"]), 4)
        by_class = {f["class"]: f for f in index["findings"]}
        self.assertEqual(by_class["panic"]["hits"], 2)
        self.assertEqual(by_class["panic"]["ops"], 2)
        self.assertEqual(by_class["panic"]["ops_before"], 10)
        self.assertEqual(by_class["panic"]["reproduced"], 10)
        self.assertEqual(by_class["audit"]["ops"], 2)
        self.assertEqual(by_class["oracle"]["ops"], 1)
        for finding in index["findings"]:
            self.check_whole(self.out / str(finding["path"]))

    def test_report_says_where(self) -> None:
        self.save(*PANIC, *NOISE)
        self.triage()
        folder = self.out / str(self.index()["findings"][0]["path"])
        report = (folder / "report.md").read_text(encoding="utf-8")
        for part in ("10 of 10", "kfree", "kernel.c:3", "hart 0",
                     "hart 1", "fork", "exec", "\\x1b[31mred",
                     f"    {'0' * 500} ... and 200 more\n"):
            self.assertIn(part, report)
        self.assertNotIn("\n# no title", report)
        self.assertNotIn("\x1b", report)
        self.assertIn(b"\x1b[31m", (folder / "console.txt").read_bytes())

    def test_hostile_counts(self) -> None:
        self.save(*NOISE, (1, "load"))
        self.save(*TRAP)
        self.triage()
        for finding in self.index()["findings"]:
            folder = self.out / str(finding["path"])
            report = (folder / "report.md").read_text(encoding="utf-8")
            self.assertLess(len(report), 10000)
            if finding["class"] == "oracle":
                self.assertIn("memory holds what another", report)
                self.assertIn("oracle 999", report)

    def test_again_runs_the_kept_kernel(self) -> None:
        self.save(*PANIC)
        self.triage()
        folder = self.out / str(self.index()["findings"][0]["path"])
        moved = self.dir / "elsewhere"
        shutil.move(self.out, moved)
        done = subprocess.run([str(moved / folder.name / "again.sh")],
                              capture_output=True, text=True, timeout=LIMIT,
                              cwd="/", errors="replace", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("panic-kfree", done.stdout)

    def test_second_time_does_nothing(self) -> None:
        self.save(*PANIC, *NOISE)
        self.save(*NOISE)
        self.triage()
        before = self.index()
        self.assertIn("0 new findings", self.triage())
        self.assertEqual(self.index(), before)

    def test_same_content_is_one_hit(self) -> None:
        self.save(*PANIC)
        self.save(*PANIC)
        self.triage()
        self.assertEqual(self.index()["findings"][0]["hits"], 1)

    def test_later_hits_and_smaller_ones(self) -> None:
        # The second of these cannot be made as small as the first is.
        self.save(*NOISE, *PANIC)
        self.triage()
        self.save(*PANIC, *NOISE, *NOISE)
        self.triage()
        folder = self.out / str(self.index()["findings"][0]["path"])
        self.assertEqual(self.index()["findings"][0]["hits"], 2)
        # As if it had not been minimised before.
        text = (folder / "finding.txt").read_text(encoding="utf-8")
        (folder / "finding.txt").write_text(
            text.replace("\nops: 2\n", "\nops: 9\n"), encoding="utf-8")
        self.save(*PANIC, (0, "check"))
        self.assertIn("1 made smaller", self.triage())
        finding = self.index()["findings"][0]
        self.assertEqual((finding["ops"], finding["hits"]), (2, 3))
        self.check_whole(folder)
        self.assertEqual(len((folder / "hits.txt").read_text().splitlines()),
                         3)

    def test_what_does_not_reproduce(self) -> None:
        path = self.save(*NOISE)
        self.triage(status=0)
        index = self.index()
        self.assertEqual(index["findings"], [])
        odd = index["unreproduced"][0]
        self.assertEqual((odd["reproduced"], odd["repeats"]), (0, 10))
        self.assertIn(path.name, str(odd["input"]))
        folder = self.out / str(odd["path"])
        self.check_whole(folder)
        self.assertIn("did not fail again",
                      (folder / "report.md").read_text(encoding="utf-8"))

    def test_rare_failures_say_how_rare(self) -> None:
        self.save(*FLAKY, *NOISE)
        self.triage()
        finding = self.index()["findings"][0]
        self.assertEqual((finding["reproduced"], finding["repeats"]), (5, 10))
        self.assertEqual(finding["ops"], 1)

    def test_broken_is_no_finding(self) -> None:
        self.save((0, "getpid"))
        (self.crashes / "id:000099,sig:06").write_bytes(b"\0no program\xff")
        (self.crashes / "README.txt").write_text("not an input")
        self.assertIn("2 broken", self.triage(status=0))
        self.assertEqual(self.index()["unreproduced"], [])

    def test_killed_at_any_moment(self) -> None:
        calls = ["touch", "store", "check", "pause", "sbrk"]
        for n in range(12):
            self.save(*PANIC, *[(1, calls[(n + i) % 5]) for i in range(n)])
            self.save(*AUDIT, *[(1, calls[(n + i) % 5]) for i in range(n)])
        for n in range(8):
            child = subprocess.Popen(
                [TOOL, "triage", *self.machine(), f"--out={self.out}",
                 str(self.dir / "out")], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "FAKE_MS": "1"})
            time.sleep(0.02 + 0.03 * n)
            child.send_signal(signal.SIGKILL)
            child.wait(LIMIT)
        self.triage()
        index = self.index()
        self.assertEqual(sorted(str(f["class"]) for f in index["findings"]),
                         ["audit", "panic"])
        self.assertEqual([f["hits"] for f in index["findings"]], [12, 12])
        for finding in index["findings"]:
            self.check_whole(self.out / str(finding["path"]))
        self.assertEqual([p.name for p in self.out.iterdir()
                          if p.name.startswith(".")], [])

    def test_half_done_is_put_right(self) -> None:
        self.save(*PANIC)
        self.triage()
        folder = self.out / str(self.index()["findings"][0]["path"])
        folder.rename(self.out / f".old-{folder.name}")
        (self.out / ".new").mkdir()
        (self.out / ".new" / "report.md").write_text("half")
        self.assertIn("0 new findings", self.triage())
        self.check_whole(folder)
        with (folder / "hits.txt").open("a") as hits:
            hits.write("0123456789abcdef torn")
        self.save(*NOISE, *PANIC)
        self.triage()
        self.assertEqual(self.index()["findings"][0]["hits"], 2)
        self.assertIn("0 new", self.triage())

    def test_watch(self) -> None:
        stop = self.dir / "stop"
        child = subprocess.Popen(
            [TOOL, "triage", *self.machine(), f"--out={self.out}", "--watch",
             "--every=1", f"--stop-file={stop}", str(self.dir / "out")],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert child.stdout is not None
        self.save(*PANIC)
        self.assertIn("finding 001-", child.stdout.readline())
        second = tool("triage", *self.machine(), f"--out={self.out}",
                      str(self.dir / "out"))
        self.assertEqual(second.returncode, 2)
        self.assertIn("another triage", second.stderr)
        late = self.dir / "out" / "late" / "hangs"
        late.mkdir(parents=True)
        self.save(*AUDIT, folder=late)
        stop.touch()
        self.assertEqual(child.wait(LIMIT), 1)
        child.stdout.close()
        self.assertEqual(len(self.index()["findings"]), 2)

    def test_terminated(self) -> None:
        child = subprocess.Popen(
            [TOOL, "triage", *self.machine(), f"--out={self.out}", "--watch",
             "--every=1", str(self.dir / "out")],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert child.stdout is not None
        self.save(*PANIC)
        self.assertIn("finding 001-", child.stdout.readline())
        child.terminate()
        self.assertEqual(child.wait(LIMIT), 1)
        child.stdout.close()

    def test_a_kernel_of_its_own(self) -> None:
        other = self.dir / "other-kernel"
        shutil.copy(self.kernel, other)
        with other.open("ab") as kernel:
            kernel.write(b"\0")
        self.save(*PANIC)
        hangs = self.dir / "asan"
        hangs.mkdir()
        self.save(*AUDIT, folder=hangs)
        done = tool("triage", *self.machine(), f"--out={self.out}",
                    str(self.crashes), f"{hangs}={other}")
        self.assertEqual(done.returncode, 1, done.stderr)
        builds = {f["build"] for f in self.index()["findings"]}
        self.assertEqual(len(builds), 2)
        self.assertEqual({p.name for p in (self.out / "kernels").iterdir()},
                         builds)

    def test_findings(self) -> None:
        done = tool("findings", str(self.out), "--status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("0 findings", done.stdout)
        self.save(*PANIC)
        self.save(*NOISE)
        self.triage()
        done = tool("findings", str(self.out))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"001 +panic-kfree\S* +1 +2 +10 of 10")
        self.assertIn("did not fail again: 1,", done.stdout)
        self.assertEqual(
            tool("findings", "--status", str(self.out)).returncode, 1)

    def test_minimize(self) -> None:
        path = self.save(*NOISE, *PANIC, *NOISE, harts=4)
        small = self.dir / "small.prog"
        done = tool("minimize", *self.machine(), f"--out={small}", str(path))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("10 operations", done.stdout)
        self.assertIn("minimal: 2 operations", done.stdout)
        self.assertEqual(len(small.read_text().split("\n0: ")), 3)
        again = tool("repro", *self.machine(), str(small))
        self.assertEqual(again.returncode, 1, again.stderr)
        passes = tool("minimize", *self.machine(), str(self.save(*NOISE)))
        self.assertEqual(passes.returncode, 0, passes.stderr)

    def test_repro(self) -> None:
        done = tool("repro", *self.machine(), str(self.save(*PANIC)))
        self.assertEqual(done.returncode, 1, done.stderr)
        for part in ("0: fork", "hart 0  operation 1", "verdict: panic",
                     "signature: panic-kfree", "kernel.c:3"):
            self.assertIn(part, done.stdout)
        done = tool("repro", *self.machine(), str(self.save(*NOISE)))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_bad_command_lines(self) -> None:
        for args in (["triage"], ["triage", "/no/such"], ["minimize"],
                     ["minimize", "/no/such"], ["repro", "a", "b"],
                     ["repro", "--gdb=0", "a"], ["findings", "a", "b"]):
            done = tool(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_no_space(self) -> None:
        self.save(*PANIC)
        self.out.mkdir()
        (self.out / "kernels").touch()
        self.triage(status=2)


def build(folder: str) -> str:
    """The tool, with all that a compiler can check; its path."""
    path = f"{folder}/stampede-fuzz"
    done = subprocess.run(
        [os.environ.get("HOSTCC", "cc"), "-std=gnu11", "-g", "-I.",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o",
         path, *SOURCES], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False)
    if done.returncode != 0:
        print(f"finding_test: cannot build the tool:\n{done.stderr}",
              file=sys.stderr)
        sys.exit(2)
    return path


def main() -> int:
    global TOOL
    with tempfile.TemporaryDirectory(prefix="finding-test-") as folder:
        TOOL = build(folder)
        result = unittest.main(exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
