# SPDX-License-Identifier: MIT
"""A process that ends with us, whatever ends us, and may be started again."""
import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import fuzz_out

SOON, TRIES = 30.0, 3       # one that ends so soon (seconds), so often
PR_SET_PDEATHSIG = 1

# How AFL++ says why it gives up, and what is in between.
ABORT = re.compile(r"PROGRAM ABORT\s*:\s*(.*)|SYSTEM ERROR\s*:\s*(.*)")
COLOUR = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][0B]|[\x0e\x0f]")


class Child:
    """A process that ends with us, started again when it ends by itself."""

    def __init__(self, name: str, command: list[str], log: Path,
                 env: dict[str, str], cpu: int | None = None,
                 nice: int = 0, screen: bool = False):
        self.name, self.command, self.log = name, command, log
        self.env, self.cpu, self.nice = env, cpu, nice
        self.screen = screen
        self.process: subprocess.Popen[bytes] | None = None
        self.begun = 0.0
        self.failures = 0
        self.lost = False

    def before(self, parent: int) -> Callable[[], None]:
        """What the child does first: die with us, stay on its core."""
        libc = ctypes.CDLL(None)

        def run() -> None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)
            if self.cpu is not None:
                os.sched_setaffinity(0, {self.cpu})
            os.nice(self.nice)
        return run

    def start(self) -> int:
        """Start it; its process id."""
        self.begun = time.monotonic()
        with self.log.open("ab") as log:
            # A group of its own: ^C is passed on by us, in due order.
            self.process = subprocess.Popen(
                self.command, env=self.env, stdin=subprocess.DEVNULL,
                stdout=None if self.screen else log,
                stderr=None if self.screen else log,
                preexec_fn=self.before(os.getpid()), process_group=0)
        return self.process.pid

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def why(self) -> str:
        """The last complaint in its log."""
        text = COLOUR.sub("", fuzz_out.read_text(self.log))
        found = [a or b for a, b in ABORT.findall(text)]
        assert self.process
        return found[-1].strip() if found \
            else f"exit status {self.process.returncode}; see {self.log}"

    def again(self) -> bool:
        """It ended by itself: may it be started once more?"""
        soon = time.monotonic() - self.begun < SOON
        self.failures = self.failures + 1 if soon else 1
        self.lost = self.failures >= TRIES
        return not self.lost

    def ask(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, limit: float, gently: bool = False) -> None:
        """Wait for its end; end it at the limit, unless gently."""
        if self.process is None:
            return
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            if not gently:
                self.process.kill()
                self.process.wait()
