#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boot the kernel on several machines, and use its shell as a person would.

Usage: boot_test.py [PYTEST OPTIONS]
Exit:  0 every test passed, 1 one failed, 2 they could not be run.

The kernel and the disk under test are build/plain/kernel and
build/plain/fs.img, or what STAMPEDE_KERNEL and STAMPEDE_IMAGE name.
STAMPEDE_OUT takes console logs and the times to the prompt.
"""
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

import qemu

SCRIPTS = Path(__file__).resolve().parent
KERNEL = Path(os.environ.get("STAMPEDE_KERNEL", "build/plain/kernel"))
IMAGE = Path(os.environ.get("STAMPEDE_IMAGE", "build/plain/fs.img"))
OUT = Path(os.environ.get("STAMPEDE_OUT", "build/test"))

PROMPT = r"(?:^|\n)\$ $"
LIMIT = 60          # seconds; generous, for the host may be loaded
PROMPT_LIMIT = 20.0
END_OF_FILE, KILL_LINE, BACKSPACE, DELETE, PROCESSES = (
    "\x04", "\x15", "\x08", "\x7f", "\x10")


class Console:
    """A machine on a pseudo-terminal, with the shell's prompt waited for."""

    def __init__(self, config: qemu.Config, name: str):
        OUT.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        line = qemu.command(config) + ["-display", "none", "-monitor",
                                       "none", "-serial", "stdio"]
        self.log = (OUT / f"boot-{name}.log").open("w", encoding="utf-8")
        self.child = pexpect.spawn(line[0], line[1:], timeout=LIMIT,
                                   encoding="utf-8", codec_errors="replace",
                                   logfile=None, dimensions=(50, 500))
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None
        self.prompt()
        self.boot_time = time.monotonic() - started

    def prompt(self) -> str:
        """Wait for a prompt; what was printed before it."""
        self.child.expect(PROMPT)
        return self.child.before.replace("\r", "").strip("\n")

    def run(self, command: str) -> str:
        """Type a line; what was printed between its echo and the prompt."""
        self.child.send(command + "\n")
        echo, _, output = self.prompt().partition("\n")
        assert echo == command
        return output

    def close(self) -> None:
        self.child.close(force=True)
        self.log.close()


@pytest.fixture(scope="module", params=[1, 3, 8], ids="harts{}".format)
def console(request: pytest.FixtureRequest) -> Iterator[Console]:
    """One shell for all the tests that only use it."""
    machine = Console(qemu.Config(KERNEL, IMAGE, request.param),
                      f"harts{request.param}")
    yield machine
    machine.close()


def batch(name: str, bootargs: str, cpus: int = 3, mem: str = "128M",
          image: Path | None = IMAGE) -> tuple[int, list[str]]:
    """Boot without a terminal, to the end: QEMU's status and the console."""
    OUT.mkdir(parents=True, exist_ok=True)
    log = OUT / f"boot-{name}.log"
    log.unlink(missing_ok=True)
    config = qemu.Config(KERNEL, image, cpus, mem, f"batch {bootargs}")
    with qemu.Machine(config, log) as machine:
        lines = [line for line in machine.lines(quiet=LIMIT) if line]
        return machine.status(), lines


# ---- the shell

def test_prompt(console: Console) -> None:
    with (OUT / "boot-times.txt").open("a", encoding="utf-8") as file:
        file.write(f"{console.log.name}: {console.boot_time:.2f} s\n")
    assert console.boot_time < PROMPT_LIMIT


def test_command(console: Console) -> None:
    assert console.run("echo hello there") == "hello there"


def test_pipe(console: Console) -> None:
    assert console.run("echo one two | wc").split() == ["1", "2", "8"]


def test_long_pipe(console: Console) -> None:
    assert console.run("echo a b | cat | grep a | cat | cat") == "a b"


def test_redirection(console: Console) -> None:
    assert console.run("echo kept > redirected") == ""
    assert console.run("cat < redirected") == "kept"
    assert console.run("grep kept < redirected | wc").split()[:2] == [
        "1", "1"]


def test_list(console: Console) -> None:
    assert console.run("echo first; echo second") == "first\nsecond"


def test_background(console: Console) -> None:
    output = console.run("echo behind > behind &")
    assert "behind" not in output
    console.run("wait")
    assert console.run("cat behind") == "behind"


def test_change_directory(console: Console) -> None:
    console.run("mkdir folder")
    console.run("cd folder")
    console.run("echo inside > file")
    assert console.run("cat /folder/file") == "inside"
    console.run("cd ..")
    assert console.run("cat folder/file") == "inside"


def test_script(console: Console) -> None:
    console.run("echo echo from a script > script")
    assert console.run("sh script") == "from a script"


def test_missing_program(console: Console) -> None:
    assert "nosuch" in console.run("nosuch")
    assert console.run("echo still here") == "still here"


def test_missing_file(console: Console) -> None:
    assert "nosuchfile" in console.run("cat nosuchfile")
    assert "nosuchfile" in console.run("cat < nosuchfile")


def test_listing(console: Console) -> None:
    output = console.run("ls")
    assert re.search(r"^README.md\s", output, re.M)
    assert re.search(r"^usertests\s", output, re.M)


def test_kill_line(console: Console) -> None:
    console.child.send("echo wrong" + KILL_LINE + "echo right\n")
    assert console.prompt().rpartition("\n")[2] == "right"


@pytest.mark.parametrize("key", [BACKSPACE, DELETE], ids=["^H", "DEL"])
def test_erase(console: Console, key: str) -> None:
    console.child.send(f"ecx{key}ho abx{key}c\n")
    assert console.prompt().rpartition("\n")[2] == "abc"


def test_end_of_file(console: Console) -> None:
    console.child.send("cat\n")
    console.child.send("typed\n")
    console.child.expect("typed\r?\ntyped\r?\n")
    console.child.send(END_OF_FILE)
    console.prompt()


def test_shell_is_restarted_at_end_of_file(console: Console) -> None:
    console.child.send(END_OF_FILE)
    console.prompt()
    assert console.run("echo again") == "again"


def test_process_list(console: Console) -> None:
    console.child.send(PROCESSES)
    console.child.expect(r"init[^$]*sh\b")
    assert console.run("echo list") .endswith("list")


# ---- machines

@pytest.mark.parametrize("cpus, mem", [(8, "32M"), (16, "128M"),
                                       (2, "1G")])
def test_machine(cpus: int, mem: str) -> None:
    console = Console(qemu.Config(KERNEL, IMAGE, cpus, mem),
                      f"{cpus}-{mem}")
    try:
        assert console.run("echo up | cat") == "up"
    finally:
        console.close()


def test_exit_status() -> None:
    status, lines = batch("status", "run=/echo fine")
    assert status == 0 and lines[-1] == "fine"
    status, _ = batch("status-bad", "run=/cat /nosuchfile")
    assert status > 0


def test_no_disk() -> None:
    status, lines = batch("nodisk", "run=/echo x", image=None)
    assert status > 0
    assert any(line.startswith("panic: ") and "disk" in line
               for line in lines)


# ---- reports

def test_panic_report() -> None:
    status, lines = batch("panic", "crash=panic")
    assert status > 0
    start = next(n for n, line in enumerate(lines) if "panic: " in line)
    assert "panic: selftest: asked for by crash=panic" in lines[start]
    assert re.match(r"hart \d", lines[start + 1])
    assert any("selftest+0x" in line for line in lines[start:])


def test_kernel_stack_overflow_is_caught() -> None:
    status, lines = batch("stack", "crash=stack")
    assert status > 0
    report = next(line for line in lines if "panic: " in line)
    assert "stack" in report or "guard" in report


def test_kernel_text_is_read_only() -> None:
    status, lines = batch("text", "crash=text")
    assert status > 0
    assert any("panic: " in line for line in lines)


def stress(name: str, bootargs: str) -> tuple[int, str, Path]:
    """Let stress.py meet a broken kernel."""
    out = OUT / f"stress-{name}"
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "stress.py"), "--kernel", str(KERNEL),
         "--image", str(IMAGE), "--out", str(out), "--only", "cowtest",
         "--quiet", "5", "--append", bootargs],
        capture_output=True, text=True, timeout=4 * LIMIT)
    return done.returncode, done.stdout, out


def test_hang_is_found_and_dumped() -> None:
    status, output, out = stress("hang", "crash=hang")
    assert status == 1
    assert "boot: fail" in output
    report = (out / "hang-boot.txt").read_text(encoding="utf-8")
    assert "hart 0: kernel" in report and "hart 7: " in report
    assert "crash_hang at selftest.c" in report
    assert "selftest at selftest.c" in report


def test_panic_is_symbolised() -> None:
    status, _, out = stress("panic", "crash=panic")
    assert status == 1
    report = (out / "panic-boot.txt").read_text(encoding="utf-8")
    assert "selftest at selftest.c:" in report


def main(argv: list[str]) -> int:
    status = pytest.main(["-p", "no:cacheprovider", "-q", __file__, *argv])
    return status if status in (0, 1) else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
