#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does what is about to be merged leak, or cost more than what is there?

Usage: leakcheck.py [--base origin/main] [--seed N] [--secs 2]
       leakcheck.py --hook pre-push|pre-merge-commit ...    as git's hook
Exit:  0 nothing is worse, 1 something is, 2 it could not be checked.

The working tree and its merge base with --base are built side by side, and
each runs the same, in turn, so that a change in the host's speed meets both:

  - all stress programs, with the audit after each of them;
  - failnth: every scenario with every allocation failing once;
  - every program of corpus/, as the fuzzer runs it, ten times each;
  - a fixed piece of work on one hart, after which the kernel's counters are
    compared, and the measurements of fork and of page faults (the program
    bench).  Of each the least counts, for a loaded host can only add to it;
    and what is too much is measured again before it is called so.

Prints one table, and writes it to --out (build/leakcheck) as table.txt,
results.json and junit.xml, beside the consoles of all machines.  Where the
audit found something, the guilty programs run once more in a kernel that
remembers who allocated each page (FLAVOR=debug), which names file and line.

What the base does not have yet is `n/a` there, and judged by itself.
"""
import argparse
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import report
import stress
from harts import addr2line, symbolise
from qemu import (ROOT, Broken, Config, Hang, Machine, check_tools,
                  parse_cpus, parse_mem)


@dataclass(frozen=True)
class Limit:
    """The most that a row may be: as a number, or as a ratio to the base."""

    most: float | None = None
    ratio: float | None = None

    def __str__(self) -> str:
        return f"{self.most:.0f}" if self.most is not None \
            else f"x {self.ratio:.2f}"


# Every row of the table, in its order, and where it begins to be bad.
LIMITS = {
    "programs failed": Limit(most=0),
    "audit findings": Limit(most=0),
    "pages leaked": Limit(most=0),
    "failnth failures": Limit(most=0),
    "corpus failures": Limit(most=0),
    "peak pages": Limit(ratio=1.05),
    "pages allocated": Limit(ratio=1.03),
    "bytes copied": Limit(ratio=1.03),
    "fork cost, ns": Limit(ratio=1.25),
    "fault cost, ns": Limit(ratio=1.25),
}

ROUNDS = 2              # of the stress programs
MEASURED = 3            # times in each round of measurements
AGAIN = 3               # rounds more for what is over its limit
BUDGET = 240.0          # seconds after which nothing optional is begun
BUILD_LIMIT = 600       # seconds
QUIET = 60.0            # seconds without output that are a hang
ONCE = ("cowtest", "usertests")     # not in each round: always the same
EXPLAINED = 3           # programs that are run again to name the guilty
GUILTY = 8              # places that are named at most

# How many processes forktest has at one time is chance: its peak says nothing,
# so the counters are printed before it, too.
WORK = ("cat README.md | grep a | wc; stressfs; ls; sh -c 'echo a | cat'; "
        "cowstat; forktest; cowstat; audit")
COPIED = ("bytes_fork", "bytes_fault", "bytes_copyout", "bytes_exec")
COSTS = {"fork cost, ns": "fork_exit_wait/", "fault cost, ns": "fault/"}

FINDING = re.compile(r"audit: (\S[^:]*): ")
COUNTER = re.compile(r"(\w+) +(\d+)  \S")
BENCH = re.compile(r"BENCH (\S+) (\d+) (\S+)")
OWNER = re.compile(r"owner: frame \w+, allocated by pid -?\d+ in (.+)")
CALLER = re.compile(r"(\w+)\+0x([0-9a-f]+)")
INHERITED = "the kernel's audit found something"
CORPUS = re.compile(r"corpus: (\d+) programs: (\d+) pass")
# What of build/fuzz a side has to have to run programs.
FUZZER = ("stampede-fuzz", "monitor.elf", "plain/kernel")
MAKE_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "B",
                  "BASE", "COW", "FLAVOR", "FUZZ", "PLANT", "RELEASE",
                  "USERPROGS", "V")
SOURCES = ("kernel", "user", "stress", "fuzz", "corpus", "scripts",
           "Makefile")


# ---- git

def clean_environment() -> dict[str, str]:
    """Without what git, calling us as a hook, and make have added."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("GIT_") and name not in MAKE_VARIABLES}


def git(*words: str) -> str:
    """Run git; its output, or Broken with the first line of its complaint."""
    if shutil.which("git") is None:
        raise Broken("git: not found; install it to compare with a base")
    done = subprocess.run(["git", "-C", str(ROOT), *words],
                          capture_output=True, text=True,
                          env=clean_environment())
    if done.returncode:
        why = (done.stderr.strip() or "failed").splitlines()[0]
        raise Broken(f"git {words[0]}: {why}")
    return done.stdout.rstrip()


def merge_base(base: str) -> str:
    """The commit that the work began from."""
    try:
        git("rev-parse", "--git-dir")
    except Broken as error:
        raise Broken(f"{ROOT}: no git repository to find a base in "
                     f"({error})") from error
    try:
        git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    except Broken as error:
        raise Broken(f"BASE={base}: there is no such commit; name one, or "
                     "fetch it") from error
    try:
        return git("merge-base", base, "HEAD")
    except Broken as error:
        raise Broken(f"BASE={base}: has no commit in common with HEAD"
                     ) from error


def check_clean(staged: bool) -> None:
    """What is checked must be what is committed, or staged for a merge."""
    text = git("status", "--porcelain", "--", *SOURCES)
    dirty = [line[3:] for line in text.splitlines()
             if not staged or line[1] != " "]
    if dirty:
        more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
        raise Broken(f"dirty tree: {dirty[0]}{more}; commit or stash, for "
                     "what is checked must be what is merged")


# ---- the two trees

@dataclass
class Side:
    """One kernel with its disk, and all that was found out about it."""

    name: str
    commit: str
    folder: Path        # of kernel and fs.img
    programs: list[str]
    values: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    guilty: dict[str, list[str]] = field(
        default_factory=lambda: defaultdict(list))      # by program

    @property
    def kernel(self) -> Path:
        return self.folder / "kernel"

    @property
    def image(self) -> Path:
        return self.folder / "fs.img"

    def add(self, row: str, value: float) -> None:
        self.values[row] = self.values.get(row, 0.0) + value

    def least(self, row: str, value: float) -> None:
        self.values[row] = min(value, self.values.get(row, value))


def programs_in(root: Path) -> list[str]:
    return sorted(p.stem for p in root.glob("stress/*.c"))


def build_fuzzer(root: Path, what: str, log: Path) -> None:
    """The fuzzer and its kernel, where the tree has them."""
    if not (root / "fuzz/build.mk").exists():
        return
    build(root, f"the fuzzer of {what}", log, "fuzz-tools", target="")
    build(root, f"the fuzzer's kernel of {what}", log, "FUZZ=cover")


def build(root: Path, what: str, log: Path, *options: str,
          target: str = "all") -> None:
    """Make a tree, or Broken."""
    jobs = len(os.sched_getaffinity(0))
    with log.open("w", encoding="utf-8") as file:
        try:
            status = subprocess.run(
                ["make", "-C", str(root), f"-j{jobs}", *options,
                 *target.split()],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=clean_environment(), timeout=BUILD_LIMIT).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Broken(f"make: {error}") from error
    if status:
        raise Broken(f"{what} does not build; see {log}")


def build_base(commit: str, out: Path) -> Side:
    """The base out of a work tree of its own; the last one built is kept."""
    kept = out / f"base-{commit[:12]}"
    tree = out / "tree"
    if not (kept / "done").exists():
        for old in out.glob("base-*/"):
            shutil.rmtree(old)
        remove_tree(tree)
        git("worktree", "add", "--detach", "--force", str(tree), commit)
        try:
            build(tree, f"the base {commit[:12]}", out / "base-build.log")
            build_fuzzer(tree, "the base", out / "base-fuzz-build.log")
            kept.mkdir()
            for name in ("kernel", "fs.img"):
                shutil.copyfile(tree / "build/plain" / name, kept / name)
            if (tree / "fuzz/build.mk").exists():
                for name in FUZZER:
                    (kept / "fuzz" / name).parent.mkdir(parents=True,
                                                        exist_ok=True)
                    shutil.copy(tree / "build/fuzz" / name,
                                kept / "fuzz" / name)
            (kept / "done").write_text("\n".join(programs_in(tree)),
                                       encoding="utf-8")
        except OSError as error:
            raise Broken(f"the base {commit[:12]} has no kernel to run: "
                         f"{error}") from error
        finally:
            remove_tree(tree)
    return Side("base", commit, kept,
                (kept / "done").read_text(encoding="utf-8").split())


def remove_tree(tree: Path) -> None:
    """Remove the work tree, and what git knows of it."""
    shutil.rmtree(tree, ignore_errors=True)
    git("worktree", "prune")


def build_here(out: Path) -> Side:
    build(ROOT, "the working tree", out / "here-build.log")
    build_fuzzer(ROOT, "the working tree", out / "here-fuzz-build.log")
    return Side("here", git("rev-parse", "HEAD"), ROOT / "build/plain",
                programs_in(ROOT))


# ---- the workload

class Check:
    """The options of a run, and the machines that it boots."""

    def __init__(self, args: argparse.Namespace):
        self.out: Path = args.out
        self.cpus = parse_cpus(args.cpus)
        self.mem = parse_mem(args.mem)
        self.secs = stress.parse_number("--secs", args.secs, 1, 60)
        self.seed = stress.parse_seed(args.seed)
        self.began = time.monotonic()
        self.notes: list[str] = []

    def in_time(self) -> bool:
        return time.monotonic() - self.began < BUDGET

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:3.0f} s] {text}",
              file=sys.stderr, flush=True)

    def boot(self, side: Side, name: str, program: str,
             cpus: int) -> tuple[int, list[str]]:
        """Run one program: QEMU's status (-1: it hung), and the console."""
        log = self.out / f"{side.name}-{name}.log"
        log.unlink(missing_ok=True)
        config = Config(side.kernel, side.image, cpus, self.mem,
                        f"batch run={program}")
        lines = []
        with Machine(config, log) as machine:
            try:
                for line in machine.lines(QUIET):
                    lines += [line] if line else []
                return machine.status(), lines
            except Hang as hang:
                lines += [f"hang: {hang}", machine.dump_harts()]
                return -1, lines


def run_stress(check: Check, side: Side, names: list[str], seed: int,
               folder: str) -> dict[str, list[str]]:
    """Add up a round of the stress programs; the console, by program."""
    out = check.out / folder
    options = stress.parse_args([
        "--kernel", str(side.kernel), "--image", str(side.image),
        "--out", str(out), "--only", ",".join(names),
        "--secs", str(check.secs), "--seed", str(seed),
        "--cpus", str(check.cpus), "--mem", check.mem])
    stress.prepare(options)
    runs = stress.run_all(options, stress.Screen(io.StringIO()))
    text = (out / "console.log").read_text(encoding="utf-8",
                                           errors="replace")
    consoles = by_program(text.splitlines())
    new = count_findings(side, consoles)
    for name, run in runs.items():
        bad = run.verdict in ("fail", "broken")
        if name not in new and run.reason == INHERITED:
            bad = False
        side.add("programs failed", bad)
        side.add("pages leaked", abs(run.leaked))
        if bad:
            side.guilty[name].append(f"{run.verdict}: {run.reason}")
    return consoles


def by_program(lines: list[str]) -> dict[str, list[str]]:
    """The console, cut where a program starts."""
    found: dict[str, list[str]] = defaultdict(list)
    name = "boot"
    for line in lines:
        if start := stress.START.search(line):
            name = start[1]
        found[name].append(line)
    return found


def count_findings(side: Side, consoles: dict[str, list[str]]) -> set[str]:
    """Add what the audit found in a boot; the programs that did it.

    What one program spoils is found again after each that follows: that
    says nothing about those.
    """
    seen: set[str] = set()
    new: set[str] = set()
    for name, lines in consoles.items():
        for line in lines:
            found = FINDING.match(line)
            if not found or line in seen:
                continue
            seen.add(line)
            new.add(name)
            side.guilty[name].append(found[0].rstrip(": "))
            side.add("audit findings", 1)
    return new


def run_failnth(check: Check, side: Side) -> None:
    """Every allocation fails once; leaves out a base that cannot do it."""
    status, lines = check.boot(side, "failnth", "/failnth", 1)
    if any("failnth: not found" in line or "failnth: cannot" in line
           for line in lines):
        return
    side.add("failnth failures", status != 0)
    if status:
        told = [line for line in lines if line.startswith(
            ("failnth:", "audit:", "panic:", "hang:"))]
        side.guilty["failnth"] += symbolise(side.kernel, told[:GUILTY])


def run_corpus(check: Check, side: Side) -> None:
    """All programs of corpus/; leaves out a base without a fuzzer."""
    fuzz = side.folder / "fuzz" if side.name == "base" \
        else ROOT / "build/fuzz"
    folders = [str(path) for path in sorted(ROOT.glob("corpus/*/"))
               if any(path.glob("*.prog"))]
    if not (fuzz / FUZZER[0]).exists() or not folders:
        return
    log = check.out / f"{side.name}-corpus.log"
    with log.open("w", encoding="utf-8") as file:
        try:
            subprocess.run(
                [str(fuzz / FUZZER[0]), "corpus", "--repeat=10",
                 "--budget-ms=200", *folders], stdin=subprocess.DEVNULL,
                stdout=file, stderr=file, timeout=BUDGET)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Broken(f"{fuzz / FUZZER[0]}: {error}") from error
    lines = log.read_text(encoding="utf-8").splitlines()
    found = CORPUS.match(lines[-1]) if lines else None
    if not found:
        raise Broken(f"the fuzzer of {side.name} does not run; see {log}")
    side.add("corpus failures", int(found[1]) - int(found[2]))
    side.guilty["corpus"] += [line for line in lines[:-1]
                              if not line.startswith("  |")][:GUILTY]


def run_work(check: Check, side: Side) -> None:
    """What the kernel has counted after a fixed piece of work."""
    status, lines = check.boot(side, "work", f'/sh -c "{WORK}"', 1)
    told = [(m[1], int(m[2])) for line in lines
            if (m := COUNTER.match(line))]
    first, counts = dict(reversed(told)), dict(told)
    if "pages_alloc" not in counts:
        side.add("programs failed", 1)
        side.guilty["work"].append(f"exit status {status}: {lines[-1:]}")
        return
    if any(line.startswith("audit: ") for line in lines):
        side.add("audit findings", 0)       # so this kernel has an audit
    count_findings(side, {"work": lines})
    side.least("pages allocated", counts["pages_alloc"])
    side.least("bytes copied", sum(counts.get(name, 0) for name in COPIED))
    if "pages_peak" in first:
        side.least("peak pages", first["pages_peak"])


def run_bench(check: Check, side: Side) -> None:
    status, lines = check.boot(side, "bench",
                               "/bench -q fork_exit_wait fault", 1)
    if status:
        side.add("programs failed", 1)
        side.guilty["bench"].append(f"exit status {status}")
    for line in lines:
        if found := BENCH.search(line):
            value = float(found[2])
            side.best[found[1]] = min(value, side.best.get(found[1], value))


def set_costs(base: Side, here: Side) -> None:
    """The mean of those measurements that both have; of few, or of many."""
    for row, prefix in COSTS.items():
        names = [name for name in here.best if name.startswith(prefix)]
        shared = [name for name in names if name in base.best] or names
        for side in (base, here):
            values = [side.best[name] for name in shared
                      if side.best.get(name)]
            if values:
                side.values[row] = math.exp(
                    sum(math.log(value) for value in values) / len(values))


def too_much(base: Side, here: Side) -> bool:
    return any(judge(row, base, here).verdict == "fail"
               for row, limit in LIMITS.items() if limit.ratio is not None)


def workload(check: Check, base: Side, here: Side) -> None:
    both = (base, here)
    for number in range(ROUNDS):
        if number and not check.in_time():
            check.notes.append("the host is slow: stress ran once only")
            break
        for side in both:
            check.say(f"stress, round {number + 1}: {side.name}")
            extra = ONCE + ("grind",) if number == 0 else ("grind",)
            run_stress(check, side, [n for n in side.programs
                                     if n in here.programs] + list(extra),
                       check.seed + number,
                       f"{side.name}-stress-{number + 1}")
    for side in both:
        check.say(f"failnth: {side.name}")
        run_failnth(check, side)
        check.say(f"corpus: {side.name}")
        run_corpus(check, side)
    again = 0
    while again == 0 or (again <= AGAIN and check.in_time()
                         and too_much(base, here)):
        check.say("count and measure")
        for _ in range(MEASURED):
            for side in both:
                run_work(check, side)
                run_bench(check, side)
        set_costs(base, here)
        again += 1


# ---- who is guilty

def explain(check: Check, here: Side) -> list[str]:
    """Run what leaks in a kernel that remembers who allocated what."""
    names = [name for name, told in here.guilty.items()
             if name in [*here.programs, *stress.EXTRA]
             and any(line.startswith("audit: ") for line in told)]
    if not names:
        return []
    check.say(f"name the guilty: {' '.join(names[:EXPLAINED])}")
    try:
        build(ROOT, "FLAVOR=debug", check.out / "debug-build.log",
              "FLAVOR=debug")
        side = Side("debug", here.commit, ROOT / "build/debug", here.programs)
        consoles = run_stress(check, side, names[:EXPLAINED], check.seed,
                              "debug-stress")
    except Broken as error:
        return [f"nobody to name: {error}"]
    return [f"{name}: {line}" for name, lines in consoles.items()
            for line in allocators(side.kernel, lines)]


def allocators(kernel: Path, lines: list[str]) -> list[str]:
    """Who allocated the frames of a console's findings, most often first."""
    told: dict[tuple[str, str], int] = defaultdict(int)
    finding = ""
    for line in lines:
        if found := FINDING.match(line):
            finding = found[1]
        elif found := OWNER.match(line):
            told[finding, found[1]] += 1
            finding = ""
    lines_of = source_lines(kernel, [callers for _, callers in told])
    ranked = sorted(told.items(), key=lambda item: -item[1])[:GUILTY]
    return [f"{finding}, {count} times: allocated by {lines_of[callers]}"
            for (finding, callers), count in ranked]


def source_lines(kernel: Path, chains: list[str]) -> dict[str, str]:
    """`f+0x1a < g+0x2c` with file and line for each."""
    nm = os.environ.get("CROSS", "riscv64-unknown-elf-") + "nm"
    done = subprocess.run([nm, str(kernel)], capture_output=True, text=True)
    symbols = {words[2]: int(words[0], 16) for line in
               done.stdout.splitlines() if len(words := line.split()) == 3}

    def address(found: re.Match[str]) -> int:
        return symbols.get(found[1], 0) + int(found[2], 16) - 2

    names = addr2line(kernel, {address(m) for chain in chains
                               for m in CALLER.finditer(chain)})
    return {chain: CALLER.sub(lambda m: names.get(address(m), m[0]), chain)
            for chain in chains}


# ---- the outcome

@dataclass
class Row(report.Result):
    """A line of the table."""

    base: float | None = None
    here: float | None = None
    ratio: float | None = None
    limit: str = ""


def judge(name: str, base: Side, here: Side) -> Row:
    limit = LIMITS[name]
    row = Row(name, "skipped", "nothing to compare",
              base=base.values.get(name), here=here.values.get(name),
              limit=str(limit))
    if row.here is None:
        return row
    if row.base:
        row.ratio = row.here / row.base
    if limit.most is not None:
        bad = row.here > limit.most
        row.reason = f"{row.here:.0f}, and may be {limit}"
    elif row.ratio is None:
        return row
    else:
        bad = row.ratio > (limit.ratio or 0.0)
        row.reason = f"{row.ratio:.2f} times the base, limit {limit}"
    row.verdict = "fail" if bad else "pass"
    if not bad:
        row.reason = ""
    return row


def number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:,.0f}"


def table(rows: list[Row]) -> str:
    cells = [("check", "base", "here", "ratio", "limit", "verdict")]
    cells += [(row.name, number(row.base), number(row.here),
               "" if row.ratio is None else f"{row.ratio:.2f}",
               row.limit, row.verdict) for row in rows]
    return report.table(cells, left=(0, 5))


def conclude(check: Check, base: Side, here: Side, told: list[str]) -> int:
    rows = [judge(name, base, here) for name in LIMITS]
    details = [f"{name}: {line}" for name, lines in here.guilty.items()
               for line in dict.fromkeys(lines)] + told
    for row in rows:
        if row.verdict == "fail":
            row.details = "\n".join(details)
    failed = [row for row in rows if row.verdict == "fail"]
    text = "\n".join([table(rows), *(["", *details] if failed else []),
                      *(f"note: {note}" for note in check.notes)])
    print(f"\n{text}\n")
    (check.out / "table.txt").write_text(text + "\n", encoding="utf-8")
    (check.out / "results.json").write_text(json.dumps({
        "base": base.commit, "here": here.commit, "seed": check.seed,
        "seconds": round(time.monotonic() - check.began, 1),
        "guilty": details, "rows": [asdict(row) for row in rows]},
        indent=1) + "\n", encoding="utf-8")
    report.write_junit(check.out / "junit.xml", "leakcheck", rows, {
        "base": base.commit, "here": here.commit, "seed": str(check.seed)})
    print(f"leakcheck: {len(rows) - len(failed)} of {len(rows)} rows are "
          f"good, {time.monotonic() - check.began:.0f} s, seed {check.seed}; "
          f"consoles and tables in {check.out}/")
    return 1 if failed else 0


# ---- as git's hook

def hook_base(name: str, pushed: str) -> str | None:
    """What to compare with, None if there is nothing to check."""
    if name == "pre-merge-commit":
        return "HEAD"
    head = git("rev-parse", "HEAD")
    for line in pushed.splitlines():
        words = line.split()
        if len(words) != 4 or words[1] != head:
            continue
        # What the remote branch has; a new one is compared with main.
        return words[3] if set(words[3]) != {"0"} else "origin/main"
    return None


def parse_args(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare with a base.")
    parser.add_argument("--base", default="origin/main")
    parser.add_argument("--out", type=Path, default=Path("build/leakcheck"))
    parser.add_argument("--cpus", default="8")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--secs", default="2", help="for each program")
    parser.add_argument("--seed", default="", help="drawn if not given")
    parser.add_argument("--hook", choices=("pre-push", "pre-merge-commit"))
    parser.add_argument("rest", nargs="*", help="what git tells its hook")
    args = parser.parse_args(argv)
    if args.rest and not args.hook:
        raise Broken(f"{args.rest[0]}: what is that?  Try --help")
    return args


def run(args: argparse.Namespace) -> int:
    if args.hook:
        args.base = hook_base(args.hook, sys.stdin.read()
                              if args.hook == "pre-push" else "")
        if args.base is None:
            print("leakcheck: what is checked out is not pushed: not checked")
            return 0
    args.out = (ROOT / args.out).resolve()
    commit = merge_base(args.base)
    check_clean(staged=args.hook == "pre-merge-commit")
    check_tools()
    args.out.mkdir(parents=True, exist_ok=True)
    check = Check(args)
    print(f"leakcheck: {git('rev-parse', '--short=12', 'HEAD')} against "
          f"{commit[:12]}, the merge base with {args.base}; "
          f"seed {check.seed}, {check.cpus} harts", flush=True)
    check.say("build both")
    base, here = build_base(commit, args.out), build_here(args.out)
    workload(check, base, here)
    return conclude(check, base, here, explain(check, here))


def main(argv: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(parse_args(argv))
    except (Broken, OSError) as error:
        print(f"leakcheck: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("leakcheck: interrupted", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
