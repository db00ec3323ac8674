# SPDX-License-Identifier: MIT
"""Tests of stress.py, qemu.py, harts.py and report.py against a QEMU that is
a script: it plays back a console, so that every way in which a guest can go
wrong is tried in a second and without a kernel.
"""
import os
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import harts
import qemu
import report
import stress

SCRIPTS = Path(__file__).resolve().parent

# Plays plan.N at its Nth start: `wait` goes silent for ever, `sleep S` waits,
# `exit N` ends; all else is console output.
PLAYER = '''#!{python}
import pathlib, sys, time
here = pathlib.Path({here!r})
if "--version" in sys.argv:
    print("QEMU emulator version {version}")
    sys.exit(0)
with (here / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
turn = len((here / "calls").read_text().splitlines())
for line in (here / f"plan.{{turn}}").read_text().splitlines():
    word, _, rest = line.partition(" ")
    if word == "exit":
        sys.exit(int(rest))
    elif word == "complain":
        sys.exit(rest)
    elif word in ("wait", "sleep"):
        time.sleep(float(rest or 600))
    else:
        print(line, flush=True)
'''


class Fake:
    """A folder with a fake QEMU, a fake kernel and a fake image."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.qemu = folder / "qemu"
        self.version("7.2.22")
        (folder / "kernel").write_bytes(b"\x7fELF")
        (folder / "fs.img").write_bytes(bytes(1024) + b"PMTS" + bytes(2044))

    def version(self, version: str) -> None:
        self.qemu.write_text(PLAYER.format(
            python=sys.executable, here=str(self.folder), version=version))
        self.qemu.chmod(self.qemu.stat().st_mode | stat.S_IXUSR)

    def run(self, *plans: str, args: tuple[str, ...] = ()
            ) -> subprocess.CompletedProcess[str]:
        for turn, plan in enumerate(plans, 1):
            (self.folder / f"plan.{turn}").write_text(plan)
        return subprocess.run(
            [sys.executable, str(SCRIPTS / "stress.py"),
             "--kernel", str(self.folder / "kernel"),
             "--image", str(self.folder / "fs.img"),
             "--out", str(self.folder / "out"), *args],
            env={**os.environ, "QEMU": str(self.qemu)},
            capture_output=True, text=True, timeout=60)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def junit(self) -> dict[str, str]:
        root = ElementTree.parse(self.folder / "out/junit.xml").getroot()
        return {case.attrib["name"]: case[0].tag if len(case) else "pass"
                for case in root.iter("testcase")}


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


BOTH = ("--only", "cowtest,grind", "--secs", "2", "--seed", "7")
GOOD = """\
TAP version 13
1..2
# start cowtest
# tick cowtest 10 10
ok 1 - cowtest # ops=40 secs=2.0 leaked=0
# start grind
# tick grind 10 3
ok 2 - grind # ops=9 secs=2.5 leaked=0
exit 0
"""


def test_all_pass(fake: Fake) -> None:
    done = fake.run(GOOD, args=BOTH)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 7" in done.stdout.splitlines()[0]
    assert "2 passed, 0 failed" in done.stdout
    assert fake.junit() == {"cowtest": "pass", "grind": "pass"}
    append = "batch run=/runstress -p -s 7 -t 2 -o cowtest,grind"
    assert append in fake.calls()[0]
    assert "ok 2 - grind" in (fake.folder / "out/console.log").read_text()


def test_drawn_seed_is_printed_and_used(fake: Fake) -> None:
    done = fake.run(GOOD, args=("--only", "cowtest,grind"))
    seed = done.stdout.split("seed ")[1].split(",")[0]
    assert f"-s {seed} " in fake.calls()[0]


@pytest.mark.parametrize("point, verdict, status", [
    ("not ok 1 - cowtest # ops=1 secs=1.0 leaked=0 child saw 3", "fail", 1),
    ("not ok 1 - cowtest # ops=1 secs=1.0 leaked=5", "fail", 1),
    ("ok 1 - cowtest # ops=1 secs=1.0 leaked=5", "fail", 1),
    ("not ok 1 - cowtest # BROKEN no such program", "broken", 2),
    ("ok 1 - cowtest # SKIP needs two harts", "skipped", 0),
    ("text without end ok 1 - cowtest # ops=1 secs=1.0", "pass", 0),
])
def test_verdicts(fake: Fake, point: str, verdict: str, status: int) -> None:
    done = fake.run(f"# start cowtest\n{point}\nexit {min(status, 1)}\n",
                    args=("--only", "cowtest"))
    assert done.returncode == status, done.stdout + done.stderr
    assert f"cowtest: {verdict}" in done.stdout
    if status:
        assert "make stress CPUS=8 ONLY=cowtest SECS=20" in done.stdout


def test_reason_and_notes_are_shown(fake: Fake) -> None:
    done = fake.run("# start cowtest\ncowtest: fail: page 3 is foreign\n"
                    "not ok 1 - cowtest # ops=1 leaked=2\n"
                    "# why cowtest: exit status 1\nexit 1\n",
                    args=("--only", "cowtest"))
    assert "cowtest: fail: exit status 1" in done.stdout
    assert "page 3 is foreign" in done.stdout


def test_panic_fails_the_running_one_and_goes_on(fake: Fake) -> None:
    done = fake.run(
        "# start cowtest\n"
        "panic: page_put: no references: 0x0 (0)\n hart 3\nexit 1\n",
        "# start grind\nok 1 - grind # ops=9 secs=2.5 leaked=0\nexit 0\n",
        args=BOTH)
    assert done.returncode == 1
    assert fake.junit() == {"cowtest": "failure", "grind": "pass"}
    assert "-o grind" in fake.calls()[1]
    text = (fake.folder / "out/panic-cowtest.txt").read_text()
    assert "page_put: no references" in text and "hart 3" in text


def test_silence_is_a_hang(fake: Fake) -> None:
    done = fake.run(
        "# start cowtest\n# tick cowtest 10 1\nwait\n",
        "# start grind\nok 1 - grind # ops=9 secs=2.5 leaked=0\nexit 0\n",
        args=BOTH + ("--quiet", "1"))
    assert done.returncode == 1
    assert "cowtest: fail" in done.stdout and "hang: no output" in done.stdout
    assert "no dump" in (fake.folder / "out/hang-cowtest.txt").read_text()
    assert fake.junit()["grind"] == "pass"


def test_too_long_is_a_hang(fake: Fake) -> None:
    progress = "# tick cowtest 10 1\nsleep 0.5\n" * 20
    done = fake.run(f"# start cowtest\n{progress}",
                    args=("--only", "cowtest", "--limit", "2"))
    assert done.returncode == 1
    assert "hang: not done after 2 s" in done.stdout


def test_end_without_verdict_fails(fake: Fake) -> None:
    done = fake.run("# start cowtest\nexit 0\n", args=("--only", "cowtest"))
    assert done.returncode == 1
    assert "before there was a verdict" in done.stdout


def test_panic_at_boot_skips_the_rest(fake: Fake) -> None:
    done = fake.run("panic: fs_init: bad superblock: 0x0 (0)\nexit 1\n",
                    args=BOTH)
    assert done.returncode == 1
    assert fake.junit() == {"cowtest": "skipped", "grind": "skipped",
                            "boot": "failure"}


def test_bad_status_after_good_verdicts_fails(fake: Fake) -> None:
    done = fake.run(GOOD.replace("exit 0", "exit 3"), args=BOTH)
    assert done.returncode == 1
    assert "ended with status 3" in done.stdout


def test_runner_gives_up(fake: Fake) -> None:
    done = fake.run("Bail out! no /stress\nexit 1\n", args=BOTH)
    assert done.returncode == 2
    assert "no /stress" in done.stdout


@pytest.mark.parametrize("args, text", [
    (("--cpus", "0"), "CPUS=0: give a number from 1 to"),
    (("--cpus", "99"), "CPUS=99: give a number"),
    (("--cpus", "abc"), "CPUS=abc: give a number"),
    (("--only", "nosuch"), "ONLY=nosuch: there is no nosuch; choose from"),
    (("--only", ","), "ONLY=,: name programs"),
    (("--secs", "x"), "SECS=x: give a number"),
    (("--secs", "0"), "SECS=0: give a number"),
    (("--seed", "-1"), "SEED=-1: give a number"),
    (("--mem", "3"), "MEM=3: give a size"),
    (("--mem", "1M"), "MEM=1M: give a size"),
    (("--kernel", "/nonexistent"), "run `make`"),
    (("--image", "/nonexistent"), "run `make`"),
    (("--kernel", "/dev/null"), "not a kernel"),
    (("--image", "/dev/null"), "not a disk image"),
    (("--out", "/dev/null/x"), "--out"),
])
def test_bad_options(fake: Fake, args: tuple[str, str], text: str) -> None:
    done = fake.run(args=tuple(f"{args[0]}={a}" for a in args[1:]))
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1


def test_old_qemu(fake: Fake) -> None:
    fake.version("6.0.1")
    done = fake.run()
    assert done.returncode == 2
    assert "version 6.0, older than 7.2" in done.stderr


def test_no_qemu(fake: Fake) -> None:
    fake.qemu.unlink()
    done = fake.run()
    assert done.returncode == 2
    assert "not found" in done.stderr


def test_qemu_that_does_not_start(fake: Fake) -> None:
    done = fake.run("complain qemu: cannot allocate memory\n")
    assert done.returncode == 2
    assert "QEMU did not start: qemu: cannot allocate" in done.stderr


# ---- time

def test_usable_time() -> None:
    assert qemu.usable(1, 0, 0, 0.25) == 1          # nothing to do
    assert qemu.usable(1, 2, 6, 0.25) == 1          # its own threads
    assert qemu.usable(1, 1, 7, 0.25) == 0.5        # half of the host
    assert qemu.usable(1, 0.001, 0.01, 0.25) > 0.9  # idle: hardly delayed


# ---- backtraces

REGISTERS = """
CPU#0
 V      =   0
 pc       ffffffc080000100
 mhartid  0000000000000000
 satp     8000000000080123
 x0/zero  0000000000000000 x1/ra    ffffffc080000200 x2/sp    ffffffff00001000
 x8/s0    ffffffff00001020 x9/s1    0000000000000000
CPU#1
 pc       0000000000000040
 x1/ra    0000000000000050 x2/sp    0000000000003f00 x8/s0    0000000000003f10
"""


def test_dump_follows_frame_pointers() -> None:
    memory = {
        0xffffffff00001010: (0xffffffff00001040, 0xffffffc080000300),
        0xffffffff00001030: (0, 0xffffffc080000400),
    }

    def monitor(line: str, hart: int) -> str:
        if line.startswith("info"):
            return REGISTERS
        assert hart == 0
        address = int(line.split()[-1], 16)
        words = " ".join(f"{w:#018x}" for w in memory[address])
        return f"{address:x}: {words}\n"

    text = harts.dump(monitor, Path("/nonexistent"))
    hart0, hart1 = text.split("hart 1: ")
    assert hart0.startswith("hart 0: kernel")
    assert [word for word in hart0.split() if word.startswith("0xffffffc08")
            and not word.endswith(",")] == [
        "0xffffffc080000100", "0xffffffc080000300", "0xffffffc080000400"]
    assert hart1.startswith("user")


def test_leaf_function_is_followed_by_its_caller() -> None:
    regs = harts.parse_registers(REGISTERS)[0]
    frames = {0xffffffff00001010: [0, 0xffffffff00001040],
              0xffffffff00001030: [0, 0xffffffc080000400]}
    assert harts.callers(regs, lambda a, n: frames[a]) == [
        0xffffffc080000100, 0xffffffc080000200, 0xffffffc080000400]


def test_addr2line_output() -> None:
    text = ("0xffffffc080000010: main at main.c:10 (discriminator 3)\n"
            "0xffffffc080000020: pop_off at spinlock.c:7\n"
            " (inlined by) release at spinlock.c:40\n"
            "0xffffffc080000030: ?? ??:0\n")
    assert harts.parse_addr2line(text) == {
        0xffffffc080000010: "main at main.c:10",
        0xffffffc080000020: "pop_off at spinlock.c:7, "
                            "inlined in release at spinlock.c:40"}


def test_symbolise_leaves_other_lines_alone() -> None:
    lines = ["panic: x: y", " 0xffffffc080000010", "at ffffffff00001000"]
    assert harts.symbolise(Path("/nonexistent"), lines) == lines


# ---- reports

def test_junit_survives_control_characters(tmp_path: Path) -> None:
    results = [report.Result("a", "fail", "bad \x00\x1b[m", "\x07 bell"),
               report.Result("b", "pass"), report.Result("c", "broken")]
    report.write_junit(tmp_path / "x.xml", "suite", results)
    node = ElementTree.parse(tmp_path / "x.xml").getroot()[0]
    assert node.attrib["failures"] == "1" and node.attrib["errors"] == "1"
    assert report.exit_status(results) == 1
    assert report.exit_status(results[1:]) == 2
    assert report.summary(results) == "1 passed, 1 failed, 1 broken"


def test_progress_counts_only_for_the_running_program() -> None:
    reader = stress.Reader({"a": stress.Run("a"), "b": stress.Run("b")})
    reader.feed("# tick a 10 5")
    started = reader.feed("# start a")
    reader.feed("# tick a 10 7")
    assert started is reader.running and reader.plan["a"].ops == 7
    assert reader.feed("ok 1 - a # ops=8 secs=1.0 leaked=0") is started
    assert reader.feed("not ok 1 - a") is None
    assert reader.plan["a"].verdict == "pass"
