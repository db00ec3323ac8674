#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boot the kernel to run one program, and show what it prints.

Usage: guest.py [options] PROGRAM [ARGUMENTS...]
Exit:  0 the program ended with status 0, and printed what --expect names;
       1 it did not, or the kernel panicked or hung; 2 it could not be run.
"""
import argparse
import sys
from pathlib import Path

import harts
from qemu import (Broken, Config, Hang, Machine, check_files, check_tools,
                  end_with_grace, parse_cpus, parse_mem, start_error)
from stress import MAX_SECS, PANIC, parse_number


def judge(machine: Machine, lines: list[str], expect: str) -> str:
    """What is wrong with a run that has ended; "" if nothing is."""
    status = machine.status()
    if not lines:
        raise Broken(start_error(machine))
    if status:
        return f"exit status {status}"
    if expect and expect not in lines:
        return f"did not print `{expect}`"
    return ""


def run(config: Config, quiet: float, limit: float, expect: str,
        log: Path | None) -> str:
    """Run to the end; what is wrong, "" if nothing is."""
    lines: list[str] = []
    with Machine(config, log) as machine:
        try:
            for line in machine.lines(quiet):
                if line:
                    print(line, flush=True)
                    lines.append(line)
                if machine.clock.now() > limit:
                    raise Hang(f"not done after {limit:.0f} s")
            wrong = judge(machine, lines, expect)
        except Hang as hang:
            print(machine.dump_harts())
            wrong = f"hang: {hang}"
    start = next((n for n, line in enumerate(lines)
                  if PANIC.search(line)), None)
    if start is not None:
        print("\n".join(["the panic with lines:", *harts.symbolise(
            config.kernel, lines[start:])]))
    return wrong


def parse_args(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run one program.")
    parser.add_argument("--kernel", default="build/plain/kernel")
    parser.add_argument("--image", default="build/plain/fs.img")
    parser.add_argument("--log", type=Path, help="console goes here as well")
    parser.add_argument("--cpus", default="8")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--append", default="", help="more boot arguments")
    parser.add_argument("--expect", default="", help="a line to be printed")
    parser.add_argument("--quiet", default="120",
                        help="seconds of silence that are a hang")
    parser.add_argument("--limit", default="1800", help="seconds in all")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    args = parser.parse_args(argv)
    if not args.program:
        raise Broken("name a program of the disk, such as /usertests")
    return args


def main(argv: list[str]) -> int:
    end_with_grace()
    try:
        args = parse_args(argv)
        words = ["batch", args.append, f"run={' '.join(args.program)}"]
        config = Config(Path(args.kernel), Path(args.image),
                        parse_cpus(args.cpus), parse_mem(args.mem),
                        " ".join(word for word in words if word))
        quiet = parse_number("--quiet", args.quiet, 1, MAX_SECS)
        limit = parse_number("--limit", args.limit, 1, MAX_SECS)
        check_tools()
        check_files(config)
        if args.log:
            args.log.parent.mkdir(parents=True, exist_ok=True)
            args.log.unlink(missing_ok=True)
        wrong = run(config, quiet, limit, args.expect, args.log)
    except (Broken, OSError) as error:
        print(f"guest: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("guest: interrupted", file=sys.stderr)
        return 2
    if wrong:
        print(f"guest: {args.program[0]}: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
