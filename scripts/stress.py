#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boot the kernel, run the stress programs in it, and give the verdicts.

Usage: stress.py [--cpus 8] [--only a,b] [--secs 20] [--seed N] [--mem 128M]
       stress.py --check ...     only look at the options, before a build
Exit:  0 every program passed (or was skipped), 1 at least one failed,
       2 something was broken, or the run could not start.

The guest's runner (/runstress) executes one program after the other and
prints TAP, with a line about once a second that says how far it is.  This
script adds what the guest cannot see about itself: a panic, and a hang.
Either fails the program that was running; the machine is then started anew
for the rest of the list.

Written to --out (build/stress): console.log, junit.xml, and for a panic or
hang a report with the symbolised backtraces.
"""
import argparse
import random
import re
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import harts
import report
from qemu import (ROOT, Broken, Config, Hang, Machine, check_files,
                  check_tools, end_with_grace, parse_cpus, parse_mem,
                  start_error)

EXTRA = ("cowtest", "usertests", "grind")
MAX_SEED = 2**31 - 1
MAX_SECS = 24 * 3600
NOTES = 40           # lines of a program that its report shows
PANIC_TAIL = 20.0    # seconds that a panic has to print and end QEMU

START = re.compile(r"# start (\S+)")
PROGRESS = re.compile(r"# tick (\w+) \d+ (\d+)$")
WHY = re.compile(r"# why (\w+): (.+)")
POINT = re.compile(r"\b(not )?ok \d+ - (\w+)(?:\s+# ?(.*))?$")
FIGURE = re.compile(r"\b(ops|secs|leaked)=(-?[\d.]+)")
PANIC = re.compile(r"\bpanic(?: in panic)?: .*: 0x[0-9a-f]+\b.*")


# ---- what to run

@dataclass
class Options:
    config: Config
    names: list[str]
    secs: int
    seed: int
    out: Path
    quiet: float
    limit: float
    verbose: bool
    check: bool
    extra: str = ""     # options that a rerun has to repeat


def known_programs(root: Path = ROOT) -> list[str]:
    return sorted(p.stem for p in root.glob("stress/*.c")) + list(EXTRA)


def parse_only(text: str, known: list[str]) -> list[str]:
    if not text:
        return known
    names = list(dict.fromkeys(n for n in text.split(",") if n))
    for name in names:
        if name not in known:
            raise Broken(f"ONLY={text}: there is no {name}; "
                      f"choose from {','.join(known)}")
    if not names:
        raise Broken(f"ONLY={text}: name programs: {','.join(known)}")
    return names


def parse_number(what: str, text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() \
            or not low <= int(text) <= high:
        raise Broken(f"{what}={text}: give a number from {low} to {high}")
    return int(text)


def parse_seed(text: str) -> int:
    if not text:
        return random.SystemRandom().randrange(1, MAX_SEED)
    return parse_number("SEED", text, 0, MAX_SEED)


def parse_args(argv: list[str]) -> Options:
    parser = argparse.ArgumentParser(description="Run the stress programs.")
    parser.add_argument("--kernel", default="build/plain/kernel")
    parser.add_argument("--image", default="build/plain/fs.img")
    parser.add_argument("--out", default="build/stress")
    parser.add_argument("--cpus", default="8")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--only", default="", metavar="A,B")
    parser.add_argument("--secs", default="20", help="for each program")
    parser.add_argument("--seed", default="", help="drawn if not given")
    parser.add_argument("--append", default="", help="more boot arguments")
    parser.add_argument("--quiet", default="60",
                        help="seconds of silence that are a hang")
    parser.add_argument("--limit", default="",
                        help="seconds one program may take at most")
    parser.add_argument("--rerun", default="",
                        help="make variables to repeat in the rerun command")
    parser.add_argument("--verbose", action="store_true",
                        help="show the console")
    parser.add_argument("--check", action="store_true",
                        help="only say whether the options are right")
    args = parser.parse_args(argv)
    secs = parse_number("SECS", args.secs, 1, MAX_SECS)
    limit = parse_number("--limit", args.limit or str(3 * secs + 300),
                         1, 10 * MAX_SECS)
    return Options(
        config=Config(Path(args.kernel), Path(args.image),
                      parse_cpus(args.cpus), parse_mem(args.mem),
                      args.append),
        names=parse_only(args.only, known_programs()),
        secs=secs, seed=parse_seed(args.seed), out=Path(args.out),
        quiet=parse_number("--quiet", args.quiet, 1, MAX_SECS), limit=limit,
        verbose=args.verbose, check=args.check, extra=args.rerun)


def boot_arguments(options: Options, names: list[str]) -> str:
    words = ["batch", options.config.bootargs,
             f"run=/runstress -p -s {options.seed} -t {options.secs}"
             f" -o {','.join(names)}"]
    return " ".join(word for word in words if word)


# ---- what the guest says

@dataclass
class Run(report.Result):
    """One stress program; no verdict yet while that is empty."""

    verdict: str = ""
    ops: int = 0
    leaked: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.ops / self.secs if self.secs else 0.0


class Reader:
    """Follow the console of one boot and fill in the runs of the plan."""

    def __init__(self, plan: dict[str, Run]):
        self.plan = plan
        self.running: Run | None = None
        self.spoken = False         # the guest has said something
        self.started = False        # so has its runner
        self.bail = ""              # why the runner gave up
        self.panic: list[str] = []  # from the first line of a panic on

    def feed(self, line: str) -> Run | None:
        """Take one line; return the run that it starts or ends."""
        self.spoken = self.spoken or bool(line)
        if self.panic:
            self.panic += [line] if line else []
        elif found := PANIC.search(line):
            self.panic = [found[0]]
        elif found := POINT.search(line):
            return self.point(found[2], bool(found[1]), found[3] or "")
        elif found := START.search(line):
            self.started = True
            self.running = self.plan.get(found[1])
            return self.running
        elif found := PROGRESS.search(line):
            if self.running and found[1] == self.running.name:
                self.running.ops = int(found[2])
        elif found := WHY.search(line):
            if found[1] in self.plan:
                self.plan[found[1]].reason = found[2]
        elif line.startswith("Bail out!"):
            self.bail = line[9:].strip() or "no reason given"
        elif line and self.running:
            self.running.notes.append(line)
            del self.running.notes[:-NOTES]
        return None

    def point(self, name: str, bad: bool, comment: str) -> Run | None:
        run = self.plan.get(name)
        if run is None or run.verdict:
            return None
        self.started = True
        self.running = None
        figures = dict(FIGURE.findall(comment))
        run.ops = int(float(figures.get("ops", run.ops)))
        run.secs = float(figures.get("secs", run.secs))
        run.leaked = int(float(figures.get("leaked", 0)))
        run.reason = FIGURE.sub("", comment).strip(" ;,:")
        word, _, reason = run.reason.partition(" ")
        if word == "SKIP":
            run.verdict, run.reason = "skipped", reason
        elif word == "BROKEN":
            run.verdict, run.reason = "broken", reason
        elif bad or run.leaked:
            run.verdict = "fail"
            run.reason = run.reason or f"leaked {run.leaked} pages"
            run.details = "\n".join(run.notes)
        else:
            run.verdict = "pass"
        return run

    def blame(self) -> Run:
        """Whose failure it is when the machine itself goes wrong."""
        if self.running:
            return self.running
        name = "runner" if self.started else "boot"
        return self.plan.setdefault(name, Run(name))


# ---- what the user sees while it runs

class Screen:
    """One line that is rewritten on a terminal, else lines now and then."""

    def __init__(self, file: TextIO, every: float = 10.0):
        self.file = file
        self.terminal = file.isatty()
        self.every = 1.0 if self.terminal else every
        self.next = 0.0

    def say(self, text: str) -> None:
        clear = "\r\x1b[K" if self.terminal else ""
        print(f"{clear}{text}", file=self.file, flush=True)

    def progress(self, run: Run, since: float, place: str) -> None:
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + self.every
        elapsed = now - since
        rate = run.ops / elapsed if elapsed > 0 else 0.0
        text = (f"{place} {run.name}: {elapsed:.0f} s, "
                f"{rate:,.0f} operations/s")
        if self.terminal:
            print(f"\r\x1b[K{text}", end="", file=self.file, flush=True)
        else:
            print(text, file=self.file, flush=True)


# ---- one boot

class Trial:
    """One boot of the machine for the programs that have no verdict yet."""

    def __init__(self, options: Options, plan: dict[str, Run],
                 screen: Screen):
        self.options = options
        self.plan = plan
        self.screen = screen
        self.names = [n for n, run in plan.items() if not run.verdict]
        self.reader = Reader(plan)
        self.since = time.monotonic()   # start of what runs now
        self.used = 0.0                 # the same on the guest's clock

    def run(self) -> None:
        """Boot once.  Afterwards at least one more run has a verdict."""
        config = replace(self.options.config,
                         bootargs=boot_arguments(self.options, self.names))
        with Machine(config, self.options.out / "console.log") as machine:
            try:
                for line in machine.lines(self.options.quiet, 0.5):
                    self.heard(machine, line)
                self.ended(machine)
            except Hang as hang:
                self.hung(machine, str(hang))

    def heard(self, machine: Machine, line: str) -> None:
        reader = self.reader
        calm = not reader.panic
        if line and self.options.verbose:
            self.screen.say(line)
        run = reader.feed(line)
        if run or (calm and reader.panic):
            self.used = machine.clock.now()
        used = machine.clock.now() - self.used
        if reader.panic and used > PANIC_TAIL:
            raise Hang("a panic did not end the machine")
        if run and run.verdict:
            self.screen.say(verdict_line(run))
        elif run:
            self.since = time.monotonic()
        elif used > self.options.limit:
            raise Hang(f"not done after {self.options.limit:.0f} s")
        elif reader.running:
            done = sum(bool(r.verdict) for r in self.plan.values())
            self.screen.progress(reader.running, self.since,
                                 f"[{done + 1}/{len(self.plan)}]")

    def ended(self, machine: Machine) -> None:
        """QEMU has ended by itself.  Was that right?"""
        reader = self.reader
        status = machine.status()
        runs = [self.plan[n] for n in self.names]
        if reader.panic:
            self.failed("panic", reader.panic[0], harts.symbolise(
                self.options.config.kernel, reader.panic))
        elif not reader.spoken:
            raise Broken(start_error(machine))
        elif reader.bail:
            self.failed("end", f"the runner gave up: {reader.bail}",
                        machine.errors, "broken")
        elif not all(run.verdict for run in runs):
            self.failed("end", f"the machine ended, with status {status}, "
                        "before there was a verdict", machine.errors)
        elif status and report.exit_status(runs) == 0:
            self.failed("end", f"the machine ended with status {status} "
                        "although every program passed", machine.errors)

    def hung(self, machine: Machine, why: str) -> None:
        self.failed("hang", f"hang: {why}", harts.symbolise(
            self.options.config.kernel, self.reader.panic)
            + machine.dump_harts().splitlines())

    def failed(self, kind: str, reason: str, details: list[str],
               verdict: str = "fail") -> None:
        """The machine itself went wrong: blame what it was doing."""
        run = self.reader.running
        if run is None:
            name = "runner" if self.reader.started else "boot"
            run = self.plan.setdefault(name, Run(name))
        path = self.options.out / f"{kind}-{run.name}.txt"
        path.write_text("\n".join([reason, *details, ""]), encoding="utf-8")
        run.verdict = verdict
        run.reason = reason
        run.secs = time.monotonic() - self.since
        run.details = "\n".join(run.notes[-10:] + details
                                + [f"report: {path}"])
        self.screen.say(verdict_line(run))


def run_all(options: Options, screen: Screen) -> dict[str, Run]:
    """Boot as often as it takes to give every program its verdict."""
    plan = {name: Run(name) for name in options.names}
    while any(not run.verdict for run in plan.values()):
        Trial(options, plan, screen).run()
        for name in ("boot", "runner"):
            if name in plan:    # not the fault of one program: give up
                for run in plan.values():
                    run.verdict = run.verdict or "skipped"
                    run.reason = run.reason or "not reached"
    return plan


# ---- the outcome

def verdict_line(run: Run) -> str:
    text = (f"{run.name}: {run.verdict}, {run.ops:,} operations, "
            f"{run.secs:.1f} s")
    return f"{text}: {run.reason}" if run.reason else text


def closing_table(runs: list[Run]) -> str:
    rows = [("program", "verdict", "operations", "per second", "seconds",
             "leaked")]
    rows += [(run.name, run.verdict, f"{run.ops:,}", f"{run.rate:,.0f}",
              f"{run.secs:.1f}", str(run.leaked)) for run in runs]
    return report.table(rows, left=(0, 1))


def rerun_command(options: Options, run: Run) -> str:
    only = f" ONLY={run.name}" if run.name in options.names else ""
    extra = f" {options.extra}" if options.extra else ""
    return (f"make stress CPUS={options.config.cpus}{only} "
            f"SECS={options.secs} SEED={options.seed} "
            f"MEM={options.config.mem}{extra}")


def conclude(options: Options, runs: list[Run]) -> int:
    """Print the table and what failed, write the XML; the exit status."""
    print(f"\n{closing_table(runs)}")
    for run in runs:
        if run.verdict in ("fail", "broken"):
            print(f"\n{run.name}: {run.verdict}: {run.reason}")
            if run.details:
                print("  " + run.details.replace("\n", "\n  "))
            print(f"  again: {rerun_command(options, run)}")
    report.write_junit(options.out / "junit.xml", "stress", runs, {
        "seed": str(options.seed), "cpus": str(options.config.cpus),
        "mem": options.config.mem, "secs": str(options.secs)})
    print(f"\n{report.summary(runs)}; seed {options.seed}; "
          f"console and reports in {options.out}/")
    return report.exit_status(runs)


def prepare(options: Options) -> None:
    """Check what can be checked, and clear away the last run's reports."""
    check_tools()
    check_files(options.config)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for pattern in ("console.log", "junit.xml", "panic-*.txt",
                        "hang-*.txt", "end-*.txt"):
            for path in options.out.glob(pattern):
                path.unlink()
    except OSError as error:
        raise Broken(f"{options.out}: {error.strerror}; "
                     "name another folder with --out") from error


def main(argv: list[str]) -> int:
    end_with_grace()
    try:
        options = parse_args(argv)
        if options.check:
            return 0
        prepare(options)
        config = options.config
        print(f"stress: seed {options.seed}, {config.cpus} harts, "
              f"{config.mem}, {options.secs} s for each of "
              f"{len(options.names)} programs", flush=True)
        runs = run_all(options, Screen(sys.stdout))
    except (Broken, OSError) as error:
        print(f"stress: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstress: interrupted", file=sys.stderr)
        return 2
    return conclude(options, list(runs.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
