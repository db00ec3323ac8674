# SPDX-License-Identifier: MIT
"""Tests of the scripts around a run: bench.py, guest.py, test.py, setup.sh,
check_style.py.  No kernel is needed; QEMU is a script that answers.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench
import check_style
import test as driver

SCRIPTS = Path(__file__).resolve().parent

# Answers by what is in the boot arguments: answers.json maps a part of the
# command line to what to print, and the exit status.
ANSWERS = '''#!{python}
import json, sys, time
if "--version" in sys.argv:
    print("QEMU emulator version 8.2.0")
    sys.exit(0)
for part, (text, status) in json.load(open({answers!r})).items():
    if part in " ".join(sys.argv):
        print(text, end="", flush=True)
        if status < 0:
            time.sleep(600)
        sys.exit(status)
sys.exit("nothing to answer")
'''


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with a fake QEMU, kernels and image."""
    qemu = tmp_path / "qemu"
    qemu.write_text(ANSWERS.format(python=sys.executable,
                                   answers=str(tmp_path / "answers.json")))
    qemu.chmod(0o755)
    for name in ("kernel", "eager"):
        (tmp_path / name).write_bytes(b"\x7fELF")
    (tmp_path / "fs.img").write_bytes(bytes(1024) + b"PMTS" + bytes(2044))
    return tmp_path


def run(folder: Path, script: str, answers: dict[str, tuple[str, int]],
        *args: str) -> subprocess.CompletedProcess[str]:
    (folder / "answers.json").write_text(json.dumps(answers))
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script),
         "--kernel", str(folder / "kernel"),
         "--image", str(folder / "fs.img"), *args],
        env={**os.environ, "QEMU": str(folder / "qemu")},
        capture_output=True, text=True, timeout=60)


# ---- guest.py

@pytest.mark.parametrize("text, status, verdict", [
    ("one\nDONE\n", 0, 0),
    ("one\n", 0, 1),                            # not what was expected
    ("DONE\n", 3, 1),
    ("panic: a: b: 0x0 (0)\nDONE\n", 1, 1),
    ("", 1, 2),                                 # did not start
])
def test_guest(machine: Path, text: str, status: int, verdict: int) -> None:
    done = run(machine, "guest.py", {"run=/x -q": (text, status)},
               "--expect", "DONE", "/x", "-q")
    assert done.returncode == verdict, done.stdout + done.stderr
    assert text.split("\n")[0] in done.stdout


def test_guest_hang(machine: Path) -> None:
    done = run(machine, "guest.py", {"run=/x": ("started\n", -1)},
               "--quiet", "1", "/x")
    assert done.returncode == 1
    assert "hang: no output for 1 s" in done.stderr


def test_guest_without_program(machine: Path) -> None:
    done = run(machine, "guest.py", {})
    assert done.returncode == 2 and "name a program" in done.stderr


# ---- bench.py

def test_ratio() -> None:
    assert bench.ratio(2, 10) == 5
    assert bench.ratio(10, 2, more_is_better=True) == 5
    assert bench.ratio(0, 0) == 1
    assert bench.ratio(0, 4096) == 4096
    assert bench.ratio(1, None) is None


def test_bench_compares(machine: Path) -> None:
    (machine / "answers.json").write_text("{}")
    answers = {
        f"{machine}/eager": ("BENCH fork_exit_wait/4MiB 9000 ns\n"
                             "BENCH fork_write_all/4MiB 600 ns\n", 0),
        f"{machine}/kernel": ("BENCH fork_exit_wait/4MiB 300 ns\n"
                              "BENCH fork_write_all/4MiB 1200 ns\n", 0)}
    done = run(machine, "bench.py", answers, "--quick", "--only", "4MiB",
               "--eager", str(machine / "eager"), "--out",
               str(machine / "out"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "fork_write_all/4MiB: ratio 0.50, target 0.77" in done.stdout
    results = json.loads((machine / "out/results.json").read_text())
    assert results[0] == {"name": "fork_exit_wait/4MiB", "value": 0.3,
                          "unit": "us", "baseline": 9.0, "ratio": 30.0}


def test_bench_of_a_guest_that_fails(machine: Path) -> None:
    done = run(machine, "bench.py", {"run=/bench": ("bench: no\n", 2)},
               "--quick", "--only", "fault", "--eager",
               str(machine / "eager"), "--out", str(machine / "out"))
    assert done.returncode == 2
    assert "the guest failed" in done.stderr and "bench: no" in done.stderr


@pytest.mark.parametrize("only", ["nosuch", "("])
def test_bench_bad_only(machine: Path, only: str) -> None:
    done = run(machine, "bench.py", {}, "--only", only, "--eager",
               str(machine / "eager"), "--out", str(machine / "out"))
    assert done.returncode == 2
    assert f"ONLY={only}" in done.stderr


# ---- test.py

def test_steps_go_on_after_a_failure(tmp_path: Path) -> None:
    chosen = [driver.Step("bad", ["sh", "-c", "echo why; exit 1"], 10),
              driver.Step("hung", ["sleep", "60"], 1),
              driver.Step("gone", ["/nonexistent"], 10),
              driver.Step("good", ["sh", "-c", "echo a: OK; echo b: OK"],
                          10, r": OK$")]
    results = driver.run_all(chosen, tmp_path, dict(os.environ))
    assert [r.verdict for r in results] == ["fail", "fail", "broken", "pass"]
    assert [(r.passed, r.failed) for r in results] == [
        (0, 1), (0, 1), (0, 1), (2, 0)]
    assert "why" in results[0].details
    assert results[1].reason == "not done after 1 s"


def test_choose_steps() -> None:
    found = [driver.Step(name, [], 1) for name in ("lint", "cow-1", "cow-8")]
    assert [s.name for s in driver.choose(found, "cow")] == ["cow-1", "cow-8"]
    assert driver.choose(found, "") == found
    with pytest.raises(ValueError, match="no step x"):
        driver.choose(found, "lint,x")


# ---- setup.sh

def bare(folder: Path, *tools: str) -> dict[str, str]:
    """An environment in which nothing but the given tools can be found."""
    for tool in tools:
        os.symlink(f"/usr/bin/{tool}", folder / tool)
    return {"PATH": str(folder), "NO_INSTALL": "1",
            "PYTHON": sys.executable}


@pytest.mark.parametrize("tools, text", [
    (("cat", "apt-get"), "run: apt-get install --no-install-recommends "
                         "gcc-riscv64-unknown-elf"),
    (("cat",), "no apt here"),
])
def test_setup_says_what_is_missing(tmp_path: Path, tools: tuple[str, ...],
                                    text: str) -> None:
    done = subprocess.run(["/bin/sh", str(SCRIPTS / "setup.sh"), "stress"],
                          env=bare(tmp_path, *tools), text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 2
    assert text in done.stderr and "qemu-system-misc" in done.stderr
    assert done.stderr.count("\n") == 1


FAKE_APT = """#!/bin/sh
echo "$*" >> {folder}/log
case "$*" in
*install*)
	for tool in x-gcc x-ld qemu; do
		printf '#!/bin/sh\\necho version 8.0.0\\n' > {folder}/$tool
		chmod +x {folder}/$tool
	done ;;
esac
"""


def test_setup_installs_by_sudo(tmp_path: Path) -> None:
    env = bare(tmp_path, "cat", "sed", "env", "chmod")
    fakes = {"apt-get": FAKE_APT.format(folder=tmp_path),
             "apt-cache": "#!/bin/sh\nexit 100\n",
             "id": "#!/bin/sh\necho 1000\n",
             "sudo": '#!/bin/sh\nexec "$@"\n'}
    for name, text in fakes.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    del env["NO_INSTALL"]
    done = subprocess.run(["/bin/sh", str(SCRIPTS / "setup.sh"), "stress"],
                          env=env | {"CROSS": "x-", "QEMU": "qemu"},
                          text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "installing by apt with sudo" in done.stdout
    assert "qemu-system-misc (machine)" in done.stdout
    update, install = (tmp_path / "log").read_text().splitlines()
    assert update == "-qq update"
    assert "--no-install-recommends gcc-riscv64-unknown-elf" in install


@pytest.mark.parametrize("version, status", [
    ("6.9.1", 2), ("7.1.0", 2), ("7.2.22", 0), ("10.0.0", 0)])
def test_setup_checks_the_version(tmp_path: Path, version: str,
                                  status: int) -> None:
    env = bare(tmp_path, "cat", "sed")
    for tool in ("x-gcc", "x-ld", "qemu"):
        (tmp_path / tool).write_text(
            f"#!/bin/sh\necho QEMU emulator version {version}\n")
        (tmp_path / tool).chmod(0o755)
    done = subprocess.run(["/bin/sh", str(SCRIPTS / "setup.sh"), "stress"],
                          env=env | {"CROSS": "x-", "QEMU": "qemu"},
                          text=True, capture_output=True, timeout=60)
    assert done.returncode == status, done.stderr


# ---- check_style.py

def test_rules_flag_their_samples() -> None:
    assert check_style.broken_rules() == []


def test_findings_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "x.c"
    path.write_text("/* SPDX-License-Identifier: MIT */\n/* x.c - it. */\n"
                    "int x;  \n")
    assert check_style.findings(path, "x.c") == ["x.c:3: trailing blank"]


@pytest.mark.parametrize("subject, good", [
    ("kernel/mm: break copy-on-write in copyout", True),
    ("user, stress: say more", True),
    ("Fix bug", False),
    ("kernel: a full stop.", False),
    ("kernel: " + "x" * 70, False),
])
def test_commit_subjects(subject: str, good: bool) -> None:
    assert (check_style.bad_subject(subject) == "") == good
