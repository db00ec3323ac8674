#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Say what every hart of a stopped machine was doing.

Usage: harts.py KERNEL [ADDRESS...]
Prints function and line for each address (or each one found on stdin).
Exit:  0 good, 2 the kernel or the tools cannot be read.

dump() asks QEMU's monitor for the registers of all harts and follows frame
pointers through guest memory, each hart with its own address translation.
A frame keeps the return address just below where its frame pointer points,
and the caller's frame pointer below that.  A leaf function saves no return
address: then the slot holds the caller's frame pointer, and the return
address is still in ra.
"""
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

KERNEL_HALF = 1 << 63
MACHINE_TEXT = 0x80000000
FRAMES_MAX = 24

Monitor = Callable[[str, int], str]

ADDRESS = re.compile(r"\b(?:0x)?(ffffffc[0-9a-f]{9})\b")
REGISTER = re.compile(r"\b(pc|mhartid|mstatus|scause|sepc|stval|satp|"
                      r"x\d+/\w+)\s+([0-9a-f]{8,16})\b")


def addr2line(kernel: Path, addresses: Iterable[int]) -> dict[int, str]:
    """Map addresses to `function at file:line`; unknown ones are left out."""
    wanted = sorted(set(addresses))
    tool = os.environ.get("CROSS", "riscv64-unknown-elf-") + "addr2line"
    if not wanted:
        return {}
    try:
        done = subprocess.run(
            [tool, "-afipse", str(kernel)], text=True, timeout=60,
            input="".join(f"{a:#x}\n" for a in wanted),
            capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    return parse_addr2line(done.stdout)


def parse_addr2line(text: str) -> dict[int, str]:
    """Read the output of `addr2line -a -f -i -p -s`."""
    found: dict[int, str] = {}
    address = 0
    for line in text.splitlines():
        inlined = line.strip().removeprefix("(inlined by) ")
        if inlined != line.strip():
            if address in found:
                found[address] += f", inlined in {inlined}"
            continue
        head, _, where = line.partition(": ")
        address = int(head, 16)
        if where and not where.startswith("??"):
            found[address] = re.sub(r" \(discriminator \d+\)", "", where)
    return found


def symbolise(kernel: Path, lines: Iterable[str]) -> list[str]:
    """Append function and line to lines that hold kernel text addresses.

    What follows a panic are return addresses: the call is the instruction
    before, and may belong to another line.
    """
    lines = list(lines)
    at = {n: int(m[1], 16) for n, line in enumerate(lines)
          if (m := ADDRESS.search(line))}
    names = addr2line(kernel, (a - 1 for a in at.values()))
    return [f"{line}  [{names[at[n] - 1]}]"
            if n in at and at[n] - 1 in names else line
            for n, line in enumerate(lines)]


def parse_registers(text: str) -> list[dict[str, int]]:
    """Read `info registers -a`: one dictionary for each hart, by ABI name."""
    harts = []
    for part in re.split(r"^\s*CPU#\d+", text, flags=re.M)[1:]:
        harts.append({name.rpartition("/")[2]: int(value, 16)
                      for name, value in REGISTER.findall(part)})
    return harts


def parse_words(text: str) -> list[int]:
    """Read what the monitor's `x /Ngx` prints."""
    return [int(word, 16) for line in text.splitlines()
            for word in re.findall(r"\b0x([0-9a-f]{16})\b",
                                   line.partition(":")[2])]


def callers(regs: dict[str, int],
            read: Callable[[int, int], list[int]]) -> list[int]:
    """Follow the frame pointers of one hart; return addresses, pc first."""
    trail = [regs.get("pc", 0)]
    fp = regs.get("s0", 0)
    sp = regs.get("sp", 0)
    if trail[0] < KERNEL_HALF:
        return trail
    for depth in range(FRAMES_MAX):
        if fp <= sp or fp % 8 or fp < KERNEL_HALF:
            break
        frame = read(fp - 16, 2)
        if len(frame) != 2:
            break
        below, above = frame
        leaf = depth == 0 and fp < above < fp + (1 << 16)
        trail.append(regs.get("ra", 0) if leaf else above)
        sp, fp = fp, above if leaf else below
    return [pc for pc in trail if pc >= KERNEL_HALF] or trail[:1]


def mode(pc: int) -> str:
    """The kernel links high, so the program counter tells who runs."""
    if pc >= KERNEL_HALF:
        return "kernel"
    return "machine mode" if pc >= MACHINE_TEXT else "user"


def dump(monitor: Monitor, kernel: Path) -> str:
    """Registers and backtrace of every hart; the machine must be stopped.

    monitor(command, hart) runs one command of QEMU's human monitor.
    """
    harts = parse_registers(monitor("info registers -a", 0))
    trails = []
    for number, regs in enumerate(harts):
        def read(address: int, count: int, hart: int = number) -> list[int]:
            return parse_words(monitor(f"x /{count}gx {address:#x}", hart))
        trails.append(callers(regs, read))
    calls = {pc - (depth > 0)
             for trail in trails for depth, pc in enumerate(trail)
             if pc >= KERNEL_HALF}
    names = addr2line(kernel, calls)
    out = []
    for number, (regs, trail) in enumerate(zip(harts, trails)):
        out.append(f"hart {number}: {mode(trail[0])}, "
                   + ", ".join(f"{r} {regs[r]:#x}" for r in
                               ("pc", "ra", "sp", "s0", "satp", "scause",
                                "sepc", "stval") if r in regs))
        for depth, pc in enumerate(trail):
            name = names.get(pc - (depth > 0), "?")
            out.append(f"    {pc:#018x}  {name}")
    return "\n".join(out) if out else "the monitor showed no hart"


def main(argv: list[str]) -> int:
    if not argv or not os.access(argv[0], os.R_OK):
        print("harts: name a kernel that can be read, then addresses",
              file=sys.stderr)
        return 2
    lines = argv[1:] or sys.stdin.read().splitlines()
    print("\n".join(symbolise(Path(argv[0]), lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
