#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fuzz the kernel with AFL++, for a time or until ^C, and report.

Usage: fuzz.py [--time 8h] [--jobs N] [--flavors plain,asan] [--seed N]
       fuzz.py --check ...      only look at the options, before a build
Exit:  0 no findings, 1 there are findings, 2 it could not run.

Starts N instances of afl-fuzz, each with a core and a kernel flavour of its
own, that share what they find; and beside them `stampede-fuzz triage`, which
turns crashes into findings.  On a terminal AFL++'s own screen shows the main
instance, else a line a minute tells how far they are.  Closes with a summary
and an HTML report.

May be stopped in any way: the next start goes on from what is in
build/fuzz/out (fuzz_out.py says how).  Children end with this process even
if it is killed.
"""
import argparse
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import fuzz_corpus
import fuzz_out
import fuzz_report
import report
from fuzz_child import Child
from qemu import Broken, end_with_grace

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_SEED = 2**31 - 1
MAX_JOBS = 256
RUN_MS = 60000              # for one input; the target gives up before
SPACE, SPACE_LEFT = 500 << 20, 100 << 20    # to start, and to go on
TICK = 0.2
REPORT_EVERY = 600.0
GRACE = 30.0                # seconds for a child to end when asked
PATIENCE, SWEEP = 3.0, 900.0    # for the last findings to be written


# ---- options

@dataclass
class Options:
    fuzz: Path
    corpus: Path
    seconds: float | None       # None: until ^C
    jobs: int
    flavors: list[str]
    seed: int | None            # None: AFL++ draws one
    every: float                # seconds between two lines
    check: bool                 # only look at the options

    @property
    def out(self) -> Path:
        return self.fuzz / "out"

    @property
    def findings(self) -> Path:
        return self.fuzz / "findings"

    @property
    def tool(self) -> Path:
        return self.fuzz / "stampede-fuzz"

    @property
    def monitor(self) -> Path:
        return self.fuzz / "monitor.elf"

    @property
    def stop_file(self) -> Path:
        """Tells the triage to look a last time, and end."""
        return self.fuzz / "log/triage.stop"

    def kernel(self, flavor: str) -> Path:
        return self.fuzz / flavor / "kernel"


def parse_time(text: str) -> float | None:
    """Seconds; None for no limit."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])", text)
    if not found or float(found[1]) <= 0:
        raise Broken(f"FUZZ_TIME={text}: give a number with its unit, such "
                     "as FUZZ_TIME=90s, 10m or 8h")
    return float(found[1]) * UNITS[found[2]]


def parse_number(what: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() \
            or not 1 <= int(text) <= most:
        raise Broken(f"{what}={text}: give a number from 1 to {most}")
    return int(text)


def parse_args(argv: list[str]) -> Options:
    parser = argparse.ArgumentParser(description="Fuzz the kernel.")
    parser.add_argument("--fuzz", type=Path, default="build/fuzz")
    parser.add_argument("--corpus", type=Path, default="corpus")
    parser.add_argument("--time", default="", help="such as 90s, 10m, 8h")
    parser.add_argument("--jobs", default="", help="default: one a core")
    parser.add_argument("--flavors", default="plain",
                        help="by instance, over and over: plain,asan")
    parser.add_argument("--seed", default="",
                        help="for afl-fuzz; it does not prefer what is fast "
                             "then")
    parser.add_argument("--every", type=float, default=60.0,
                        help="seconds between two lines")
    parser.add_argument("--check", action="store_true",
                        help="only say whether the options are right")
    args = parser.parse_args(argv)
    jobs = parse_number("JOBS", args.jobs, MAX_JOBS) if args.jobs \
        else len(os.sched_getaffinity(0))
    flavors = re.findall(r"[^\s,]+", args.flavors) or ["plain"]
    return Options(
        args.fuzz.resolve(), args.corpus, parse_time(args.time), jobs,
        flavors[:jobs],
        parse_number("SEED", args.seed, MAX_SEED) if args.seed else None,
        args.every, args.check)


# ---- before a start

def check_space(options: Options, least: int) -> None:
    free = shutil.disk_usage(options.fuzz).free
    if free < least:
        raise Broken(f"{options.fuzz}: {free >> 20} MB free, "
                     f"{least >> 20} MB needed; make room")


def check(options: Options) -> None:
    """All that has to be there is there."""
    if shutil.which("afl-fuzz") is None:
        raise Broken(f"afl-fuzz: not found; {fuzz_corpus.INSTALL}")
    for flavor in options.flavors:
        if not options.kernel(flavor).is_file():
            raise Broken(f"{options.kernel(flavor)}: no such kernel; is "
                         f"FLAVOR={flavor} right?  run `make fuzz`")
    for path in (options.tool, options.monitor, options.fuzz / "mutator.so",
                 options.fuzz / "prog"):
        if not path.is_file():
            raise Broken(f"{path}: no such file; run `make fuzz`")
    check_space(options, SPACE)


def lock(options: Options) -> IO[str]:
    """Held as long as the file is open: one run at a time in a folder."""
    file = (options.fuzz / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Broken(f"{options.fuzz}: `make fuzz` runs there already; "
                     "end it first") from error
    return file


def build_ids(options: Options) -> dict[str, str]:
    """What the coverage map and the verdicts depend on, by name."""
    files = {flavor: options.kernel(flavor) for flavor in options.flavors}
    files["monitor"] = options.monitor
    return {name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for name, path in files.items()}


def old_record(options: Options) -> fuzz_out.Record:
    """What the last run in this folder was; refuse one that is not ours."""
    out = options.out
    if not out.exists():
        return fuzz_out.Record()
    record = fuzz_out.Record.load(out)
    if record is None and any(out.iterdir()):
        # A power cut may take the record; programs tell their own version.
        if not any(path.read_bytes().startswith(fuzz_out.WIRE)
                   for folder in out.glob("*/")
                   for path in fuzz_out.queue_files(folder)):
            raise Broken(f"{out}: not written by this fuzzer; "
                         "move it away or remove it")
    record = record or fuzz_out.Record()
    if record.wire.encode() != fuzz_out.WIRE:
        raise Broken(f"{out}: its programs have format {record.wire}, and "
                     f"this is {fuzz_out.WIRE.decode()}; take them into the "
                     "corpus with the version that made them (make "
                     f"corpus-merge), then remove {out}")
    return record


def prepare(options: Options) -> fuzz_out.Record:
    """Bring the folders into a state that the instances can start from.

    The inputs they start with are in `in`: the corpus, and in `kept` what
    was saved of instances that had to be started anew.
    """
    record = old_record(options)
    segments = fuzz_out.remove_segments(record)
    if segments:
        say(f"removed {segments} segments of shared memory that killed "
            "instances left")
    ids = build_ids(options)
    old = [name for name in ids if record.kernels.get(name, ids[name])
           != ids[name]]
    options.out.mkdir(exist_ok=True)
    kept = options.fuzz / "kept"
    if old:
        say(f"{options.out} is of another {' and '.join(old)} build: its "
            "programs are seeds now, coverage is counted anew")
    for line in fuzz_out.mend(options.out, kept, bool(old)):
        say(line)
    sources = fuzz_corpus.to_binary(options.fuzz / "prog", options.corpus,
                                    options.fuzz / "in")
    seeds = fill(options, sources, kept, record)
    flavors = {name_of(n): flavor_of(options, n)
               for n in range(options.jobs)}
    record = fuzz_out.Record(kernels={**record.kernels, **ids},
                             flavors={**record.flavors, **flavors},
                             boot=fuzz_out.boot_id(), seeds=seeds,
                             seed=options.seed)
    record.save(options.out)
    return record


def fill(options: Options, sources: Sequence[Path], kept: Path,
         record: fuzz_out.Record) -> list[str]:
    """Add what was kept to `in`; give resumed instances what is new there.

    Returns the names of all programs.
    """
    programs = {fuzz_out.digest(path.read_bytes()): path for path in sources}
    for path in sorted(kept.glob("*")):
        if path.name not in programs and not path.name.startswith("."):
            programs[path.name] = options.fuzz / "in" / f"kept-{path.name}"
            shutil.copyfile(path, programs[path.name])
    new = {name: path.read_bytes() for name, path in programs.items()
           if name not in record.seeds}
    main = options.out / "main"
    if new and fuzz_out.resumable(main):
        fuzz_out.add_programs(main, new)
        say(f"main: {len(new)} seeds that are new")
    return sorted(programs)


# ---- children

def afl_environment(options: Options) -> dict[str, str]:
    return {**os.environ,
            "AFL_CUSTOM_MUTATOR_LIBRARY": str(options.fuzz / "mutator.so"),
            "AFL_CUSTOM_MUTATOR_ONLY": "1", "AFL_NO_AFFINITY": "1",
            "AFL_FORKSRV_INIT_TMOUT": "60000", "AFL_SKIP_CPUFREQ": "1",
            "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
            "AFL_AUTORESUME": "1", "AFL_IMPORT_FIRST": "1",
            "AFL_SYNC_TIME": "5"}


def instances(options: Options, screen: bool) -> list[Child]:
    """One child for each job, not yet started.

    None is made the main one by -M, which would neither trim nor prefer any
    program to another (main() of 4.04c); they elect who collects for all.
    """
    cores = sorted(os.sched_getaffinity(0))
    found = []
    for n in range(options.jobs):
        name = name_of(n)
        env = afl_environment(options)
        shown = screen and n == 0
        if not shown:
            env["AFL_NO_UI"] = "1"
        command = [
            "afl-fuzz", "-i", str(options.fuzz / "in"),
            "-o", str(options.out), "-S", name, "-t", str(RUN_MS),
            *fixed_seed(options, n), "--", str(options.tool), "afl",
            "--kernel", str(options.kernel(flavor_of(options, n))),
            "--monitor", str(options.monitor),
            "--log", str(options.fuzz / "log" / f"{name}.target.log")]
        found.append(Child(name, command, options.fuzz / f"log/{name}.log",
                           env, cores[n % len(cores)], screen=shown))
    return found


def fixed_seed(options: Options, number: int) -> list[str]:
    """Only if one is given: with -s afl-fuzz takes all programs to be equally
    fast (calibrate_case() of 4.04c), and the slow ones fill its queue.
    """
    if options.seed is None:
        return []
    return ["-s", str((options.seed + number) % MAX_SEED)]


def name_of(number: int) -> str:
    return f"s{number}" if number else "main"


def flavor_of(options: Options, number: int) -> str:
    return options.flavors[number % len(options.flavors)]


def triage(options: Options, flavors: dict[str, str]) -> Child:
    """What makes findings of crashes, each on the kernel it is of."""
    sources = [f"{options.out / name}={options.kernel(flavor)}"
               for name, flavor in sorted(flavors.items())
               if options.kernel(flavor).is_file()]
    return Child("triage", [
        str(options.tool), "triage", "--watch",
        "--stop-file", str(options.stop_file),
        "--monitor", str(options.monitor),
        "--out", str(options.findings), *sources],
        options.fuzz / "log/triage.log", dict(os.environ), nice=10)


# ---- the run

def say(text: str) -> None:
    print(f"fuzz: {text}", flush=True)


def findings(options: Options) -> list[Path]:
    return sorted(options.findings.glob("[0-9]*-*/"))


def things(number: float, what: str) -> str:
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"


def progress(options: Options, names: Sequence[str], elapsed: float) -> str:
    """One line that says how far the instances are."""
    found = [i for i in fuzz_out.read_instances(options.out)
             if i.name in names]
    minutes, seconds = divmod(int(elapsed), 60)
    clock = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if not found:
        return f"{clock}  no figures yet"
    main = found[0]
    rates = " + ".join(f"{i.rate(True):,.0f}" for i in found)
    # One that has only just started says 0 %.
    stable = min((s for i in found if (s := i.number("stability"))), default=0)
    crashes = sum(i.number("saved_crashes") for i in found)
    hangs = sum(i.number("saved_hangs") for i in found)
    return (f"{clock}  {sum(i.number('execs_done') for i in found):,.0f} "
            f"executions, {rates}/s, "
            f"{things(main.number('corpus_count'), 'program')}, "
            f"{things(main.number('edges_found'), 'edge')} "
            f"({main.stats.get('bitmap_cvg', '?')}), "
            f"stability {stable:g}%, {things(crashes, 'crash file')}, "
            f"{things(hangs, 'hang')}, "
            f"{things(len(findings(options)), 'finding')}")


@dataclass
class Run:
    """The children, from start to stop."""

    options: Options
    record: fuzz_out.Record
    screen: bool
    fuzzers: list[Child] = field(default_factory=list)
    triage: Child | None = None
    begun: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        return time.monotonic() - self.begun

    def start(self) -> None:
        options = self.options
        self.fuzzers = instances(options, self.screen)
        self.triage = triage(options, self.record.flavors)
        # What the targets log stays: it tells of QEMUs that died.
        options.stop_file.parent.mkdir(exist_ok=True)
        for path in (options.stop_file, self.triage.log,
                     *(child.log for child in self.fuzzers)):
            path.unlink(missing_ok=True)
        for child in [*self.fuzzers, self.triage]:
            self.launch(child)

    def launch(self, child: Child) -> None:
        try:
            pid = child.start()
        except (OSError, subprocess.SubprocessError) as error:
            raise Broken(f"{child.command[0]}: {error}") from error
        if child is not self.triage:
            self.record.pids.append(pid)
            self.record.save(self.options.out)

    def attend(self) -> None:
        """Start again what ended by itself."""
        for child in [*self.fuzzers, self.triage]:
            if child is None or child.lost or not child.ended():
                continue
            why = child.why()
            if child.again():
                say(f"{child.name} ended and is started again: {why}")
                self.launch(child)
            else:
                say(f"{child.name} ends at once, given up: {why}")
        if all(child.lost for child in self.fuzzers):
            raise Broken(f"afl-fuzz: {self.fuzzers[0].why()}")

    def watch(self) -> None:
        """Until the time is up."""
        options = self.options
        line = options.every
        page = min(REPORT_EVERY, 5 * options.every)
        while options.seconds is None or self.elapsed() < options.seconds:
            time.sleep(TICK)
            self.attend()
            if self.elapsed() >= line:
                line += options.every
                check_space(options, SPACE_LEFT)
                if not self.screen:
                    say(progress(options, [c.name for c in self.fuzzers],
                                 self.elapsed()))
            if self.elapsed() >= page:
                page += REPORT_EVERY
                fuzz_report.write(options.fuzz)

    def stop(self, thorough: bool) -> None:
        """End the fuzzers, then the triage.

        thorough: once it has seen all crashes.  ^C ends everything at once.
        """
        watcher = [self.triage] if self.triage else []
        try:
            for child in self.fuzzers:
                child.ask(signal.SIGINT)
            for child in self.fuzzers:
                child.wait(GRACE)
            for child in watcher:
                if thorough:
                    self.options.stop_file.touch()
                    child.wait(PATIENCE, gently=True)
                    if not child.ended():
                        say("working out the last findings; ^C ends that")
                    child.wait(SWEEP, gently=True)
                child.ask(signal.SIGTERM)
                child.wait(GRACE)
        finally:
            for child in [*self.fuzzers, *watcher]:
                child.ask(signal.SIGKILL)
                child.wait(GRACE)


# ---- the outcome

def summary_table(options: Options) -> str:
    rows = [("instance", "executions", "per second", "programs", "edges",
             "map", "stability", "crash files", "hangs")]
    for one in fuzz_out.read_instances(options.out):
        rows.append((one.name, f"{one.number('execs_done'):,.0f}",
                     f"{one.rate():,.0f}",
                     f"{one.number('corpus_count'):,.0f}",
                     f"{one.number('edges_found'):,.0f}",
                     one.stats.get("bitmap_cvg", ""),
                     one.stats.get("stability", ""),
                     f"{one.number('saved_crashes'):,.0f}",
                     f"{one.number('saved_hangs'):,.0f}"))
    return report.table(rows, left=(0,))


def conclude(options: Options, before: set[Path]) -> int:
    """Write the report and print the summary; the exit status."""
    page = fuzz_report.write(options.fuzz)
    print(f"\n{summary_table(options)}\n")
    found = findings(options)
    for folder in found:
        print(f"finding: {folder}/report.md")
    new = len(set(found) - before)
    say(f"{things(len(found), 'finding')}, {new} of them new; "
        f"{fuzz_out.seed_text(options.seed)}; {page}")
    return 1 if found else 0


def perform(run: Run) -> str:
    """Start, watch and stop; what went wrong, if anything did."""
    trouble = ""
    try:
        run.start()
        run.watch()
    except KeyboardInterrupt:
        say("stopping")
    except (Broken, OSError) as error:
        trouble = str(error)
    try:
        run.stop(not trouble)
    except KeyboardInterrupt:
        say("ended at once")
    return trouble


def fuzz(options: Options) -> int:
    """The whole run, whatever ends it."""
    check(options)
    with lock(options):
        record = prepare(options)
        before = set(findings(options))
        limit = f"{options.seconds:g} s" if options.seconds else "until ^C"
        say(f"{fuzz_out.seed_text(options.seed)}, {limit}, "
            f"{things(options.jobs, 'job')}: "
            + ", ".join(flavor_of(options, n) for n in range(options.jobs)))
        screen = sys.stdout.isatty() and "AFL_NO_UI" not in os.environ
        trouble = perform(Run(options, record, screen))
        if trouble:
            print(f"fuzz: {trouble}", file=sys.stderr, flush=True)
        status = conclude(options, before)
        return 2 if trouble else status


def main(argv: list[str]) -> int:
    end_with_grace()
    # Also where a shell has us ignore it, as it does behind &.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        options = parse_args(argv)
        if options.check:
            return 0
        options.fuzz.mkdir(parents=True, exist_ok=True)
        return fuzz(options)
    except (Broken, OSError) as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fuzz: interrupted", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
