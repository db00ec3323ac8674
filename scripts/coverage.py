#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Say which code of the kernel the corpus reaches.

Usage: coverage.py [--fuzz build/fuzz] [--corpus corpus] [--pcs FILE]
Exit:  0 done, 2 it could not be done.

Runs the corpus and what the instances found so far (`stampede-fuzz coverage`)
in a kernel that was compiled with -fsanitize-coverage=trace-pc, or reads the
addresses from --pcs.  Such a kernel calls a function at the head of each
basic block, so every block either was reached or was not.

A block is the code from one such call up to the next one or to the end of
what is executed in a row; also what leads up to a block's call.  A line is
counted if it has code in a block, and is reached if one of its blocks was.
Lines that the compiler left no code of are not counted.  What is reached while
the kernel boots counts, too.

Writes to build/fuzz/coverage: kernel.info, html/ (by genhtml), coverage.json
for the report of fuzzing; tables of files and of functions that were not
reached to stdout.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import fuzz_corpus
import fuzz_out
import report
from qemu import ROOT, Broken, end_with_grace

CALLBACK = "__sanitizer_cov_trace_pc"
MEASURED = ("kernel/",)             # code of these folders
LIMIT = 3600                        # seconds for all programs

# Functions that no program can reach, as patterns of `file: function`, and
# why.
OUT_OF_REACH = {
    r"kernel/boot/": "boot: over before the snapshot",
    r": \w+_init(_hart)?$": "boot: over before the snapshot",
    r"kernel/dev/fdt": "boot: the device tree is read once",
    r"kernel/dev/(virtio_blk|plic|uart|power)": "the monitor has no devices",
    r"kernel/lib/(panic|backtrace)": "only behind a finding",
    r": (frame_panic|trap_overflow)$": "only behind a finding",
    r": (ipi_send|spin)$": "the shim takes its place",
    r": (copy_entry|copy_pages)$": "only without copy on write",
    r": proc_dump$": "a key at the console",
    r": orphan_free$": "boot: only after a power cut",
    r": (leaf_sound|vm_check_flushed)$": "only with DEBUG",
    r"kernel/mm/tune": "boot: an argument",
    r": (sys_(bootargs|poweroff)|(sys|fs)_quiesce)$": "not for such programs",
    r"kernel/check/selftest": "does wrong on purpose",
}

LABEL = re.compile(r"^([0-9a-f]+) <([^.].*)>:$")
CODE = re.compile(r"^ *([0-9a-f]+):\s+(\S+)\s*(.*)$")
TARGET = re.compile(r"\b([0-9a-f]+) <([^>+]+)(?:\+0x[0-9a-f]+)?>$")
WHERE = re.compile(r"^(.*):(\d+)(?: \(discriminator \d+\))?$")
CALLS = ("jal", "jalr")
JUMPS = ("j", "jr", "ret", "mret", "sret")


# ---- the code of the kernel

@dataclass
class Instruction:
    address: int
    name: str
    target: int = 0         # of a jump, branch or call, if it is known
    function: str = ""      # in which that lies

    def ends_row(self) -> bool:
        """What follows need not be executed."""
        return self.name in JUMPS or self.name.startswith("b")


@dataclass
class Block:
    """Where its call returns to, and the addresses of its code."""

    site: int
    code: list[int]


def parse_listing(lines: Iterable[str]) -> tuple[list[Instruction], set[int]]:
    """Instructions, in order, and where functions begin."""
    found: list[Instruction] = []
    starts = set()
    for line in lines:
        if match := LABEL.match(line):
            starts.add(int(match[1], 16))
        elif match := CODE.match(line):
            one = Instruction(int(match[1], 16), match[2])
            if to := TARGET.search(match[3]):
                one.target, one.function = int(to[1], 16), to[2]
            found.append(one)
    return found, starts


def row_heads(code: list[Instruction], starts: set[int]) -> set[int]:
    """Addresses that are come to in other ways than from just before."""
    found = set(starts)
    for one, following in zip(code, code[1:]):
        if one.ends_row():
            found.update((one.target, following.address))
    return found


def find_blocks(code: list[Instruction], starts: set[int]) -> list[Block]:
    """Every call of the callback, with the code that runs if it is made."""
    heads = row_heads(code, starts)
    blocks: list[Block] = []
    row: list[int] = []     # what is executed in a row up to here
    inside = called = False
    for n, one in enumerate(code):
        if called:
            blocks.append(Block(one.address, row))
            inside = True
        if one.address in heads:
            row, inside = [], False
        called = one.function == CALLBACK and one.name in CALLS
        if one.function == CALLBACK and one.name in JUMPS:
            raise Broken(f"{one.address:#x}: the callback is jumped to; "
                         "compile with -fno-optimize-sibling-calls")
        if called and inside:
            # A far call has two instructions; both are of the next block.
            far = row and code[n - 1].name == "auipc"
            row = [row.pop()] if far else []
            inside = False
        row.append(one.address)
    return blocks


def disassemble(kernel: Path) -> list[Block]:
    tool = os.environ.get("CROSS", "riscv64-unknown-elf-") + "objdump"
    try:
        done = subprocess.run(
            [tool, "-d", "--no-show-raw-insn", str(kernel)], text=True,
            capture_output=True, timeout=300, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(f"{tool} {kernel}: {error}") from error
    blocks = find_blocks(*parse_listing(done.stdout.splitlines()))
    if not blocks:
        raise Broken(f"{kernel}: no calls of {CALLBACK}; compile it with "
                     "-fsanitize-coverage=trace-pc")
    return blocks


# ---- where that is in the sources

@dataclass(frozen=True)
class Place:
    file: str
    line: int
    function: str


def parse_places(text: str) -> dict[int, Place]:
    """What `addr2line -a -f` prints: address, function, file:line."""
    lines = text.splitlines()
    found = {}
    for address, function, where in zip(lines[::3], lines[1::3], lines[2::3]):
        match = WHERE.match(where)
        if match and int(match[2]) > 0:
            found[int(address, 16)] = Place(
                os.path.normpath(match[1]), int(match[2]), function)
    return found


def find_places(kernel: Path, addresses: Iterable[int]) -> dict[int, Place]:
    """Those addresses that belong to files below a folder of MEASURED."""
    tool = os.environ.get("CROSS", "riscv64-unknown-elf-") + "addr2line"
    try:
        done = subprocess.run(
            [tool, "-a", "-f", "-e", str(kernel)], text=True, timeout=600,
            input="".join(f"{address:#x}\n" for address in addresses),
            capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(f"{tool} {kernel}: {error}") from error
    found = {}
    for address, place in parse_places(done.stdout).items():
        name = os.path.relpath(place.file, ROOT) \
            if os.path.isabs(place.file) else place.file
        if name.startswith(MEASURED):
            found[address] = Place(name, place.line, place.function)
    return found


# ---- counting

@dataclass
class Function:
    name: str
    first: int = 0                          # line
    blocks: dict[int, bool] = field(default_factory=dict)   # by site
    lines: dict[int, bool] = field(default_factory=dict)

    def figures(self) -> dict[str, object]:
        return {"name": self.name, **figures([self])}


@dataclass
class File:
    name: str
    functions: dict[str, Function] = field(default_factory=dict)

    def figures(self) -> dict[str, object]:
        ordered = sorted(self.functions.values(), key=lambda f: f.first)
        return {"name": self.name, **figures(ordered),
                "functions": [f.figures() for f in ordered]}


def figures(functions: Iterable[Function]) -> dict[str, int]:
    functions = list(functions)
    return {"blocks": sum(len(f.blocks) for f in functions),
            "blocks_hit": sum(sum(f.blocks.values()) for f in functions),
            "lines": sum(len(f.lines) for f in functions),
            "lines_hit": sum(sum(f.lines.values()) for f in functions)}


def measure(blocks: Iterable[Block], places: dict[int, Place],
            hit: set[int]) -> list[File]:
    """Sort blocks and lines by file and function.

    A function that is compiled into others has a block in each of them;
    these are counted apart, its lines but once.
    """
    files: dict[str, File] = {}
    for block in blocks:
        reached = block.site in hit
        # A call's address, and what it returns to, may differ in their line.
        own = places.get(block.site - 1) or places.get(block.site)
        for address in [None, *block.code]:
            place = own if address is None else places.get(address)
            if place is None:
                continue
            file = files.setdefault(place.file, File(place.file))
            function = file.functions.setdefault(
                place.function, Function(place.function, place.line))
            function.first = min(function.first, place.line)
            if address is None:
                function.blocks[block.site] = reached
            function.lines[place.line] = \
                function.lines.get(place.line, False) or reached
    return [files[name] for name in sorted(files)]


def check_hits(blocks: Iterable[Block], hit: set[int]) -> None:
    strange = hit - {block.site for block in blocks}
    if strange:
        raise Broken(f"{len(strange)} of {len(hit)} addresses are not behind "
                     f"a call of {CALLBACK}, such as {min(strange):#x}: is "
                     "this the kernel that was run?")


def read_pcs(path: Path) -> set[int]:
    try:
        return {int(word, 16) for word
                in path.read_text(encoding="ascii").split()}
    except (OSError, ValueError) as error:
        raise Broken(f"{path}: {error}; one hexadecimal address a line is "
                     "wanted") from error


# ---- what is written

def tracefile(files: Iterable[File]) -> str:
    """For lcov and genhtml."""
    out = ["TN:"]
    for file in files:
        functions = sorted(file.functions.values(), key=lambda f: f.first)
        out.append(f"SF:{ROOT / file.name}")
        out += [f"FN:{f.first},{f.name}" for f in functions]
        out += [f"FNDA:{int(any(f.blocks.values()))},{f.name}"
                for f in functions]
        lines: dict[int, bool] = defaultdict(bool)
        for function in functions:
            for line, reached in function.lines.items():
                lines[line] |= reached
        out += [f"DA:{line},{int(lines[line])}" for line in sorted(lines)]
        out += [f"LF:{len(lines)}", f"LH:{sum(lines.values())}",
                "end_of_record"]
    return "\n".join(out) + "\n"


def missed(files: Iterable[File]) -> list[tuple[str, str, str]]:
    """Functions of which nothing was reached: where, which, and why not.

    The last is empty if it is not known: these are the ones to look at, and
    they come first.
    """
    found = []
    for file in files:
        for one in sorted(file.functions.values(), key=lambda f: f.first):
            if any(one.blocks.values()) or any(one.lines.values()):
                continue
            why = next((why for pattern, why in OUT_OF_REACH.items()
                        if re.search(pattern, f"{file.name}: {one.name}")),
                       "")
            found.append((f"{file.name}:{one.first}", one.name, why))
    return sorted(found, key=lambda row: bool(row[2]))


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def coverage_table(files: Iterable[File]) -> str:
    rows = [("file", "lines", "reached", "%", "blocks", "reached", "%")]
    files = list(files)
    total = figures(f for file in files for f in file.functions.values())
    for name, found in [*((file.name, figures(file.functions.values()))
                          for file in files), ("all", total)]:
        row = [name]
        for what in ("lines", "blocks"):
            whole, part = found[what], found[f"{what}_hit"]
            row += [f"{whole:,}", f"{part:,}", percent(part, whole)]
        rows.append(tuple(row))
    return report.table(rows, left=(0,))


def write_all(files: list[File], out: Path) -> None:
    total = figures(f for file in files for f in file.functions.values())
    fuzz_out.write_whole(out / "coverage.json", json.dumps(
        {"total": total, "files": [file.figures() for file in files]},
        indent=1).encode())
    (out / "kernel.info").write_text(tracefile(files), encoding="utf-8")
    shutil.rmtree(out / "html", ignore_errors=True)
    done = subprocess.run(
        ["genhtml", "--quiet", "--legend", "--prefix", str(ROOT),
         "--title", "Stampede", "-o", str(out / "html"),
         str(out / "kernel.info")], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=600)
    if done.returncode:
        why = (done.stderr or done.stdout).strip().splitlines()
        raise Broken(f"genhtml: {why[-1] if why else done.returncode}")


# ---- all of it

def run_programs(fuzz: Path, corpus: Path, kernel: Path, out: Path) -> Path:
    """Let the guest run all there is; the file of addresses.

    A queue is copied, for it may be in use and hold what is not whole.
    """
    copies = out / "queue"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    for folder in (fuzz / "out").glob("*/"):
        for path in fuzz_out.queue_files(folder):
            data = path.read_bytes()
            if data.startswith(fuzz_out.WIRE):
                (copies / f"{fuzz_out.digest(data)}.bin").write_bytes(data)
    folders = [corpus, *([copies] if any(copies.iterdir()) else [])]
    pcs = out / "pcs.txt"
    pcs.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            [fuzz / "stampede-fuzz", "coverage", "--kernel", kernel,
             "--monitor", fuzz / "monitor.elf", "--out", pcs, *folders],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=LIMIT)
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(f"stampede-fuzz coverage: {error}") from error
    if done.returncode == 2 or not pcs.exists():
        lines = done.stderr.strip().splitlines()
        raise Broken(lines[-1] if lines else "stampede-fuzz coverage: exit "
                     f"status {done.returncode}")
    return pcs


def cover(args: argparse.Namespace) -> None:
    if shutil.which("genhtml") is None:
        raise Broken(f"genhtml: not found; {fuzz_corpus.INSTALL}")
    if not args.kernel.is_file():
        raise Broken(f"{args.kernel}: no such kernel; run `make coverage`")
    args.out.mkdir(parents=True, exist_ok=True)
    blocks = disassemble(args.kernel)
    pcs = args.pcs or run_programs(args.fuzz, args.corpus, args.kernel,
                                   args.out)
    hit = read_pcs(pcs)
    check_hits(blocks, hit)
    places = find_places(args.kernel, sorted(
        {a for block in blocks for a in
         (block.site, block.site - 1, *block.code)}))
    files = measure(blocks, places, hit)
    if not files:
        raise Broken(f"{args.kernel}: no code of {' '.join(MEASURED)}; "
                     "is it compiled with -g?")
    write_all(files, args.out)
    print(coverage_table(files))
    never = missed(files)
    if never:
        print("\n" + report.table([("not reached", "function", "why"),
                                   *never], left=(0, 1, 2)))
    print(f"\ncoverage: {args.out}/html/index.html")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Coverage of the kernel.")
    parser.add_argument("--fuzz", type=Path, default="build/fuzz")
    parser.add_argument("--corpus", type=Path, default="corpus")
    parser.add_argument("--kernel", type=Path,
                        help="default: plain-exact/kernel below --fuzz")
    parser.add_argument("--pcs", type=Path, help="addresses that were hit; "
                        "nothing is run then")
    parser.add_argument("--out", type=Path,
                        help="default: coverage below --fuzz")
    args = parser.parse_args(argv)
    args.kernel = args.kernel or args.fuzz / "plain-exact/kernel"
    args.out = args.out or args.fuzz / "coverage"
    end_with_grace()
    try:
        cover(args)
    except (Broken, OSError, subprocess.SubprocessError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("coverage: interrupted", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
