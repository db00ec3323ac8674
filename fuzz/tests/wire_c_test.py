#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of the tool `prog`, and of the C files that it makes.

Usage: wire_c_test.py [-v] [TestCase.test_name]
Exit:  0 all passed, 1 one failed or could not be run.

Each seed becomes a C file.  All of them must compile in ordinary xv6 trees
of both generations, warnings being errors there; in this tree they are put
on the disk and run, with this kernel's own calls and without them; and on
kernels with a bug they must say so.

STAMPEDE_OUT says where to build (build/test); what is there already is not
built again.
"""
import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(os.environ.get("STAMPEDE_OUT", "build/test")) / "wire_c"
BASE = ROOT / OUT
PROG = BASE / "prog"
SEEDS = sorted((ROOT / "corpus/seeds").glob("*.prog"))
CROSS = os.environ.get("CROSS", "riscv64-unknown-elf-")
LIMIT = 300             # seconds for any one command
# Without this kernel's own calls all memory is eaten and counted, which takes
# its time: only these, one of each sort.
PLAIN = ("fail_exec", "fail_fork", "fork11", "fork_store", "lazy", "names",
         "pipe_shared", "three_lanes")
# Waits for lines that nobody types here; the fuzzer's shim does.
TYPED = "console_read"
HEADERS = ("types", "stat", "fcntl", "param")
OLD_CALLS = "#define SYS_sleep 13\n"
NEW_CALLS = "#define SYS_pause 13\n"

# Runs the others one after another, for one boot is quicker than many.
RUNNER = """\
#include "kernel/types.h"
#include "user/user.h"

static char *const names[] = {%s};

int
main(void)
{
	int status, bad = 0;

	for (int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *argv[] = {names[i], 0};

		if (fork() == 0) {
			exec(names[i], argv);
			exit(3);
		}
		wait(&status);
		if (status != 0) {
			printf("BAD: %%s: %%d\\n", names[i], status);
			bad = 1;
		}
	}
	exit(bad);
}
"""


def run(*words: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in words], cwd=ROOT,
                          capture_output=True, timeout=LIMIT, **options)


def must(*words: object) -> bytes:
    """Run what this test needs; its output."""
    done = run(*words)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} exited with {done.returncode}:\n"
                           + (done.stdout + done.stderr)[-2000:].decode())
    return done.stdout


def make(*words: str) -> None:
    """A make of its own: nothing of the one that runs this test."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("MAKE") and name != "MFLAGS"}
    done = run("make", "-j2", *words, env=env)
    if done.returncode != 0:
        raise RuntimeError((done.stdout + done.stderr)[-2000:].decode())


def xv6_tree(name: str, calls: str, left_out: tuple[str, ...]) -> Path:
    """The headers of an ordinary xv6 tree, as far as programs see them."""
    tree = BASE / name
    (tree / "kernel").mkdir(parents=True, exist_ok=True)
    (tree / "user").mkdir(exist_ok=True)
    for header in HEADERS:
        text = (ROOT / f"kernel/{header}.h").read_text()
        (tree / f"kernel/{header}.h").write_text(text)
    (tree / "kernel/syscall.h").write_text(calls)
    lines = (ROOT / "user/user.h").read_text().splitlines(keepends=True)
    (tree / "user/user.h").write_text("".join(
        line for line in lines if not any(word in line for word in left_out)))
    return tree


def write_c(folder: str, prefix: str, seeds: list[Path],
            before: str = "") -> list[Path]:
    """The C files of seeds; prefix is a letter for their names."""
    (BASE / folder).mkdir(parents=True, exist_ok=True)
    files = []
    for seed in seeds:
        file = BASE / folder / f"{prefix}{seed.stem}.c"
        text = must(PROG, "c", seed).decode()
        if not file.exists() or file.read_text() != before + text:
            file.write_text(before + text)
        files.append(file)
    return files


def write_runner(folder: str, name: str, programs: list[Path]) -> Path:
    names = ", ".join(f'"/{program.stem}"' for program in programs)
    file = BASE / folder / f"{name}.c"
    file.write_text(RUNNER % names)
    return file


def setUpModule() -> None:
    BASE.mkdir(parents=True, exist_ok=True)
    wire = sorted((ROOT / "fuzz/wire").glob("*.c"))
    must("cc", "-I.", "-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-o", PROG, *wire)


class Tool(unittest.TestCase):
    """The command line."""

    def test_forms(self) -> None:
        for seed in SEEDS:
            binary = BASE / "seed.bin"
            self.assertEqual(run(PROG, "binary", "-o", binary,
                                 seed).returncode, 0)
            text = run(PROG, "text", binary).stdout
            self.assertEqual(text, run(PROG, "text", seed).stdout)
            again = run(PROG, "binary", "-", input=text)
            self.assertEqual(again.stdout, binary.read_bytes())

    def test_check(self) -> None:
        good = run(PROG, "check", SEEDS[0])
        self.assertEqual((good.returncode, good.stdout, good.stderr),
                         (0, b"", b""))
        bad = run(PROG, "check", "-", input=b"program harts=1 seed=0\nx\n")
        self.assertEqual(bad.returncode, 1)
        self.assertEqual(bad.stderr, b"standard input:2: 'x', "
                         b"expected a lane: 0: to 7:\n")

    def test_wrong_use(self) -> None:
        for words in ((), ("text",), ("fly", "x"), ("text", "x", "y"),
                      ("text", "-o"), ("text", "-x", "y")):
            done = run(PROG, *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(b"usage: prog", done.stderr)
        self.assertEqual(run(PROG, "text", "/no/such").returncode, 1)
        full = run(PROG, "text", "-o", "/dev/full", SEEDS[0])
        self.assertEqual(full.returncode, 2)
        self.assertIn(b"/dev/full: No space left", full.stderr)


class Compile(unittest.TestCase):
    """In trees that are not this one."""

    def compile_all(self, tree: Path) -> None:
        for file in write_c("compile", "x", SEEDS):
            done = run(f"{CROSS}gcc", "-Wall", "-Werror", "-O", "-ggdb",
                       "-mcmodel=medany", "-ffreestanding", "-fno-common",
                       "-fno-builtin", "-nostdlib", f"-I{tree}", "-c", "-o",
                       BASE / "compile.o", file)
            self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_old_xv6(self) -> None:
        self.compile_all(xv6_tree("old", OLD_CALLS, (
            "SBRK_ERROR", "sbrklazy", "pause", "sys_sbrk")))

    def test_new_xv6(self) -> None:
        self.compile_all(xv6_tree("new", NEW_CALLS, ("int sleep",)))


class Run(unittest.TestCase):
    """On this kernel, and on one that does wrong."""

    @classmethod
    def setUpClass(cls) -> None:
        own = write_c("own", "x", [
            seed for seed in SEEDS if seed.stem != TYPED])
        plain = write_c("plain", "y", [
            seed for seed in SEEDS if seed.stem in PLAIN],
            "#define NO_STAMPEDE 1\n")
        cls.build = f"{OUT}/kernel"
        programs = [*own, write_runner("own", "ownall", own),
                    *plain, write_runner("plain", "plainall", plain)]
        make(f"B={cls.build}", f"USERPROGS={' '.join(map(str, programs))}",
             "all")

    def wrong(self, plant: str) -> str:
        """Where there is a kernel with that bug."""
        folder = f"{OUT}/{plant}"
        make(f"B={folder}", f"PLANT={plant}", f"{folder}/kernel")
        return folder

    def guest(self, kernel: str, *words: str) -> tuple[int, str]:
        done = run(sys.executable, "scripts/guest.py", "--kernel",
                   f"{kernel}/kernel", "--image", f"{self.build}/fs.img",
                   "--cpus", "3", "--quiet", "60", *words)
        return done.returncode, done.stdout.decode(errors="replace")

    def all_good(self, runner: str, count: int) -> None:
        status, console = self.guest(self.build, runner)
        self.assertEqual(status, 0, console)
        self.assertEqual(console.count("prog: ok\n"), count, console)

    def test_own_calls(self) -> None:
        self.all_good("/ownall", len(SEEDS) - 1)

    def test_without_them(self) -> None:
        self.all_good("/plainall", len(PLAIN))

    def test_finding(self) -> None:
        status, console = self.guest(
            self.wrong("copyout_shared"), "/ypipe_shared")
        self.assertEqual(status, 1, console)
        self.assertRegex(console, r"FOUND: operation \d+ of lane 0: byte")

    def test_leak(self) -> None:
        kernel = self.wrong("fork_leak")
        status, console = self.guest(kernel, "/xfail_fork")
        self.assertEqual(status, 1, console)
        self.assertIn("findings of the audit", console)
        status, console = self.guest(kernel, "/yfail_fork", "10")
        self.assertEqual(status, 1, console)
        self.assertIn("free pages became less", console)


if __name__ == "__main__":
    unittest.main()
