#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Let every allocation fail once that the kernel makes for a scenario.

Usage: failnth.py [--cpus N,N] [--only NAME,NAME] [options]
Exit:  0 nothing was lost, and every call site was reached or is known not to
       be; 1 a finding; 2 it could not be run.

Boots the kernel once for each of --cpus, with the guest's program failnth
(user/tests/failnth.c has the scenarios), and checks the disk afterwards.
Prints a table of the scenarios, and one of all calls in the kernel's code
that allocate: by which scenarios each was made to fail.  Console and junit.xml
go to --out (build/failnth), and so does a disk with findings.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import harts
import report
from fsck import Checker
from fsimage import Image, ImageError
from qemu import (Broken, Config, Hang, Machine, check_files, check_tools,
                  end_with_grace, parse_cpus, parse_mem, start_error)
from stress import PANIC

ROOT = Path(__file__).resolve().parent.parent
QUIET, LIMIT = 120.0, 900.0     # seconds of silence, and in all
GUEST_BROKEN = 2                # exit status of the program

# The functions that ask fail_here() (kernel/check/failnth.c).
ALLOCATORS = ("page_alloc", "page_alloc_zeroed", "page_alloc_list", "kalloc",
              "proc_alloc", "file_alloc", "inode_get", "inode_alloc",
              "block_alloc")

# Callers that no scenario can reach, as patterns, and why.
OUT_OF_REACH = {
    "bio_init": "boot: the buffers' memory",
    "itable_init": "boot: the flags of the page cache",
    r"kvm_\w+": "boot: the kernel's page table and stacks",
    "orphan_free": "boot: files that a power cut left",
    "proc_start_init": "boot: the first process",
    r"(?:crash|spoil)_\w+": "a bug on purpose, for the tests of its oracle",
}

# One machine more: without copy on write fork() goes other ways.
EAGER, EAGER_NAMES = "tune=-cow", ["fork", "fork_deep", "fork_promised"]

SITE = re.compile(r"^site (0x[0-9a-f]+) (\w+) n=(\d+) (\w+)$")
ROW = re.compile(r"^\0?(\w+) +(\d+) +(\d+) +(\d+) +(\d+)$")
COMPLAINT = re.compile(r"^failnth: (\w+), n=(\d+), (.*)$")
DONE = re.compile(r"^failnth: (\d+) scenarios, \d+ faults injected")
LABEL = re.compile(r"^[0-9a-f]+ <(\S+)>:$")
CALL = re.compile(r"^ *([0-9a-f]+):\s+(jalr?|jr?)\b.*<(\w+)>$")
ADDRESS = re.compile(r"^ *([0-9a-f]+):\t")


# ---- the calls in the kernel's code

@dataclass
class Call:
    """A call that allocates; address is where it returns to."""

    address: int
    caller: str
    callee: str
    where: str = ""         # function at file:line
    reached: dict[str, int] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why it cannot be reached; "" if it should be."""
        return next((why for name, why in OUT_OF_REACH.items()
                     if re.search(rf"\b{name}\b",
                                  f"{self.caller} {self.where}")), "")


def parse_calls(listing: Iterable[str]) -> tuple[list[Call], set[str]]:
    """All calls of allocators in what objdump -d prints.

    A function that ends by jumping to an allocator stands for it, since the
    return address is its caller's: the second result names those.
    """
    found, jumps = [], set()
    pending: Call | None = None
    caller = ""
    for line in listing:
        if match := LABEL.match(line):
            caller = match[1]
        if not (match := ADDRESS.match(line)):
            continue
        if pending:
            pending.address = int(match[1], 16)
            found.append(pending)
            pending = None
        if not (match := CALL.match(line)) or match[3] == caller:
            continue
        if match[2].startswith("jal"):
            pending = Call(0, caller, match[3])
        elif match[3] in ALLOCATORS:
            jumps.add(caller)
    names = jumps.union(ALLOCATORS)
    return [call for call in found if call.callee in names], jumps


def find_calls(kernel: Path) -> list[Call]:
    tool = os.environ.get("CROSS", "riscv64-unknown-elf-") + "objdump"
    try:
        done = subprocess.run(
            [tool, "-d", "--no-show-raw-insn", str(kernel)],
            capture_output=True, text=True, timeout=120, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(f"{tool} {kernel}: {error}") from error
    calls, jumps = parse_calls(done.stdout.splitlines())
    if not calls:
        raise Broken(f"{kernel}: no calls of {', '.join(ALLOCATORS)}")
    if jumps:
        print(f"failnth: counted as allocators: {', '.join(sorted(jumps))}")
    lines = harts.addr2line(kernel, (call.address - 1 for call in calls))
    for call in calls:
        call.where = lines.get(call.address - 1, call.caller)
    return calls


def call_rows(calls: list[Call]) -> list[tuple[str, ...]]:
    """The table of calls: those that were not reached come last."""
    rows = [("allocates", "call", "made to fail by")]
    for call in sorted(calls, key=lambda c: (not c.reached, bool(c.reason),
                                             c.where)):
        names = sorted(call.reached, key=call.reached.get, reverse=True)
        by = ", ".join(names[:3])
        if len(names) > 3:
            by += f" and {len(names) - 3} more"
        if not names:
            by = f"- {call.reason}" if call.reason else "- NOT REACHED"
        inner, *outer = call.where.split(", inlined in ")
        if outer:
            inner += f" in {outer[-1].split()[0]}"
        rows.append((call.callee, inner, by))
    return rows


def judge_calls(calls: list[Call]) -> report.Result:
    """Every call was reached, or it is known why not."""
    missed = [call for call in calls if not call.reached and not call.reason]
    wrong = [call for call in calls if call.reached and call.reason]
    result = report.Result("call-sites", "pass")
    if missed:
        result.reason = (f"{len(missed)} calls that allocate were reached by "
                         "no scenario: add one in user/tests/failnth/")
    elif wrong:
        result.reason = (f"{len(wrong)} calls were reached that OUT_OF_REACH "
                         "says cannot be: correct it in scripts/failnth.py")
    if result.reason:
        result.verdict = "fail"
        result.details = "\n".join(f"{call.callee} from {call.where}"
                                   for call in missed or wrong)
    return result


# ---- a run of the guest

@dataclass
class Run:
    """What one machine said; its name ends the names of its tests."""

    name: str
    rows: list[tuple[str, ...]] = field(default_factory=list)
    results: list[report.Result] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    done: bool = False
    begun: float = field(default_factory=time.monotonic)

    def hear(self, line: str, sites: dict[int, dict[str, int]]) -> None:
        """Take in a line of the console."""
        if match := SITE.match(line):
            by = sites.setdefault(int(match[1], 16), {})
            by[match[2]] = by.get(match[2], 0) + 1
            return
        self.lines.append(line)
        if match := ROW.match(line):
            self.rows.append(match.groups())
            self.passed(match[1])
        elif DONE.match(line):
            self.done = True

    def passed(self, name: str) -> None:
        now = time.monotonic()
        self.results.append(report.Result(
            f"{name}-{self.name}", "pass", secs=now - self.begun))
        self.begun = now

    def ended(self, status: int, kernel: Path) -> None:
        """Give the verdict on what was left when the machine ended."""
        if self.done and status == 0:
            return
        at = next((n for n, line in enumerate(self.lines)
                   if PANIC.search(line)), None)
        complaint = next((match for line in self.lines
                          if (match := COMPLAINT.match(line))), None)
        tail = self.lines[-30:] if at is None else self.lines[at:]
        result = report.Result(
            f"{complaint[1] if complaint else 'failnth'}-{self.name}",
            "fail", secs=time.monotonic() - self.begun)
        if at is not None:
            result.reason = self.lines[at]
        elif complaint:
            result.reason = f"n={complaint[2]}, {complaint[3]}"
        else:
            result.reason = f"ended too early, exit status {status}"
        if status == GUEST_BROKEN and at is None:
            result.verdict = "broken"
        result.reason = harts.symbolise(kernel, [result.reason])[0]
        result.details = "\n".join(harts.symbolise(kernel, tail))
        self.results.append(result)


def check_disk(run: Run, disk: Path) -> None:
    """No block and no inode of the disk was lost, either."""
    result = report.Result(f"fsck-{run.name}", "pass")
    try:
        image = Image.load(disk)
        image.replay()
    except ImageError as error:
        raise Broken(f"{disk}: {error}") from error
    findings = Checker(image).run()
    if findings:
        result.verdict = "fail"
        result.reason = f"the disk has {len(findings)} findings"
        result.details = "\n".join(findings)
    else:
        disk.unlink()
    run.results.append(result)


def run_guest(args: argparse.Namespace, cpus: int, eager: bool,
              sites: dict[int, dict[str, int]]) -> Run:
    """One machine, from boot to the verdicts."""
    run = Run(f"{cpus}{'-eager' if eager else ''}")
    disk = args.out / f"disk-{run.name}.img"
    log = args.out / f"console-{run.name}.log"
    log.unlink(missing_ok=True)
    shutil.copyfile(args.image, disk)
    words = ["batch", args.append, EAGER if eager else "",
             "run=/failnth -s", *(EAGER_NAMES if eager else args.names)]
    config = Config(args.kernel, disk, cpus, args.mem,
                    " ".join(word for word in words if word), keep=True)
    with Machine(config, log) as machine:
        try:
            for line in machine.lines(QUIET):
                if line:
                    run.hear(line, sites)
                if machine.clock.now() > LIMIT:
                    raise Hang(f"not done after {LIMIT:.0f} s")
            status = machine.status()
            if not run.lines:
                raise Broken(start_error(machine))
            run.ended(status, args.kernel)
        except Hang as hang:
            run.results.append(report.Result(
                f"failnth-{run.name}", "fail", f"hang: {hang}",
                machine.dump_harts()))
    if run.done:
        check_disk(run, disk)
    return run


# ---- all of it

def known_scenarios() -> list[str]:
    return [name for path in sorted(ROOT.glob("user/tests/failnth/*.c"))
            for name in re.findall(r'^\t\{"(\w+)", ',
                                   path.read_text(encoding="utf-8"), re.M)]


def parse_args(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Let allocations fail.")
    parser.add_argument("--kernel", type=Path, default="build/plain/kernel")
    parser.add_argument("--image", type=Path, default="build/plain/fs.img")
    parser.add_argument("--out", type=Path, default="build/failnth")
    parser.add_argument("--cpus", default="1,8", metavar="N,N")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--append", default="", help="more boot arguments")
    parser.add_argument("--only", default="", metavar="NAME,NAME")
    args = parser.parse_args(argv)
    args.cpus = [parse_cpus(word) for word in args.cpus.split(",")]
    args.mem = parse_mem(args.mem)
    args.names = [name for name in args.only.split(",") if name]
    args.known = known_scenarios()
    for name in args.names:
        if name not in args.known:
            raise Broken(f"ONLY={args.only}: there is no scenario {name}; "
                         f"choose from {','.join(args.known)}")
    return args


def show(result: report.Result) -> None:
    print(f"\nfailnth: {result.name}: {result.reason}")
    if result.details:
        print("    " + result.details.replace("\n", "\n    "))


def run_all(args: argparse.Namespace) -> list[report.Result]:
    calls = find_calls(args.kernel)
    sites: dict[int, dict[str, int]] = {}
    results = []
    machines = [(cpus, False) for cpus in args.cpus]
    if not args.names:
        machines.append((args.cpus[0], True))
    for cpus, eager in machines:
        run = run_guest(args, cpus, eager, sites)
        print(f"\nCPUS={cpus}{f', {EAGER}' if eager else ''}")
        print(report.table([("scenario", "points", "failed", "killed",
                             "worked"), *run.rows], left=(0,)))
        results += run.results
        for result in run.results:
            if result.verdict != "pass":
                show(result)
    by_address = {call.address: call for call in calls}
    for address, by in sites.items():
        if address not in by_address:
            raise Broken(f"a fault at {address:#x}, where objdump shows no "
                         "call: is --kernel what was run?")
        by_address[address].reached = by
    if args.names or report.exit_status(results):
        return results
    print("\n" + report.table(call_rows(calls), left=(0, 1, 2)))
    results.append(judge_calls(calls))
    if results[-1].verdict != "pass":
        show(results[-1])
    reached = sum(bool(call.reached) for call in calls)
    print(f"\n{reached} of {len(calls)} calls that allocate were made to "
          f"fail, {sum(sum(by.values()) for by in sites.values())} times")
    return results


def main(argv: list[str]) -> int:
    end_with_grace()
    try:
        args = parse_args(argv)
        check_tools()
        check_files(Config(args.kernel, args.image))
        args.out.mkdir(parents=True, exist_ok=True)
        results = run_all(args)
        report.write_junit(args.out / "junit.xml", "failnth", results)
    except (Broken, OSError) as error:
        print(f"failnth: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("failnth: interrupted", file=sys.stderr)
        return 2
    print(report.summary(results))
    return report.exit_status(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
