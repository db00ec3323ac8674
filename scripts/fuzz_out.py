# SPDX-License-Identifier: MIT
"""The folder that AFL++ instances share: read it, and mend it after a stop.

An instance has a folder of its own in it, with `queue` (what it found),
`crashes`, `hangs`, `fuzzer_stats` and `plot_data`.  afl-fuzz goes on from
there by itself if it finds fuzzer_stats whole; if not, it deletes the queue.
A power cut, or a kill at the wrong moment, leaves other things: mend() makes
something of them that afl-fuzz can go on from, and loses no program.

AFL++ keeps its map and its test case in System V segments, which outlive an
afl-fuzz that was killed.  Those made by processes that we started are ours
to remove, once nobody is attached.
"""
import ctypes
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

WIRE = b"SP1"       # how a program in binary form begins (fuzz/wire/prog.h)
NAMED = ("id:", "seed:")
STARTED = re.compile(r"start_time +: \d+\nlast_update +: \d+\n")
IPC_RMID = 0


# ---- what an instance says of itself

@dataclass
class Instance:
    """fuzzer_stats and plot_data of one instance."""

    name: str
    stats: dict[str, str]
    plot: list[dict[str, float]]

    def number(self, key: str) -> float:
        """A figure of fuzzer_stats, without its percent sign; else 0."""
        found = re.match(r"[\d.]+", self.stats.get(key, ""))
        try:
            return float(found[0]) if found else 0.0
        except ValueError:
            return 0.0

    def rate(self, recent: bool = False) -> float:
        """Executions a second over all its time; recent: lately, if known.

        Not execs_per_sec, which a start makes infinite.
        """
        lately = self.number("execs_ps_last_min") if recent else 0.0
        seconds = self.number("run_time")
        return lately or (self.number("execs_done") / seconds
                          if seconds >= 1 else 0.0)


def parse_stats(text: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def parse_plot(text: str) -> list[dict[str, float]]:
    """The rows of plot_data by the names in its head; torn rows left out."""
    names: list[str] = []
    rows = []
    for line in text.splitlines():
        words = [word.strip() for word in line.lstrip("# ").split(",")]
        if line.startswith("#"):
            names = words
            continue
        try:
            numbers = [float(word.rstrip("%")) for word in words]
        except ValueError:
            continue
        if len(numbers) == len(names):
            rows.append(dict(zip(names, numbers)))
    return rows


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def read_instances(out: Path, plots: bool = False) -> list[Instance]:
    return [Instance(path.parent.name, parse_stats(read_text(path)),
                     parse_plot(read_text(path.parent / "plot_data"))
                     if plots else [])
            for path in sorted(out.glob("*/fuzzer_stats"))]


# ---- programs of a queue

def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def queue_files(folder: Path) -> list[Path]:
    """The programs that an instance has found or had been given.

    While afl-fuzz takes up an old queue again, that is called _resume, and
    the new one is not complete.
    """
    return [path for name in ("_resume", "queue")
            for path in sorted((folder / name).glob("*"))
            if path.name.startswith(NAMED) and path.is_file()]


def drop_torn(folder: Path) -> int:
    """Remove what a power cut left empty or without its content."""
    for path in folder.glob("*/.*.new"):
        path.unlink()
    torn = [path for path in queue_files(folder)
            if not path.read_bytes().startswith(WIRE)]
    for path in torn:
        path.unlink()
    return len(torn)


def resumable(folder: Path) -> bool:
    """Can afl-fuzz go on from here?"""
    return bool(STARTED.match(read_text(folder / "fuzzer_stats"))
                and queue_files(folder))


def set_aside(folder: Path) -> None:
    """Rename crashes and hangs, so that a fresh start does not delete them."""
    for name in ("crashes", "hangs"):
        if any((folder / name).glob("id:*")):
            number = 1
            while (folder / f"{name}.{number}").exists():
                number += 1
            (folder / name).rename(folder / f"{name}.{number}")


def salvage(folder: Path, kept: Path) -> int:
    """Copy the programs of an instance to `kept`, then clear it for a start.

    May be cut off at any point and done again.
    """
    kept.mkdir(parents=True, exist_ok=True)
    programs = {digest(data): data for path in queue_files(folder)
                if (data := path.read_bytes())}
    for name, data in programs.items():
        if not (kept / name).exists():
            write_whole(kept / name, data)
    set_aside(folder)
    for path in folder.iterdir():
        if path.name.startswith(("crashes.", "hangs.")):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return len(programs)


def mend(out: Path, kept: Path, anew: bool = False) -> list[str]:
    """Make every instance's folder one that afl-fuzz can start with.

    anew: clear them all, for what they measured is of another kernel.
    Returns a line for each thing that was done.
    """
    said = []
    for folder in sorted(out.glob("*/")):
        if folder.name.startswith("."):
            continue
        torn = drop_torn(folder)
        if torn:
            said.append(f"{folder.name}: removed what is empty or torn of "
                        f"its queue, {torn} files: that stop was not orderly")
        if anew or not resumable(folder):
            count = salvage(folder, kept)
            if count and not anew:
                said.append(f"{folder.name}: cannot go on from its figures, "
                            "which are torn or missing; its "
                            f"{count} programs are seeds now")
    return said


def add_programs(folder: Path, programs: dict[str, bytes]) -> None:
    """Put programs into the queue that an instance will take up again."""
    queue = folder / "_resume"
    if not queue.is_dir():
        queue = folder / "queue"
    for name, data in programs.items():
        write_whole(queue / f"seed:{name}", data)


# ---- what was running, as it was left

@dataclass
class Record:
    """Facts of the runs that wrote a folder; kept in it."""

    wire: str = WIRE.decode()
    kernels: dict[str, str] = field(default_factory=dict)   # name: build
    flavors: dict[str, str] = field(default_factory=dict)   # of instances
    boot: str = ""
    pids: list[int] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)
    seed: int | None = None

    @classmethod
    def load(cls, out: Path) -> "Record | None":
        """None if there is none, or none that can be read."""
        try:
            found = json.loads(read_text(out / ".run.json"))
            return cls(**found)
        except (ValueError, TypeError):
            return None

    def save(self, out: Path) -> None:
        write_whole(out / ".run.json", json.dumps(vars(self)).encode())


def seed_text(seed: int | None) -> str:
    return "no fixed seed" if seed is None else f"seed {seed}"


def boot_id() -> str:
    return read_text(Path("/proc/sys/kernel/random/boot_id")).strip()


# ---- System V segments

def leaked_segments(table: str, pids: set[int], uid: int) -> list[int]:
    """Segments of those processes in /proc/sysvipc/shm that nobody uses."""
    lines = [line.split() for line in table.splitlines()]
    if not lines:
        return []
    column = {name: n for n, name in enumerate(lines[0])}
    return [int(row[column["shmid"]]) for row in lines[1:]
            if int(row[column["cpid"]]) in pids
            and int(row[column["nattch"]]) == 0
            and int(row[column["cuid"]]) == uid]


def is_running(pid: int) -> bool:
    """Is that pid an afl-fuzz?  Another program may have got the number."""
    return read_text(Path(f"/proc/{pid}/comm")).strip() == "afl-fuzz"


def remove_segments(record: Record) -> int:
    """Remove what the killed instances of the last run left."""
    if record.boot != boot_id():
        return 0
    gone = {pid for pid in record.pids if not is_running(pid)}
    found = leaked_segments(read_text(Path("/proc/sysvipc/shm")), gone,
                            os.getuid())
    libc = ctypes.CDLL(None, use_errno=True)
    return sum(libc.shmctl(number, IPC_RMID, None) == 0 for number in found)
