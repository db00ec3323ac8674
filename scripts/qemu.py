#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Start QEMU with our machine, watch its console, and end it.

Usage: qemu.py [options]          a shell on the terminal; ^A x ends it
Exit:  QEMU's own status, which is 0 if the guest said so; 2 if it could
       not be started.

Other scripts use Machine.  It owns one QEMU: `with` ends it whatever
happens, by its handle and within a time limit.  lines() yields the console
line by line and raises Hang when nothing was heard for too long.

Time limits count seconds in which QEMU could run, not seconds of the clock:
on a loaded host a healthy guest is slow, and must not be called hung.  See
GuestClock.
"""
import argparse
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import harts

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (7, 2)
MIN_MEM, MAX_MEM = 32 << 20, 8 << 30
INSTALL = "run `scripts/setup.sh stress`, which installs what is missing"


class Broken(Exception):
    """The run cannot start or go on; the text says what to do."""


class Hang(Exception):
    """The guest stopped making progress."""


def end_with_grace() -> None:
    """Let a closed terminal or a kill end us as ^C does: with our QEMUs."""
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)


# ---- options and their limits

def parameter(name: str, fallback: int) -> int:
    """A limit of the kernel, from kernel/param.h."""
    try:
        text = (ROOT / "kernel/param.h").read_text(encoding="utf-8")
    except OSError:
        return fallback
    found = re.search(rf"#define\s+{name}\s+(\d+)", text)
    return int(found[1]) if found else fallback


def parse_cpus(text: str) -> int:
    most = parameter("NCPU", 16)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise Broken(f"CPUS={text}: give a number from 1 to {most}, "
                     "such as CPUS=8")
    return int(text)


def parse_mem(text: str) -> str:
    found = re.fullmatch(r"(\d{1,6})([MG])", text)
    size = int(found[1]) << (20 if found[2] == "M" else 30) if found else 0
    if not MIN_MEM <= size <= MAX_MEM:
        raise Broken(f"MEM={text}: give a size from {MIN_MEM >> 20}M to "
                     f"{MAX_MEM >> 30}G with its unit, such as MEM=128M")
    return text


@dataclass
class Config:
    """One virtual machine.  image None: no disk.  keep: write to the image."""

    kernel: Path
    image: Path | None
    cpus: int = 8
    mem: str = "128M"
    bootargs: str = ""
    keep: bool = False


def default_qemu() -> str:
    return os.environ.get("QEMU") or "qemu-system-riscv64"


def command(config: Config) -> list[str]:
    """The command line, but for where console and monitor go.

    Changes to a disk that is not kept are thrown away, so nothing of it
    needs to reach the host's disk (cache=unsafe).
    """
    args = [default_qemu(), "-M", "virt", "-bios", "none",
            "-kernel", str(config.kernel), "-m", config.mem,
            "-smp", str(config.cpus), "-no-reboot",
            "-global", "virtio-mmio.force-legacy=false"]
    if config.image:
        options = "" if config.keep else ",snapshot=on,cache=unsafe"
        path = str(config.image).replace(",", ",,")
        args += ["-drive", f"file={path},if=none,format=raw,id=x0{options}",
                 "-device", "virtio-blk-device,drive=x0,"
                            "bus=virtio-mmio-bus.0"]
    if config.bootargs:
        args += ["-append", config.bootargs]
    return args


# ---- what must be there before a start

def check_tools() -> None:
    """QEMU exists and is new enough, and nm can name what a report holds."""
    qemu = default_qemu()
    if shutil.which(qemu) is None:
        raise Broken(f"{qemu}: not found; {INSTALL}")
    nm = os.environ.get("CROSS", "riscv64-unknown-elf-") + "nm"
    if shutil.which(nm) is None:
        raise Broken(f"{nm}: not found; {INSTALL}")
    try:
        text = subprocess.run([qemu, "--version"], capture_output=True,
                              text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(f"{qemu} --version: {error}; {INSTALL}") from error
    found = re.search(r"version (\d+)\.(\d+)", text)
    if not found:
        raise Broken(f"{qemu} does not tell its version; set QEMU= to a "
                     "qemu-system-riscv64")
    if (int(found[1]), int(found[2])) < OLDEST:
        raise Broken(f"{qemu} is version {found[1]}.{found[2]}, older than "
                     f"{OLDEST[0]}.{OLDEST[1]}; set QEMU= to a newer one")


def check_file(path: Path, what: str, magic: bytes, offset: int) -> None:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            found = file.read(len(magic))
    except OSError as error:
        raise Broken(f"{what} {path}: {error.strerror}; "
                     "run `make` to build it") from error
    if found != magic:
        raise Broken(f"{what} {path}: not a {what}; "
                     "remove it and run `make`")


def check_files(config: Config) -> None:
    """Kernel and image can be read and are what they should be."""
    check_file(config.kernel, "kernel", b"\x7fELF", 0)
    if config.image:
        text = ""
        if (ROOT / "kernel/fs.h").exists():
            text = (ROOT / "kernel/fs.h").read_text(encoding="utf-8")
        found = re.search(r"#define\s+FSMAGIC\s+(0x[0-9a-fA-F]+)", text)
        magic = int(found[1], 16).to_bytes(4, "little") if found else b""
        check_file(config.image, "disk image", magic, 1024)


# ---- time

def usable(wall: float, ran: float, waited: float, share: float) -> float:
    """How much of wall seconds a process could have used.

    ran and waited are the sums over its threads: on a processor, and
    runnable without one.  share is how many processors there are for each
    of its busy threads (at most 1): waiting for its own threads is no loss.
    """
    if ran + waited <= 0:
        return wall
    got = min(1.0, ran / (ran + waited) / share)
    return wall - min(wall * (1 - got), waited)


class GuestClock:
    """Seconds in which a process could run, from the host's scheduler.

    Linux tells for every thread how long it ran and how long it waited for
    a processor.  Where it does not, this is the wall clock.
    """

    def __init__(self, pid: int, cpus: int):
        self.pid = pid
        self.share = min(1.0, len(os.sched_getaffinity(0)) / max(1, cpus))
        self.total = 0.0
        self.wall = time.monotonic()
        self.last = self.sample()

    def sample(self) -> tuple[float, float]:
        ran = waited = 0
        for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat"):
            try:
                words = path.read_text(encoding="ascii").split()
            except OSError:
                continue
            ran += int(words[0])
            waited += int(words[1])
        return ran / 1e9, waited / 1e9

    def now(self) -> float:
        wall = time.monotonic()
        if wall - self.wall < 0.5:
            return self.total
        ran, waited = self.sample()
        self.total += usable(wall - self.wall,
                             max(0.0, ran - self.last[0]),
                             max(0.0, waited - self.last[1]), self.share)
        self.wall, self.last = wall, (ran, waited)
        return self.total


# ---- the machine

class Monitor:
    """QEMU's machine protocol (QMP) over a unix socket."""

    def __init__(self, path: Path, timeout: float = 20.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.file: IO[str] = self.socket.makefile("rw", encoding="utf-8")
        self.receive()
        self.execute("qmp_capabilities")

    def receive(self) -> dict:
        line = self.file.readline()
        if not line:
            raise OSError("the monitor closed the connection")
        return json.loads(line)

    def execute(self, name: str, **arguments: object) -> object:
        self.file.write(json.dumps(
            {"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = self.receive()
            if "error" in answer:
                raise OSError(f"{name}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def human(self, line: str, hart: int) -> str:
        return str(self.execute("human-monitor-command",
                                **{"command-line": line, "cpu-index": hart}))

    def close(self) -> None:
        self.file.close()
        self.socket.close()


class Machine:
    """One running QEMU; use it in a `with` statement."""

    def __init__(self, config: Config, log: Path | None = None):
        self.config = config
        self.folder = tempfile.TemporaryDirectory(prefix="qemu-")
        self.qmp = Path(self.folder.name) / "qmp"
        self.log = log.open("ab") if log else None
        self.queue: queue.Queue[str | None] = queue.Queue()
        self.errors: list[str] = []
        self.tail = b""     # of the console: a line that has no end yet
        try:
            self.process = subprocess.Popen(
                command(config) + [
                    "-display", "none", "-serial", "stdio",
                    "-monitor", "none",
                    "-qmp", f"unix:{self.qmp},server=on,wait=off"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=True)
        except OSError as error:
            self.folder.cleanup()
            raise Broken(f"{default_qemu()}: {error.strerror}; "
                         f"{INSTALL}") from error
        self.clock = GuestClock(self.process.pid, config.cpus)
        self.heard = 0.0
        self.threads = [
            threading.Thread(target=self.read_console, daemon=True),
            threading.Thread(target=self.read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # The two threads end with QEMU, which closes its side of the pipes.

    def read_console(self) -> None:
        assert self.process.stdout
        while block := os.read(self.process.stdout.fileno(), 1 << 16):
            if self.log:
                self.log.write(block)
                self.log.flush()
            *lines, self.tail = (self.tail + block).split(b"\n")
            for line in lines:
                self.queue.put(line.decode(errors="replace").rstrip("\r"))
            if not lines:
                self.queue.put("")  # no line yet, but a sign of life
        if self.tail:
            self.queue.put(self.tail.decode(errors="replace"))
        self.queue.put(None)

    def read_errors(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace").rstrip())

    def next_line(self, timeout: float) -> str | None:
        """The next line of the console, "" if there is none yet.

        None when QEMU has ended and all was read.
        """
        try:
            line = self.queue.get(timeout=timeout)
        except queue.Empty:
            return ""
        self.heard = self.clock.now()
        if line is None:
            self.queue.put(None)
        return line

    def silence(self) -> float:
        """Seconds of silence, of those in which the guest could speak."""
        return self.clock.now() - self.heard

    def lines(self, quiet: float, tick: float = 1.0) -> Iterator[str]:
        """Yield console lines to the end; "" at least once each tick.

        Raises Hang after quiet seconds without any output.
        """
        while (line := self.next_line(tick)) is not None:
            if not line and self.silence() > quiet:
                raise Hang(f"no output for {quiet:.0f} s")
            yield line

    def write(self, data: bytes) -> None:
        """Type at the console."""
        assert self.process.stdin
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def dump_harts(self) -> str:
        """Stop the machine for good; tell what every hart was doing."""
        try:
            monitor = Monitor(self.qmp)
            monitor.execute("stop")
            text = harts.dump(monitor.human, self.config.kernel)
            monitor.close()
            return text
        except (OSError, ValueError) as error:
            return f"no dump of the harts: {error}"

    def status(self, timeout: float = 10.0) -> int:
        """Wait for QEMU's end; its exit status, or -1 if it did not end."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return -1
        self.threads[1].join(timeout)   # all that QEMU complained about
        return status

    def stop(self) -> None:
        """End QEMU, gently first."""
        for end in (self.process.terminate, self.process.kill):
            if self.process.poll() is None:
                end()
                self.status(5.0)
        for thread in self.threads:
            thread.join(5.0)
        if self.log:
            self.log.close()
        self.folder.cleanup()


def start_error(machine: Machine) -> str:
    """Why QEMU ended before the guest said anything."""
    status = machine.status()
    lines = [line for line in machine.errors if line.strip()]
    why = lines[0] if lines else f"exit status {status}"
    return f"QEMU did not start: {why}"


# ---- a machine on the terminal

def shell_config(args: argparse.Namespace) -> Config:
    config = Config(Path(args.kernel), Path(args.image),
                    parse_cpus(args.cpus), parse_mem(args.mem), args.append)
    check_files(config)
    if args.disk:
        config.image, config.keep = Path(args.disk), True
        if not config.image.exists():
            shutil.copyfile(args.image, config.image)
        check_files(config)
    return config


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="A shell in our kernel.")
    parser.add_argument("--kernel", default="build/plain/kernel")
    parser.add_argument("--image", default="build/plain/fs.img")
    parser.add_argument("--disk", help="keep changes to the disk here")
    parser.add_argument("--cpus", default="8")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--append", default="", help="boot arguments")
    parser.add_argument("--gdb", metavar="PORT",
                        help="wait for a debugger on this port")
    args = parser.parse_args(argv)
    try:
        check_tools()
        line = command(shell_config(args)) + ["-nographic"]
    except (Broken, OSError) as error:
        print(f"qemu: {error}", file=sys.stderr)
        return 2
    if args.gdb:
        line += ["-S", "-gdb", f"tcp:127.0.0.1:{args.gdb}"]
        print(f"waiting; in another terminal: gdb-multiarch {args.kernel} "
              f"-ex 'target remote :{args.gdb}'", flush=True)
    else:
        print("^A x ends QEMU", flush=True)
    os.execvp(line[0], line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
