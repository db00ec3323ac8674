#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measure the kernel, and put the figures into proportion.

Usage: bench.py [--only REGEX] [--quick] [--rounds N]
Exit:  0 measured, 1 measured and a target was missed, 2 could not measure.

The same disk is booted with the kernel, with the kernel that copies at fork
(COW=0), and with single reductions switched off (boot argument tune=); the
guest's program `bench` measures.  The boots of what is compared alternate,
and medians are taken, for a loaded host changes its speed from one minute to
the next.

Prints a table, and writes results.json in --out: a list of objects with
name, value, unit, baseline and ratio.  A ratio above 1 is better than the
baseline, whether small or large values are the good ones.  The baseline is

    fork_*, work/*, boot/*    the kernel built with COW=0
    fault/*                   the system call getpid
    around_*                  no neighbours broken (tune=-around)
    share/X/*                 without the reduction X (tune=-X)
    scale/*                   one hart

cowtest needs copy-on-write to pass, for its memory does not suffice without.
Its baseline is what copying would have cost: the pages that its forks shared.
"""
import argparse
import json
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import report
from qemu import (Broken, Config, Hang, Machine, check_files, check_tools,
                  end_with_grace, parse_mem, start_error)

FORKS = ("fork_exit_wait", "fork_exec", "fork_write_all")
WORKS = ("cowtest", "usertests", "pipeline")
REDUCTIONS = ("zeropage", "text", "reuse", "around")
SCALES = (1, 2, 4, 8)
COPIED = ("bytes_fork", "bytes_fault", "bytes_copyout", "bytes_exec")
TARGETS = {"fork_exit_wait/4MiB": 20.0, "fork_write_all/4MiB": 1 / 1.3}
QUIET = 120.0       # seconds of silence after which a guest is given up
PROMPT_LIMIT = 60.0

LINE = re.compile(r"BENCH (\S+) (\d+) (\S+)")


@dataclass(frozen=True)
class Boot:
    """One machine on which to measure: what sets it apart from others."""

    kernel: str = "cow"     # or "eager"
    tune: str = ""
    cpus: int = 1


@dataclass
class Result:
    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None


@dataclass
class Samples:
    """All values that were measured on one kind of boot, by name."""

    values: dict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list))

    def median(self, name: str) -> float | None:
        values = self.values.get(name)
        return statistics.median(values) if values else None


class Bench:
    """Boots machines, and keeps what they measured."""

    def __init__(self, args: argparse.Namespace):
        self.quick = args.quick
        self.mem = parse_mem(args.mem)
        self.out = Path(args.out)
        self.image = Path(args.image)
        self.kernels = {"cow": Path(args.kernel), "eager": Path(args.eager)}
        self.only = re.compile(args.only)
        self.rounds = 1 if args.quick else args.rounds
        self.samples: dict[Boot, Samples] = defaultdict(Samples)
        self.results: list[Result] = []
        self.notes: list[str] = []
        check_tools()
        for kernel in self.kernels.values():
            check_files(Config(kernel, self.image))
        self.out.mkdir(parents=True, exist_ok=True)
        self.log = self.out / "console.log"
        self.log.unlink(missing_ok=True)

    def config(self, boot: Boot, arguments: str) -> Config:
        tune = f"tune={boot.tune} " if boot.tune else ""
        return Config(self.kernels[boot.kernel], self.image, boot.cpus,
                      self.mem, f"{tune}{arguments}".strip())

    def measure(self, boot: Boot, names: list[str]) -> None:
        """Boot, run the named measurements in the guest, keep the values."""
        option = "-q " if self.quick else ""
        config = self.config(
            boot, f"batch run=/bench {option}{' '.join(names)}")
        print(f"{boot.kernel} {boot.tune or 'default'}, {boot.cpus} harts: "
              f"{' '.join(names)}", file=sys.stderr, flush=True)
        last = ""
        with Machine(config, self.log) as machine:
            try:
                for line in machine.lines(QUIET):
                    last = line or last
                    if found := LINE.search(line):
                        self.samples[boot].values[found[1]].append(
                            float(found[2]))
            except Hang as hang:
                raise Broken(f"{hang}\n{machine.dump_harts()}") from hang
            if not last:
                raise Broken(start_error(machine))
            if machine.status():
                raise Broken(f"the guest failed, see {self.log}: {last}")

    def boot_time(self, boot: Boot) -> None:
        """How long until the shell's prompt is there."""
        start = time.monotonic()
        with Machine(self.config(boot, ""), self.log) as machine:
            while not machine.tail.endswith(b"$ "):
                if machine.next_line(0.01) is None:
                    raise Broken(start_error(machine))
                if time.monotonic() - start > PROMPT_LIMIT:
                    raise Broken(f"no prompt, see {self.log}")
            self.samples[boot].values["boot/prompt"].append(
                time.monotonic() - start)

    def compare(self, name: str, unit: str, boot: Boot, against: Boot,
                of: Callable[[Samples], float | None],
                scale: float = 1.0) -> None:
        """Add a result for which small values are good."""
        value, baseline = of(self.samples[boot]), of(self.samples[against])
        if value is not None:
            self.add(name, value / scale, unit,
                     None if baseline is None else baseline / scale)

    def add(self, name: str, value: float, unit: str,
            baseline: float | None, more_is_better: bool = False) -> None:
        if self.only.search(name):
            self.results.append(Result(name, value, unit, baseline, ratio(
                value, baseline, more_is_better)))

    def wanted(self, *names: str) -> list[str]:
        return [name for name in names if self.only.search(name)]


def ratio(value: float, baseline: float | None,
          more_is_better: bool = False) -> float | None:
    """How many times better than the baseline; counts may be 0."""
    if baseline is None:
        return None
    if value == baseline:
        return 1.0
    good, bad = (value, baseline) if more_is_better else (baseline, value)
    return good / (bad or 1.0)


# ---- the groups: each boots for itself and adds its results

PLAIN, EAGER = Boot(), Boot("eager")


def group_fork(bench: Bench) -> None:
    sizes = {name: (1, 4, 16) if name == "fork_write_all"
             else (0, 1, 4, 16, 64) for name in FORKS}
    names = [name for name in FORKS
             if bench.wanted(*(f"{name}/{mib}MiB" for mib in sizes[name]))]
    for _ in range(bench.rounds if names else 0):
        bench.measure(PLAIN, names)
        bench.measure(EAGER, names)
    for name in names:
        for mib in sizes[name]:
            key = f"{name}/{mib}MiB"
            bench.compare(key, "us", PLAIN, EAGER,
                          lambda s, key=key: s.median(key), 1000)


def group_fault(bench: Bench) -> None:
    kinds = ("getpid", "cow_copy", "cow_reuse", "copyout", "fill_eager",
             "fill_lazy", "zero_read", "zero_write")
    if not bench.wanted(*(f"fault/{kind}" for kind in kinds)):
        return
    for _ in range(bench.rounds):
        bench.measure(PLAIN, ["fault"])
    samples = bench.samples[PLAIN]
    for kind in kinds:
        value = samples.median(f"fault/{kind}")
        if value is not None:
            bench.add(f"fault/{kind}", value, "ns",
                      samples.median("fault/getpid"))


def group_around(bench: Bench) -> None:
    names = [f"around_{what}/{order}" for order in
             ("sequential", "reverse", "stride2", "scattered", "sparse")
             for what in ("time", "pages")]
    if not bench.wanted(*names):
        return
    off = Boot(tune="-around")
    for _ in range(bench.rounds):
        bench.measure(PLAIN, ["around"])
        bench.measure(off, ["around"])
    for name in names:
        time_ = name.startswith("around_time")
        bench.compare(name, "us" if time_ else "pages", PLAIN, off,
                      lambda s, name=name: s.median(name),
                      1000 if time_ else 1)


PAGE = 4096


def failed(samples: Samples, work: str) -> bool:
    return bool(samples.median(f"work/{work}/status"))


def bytes_copied(work: str) -> Callable[[Samples], float | None]:
    def of(samples: Samples) -> float | None:
        parts = [samples.median(f"work/{work}/{part}") for part in COPIED]
        known = [part for part in parts if part is not None]
        return sum(known) if known else None
    return of


def work_metrics(work: str) -> list[tuple[
        str, str, Callable[[Samples], float | None], float]]:
    """Name, unit, how to get it, and by what to divide it."""
    def of(counter: str) -> Callable[[Samples], float | None]:
        return lambda s: s.median(f"work/{work}/{counter}")
    return [("bytes_copied", "bytes", bytes_copied(work), 1),
            ("bytes_zeroed", "bytes", of("bytes_zeroed"), 1),
            ("pages_alloc", "pages", of("pages_alloc"), 1),
            ("time", "ms", of("time"), 1e6)]


def works(bench: Bench, prefix: str) -> list[str]:
    """The works that are asked for; usertests take too long for --quick."""
    return [work for work in WORKS
            if not (bench.quick and work == "usertests")
            and bench.wanted(*(f"{prefix}{work}/{metric[0]}"
                               for metric in work_metrics(work)))]


def group_work(bench: Bench) -> None:
    plain, eager = Boot(cpus=8), Boot("eager", cpus=8)
    chosen = works(bench, "work/")
    for _ in range(bench.rounds if chosen else 0):
        for boot in (plain, eager):
            bench.measure(boot, [f"work/{work}" for work in chosen])
    for work in chosen:
        if failed(bench.samples[plain], work):
            bench.notes.append(f"{work} fails: its figures mean little")
        if failed(bench.samples[eager], work):
            estimate_work(bench, work, bench.samples[plain])
            continue
        for metric, unit, of, scale in work_metrics(work):
            bench.compare(f"work/{work}/{metric}", unit, plain, eager, of,
                          scale)


def estimate_work(bench: Bench, work: str, samples: Samples) -> None:
    """For work that cannot be done without sharing pages."""
    bench.notes.append(f"{work} fails with COW=0: its baseline is the pages "
                       "that its forks shared")
    shared = samples.median(f"work/{work}/pages_shared") or 0.0
    copies = samples.median(f"work/{work}/fault_copy") or 0.0
    baseline: dict[str, Callable[[float], float]] = {
        "bytes_copied": lambda value: shared * PAGE,
        "pages_alloc": lambda value: value - copies + shared}
    for metric, unit, of, scale in work_metrics(work):
        value = of(samples)
        if value is not None:
            known = baseline.get(metric)
            bench.add(f"work/{work}/{metric}", value / scale, unit,
                      known(value) if known else None)


def group_share(bench: Bench) -> None:
    """What each further reduction contributes.

    Counts need no repetition; a time would, and says less.
    """
    plain = Boot(cpus=8)
    for reduction in REDUCTIONS:
        chosen = works(bench, f"share/{reduction}/")
        if not chosen:
            continue
        off = Boot(tune=f"-{reduction}", cpus=8)
        missing = [w for w in chosen if bench.samples[plain].median(
            f"work/{w}/pages_alloc") is None]
        if missing:
            bench.measure(plain, [f"work/{work}" for work in missing])
        bench.measure(off, [f"work/{work}" for work in chosen])
        for work in chosen:
            for metric, unit, of, scale in work_metrics(work)[:-1]:
                bench.compare(f"share/{reduction}/{work}/{metric}", unit,
                              plain, off, of, scale)


def group_scale(bench: Bench) -> None:
    kinds = {"alloc_free": "pages/s", "cow_fault": "pages/s",
             "fork": "forks/s"}
    if not bench.wanted(*(f"scale/{kind}/{cpus}" for kind in kinds
                          for cpus in SCALES)):
        return
    for _ in range(bench.rounds):
        for cpus in SCALES:
            bench.measure(Boot(cpus=cpus), ["scale"])
    for kind, unit in kinds.items():
        one = bench.samples[Boot(cpus=1)].median(f"scale/{kind}")
        for cpus in SCALES:
            value = bench.samples[Boot(cpus=cpus)].median(f"scale/{kind}")
            if value is not None:
                bench.add(f"scale/{kind}/{cpus}", value, unit, one, True)


def group_boot(bench: Bench) -> None:
    if not bench.wanted("boot/prompt"):
        return
    plain, eager = Boot(cpus=8), Boot("eager", cpus=8)
    for _ in range(2 * bench.rounds + 1):
        bench.boot_time(plain)
        bench.boot_time(eager)
    bench.compare("boot/prompt", "s", plain, eager,
                  lambda s: s.median("boot/prompt"))


def group_audit(bench: Bench) -> None:
    """The kernel's audit on eight harts, alone and with 500 processes."""
    kinds = ("idle", "full")
    if not bench.wanted(*(f"audit/{kind}" for kind in kinds)):
        return
    boot = Boot(cpus=8)
    for _ in range(bench.rounds):
        bench.measure(boot, ["audit"])
    for kind in kinds:
        value = bench.samples[boot].median(f"audit/{kind}")
        if value is not None:
            bench.add(f"audit/{kind}", value / 1000, "us",
                      (bench.samples[boot].median("audit/idle") or 0) / 1000)


GROUPS = (group_boot, group_fork, group_fault, group_around, group_work,
          group_share, group_scale, group_audit)


# ---- the outcome

def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def results_table(results: list[Result]) -> str:
    rows = [("what", "value", "unit", "baseline", "ratio")]
    rows += [(r.name, number(r.value), r.unit, number(r.baseline),
              number(r.ratio)) for r in results]
    return report.table(rows, left=(0, 2))


def missed(results: list[Result]) -> list[str]:
    return [f"{r.name}: ratio {r.ratio:.2f}, target {TARGETS[r.name]:.2f}"
            for r in results if r.name in TARGETS and r.ratio is not None
            and r.ratio < TARGETS[r.name]]


def parse_args(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the kernel.")
    parser.add_argument("--kernel", default="build/plain/kernel")
    parser.add_argument("--eager", default="build/plain-cow0/kernel",
                        help="the kernel built with COW=0")
    parser.add_argument("--image", default="build/plain/fs.img")
    parser.add_argument("--out", default="build/bench")
    parser.add_argument("--mem", default="256M")
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true",
                        help="one round, few samples, no usertests")
    args = parser.parse_args(argv)
    try:
        re.compile(args.only)
    except re.error as error:
        raise Broken(f"ONLY={args.only}: {error}; "
                     "give a regular expression") from error
    if args.rounds < 1:
        raise Broken(f"--rounds={args.rounds}: give 1 or more")
    return args


def main(argv: list[str]) -> int:
    end_with_grace()
    try:
        args = parse_args(argv)
        bench = Bench(args)
        for group in GROUPS:
            group(bench)
        if not bench.results:
            raise Broken(f"ONLY={args.only}: no measurement is called so; "
                         "`make bench QUICK=1` shows their names")
    except Broken as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 2
    path = bench.out / "results.json"
    path.write_text(json.dumps([vars(r) for r in bench.results], indent=1)
                    + "\n", encoding="utf-8")
    print(results_table(bench.results))
    short = missed(bench.results)
    print("\n".join(["", *bench.notes, *short, f"written to {path}"]))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
