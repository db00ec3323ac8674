# SPDX-License-Identifier: MIT
"""Do lockdep and the debug checks still find what they are there to find?

A kernel with both flavours has, for each of their reports, a boot argument
crash= that provokes it (kernel/check/crashes.def).  Each must fire with its
own line, and nothing may be reported without one.
"""
import re
from pathlib import Path

import pytest

import faulty
from faulty import CHECK, panics

FLAVOR = "debug+lockdep"

ROW = re.compile(r'^CRASH\("([^"]+)", \w+,\s*"([^"]*)"\)', re.M)
TEXT = re.compile(r'"(lockdep: [^"\n%]+)"')


def crashes(flag: str) -> dict[str, str]:
    """The line that each crash of a section of crashes.def fires."""
    text = (CHECK / "crashes.def").read_text(encoding="utf-8")
    _, found, section = text.partition(f"\n#if {flag}\n")
    assert found
    # A section within a section is indented by nothing: count.
    depth, kept = 1, []
    for line in section.splitlines():
        depth += line.startswith("#if") - line.startswith("#endif")
        if depth == 0:
            break
        kept.append(line)
    return dict(ROW.findall("\n".join(kept)))


LOCKDEP, DEBUG = crashes("LOCKDEP"), crashes("DEBUG")


@pytest.fixture(scope="module")
def kernel() -> Path:
    return faulty.build(FLAVOR, f"FLAVOR={FLAVOR}")


def boot(kernel: Path, name: str, arguments: str) -> tuple[int, list[str]]:
    return faulty.boot(kernel, f"lockdep-{name}", arguments)


def crash(kernel: Path, name: str, line: str) -> list[str]:
    """Provoke a crash, which has to fire the line; the console."""
    status, lines = boot(kernel, name, f"crash={name}")
    assert status > 0
    (panic,) = panics(lines)
    assert panic.startswith(line)
    return lines


def below(lines: list[str], head: str) -> str:
    """The backtrace that stands below a line."""
    start = next(n for n, line in enumerate(lines) if line.startswith(head))
    frames = lines[start + 1:]
    end = next((n for n, line in enumerate(frames)
                if not line.startswith("  #")), len(frames))
    return "\n".join(frames[:end])


# ---- each report

@pytest.mark.parametrize("name", LOCKDEP)
def test_lockdep(name: str, kernel: Path) -> None:
    crash(kernel, name, LOCKDEP[name])


@pytest.mark.parametrize("name", [n for n, line in DEBUG.items() if line])
def test_debug(name: str, kernel: Path) -> None:
    crash(kernel, name, DEBUG[name])


def test_every_lockdep_report_has_a_crash() -> None:
    texts = set(TEXT.findall(
        (CHECK / "lockdep.c").read_text(encoding="utf-8")))
    assert len(texts) > 20
    assert texts == set(LOCKDEP.values())


# ---- what the reports tell

def test_inversion_shows_every_step(kernel: Path) -> None:
    lines = crash(kernel, "inversion", LOCKDEP["inversion"])
    for head in ("hart 0", "lockdep: free inodes under inode: first seen",
                 "lockdep: buf under free inodes: first seen",
                 "lockdep: buf: held since"):
        assert "crash_inversion+0x" in below(lines, head)


def test_holder_on_another_hart_is_shown(kernel: Path) -> None:
    lines = crash(kernel, "release-elsewhere", LOCKDEP["release-elsewhere"])
    trace = below(lines, "lockdep: ftable: taken on another hart")
    assert "crash_release_elsewhere+0x" in trace


def test_interrupt_is_shown(kernel: Path) -> None:
    lines = crash(kernel, "irq-lock", LOCKDEP["irq-lock"])
    for head in ("lockdep: uart: held since",
                 "lockdep: uart: taken by an interrupt"):
        assert "crash_irq_lock+0x" in below(lines, head)


@pytest.mark.parametrize("name", ["double-free", "write-after-free"])
def test_panic_about_a_frame_shows_its_events(name: str,
                                              kernel: Path) -> None:
    lines = crash(kernel, name, DEBUG[name])
    events = [line.split()[1] for line in lines
              if line.startswith("owner:   ")]
    assert events == ["alloc", "free"]
    function = "crash_" + name.replace("-", "_")
    assert any(line.startswith("owner: frame ") and function in line
               for line in lines)


def test_audit_shows_the_events_of_a_lost_frame(kernel: Path) -> None:
    status, lines = boot(kernel, "lost-frame", "crash=lost-frame run=/audit")
    assert status > 0 and not panics(lines)
    start = next(n for n, line in enumerate(lines)
                 if line.startswith("audit: frame is lost: "))
    assert "allocated by pid 0 in crash_lost_frame+0x" in lines[start + 1]
    assert [line.split()[1] for line in lines[start + 2:start + 5]] == [
        "alloc", "share", "drop"]


# ---- and nothing without one

@pytest.mark.parametrize("command", ["/cowtest", "/audit"])
def test_no_crash_no_report(command: str, kernel: Path) -> None:
    status, lines = boot(kernel, command.strip("/"), f"run={command}")
    assert status == 0 and not panics(lines)
    assert not [line for line in lines
                if line.startswith(("lockdep: ", "owner: "))]
