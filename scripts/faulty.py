# SPDX-License-Identifier: MIT
"""Kernels that do wrong on purpose, for the tests of what finds them.

STAMPEDE_IMAGE names the disk (build/plain/fs.img), STAMPEDE_OUT takes the
consoles.
"""
import os
import subprocess
from pathlib import Path

import leakcheck
import qemu
from stress import PANIC

ROOT = Path(__file__).resolve().parent.parent
CHECK = ROOT / "kernel/check"
IMAGE = Path(os.environ.get("STAMPEDE_IMAGE", "build/plain/fs.img"))
OUT = Path(os.environ.get("STAMPEDE_OUT", "build/test"))
QUIET = 60.0        # seconds without output; generous, for a loaded host


def build(folder: str, option: str) -> Path:
    """The kernel of build/folder, made with one option and no others."""
    target = f"build/{folder}/kernel"
    jobs = len(os.sched_getaffinity(0))
    subprocess.run(["make", f"-j{jobs}", option, target], cwd=ROOT,
                   env=leakcheck.clean_environment(), check=True, timeout=600)
    return ROOT / target


def boot(kernel: Path, log_name: str, arguments: str,
         cpus: int = 3) -> tuple[int, list[str]]:
    """Run the machine to its end: QEMU's status, and the console."""
    OUT.mkdir(parents=True, exist_ok=True)
    log = OUT / f"{log_name}.log"
    log.unlink(missing_ok=True)
    config = qemu.Config(kernel, IMAGE, cpus, bootargs=f"batch {arguments}")
    with qemu.Machine(config, log) as machine:
        lines = [line for line in machine.lines(QUIET) if line]
        return machine.status(), lines


def panics(lines: list[str]) -> list[str]:
    """What the panics among these lines say."""
    return [line.partition("panic: ")[2] for line in lines
            if PANIC.search(line)]
