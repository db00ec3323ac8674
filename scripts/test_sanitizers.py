# SPDX-License-Identifier: MIT
"""Do asan and ubsan still find what they are there to find?

A kernel with both flavours has, for each of their reports, a boot argument
crash= that provokes it (kernel/check/crashes.def).  Each must fire with its
own line, and nothing else may; without one nothing may be reported at all.
"""
import re
from pathlib import Path

import pytest

import faulty
from faulty import CHECK, panics

FLAVOR = "asan+ubsan"

ROW = re.compile(r'^CRASH\("((?:asan|ubsan)-[^"]+)", (\w+),\s*"([^"]+)"\)',
                 re.M)
TEXT = re.compile(r'"((?:asan|ubsan): [a-z ]+)"')
REPORT = re.compile(r"(asan|ubsan): \S")

ROWS = ROW.findall((CHECK / "crashes.def").read_text(encoding="utf-8"))
LINES = {name: line for name, _, line in ROWS}
FUNCTIONS = {name: function for name, function, _ in ROWS}


@pytest.fixture(scope="module")
def kernel() -> Path:
    return faulty.build(FLAVOR, f"FLAVOR={FLAVOR}")


def boot(kernel: Path, name: str, arguments: str,
         cpus: int) -> tuple[int, list[str]]:
    return faulty.boot(kernel, f"sanitizer-{name}", arguments, cpus)


def crash(kernel: Path, name: str) -> list[str]:
    """Provoke a crash, which has to fire its own line and no other."""
    # One hart: before it takes up its scheduler, no process runs.
    status, lines = boot(kernel, name, f"crash={name}", cpus=1)
    assert status > 0
    (panic,) = panics(lines)
    assert panic.startswith(f"{LINES[name]}: 0x")
    assert {m[1] for line in lines if (m := REPORT.match(line))} == {
        name.partition("-")[0]}
    return lines


@pytest.mark.parametrize("name", LINES)
def test_crash(name: str, kernel: Path) -> None:
    lines = crash(kernel, name)
    # The backtrace names who did it, or whom a last call came from.
    assert any(re.search(rf" ({FUNCTIONS[name]}|selftest)\+0x", line)
               for line in lines)


@pytest.mark.parametrize("source", ["asan", "ubsan"])
def test_every_report_has_a_crash(source: str) -> None:
    texts = set(TEXT.findall(
        (CHECK / f"{source}.c").read_text(encoding="utf-8")))
    assert len(texts) > 5
    assert texts == {line for line in LINES.values()
                     if line.startswith(source)}


# ---- what the reports tell

def report(kernel: Path, name: str) -> str:
    return "\n".join(crash(kernel, name))


def test_freed_frame_names_who_freed_it(kernel: Path) -> None:
    text = report(kernel, "asan-load")
    assert "asan: load of 1 bytes at " in text
    assert "asan: byte 100 of frame " in text
    assert re.search(r"asan: freed by pid 0 on hart 0:\n"
                     r"  #0 \S+ page_release\+", text)


def test_freed_object_names_who_freed_it(kernel: Path) -> None:
    assert re.search(r"asan: freed by pid 0 on hart 0:\n"
                     r"(  #.*\n)*  #\d \S+ file_close\+",
                     report(kernel, "asan-file"))


def test_global_is_named(kernel: Path) -> None:
    assert ("asan: byte 13 of `global`, which has 13, of "
            "kernel/check/crash_asan.c") in report(kernel, "asan-global")


def test_variable_is_named(kernel: Path) -> None:
    text = report(kernel, "asan-above")
    assert "asan: store of 1 bytes at " in text
    assert "asan:   variable of " in text and "crash_asan_above+" in text
    assert re.search(r"asan: byte 52 of a frame with: .* local:", text)


def test_range_tells_its_first_bad_byte(kernel: Path) -> None:
    text = report(kernel, "asan-memcpy")
    found = re.search(r"store of 13 bytes at (\w+), bad from (\w+) on", text)
    assert found and int(found[2], 16) - int(found[1], 16) == 7


def test_undefined_behaviour_tells_place_and_values(kernel: Path) -> None:
    assert re.search(r"ubsan: kernel/check/crash_ubsan\.c:\d+:\d+: "
                     r"2147483647 \* -2 cannot be represented in 'int'",
                     report(kernel, "ubsan-mul"))
    assert "shift of 1, a 'unsigned int', by 32 bits" in report(
        kernel, "ubsan-shift")
    assert "index 7 of 'u8 [7]'" in report(kernel, "ubsan-index")


# ---- and silence

def test_nothing_is_reported_without_a_bug(kernel: Path) -> None:
    status, lines = boot(kernel, "silent", "run=/cowtest", cpus=3)
    assert status == 0
    assert "ALL COW TESTS PASSED" in lines
    assert not [line for line in lines if REPORT.match(line)]
