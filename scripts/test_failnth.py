# SPDX-License-Identifier: MIT
"""Tests of failnth.py: what it reads out of the kernel's code and of the
console, and that it finds the errors of a kernel built with PLANT=failnth,
each by the scenario that takes the error path in which it is.
"""
import re
import subprocess
import sys
from pathlib import Path

import pytest

import failnth
import faulty
import report
from faulty import IMAGE, OUT, ROOT

LISTING = """
ffffffc080000100 <near>:
ffffffc080000100:\tjal\tffffffc080000900 <kalloc>
ffffffc080000104:\tbeqz\ta0,ffffffc080000100 <near>
ffffffc080000200 <distant>:
ffffffc080000200:\tauipc\tra,0x1
ffffffc080000204:\tjalr\t-1934(ra) # ffffffc080000a00 <page_alloc>
ffffffc080000208:\tjal\tffffffc080000300 <wraps>
ffffffc08000020c:\tjal\tffffffc080000904 <kalloc+0x4>
ffffffc080000300 <wraps>:
ffffffc080000300:\tauipc\tt1,0x1
ffffffc080000304:\tjr\t-130(t1) # ffffffc080000b00 <inode_get>
ffffffc080000400 <other>:
ffffffc080000400:\tjal\tffffffc080000c00 <kfree>
ffffffc080000404:\tret
""".splitlines()


def test_calls_are_found() -> None:
    calls, jumps = failnth.parse_calls(LISTING)
    assert [(c.caller, c.callee, c.address & 0xfff) for c in calls] == [
        ("near", "kalloc", 0x104), ("distant", "page_alloc", 0x208),
        ("distant", "wraps", 0x20c)]
    assert jumps == {"wraps"}


def test_every_hook_is_a_known_allocator() -> None:
    found = {name for path in ROOT.glob("kernel/*/*.c") for name in
             re.findall(r"^__injectable .*\n(\w+)\(",
                        path.read_text(encoding="utf-8"), re.M)}
    assert found == set(failnth.ALLOCATORS)


@pytest.mark.parametrize("call, verdict", [
    (failnth.Call(1, "a", "kalloc", "a at a.c:1", {"fork": 1}), "pass"),
    (failnth.Call(1, "a", "kalloc", "a at a.c:1"), "fail"),
    (failnth.Call(1, "bio_init", "kalloc", "bio_init at bio.c:1"), "pass"),
    (failnth.Call(1, "main", "kalloc", "x at b.c:1, inlined in kvm_init at "
                                       "b.c:2"), "pass"),
    (failnth.Call(1, "bio_init", "kalloc", "", {"fork": 1}), "fail"),
])
def test_calls_are_judged(call: failnth.Call, verdict: str) -> None:
    result = failnth.judge_calls([call])
    assert result.verdict == verdict
    assert bool(result.reason) == (verdict == "fail")
    assert len(failnth.call_rows([call])) == 2


def run(lines: list[str], status: int) -> tuple[failnth.Run, dict]:
    machine, sites = failnth.Run("1"), {}
    for line in lines:
        machine.hear(line, sites)
    machine.ended(status, Path("/nonexistent"))
    return machine, sites


GOOD = ["site 0xffffffc080000104 fork n=1 failed",
        "site 0xffffffc080000104 fork n=2 worked",
        "fork    2   1   0   1",
        "failnth: 1 scenarios, 2 faults injected, all is well"]


def test_a_good_run() -> None:
    machine, sites = run(GOOD, 0)
    assert sites == {0xffffffc080000104: {"fork": 2}}
    assert machine.rows == [("fork", "2", "1", "0", "1")]
    assert [(r.name, r.verdict) for r in machine.results] == [
        ("fork-1", "pass")]


@pytest.mark.parametrize("lines, status, name, reason", [
    (GOOD[:3] + ["failnth: exec, n=3, a fault was injected at 0x1: killed"],
     1, "exec-1", "n=3, a fault was injected at 0x1: killed"),
    (GOOD[:2] + ["panic: kfree: frame is free already: 0x1 (1)",
                 "failnth: a fault was injected into pid 9 at 0x1 f+0x2"],
     1, "failnth-1", "panic: kfree: frame is free already: 0x1 (1)"),
    (GOOD[:3], 0, "failnth-1", "ended too early, exit status 0"),
    (GOOD[:3], 2, "failnth-1", "ended too early, exit status 2"),
])
def test_a_bad_run(lines: list[str], status: int, name: str,
                   reason: str) -> None:
    machine, _ = run(lines, status)
    result = machine.results[-1]
    assert (result.name, result.reason) == (name, reason)
    assert report.exit_status(machine.results) == (2 if status == 2 else 1)
    assert lines[-1] in result.details


def start(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/failnth.py"), *words],
        cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_a_scenario_that_is_not() -> None:
    done = start("--only", "fork,nosuch")
    assert done.returncode == 2
    assert "there is no scenario nosuch; choose from" in done.stderr


# ---- the planted errors

@pytest.fixture(scope="module")
def kernel() -> str:
    return str(faulty.build("plain-plant-failnth", "PLANT=failnth"))


@pytest.mark.parametrize("scenario, lost, site", [
    ("exec_odd", "audit: frame is counted too often", "vm_private"),
    ("fork", "audit: process has no living parent", "vm_init"),
    ("pipe", "audit: open file has another count", "sys_pipe"),
])
def test_planted(kernel: str, scenario: str, lost: str, site: str) -> None:
    done = start("--kernel", kernel, "--image", str(IMAGE), "--cpus", "2",
                 "--only", scenario, "--out", str(OUT / f"plant-{scenario}"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"failnth: {scenario}, n=" in done.stdout
    assert lost in done.stdout
    assert re.search(rf"a fault was injected into pid \d+ at .*{site}\+",
                     done.stdout)


def test_planted_elsewhere(kernel: str) -> None:
    """Other error paths of the same kernel are as good as ever."""
    done = start("--kernel", kernel, "--image", str(IMAGE), "--cpus", "2",
                 "--only", "shrink_part,store_far,chdir",
                 "--out", str(OUT / "plant-none"))
    assert done.returncode == 0, done.stdout + done.stderr
