# SPDX-License-Identifier: MIT
"""Does the audit still find what it is there to find?

A kernel built with PLANT=audit has every bug of kernel/check/audit_plants.def,
and the boot argument plant= chooses.  Each must be reported with its own
line, and nothing else may be; when it is mended, nothing at all.

Some bugs have a build of their own instead (kernel/check/plants.def), so that
others can look for them too; those are tried as well.

STAMPEDE_KERNEL names a kernel without planted bugs (build/plain/kernel).
"""
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import faulty
from faulty import CHECK
from stress import PANIC

PLAIN = Path(os.environ.get("STAMPEDE_KERNEL", "build/plain/kernel"))

ROW = re.compile(r'^(SPOILED|CRASH|MISTAKE)\((\w+),((?:\s*"[^"]*",?)+)\)',
                 re.M)
REPORT = re.compile(r"((?:audit|park): \S[^:]*)[:,] ")
TEXT = re.compile(r'(?:audit_report|entry_report|report_count)'
                  r'\(\s*(?:w,\s*)?"([^"]+)"')


@dataclass(frozen=True)
class Plant:
    """A row of audit_plants.def."""

    kind: str
    name: str
    texts: list[str]


def read_plants() -> list[Plant]:
    text = (CHECK / "audit_plants.def").read_text(encoding="utf-8")
    return [Plant(kind, name, re.findall(r'"([^"]*)"', words))
            for kind, name, words in ROW.findall(text)]


PLANTS = read_plants()


def plants(kind: str) -> pytest.MarkDecorator:
    rows = [plant for plant in PLANTS if plant.kind == kind]
    return pytest.mark.parametrize("plant", rows, ids=lambda p: p.name)


def reports(lines: list[str]) -> set[str]:
    """The constant text of whatever the kernel complains about."""
    found = {m[1] for line in lines if (m := REPORT.match(line))}
    return found | {m[0].rpartition(": ")[0] for line in lines
                    if (m := PANIC.search(line))}


def boot(kernel: Path, name: str, arguments: str) -> tuple[int, list[str]]:
    return faulty.boot(kernel, f"plant-{name}", arguments)


@pytest.fixture(scope="module")
def kernel() -> Path:
    return faulty.build("plain-plant-audit", "PLANT=audit")


@pytest.fixture(scope="module")
def sections(kernel: Path) -> dict[str, list[str]]:
    """What is printed from each spoiling to the next, by its name."""
    count = sum(plant.kind == "SPOILED" for plant in PLANTS)
    _, lines = boot(kernel, "all", f"plant=all run=/scene {count}")
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith("plant: "):
            name = line.removeprefix("plant: ")
            assert name not in found
        found.setdefault(name, []).append(line)
    return found


# ---- each bug

@plants("SPOILED")
def test_spoiled(plant: Plant, sections: dict[str, list[str]]) -> None:
    lines = sections[plant.name]
    assert reports(lines) == {f"audit: {text}" for text in plant.texts
                              if text}
    # The two audits: one that finds it, one when it is mended.
    assert re.fullmatch(r"scene: [1-9]\d* 0", lines[-1])


@plants("CRASH")
def test_crash(plant: Plant, kernel: Path) -> None:
    panic, last, also = plant.texts
    status, lines = boot(kernel, plant.name, f"plant={plant.name} run=/scene 1")
    assert status > 0
    first, *others = sorted(reports(lines), reverse=True)
    assert first.startswith(f"panic: {panic}")
    assert others == ([also] if also else [])
    told = [line for line in lines if line.startswith("panic: audit ")]
    assert len(told) == bool(last)
    assert all(re.match(f"panic: audit {last}", line) for line in told)


@plants("MISTAKE")
def test_mistake(plant: Plant, kernel: Path) -> None:
    command, line, also = plant.texts
    status, lines = boot(kernel, plant.name,
                         f"plant={plant.name} run={command}")
    assert status > 0
    assert any(seen.startswith(line) for seen in lines)
    assert reports(lines) <= {line, also}


# ---- bugs with a build of their own

@dataclass(frozen=True)
class Build:
    """What shows the bug, and how."""

    command: str
    line: str               # the first that tells of it
    reports: set[str]       # all that the kernel says


BUILDS = {
    "fork_leak": Build(
        "/failnth fork", "audit: frame is lost: ", {"audit: frame is lost"}),
    "copyout_shared": Build(
        "/failnth copyout_pipe", "failnth: copyout_pipe, n=0, no fault was "
        "injected: the parent's memory has changed", set()),
    "drop_first": Build(
        "/failnth copyout_pipe", "audit: frame has two uses: ",
        {"audit: frame has two uses",
         "audit: user page of a frame in other use"}),
}


@pytest.mark.parametrize("name", BUILDS)
def test_build(name: str) -> None:
    bug = BUILDS[name]
    wrong = faulty.build(f"plain-plant-{name}", f"PLANT={name}")
    # Until the program ends: memory that is not its own stays so.
    status, lines = boot(wrong, name, f"run={bug.command}")
    assert status > 0
    end = next(n for n, line in enumerate(lines)
               if line.startswith("failnth: ") and ", n=" in line) + 1
    assert any(line.startswith(bug.line) for line in lines[:end])
    assert reports(lines[:end]) == bug.reports


def test_every_build_is_tried() -> None:
    rows = re.findall(r"^PLANT_ROW\((\w+),", (CHECK / "plants.def").read_text(
        encoding="utf-8"), re.M)
    # audit: all of the above; failnth: test_failnth.py.
    fuzzers = {"demand", "zero_skip", "read_over"}  # machine_test.py
    assert set(rows) == {"audit", "failnth", *fuzzers, *BUILDS}


# ---- and nothing without one

def test_no_plant_no_finding(kernel: Path) -> None:
    status, lines = boot(kernel, "none", "run=/scene 2")
    assert status == 0 and not reports(lines)


def test_other_kernels_have_none_of_it() -> None:
    symbols = subprocess.run(
        [os.environ.get("CROSS", "riscv64-unknown-elf-") + "nm", str(PLAIN)],
        capture_output=True, text=True, check=True).stdout
    assert not re.findall(r"\b(?:spoil_\w+|crash_double_drop|plant_\w+|"
                          r"mistake)$", symbols, re.M)


def test_every_finding_has_a_plant() -> None:
    texts = {text for path in CHECK.glob("*.c")
             for text in TEXT.findall(path.read_text(encoding="utf-8"))}
    planted = {text for plant in PLANTS if plant.kind == "SPOILED"
               for text in plant.texts[:1]}
    assert len(texts) > 30
    assert texts == planted
