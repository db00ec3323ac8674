#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run everything that says whether this tree is good.

Usage: test.py [--only STEP,STEP]
Exit:  0 every step passed, 1 one failed, 2 one could not be run.

A step that fails does not keep the others from running.  Each leaves its
output in --out (build/test), and junit.xml there sums them up.  The last
line counts the single tests.
"""
import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import report
from qemu import end_with_grace

SCRIPTS = Path(__file__).resolve().parent
ROOT = SCRIPTS.parent
SHOW = 40           # lines of its output that a failing step shows
GRACE = 20          # seconds to end after being asked to


@dataclass
class Step:
    """What to run, and how to count the tests in what it prints."""

    name: str
    command: list[str]
    limit: int                      # seconds
    count: str = ""                 # pattern of a line that is one test
    junit: Path | None = None       # or what it writes, which counts better


@dataclass
class Outcome(report.Result):
    """The result of a step, with that of the single tests in it."""

    passed: int = 0
    failed: int = 0
    command: list[str] = field(default_factory=list)


def unit_test(source: Path, out: Path) -> list[str]:
    """Compile a host test of kernel code and run it."""
    program = out / source.stem
    return ["sh", "-ec",
            "cc -std=gnu11 -g -I. -DKERNEL -DCOW=1 -DRELEASE=0 -DDEBUG=0 "
            "-DASAN=0 -DUBSAN=0 -DLOCKDEP=0 -DPLANT=PLANT_none "
            "-fsanitize=address,undefined "
            f"-o {program} {source} -lcmocka; exec {program}"]


# What the host tests of fuzz/tests are linked with.
WIRE = [f"fuzz/wire/{name}.c" for name in ("codec", "values")]
TEXT = [f"fuzz/wire/{name}.c" for name in (
    "kinds", "load", "out", "parse", "print", "prog2c")]
FUZZ_TESTS = {
    "wire_test": WIRE + TEXT,
    "wire_fuzz": WIRE + TEXT,
    "mutate_test": WIRE + ["fuzz/host/mutat*.c"],
    "minimize_test": WIRE + ["fuzz/host/minimize.c",
                             "fuzz/host/minimize_cost.c",
                             "fuzz/host/minimize_steps.c"],
}


def fuzz_unit_test(name: str, out: Path) -> list[str]:
    """Compile a host test of the fuzzer and run it."""
    program = out / name
    return ["sh", "-ec",
            "cc -std=gnu11 -O1 -g -I. -Wall -Wextra -Werror "
            "-Wno-unused-parameter -fsanitize=address,undefined "
            f"-fno-sanitize-recover=all -o {program} fuzz/tests/{name}.c "
            f"{' '.join(FUZZ_TESTS[name])} -lcmocka; exec {program}"]


def fuzz_steps(out: Path, python: str) -> list[Step]:
    """The fuzzer: its parts, and the whole."""
    found = [Step(name, fuzz_unit_test(name, out), 300, r"^\[ +OK \]")
             for name in FUZZ_TESTS]
    found += [Step(name, [python, str(ROOT / f"fuzz/tests/{name}.py"), "-v"],
                   900, r"\.\.\. ok$")
              for name in ("driver_test", "finding_test", "wire_c_test",
                           "machine_test")]
    return found


def steps(args: argparse.Namespace) -> list[Step]:
    out = args.out
    python = sys.executable
    pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    machine = ["--kernel", args.kernel, "--image", args.image]

    def script(name: str, *words: str) -> list[str]:
        return [python, str(SCRIPTS / name), *words]

    def guest(name: str, cpus: int, expect: str, *words: str) -> Step:
        return Step(f"{name}-{cpus}", script(
            "guest.py", *machine, "--cpus", str(cpus), "--expect", expect,
            *words), 900, r"\bOK\b")

    found = [Step("lint", ["sh", str(SCRIPTS / "lint.sh")], 120)]
    found += [Step(source.stem, unit_test(source.relative_to(ROOT), out),
                   300, r"^\[ +OK \]") for source in
              sorted(ROOT.glob("kernel/*/tests/*_test.c"))]
    found += [
        Step("scripts", pytest + sorted(
            str(p) for p in SCRIPTS.glob("test_*.py"))
            + [f"--junitxml={out}/scripts.xml"], 1200,
            junit=out / "scripts.xml"),
        Step("boot", pytest + [str(SCRIPTS / "boot_test.py"),
                               f"--junitxml={out}/boot.xml"], 600,
             junit=out / "boot.xml")]
    found += [guest("cowtest", cpus, "ALL COW TESTS PASSED", "/cowtest")
              for cpus in (1, 3, 8)]
    found += [guest("usertests", cpus, "ALL TESTS PASSED", "/usertests", "-q")
              for cpus in (1, 3, 8)]
    found += [
        Step("stress", script("stress.py", *machine, "--secs", "2", "--out",
                              str(out / "stress")), 900,
             junit=out / "stress/junit.xml"),
        Step("failnth", script("failnth.py", *machine, "--out",
                               str(out / "failnth")), 1800,
             junit=out / "failnth/junit.xml"),
        Step("powercut", script("powercut.py", *machine, "--out",
                                str(out / "powercut")), 900)]
    return found + fuzz_steps(out, python)


# ---- one step

def run(step: Step, log: Path, env: dict[str, str]) -> int:
    """Run it to the end or its limit; the exit status, -1 at the limit."""
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            step.command, stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT, cwd=ROOT, env=env)
        try:
            return process.wait(step.limit)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            # Gently first, for it has machines of its own to end.
            for end in (process.terminate, process.kill):
                if process.poll() is None:
                    end()
                    try:
                        process.wait(GRACE)
                    except subprocess.TimeoutExpired:
                        pass


def count_junit(path: Path) -> tuple[int, int]:
    """Passed and failed tests of a JUnit file."""
    passed = failed = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        tags = {node.tag for node in case}
        if tags & {"failure", "error"}:
            failed += 1
        elif "skipped" not in tags:
            passed += 1
    return passed, failed


def count(step: Step, good: bool, text: str) -> tuple[int, int]:
    """Passed and failed tests of a step; itself, if it counts none."""
    if step.junit and step.junit.exists():
        try:
            passed, failed = count_junit(step.junit)
        except ElementTree.ParseError:
            passed = failed = 0
    else:
        passed = len(re.findall(step.count, text, re.M)) if step.count else 0
        failed = 0
    if good:
        return passed or 1, failed
    return passed, failed or 1


def outcome(step: Step, log: Path, env: dict[str, str]) -> Outcome:
    if step.junit:
        step.junit.unlink(missing_ok=True)
    started = time.monotonic()
    try:
        status = run(step, log, env)
    except OSError as error:
        log.write_text(f"{step.command[0]}: {error.strerror}\n")
        status = 2
    result = Outcome(step.name, command=step.command,
                     secs=time.monotonic() - started)
    text = log.read_text(encoding="utf-8", errors="replace")
    result.passed, result.failed = count(step, status == 0, text)
    if status == 0:
        result.verdict = "pass"
        return result
    result.verdict = "broken" if status == 2 else "fail"
    result.reason = (f"not done after {step.limit} s" if status == -1
                     else f"exit status {status}")
    result.details = "\n".join(text.splitlines()[-SHOW:])
    return result


# ---- all of them

def choose(found: list[Step], only: str) -> list[Step]:
    """The steps named; a name chooses those that begin with it, too."""
    names = [name for name in only.split(",") if name]
    for name in names:
        if not any(step.name.startswith(name) for step in found):
            raise ValueError(f"ONLY={only}: there is no step {name}; choose "
                             f"from {','.join(s.name for s in found)}")
    return [step for step in found
            if not names or step.name.startswith(tuple(names))]


def closing(results: list[Outcome], out: Path) -> str:
    rows = [("step", "verdict", "passed", "failed", "seconds")]
    rows += [(r.name, r.verdict, str(r.passed), str(r.failed),
              f"{r.secs:.1f}") for r in results]
    rows.append(("all", "", str(sum(r.passed for r in results)),
                 str(sum(r.failed for r in results)),
                 f"{sum(r.secs for r in results):.1f}"))
    times = out / "boot-times.txt"
    note = f"\nuntil the prompt:\n{times.read_text()}" \
        if times.exists() else ""
    return f"\n{report.table(rows, left=(0, 1))}\n{note}"


def run_all(chosen: list[Step], out: Path,
            env: dict[str, str]) -> list[Outcome]:
    results = []
    for number, step in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {step.name} ...", flush=True)
        log = out / f"{step.name}.log"
        result = outcome(step, log, env)
        print(f"[{number}/{len(chosen)}] {step.name}: {result.verdict}, "
              f"{result.secs:.1f} s", flush=True)
        if result.verdict != "pass":
            print(f"    {result.reason}; the end of {log}:")
            print("    " + result.details.replace("\n", "\n    "), flush=True)
        results.append(result)
    return results


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Run all tests.")
    parser.add_argument("--kernel", default="build/plain/kernel")
    parser.add_argument("--image", default="build/plain/fs.img")
    parser.add_argument("--out", type=Path, default=Path("build/test"))
    parser.add_argument("--only", default="", metavar="STEP,STEP")
    args = parser.parse_args(argv)
    end_with_grace()
    args.out = args.out.resolve()
    try:
        chosen = choose(steps(args), args.only)
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "boot-times.txt").unlink(missing_ok=True)
        results = run_all(chosen, args.out, {
            **os.environ, "STAMPEDE_OUT": str(args.out),
            "STAMPEDE_KERNEL": args.kernel, "STAMPEDE_IMAGE": args.image,
            "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"})
    except (ValueError, OSError) as error:
        print(f"test: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("test: interrupted", file=sys.stderr)
        return 2
    report.write_junit(args.out / "junit.xml", "test", results)
    print(closing(results, args.out))
    print(f"{sum(r.passed for r in results)} passed, "
          f"{sum(r.failed for r in results)} failed")
    return report.exit_status(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
