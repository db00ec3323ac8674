#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of stampede-fuzz against a machine that is not there (fake_vm.c).

Usage: driver_test.py [-v] [TestCase.test_name]
Exit:  0 all passed, 1 one failed, 2 the tool cannot be built.

The first part speaks AFL++'s protocol itself, so that each of its corners can
be gone into; the second lets AFL++'s own programs do it.  What they need of
this machine they take with them, and nothing is left behind.
"""
import ctypes
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
SOURCES = """
    fuzz/host/afl.c fuzz/host/driver.c fuzz/host/features.c fuzz/host/files.c
    fuzz/host/main.c fuzz/host/options.c fuzz/host/run.c fuzz/host/runup.c
    fuzz/host/signature.c fuzz/host/stop.c fuzz/host/watchdog.c
    fuzz/wire/codec.c fuzz/wire/kinds.c fuzz/wire/load.c fuzz/wire/out.c
    fuzz/wire/parse.c fuzz/wire/print.c fuzz/wire/values.c
    fuzz/tests/fake_vm.c""".split()
LIMIT = 20              # seconds that anything may take
MAP_SIZE = 32768 + 4096
EDGES_AT = 2000         # fake_vm.c: byte i of the input, with value v, is
EDGES_EACH = 256        # edge EDGES_AT + i * EDGES_EACH + v
CONTROL, STATUS = 198, 199
HELLO = 0x80000001 | 0x40000000 | (MAP_SIZE - 1) << 1
SHM_CASE = 0x01000000

# Input, signature, and the signal that it is told as.
FAILURES = (
    ("P", "panic-kfree-frame-is-free-already-uvmunmap", signal.SIGABRT),
    ("K", "panic-kfree-frame-is-free-already-uvmunmap", signal.SIGABRT),
    ("T", "trap-load-page-fault-piperead", signal.SIGSEGV),
    ("H", "hang-no-end-in-hooks-sys_sbrk", signal.SIGALRM),
    ("O", "oracle-memory-holds-what-another-process-wrote", signal.SIGTRAP),
    ("U", "audit-frame-is-lost", signal.SIGFPE),
)

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)

build = Path()          # the folder of both tools
tool = Path()           # with the sanitizers
fast = Path()           # without


def compile_tool(name: str, *flags: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["cc", "-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", "-I.",
         "-pthread", *flags, "-o", str(build / name), *SOURCES],
        cwd=ROOT, stderr=subprocess.PIPE, text=True)


def setUpModule() -> None:
    global build, tool, fast
    build = Path(tempfile.mkdtemp(prefix="driver-test-"))
    tool, fast = build / "checked", build / "fast"
    for job in (compile_tool("checked", "-fsanitize=address,undefined",
                             "-fno-sanitize-recover=all"),
                compile_tool("fast", "-O2")):
        _, errors = job.communicate(timeout=120)
        if job.returncode != 0:
            print(errors, file=sys.stderr)
            os._exit(2)


def tearDownModule() -> None:
    shutil.rmtree(build, ignore_errors=True)


def run_tool(*words: str, data: bytes = b"", mode: str = "",
             program: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(program or tool), *words], input=data, capture_output=True,
        timeout=LIMIT, env={**os.environ, "FAKE_VM": mode}, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode,
                                       done.stdout.decode(),
                                       done.stderr.decode())


class Segment:
    """System V shared memory, as AFL++ hands it over."""

    def __init__(self, size: int):
        self.id = libc.shmget(0, size, 0o1600)
        if self.id < 0:
            raise OSError(ctypes.get_errno(), "shmget")
        self.size = size
        self.address = libc.shmat(self.id, None, 0)

    def write(self, data: bytes) -> None:
        ctypes.memmove(self.address, data, len(data))

    def read(self) -> bytes:
        return ctypes.string_at(self.address, self.size)

    def free(self) -> None:
        libc.shmctl(self.id, 0, None)


class Server:
    """The tool as AFL++ starts it, and our ends of its pipes."""

    def __init__(self, folder: Path, *words: str, mode: str = "",
                 shared: bool = True):
        self.log = folder / "log"
        self.events = folder / "events"
        self.map = Segment(MAP_SIZE)
        self.case = Segment((1 << 20) + 4)
        self.shared = shared
        self.input = tempfile.TemporaryFile()
        there, self.control = os.pipe()
        self.status, back = os.pipe()
        env = {**os.environ, "FAKE_VM": mode, "FAKE_VM_LOG": str(self.events),
               "__AFL_SHM_ID": str(self.map.id)}
        if shared:
            env["__AFL_SHM_FUZZ_ID"] = str(self.case.id)

        def pipes() -> None:
            os.dup2(there, CONTROL)
            os.dup2(back, STATUS)

        self.process = subprocess.Popen(
            [str(tool), "afl", f"--log={self.log}", *words], env=env,
            stdin=self.input, stderr=subprocess.PIPE, preexec_fn=pipes,
            close_fds=False)
        os.close(there)
        os.close(back)

    def word(self) -> int:
        if not select.select([self.status], [], [], LIMIT)[0]:
            raise AssertionError("no answer")
        data = os.read(self.status, 4)
        if len(data) != 4:
            raise AssertionError("the tool has ended: " + self.log_text())
        return struct.unpack("<I", data)[0]

    def hello(self) -> int:
        word = self.word()
        if word & SHM_CASE:
            os.write(self.control, struct.pack("<I", 0x80000001 | SHM_CASE))
        return word

    def begin(self, data: bytes) -> int:
        """Send an input; returns the process id that was told."""
        self.map.write(bytes(MAP_SIZE))
        if self.shared:
            self.case.write(struct.pack("<I", len(data)) + data)
        else:
            self.input.seek(0)
            self.input.truncate()
            self.input.write(data)
            self.input.flush()
            self.input.seek(0)
        os.write(self.control, bytes(4))
        return self.word()

    def run(self, data: bytes) -> int:
        self.begin(data)
        return self.word()

    def end(self) -> int:
        """Close the pipe as AFL++ does; returns the exit status."""
        if self.control >= 0:
            os.close(self.control)
            self.control = -1
        return self.process.wait(timeout=LIMIT)

    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def free(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        if self.control >= 0:
            os.close(self.control)
        os.close(self.status)
        self.input.close()
        self.map.free()
        self.case.free()


class WithFolder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=build))

    def program(self, name: str, *lines: str, seed: int = 1) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(
            [f"program harts=1 seed={seed}", *lines, ""]))
        return str(path)


class Alone(WithFolder):
    """`stampede-fuzz afl` without AFL++."""

    def test_dies_by_the_signal(self) -> None:
        for letter, name, number in FAILURES:
            with self.subTest(letter):
                done = run_tool("afl", data=letter.encode() + b"123")
                self.assertEqual(done.returncode, -number)
                self.assertEqual(done.stderr.strip(), name)

    def test_passes(self) -> None:
        (self.folder / "in").write_bytes(b"x")
        done = run_tool("afl", str(self.folder / "in"))
        self.assertEqual((done.returncode, done.stderr), (0, "pass\n"))

    def test_long_names(self) -> None:
        def name(tail: bytes) -> str:
            return run_tool("afl", data=b"L" + tail).stderr.strip()
        one, two = name(b"one way"), name(b"another")
        for text in (one, two):
            self.assertRegex(
                text, r"\Apanic-inode-of-at-rd-has-k-too-many-words[a-z-]*"
                r"-[0-9a-f]{4}\Z")
            self.assertLessEqual(len(text), 60)
        self.assertNotEqual(one, two)
        self.assertEqual(name(b"number 77 "), name(b"number 0x1"))

    def test_too_long_is_skipped(self) -> None:
        self.assertEqual(run_tool("afl", data=bytes(5000)).returncode, 0)

    def test_broken(self) -> None:
        self.assertEqual(run_tool("afl", data=b"D").returncode, 2)
        self.assertEqual(run_tool("afl", data=b"F").returncode, 0)


class Protocol(WithFolder):
    """What AFL++ would see."""

    def serve(self, *words: str, **how: object) -> Server:
        server = Server(self.folder, *words, **how)
        self.addCleanup(server.free)
        self.first = server.hello()
        return server

    def test_hello(self) -> None:
        self.serve()
        self.assertEqual(self.first, HELLO | SHM_CASE)

    def test_edges_need_no_larger_map(self) -> None:
        self.serve("--features=edges")
        self.assertEqual(self.first, 0xc100ffff)

    def test_verdicts(self) -> None:
        server = self.serve()
        for letter, name, number in FAILURES:
            self.assertEqual(server.run(letter.encode()), number)
            self.assertIn(name, server.log_text())
        self.assertEqual(server.run(b"x"), 0)
        self.assertEqual(server.run(b"S no program"), 0)
        self.assertEqual(server.end(), 0)
        self.assertIn("end: 8 runs, 6 failed, 0 broken, 1 skipped",
                      server.log_text())
        self.assertEqual(server.log_text().count("new:"), 5)

    def test_map(self) -> None:
        server = self.serve()
        for data in (b"xyz", b"a", b"xyz"):
            server.run(data)
            expected = {1} | {EDGES_AT + i * EDGES_EACH + value
                              for i, value in enumerate(data)}
            found = server.map.read()
            self.assertEqual(
                {i for i, byte in enumerate(found) if byte}, expected)
        server.run(b"P")
        self.assertTrue(any(server.map.read()[32768:]))

    def test_states_of_a_program(self) -> None:
        server = self.serve("--features=edges,results,pairs")
        op = struct.pack("<BBBB4H", 9, 0, 0, 0, 0, 0, 0, 0)
        server.run(b"SP1\x01\x01\0\0\0" + op * 2)
        states = server.map.read()[32768:]
        self.assertEqual(sum(byte != 0 for byte in states), 2)

    def test_input_by_stdin(self) -> None:
        server = self.serve(shared=False)
        self.assertEqual(self.first, HELLO)
        for _ in range(3):
            self.assertEqual(server.run(b"xyz"), 0)
            self.assertEqual(server.run(b"Pyz"), signal.SIGABRT)

    def test_length_is_not_believed(self) -> None:
        server = self.serve()
        server.map.write(bytes(MAP_SIZE))
        server.case.write(struct.pack("<I", 0xffffffff))
        os.write(server.control, bytes(4))
        server.word()
        self.assertEqual(server.word(), 0)
        self.assertEqual(server.run(b"P"), signal.SIGABRT)

    def test_qemu_dies(self) -> None:
        server = self.serve()
        before = server.begin(b"x")
        server.word()
        self.assertEqual(server.run(b"D"), 0)
        after = server.begin(b"P")
        self.assertEqual(server.word(), signal.SIGABRT)
        self.assertNotEqual(before, after)
        folder = next(self.folder.glob("log.runup-*"))
        saved = [path.read_bytes() for path in sorted(folder.iterdir())]
        self.assertEqual(saved, [b"x", b"D"])

    def test_qemu_dies_once(self) -> None:
        server = self.serve()
        self.assertEqual(server.run(b"F"), 0)
        self.assertEqual(server.map.read()[EDGES_AT + ord("F")], 1)
        self.assertEqual(server.end(), 0)
        self.assertIn("again: run 1: QEMU died", server.log_text())
        self.assertIn("0 broken", server.log_text())

    def test_caller_kills_qemu(self) -> None:
        server = self.serve("--deadline-ms=300")
        os.kill(server.begin(b"W"), signal.SIGKILL)
        self.assertEqual(server.word(), 0)
        self.assertEqual(server.run(b"P"), signal.SIGABRT)

    def test_deadline(self) -> None:
        server = self.serve("--deadline-ms=100")
        start = time.monotonic()
        self.assertEqual(server.run(b"W"), 0)
        self.assertGreater(time.monotonic() - start, 0.09)
        self.assertEqual(server.run(b"P"), signal.SIGABRT)
        server.end()
        self.assertIn("1 by deadline", server.log_text())

    def test_over_budget(self) -> None:
        server = self.serve()
        self.assertEqual(server.run(b"B"), 0)
        self.assertEqual(server.run(b"H"), signal.SIGALRM)
        self.assertEqual(server.events.read_text().count("hang"), 2)
        # Once is enough from now on: it is known to be real.
        self.assertEqual(server.run(b"Hx"), signal.SIGALRM)
        self.assertEqual(server.events.read_text().count("hang"), 3)

    def test_gives_up(self) -> None:
        server = self.serve("--broken-max=5", mode="weak")
        for _ in range(5):
            self.assertEqual(server.run(b"D"), 0)
        self.assertEqual(server.process.wait(timeout=LIMIT), 2)
        self.assertIn("broken 5 times in a row: giving up", server.log_text())

    def test_ends(self) -> None:
        for how in ("pipe", signal.SIGTERM, signal.SIGINT):
            with self.subTest(how=how):
                server = Server(self.folder)
                self.addCleanup(server.free)
                server.hello()
                qemu = server.begin(b"x")
                server.word()
                if how == "pipe":
                    server.end()
                else:
                    server.process.send_signal(how)
                self.assertEqual(server.process.wait(timeout=LIMIT), 0)
                self.assertTrue(server.events.read_text().endswith("close\n"))
                self.assertFalse(Path(f"/proc/{qemu}/exe").exists())

    def test_disk_full(self) -> None:
        server = self.serve("--log=/dev/full")
        for _ in range(3):
            self.assertEqual(server.run(b"P"), signal.SIGABRT)
            self.assertEqual(server.run(b"D"), 0)
        self.assertEqual(server.end(), 0)

    def test_no_machine(self) -> None:
        server = Server(self.folder, mode="dead")
        self.addCleanup(server.free)
        self.assertEqual(server.process.wait(timeout=LIMIT), 2)
        self.assertIn("no such kernel", server.log_text())


class Run(WithFolder):
    """`stampede-fuzz run` and `stampede-fuzz corpus`."""

    def test_pass(self) -> None:
        done = run_tool("run", self.program("a.prog", "0: getpid"))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, f"{self.folder}/a.prog: pass\n")

    def test_fail(self) -> None:
        done = run_tool("run", "--trace", self.program(
            "a.prog", "0: getpid", "0: audit"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL audit-", done.stdout)
        self.assertIn("op 1: 0: audit", done.stdout)

    def test_repeat(self) -> None:
        def repeat(seed: int) -> subprocess.CompletedProcess[str]:
            return run_tool("run", "--repeat=9", self.program(
                "a.prog", "0: getpid", seed=seed))
        self.assertEqual(repeat(1).returncode, 0)
        for seed, what in ((13, "in coverage"), (15, "in verdict")):
            done = repeat(seed)
            self.assertEqual(done.returncode, 1)
            self.assertIn("DIFFERS", done.stdout)
            self.assertIn(what, done.stdout)

    def test_verify(self) -> None:
        file = self.program("a.prog", "0: getpid", seed=16)
        self.assertEqual(run_tool("run", file).returncode, 0)
        self.assertEqual(run_tool("run", "--verify", file).returncode, 2)
        for value, status in (("", 0), ("0", 0), ("1", 2)):
            with mock.patch.dict(os.environ, SNAPSHOT_VERIFY=value):
                self.assertEqual(run_tool("run", file).returncode, status)

    def test_broken(self) -> None:
        done = run_tool("run", self.program("a.prog", "0: getpid", seed=14))
        self.assertEqual(done.returncode, 2)
        self.assertIn("BROKEN", done.stdout)
        bad = self.program("b.prog", "0: no_such_call")
        done = run_tool("run", bad)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_json(self) -> None:
        done = run_tool("run", "--json", "--repeat=3",
                        self.program("a.prog", "0: audit"))
        found = json.loads(done.stdout)
        self.assertEqual((found["verdict"], found["runs"]), ("FAIL", 3))

    def test_corpus(self) -> None:
        self.program("seeds/b.prog", "0: getpid")
        self.program("seeds/deep/a.prog", "0: uptime")
        self.program("seeds/README", "not a program")
        done = run_tool("corpus", str(self.folder / "seeds"))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "corpus: 2 programs: 2 pass, 0 fail, "
                         "0 differ, 0 broken\n")
        self.program("seeds/c.prog", "0: audit")
        done = run_tool("corpus", str(self.folder / "seeds"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count("FAIL"), 1)

    def test_nothing_to_do(self) -> None:
        for words in (("run",), ("corpus", str(self.folder)),
                      ("run", "/no/such/file")):
            done = run_tool(*words)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("\n"), 1)


class CommandLine(unittest.TestCase):
    """Right and wrong options."""

    def test_wrong(self) -> None:
        for words in ((), ("fly",), ("run", "--fly"), ("run", "--kernel"),
                      ("run", "--repeat=0", "x"), ("run", "--repeat=1x", "x"),
                      ("run", "--budget-ms=-1", "x"), ("afl", "a", "b"),
                      ("afl", "--features=edges,wings"),
                      ("afl", "--log=/no/such/folder/log"),
                      ("afl", "/no/such/file")):
            with self.subTest(words):
                done = run_tool(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, r"\Astampede-fuzz.*: .*\n\Z")

    def test_help(self) -> None:
        for words in (("--help",), ("run", "--help"), ("afl", "-h")):
            done = run_tool(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("usage: stampede-fuzz", done.stdout)


@unittest.skipUnless(shutil.which("afl-fuzz"), "AFL++ is not installed")
class AflTools(WithFolder):
    """AFL++'s own programs."""

    def setUp(self) -> None:
        super().setUp()
        self.seeds = self.folder / "in"
        self.seeds.mkdir()
        for letter in "QVINW":  # each one bit away from a failure
            (self.seeds / letter).write_text(letter)

    def start(self, *command: str) -> "subprocess.Popen[str]":
        env = {**os.environ, "FAKE_VM": "steady", "AFL_NO_UI": "1",
               "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1",
               "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
               "AFL_FORKSRV_INIT_TMOUT": "10000", "AFL_ALLOW_TMP": "1"}
        return subprocess.Popen(
            [*command, "--", str(fast), "afl", f"--log={self.folder}/log"],
            env=env, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self, job: "subprocess.Popen[str]") -> str:
        try:
            output, _ = job.communicate(timeout=60)
        finally:
            job.kill()
        self.assertEqual(job.returncode, 0, output)
        return output

    def check_instance(self, folder: Path) -> set[str]:
        """One instance's figures; returns the signals of its crashes."""
        stats = dict(re.findall(r"^(\w+)\s*: (.*)$",
                                (folder / "fuzzer_stats").read_text(), re.M))
        self.assertEqual(stats["stability"], "100.00%")
        self.assertEqual(stats["total_edges"], str(MAP_SIZE))
        self.assertEqual(stats["saved_hangs"], "0")
        self.assertGreater(int(stats["execs_done"]), 200)
        return {match[1] for path in (folder / "crashes").iterdir()
                if (match := re.search(r"sig:(\d+)", path.name))}

    def test_fuzz_side_by_side(self) -> None:
        out = self.folder / "out"
        jobs = [self.start("afl-fuzz", "-S", name, "-V", "5", "-t", "5000",
                           "-i", str(self.seeds), "-o", str(out))
                for name in ("one", "two")]
        for job in jobs:
            self.finish(job)
        known = {f"{number:02}" for _, _, number in FAILURES}
        found = {name: self.check_instance(out / name)
                 for name in ("one", "two")}
        self.assertEqual(found["one"] | found["two"], known)
        log = (self.folder / "log").read_text()
        self.assertEqual(log.count("start:"), 2)
        self.assertNotIn("broken:", log)

    def test_showmap(self) -> None:
        target = self.folder / "map"
        self.finish(self.start("afl-showmap", "-i", str(self.seeds),
                               "-o", str(target)))
        for letter in "QVINW":
            edge = EDGES_AT + ord(letter)
            self.assertEqual((target / letter).read_text(),
                             f"000001:1\n{edge:06}:1\n")

    def test_cmin(self) -> None:
        (self.seeds / "Q-again").write_text("Q")
        target = self.folder / "small"
        self.finish(self.start("afl-cmin", "-i", str(self.seeds),
                               "-o", str(target)))
        self.assertEqual(sorted(path.read_text() for path in
                                target.iterdir()), sorted("QVINW"))


if __name__ == "__main__":
    unittest.main()
