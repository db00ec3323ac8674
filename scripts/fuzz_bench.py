#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measure the fuzzer: executions a second, and where the time goes.

Usage: fuzz_bench.py [--fuzz build/fuzz] [--quick]
Exit:  0 measured, 1 measured and a target was missed, 2 could not measure.

Four programs of corpus/seeds are run as AFL++ would run them, all on one CPU,
on the kernel with coverage and on the one without.  Their baseline is the
same program as C (`prog c`), in a loop on a plain kernel with one hart, on the
same CPU: no snapshot, no audit, no host.  Rounds alternate and medians are
taken, for a shared machine changes its speed from one minute to the next.

Prints a table, and writes bench.json in --fuzz: a list of objects with name,
value, unit, baseline and ratio.

    rate/PROGRAM/KERNEL     executions a second; baseline: the loop in the guest
    phase/PROGRAM/PHASE     microseconds of a run with coverage; baseline: all
    cost/PROGRAM            with coverage, against without
    reboot                  executions a second if each booted the machine
    recover/CRASH           milliseconds until the next input can run
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from qemu import Broken

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("empty", "getpid", "fork11", "files")
KERNELS = {"bare": "plain-bare", "cover": "plain"}
# Executions a second that are wanted.
TARGETS = {"rate/empty/bare": 20000, "rate/getpid/bare": 10000,
           "rate/fork11/bare": 2500, "rate/fork11/cover": 1500,
           "rate/files/cover": 600}
# Crashes that planted kernels have: kernel, and what comes of it.
CRASHES = {"panic": "plain-plant-demand", "hang": "plain-plant-demand",
           "stack": "plain-plant-demand", "text": "plain-plant-demand",
           "free-list": "debug-plant-demand"}
STRIKES = "program harts=1 seed=0\n0: fork 1\n1: store a0 8\n1: uptime\n"
# Rounds for a second of a loop in the guest, about.
LOOPS = {"empty": 10000, "getpid": 10000, "fork11": 3000, "files": 1000}


@dataclass
class Result:
    """One figure, beside what it is compared with."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None


def run(command: list[str], limit: float = 600.0) -> str:
    """The output of a command; Broken with its last line if it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, text=True, timeout=limit,
                              capture_output=True, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Broken(f"{command[0]}: {error}") from error
    if done.returncode not in (0, 1):
        lines = (done.stderr + done.stdout).strip().splitlines() or ["?"]
        raise Broken(f"{Path(command[0]).name}: {lines[-1]}")
    return done.stdout


class Bench:
    """The tool, and what it has said so far."""

    def __init__(self, fuzz: Path, cpu: int, secs: int) -> None:
        self.fuzz, self.cpu, self.secs = fuzz, cpu, secs
        self.rates: dict[str, list[float]] = defaultdict(list)
        self.phases: dict[str, list[float]] = defaultdict(list)
        self.loops: dict[str, list[float]] = defaultdict(list)
        self.boots: list[float] = []

    def tool(self, *words: str) -> str:
        return run([str(self.fuzz / "stampede-fuzz"), *words])

    def harness(self, kernel: str, program: str) -> None:
        """The program under the fuzzer."""
        out = self.tool("bench", f"--cpu={self.cpu}", f"--secs={self.secs}",
                        f"--kernel={self.fuzz / KERNELS[kernel] / 'kernel'}",
                        f"corpus/seeds/{program}.prog")
        row = json.loads(out)
        self.rates[f"{program}/{kernel}"].append(row["rate"])
        self.boots.append(row["boot_ms"])
        if kernel == "cover":
            for phase in ("run", "audit", "restore", "rest"):
                self.phases[f"{program}/{phase}"].append(row[phase])

    def loop(self, program: str) -> None:
        """The program over and over in the guest, nothing else.

        Two boots that differ in the number of rounds: what both have in
        common, above all the boot, cancels.
        """
        took = []
        few, many = 100, 100 + self.secs * LOOPS[program]
        for count in (few, many):
            start = time.monotonic()
            run(["taskset", "-c", str(self.cpu), sys.executable,
                 "scripts/guest.py", "--cpus", "1", "--kernel",
                 str(self.fuzz / "loop/plain/kernel"), "--image",
                 str(self.fuzz / "loop/plain/fs.img"),
                 f"/{program}_loop", str(count)])
            took.append(time.monotonic() - start)
        self.loops[program].append((many - few) / (took[1] - took[0]))

    def recover(self, crash: str) -> float:
        """Milliseconds of an input that ends so, the median of some."""
        with tempfile.NamedTemporaryFile("w", suffix=".prog") as file:
            file.write(STRIKES)
            file.flush()
            kernel = self.fuzz / CRASHES[crash] / "kernel"
            out = self.tool(
                "bench", "--recover", f"--cpu={self.cpu}",
                f"--kernel={kernel}", f"--append=batch crash={crash}",
                file.name)
        return float(json.loads(out)["recover_ms"])


def collect(bench: Bench) -> list[Result]:
    mid = statistics.median
    out = []
    for key, rates in bench.rates.items():
        program, value = key.split("/")[0], mid(rates)
        base = mid(bench.loops[program])
        out.append(Result(f"rate/{key}", value, "1/s", base, value / base))
    for program in PROGRAMS:
        parts = {phase: mid(bench.phases[f"{program}/{phase}"])
                 for phase in ("run", "audit", "restore", "rest")}
        whole = sum(parts.values())
        out += [Result(f"phase/{program}/{phase}", value, "us", whole,
                       value / whole) for phase, value in parts.items()]
        bare, cover = (mid(bench.rates[f"{program}/{kernel}"])
                       for kernel in KERNELS)
        out.append(Result(f"cost/{program}", 1e6 / cover, "us", 1e6 / bare,
                          bare / cover))
    base = mid(bench.rates["empty/cover"])
    boot = 1e3 / mid(bench.boots)
    out.append(Result("reboot", boot, "1/s", base, boot / base))
    return out


def show(results: list[Result]) -> bool:
    """Print the table; whether a target was missed."""
    missed = False
    print(f"{'name':<24}{'value':>10} {'unit':<5}{'baseline':>10}"
          f"{'ratio':>8}  target")
    for one in results:
        target = TARGETS.get(one.name)
        short = target is not None and one.value < target
        missed |= short
        print(f"{one.name:<24}{one.value:>10.1f} {one.unit:<5}"
              + (f"{one.baseline:>10.1f}{one.ratio:>8.2f}"
                 if one.baseline is not None else " " * 18)
              + (f"  {target}{' MISSED' if short else ''}" if target else ""))
    return missed


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure the fuzzer.")
    parser.add_argument("--fuzz", type=Path, default="build/fuzz")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args(argv)
    rounds, secs = (1, 1) if args.quick else (5, 2)
    bench = Bench(args.fuzz.resolve(), max(os.sched_getaffinity(0)), secs)
    try:
        for number in range(rounds):
            print(f"fuzz_bench: round {number + 1} of {rounds}", flush=True)
            for program in PROGRAMS:
                bench.loop(program)
                for kernel in KERNELS:
                    bench.harness(kernel, program)
        results = collect(bench)
        results += [Result(f"recover/{crash}", bench.recover(crash), "ms")
                    for crash in CRASHES]
    except Broken as error:
        print(f"fuzz_bench: {error}", file=sys.stderr)
        return 2
    out = args.fuzz / "bench.json"
    out.write_text(json.dumps([asdict(one) for one in results], indent=1)
                   + "\n", encoding="utf-8")
    missed = show(results)
    print(f"fuzz_bench: {out} written")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
