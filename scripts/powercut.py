#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Cut the power at every block write of a workload, and look what is left.

Usage: powercut.py [--kernel K] [--image FS.IMG] [--every N] [--reorder N]
                   [--seed S] [--jobs N] [--cut N] [--out FOLDER]
Exit:  0 every cut was survived, 1 one was not (its images are kept), 2 the
       test could not be run.

The workload (powercut.txt) runs in the guest on a disk whose writes and
flushes QEMU records in their order (blklogwrites).  For every prefix of these
writes the disk is made as it was at that moment, booted once, so that the
kernel recovers it, and then checked: fsck.py must find nothing, and the tree
must be, by names, types, contents and links, what a model of the workload has
after as many transactions as the log had complete when the power went.  So
nothing committed is lost, and nothing is there by half.

Disks may keep writes that no flush has followed, or lose them, or half of one
(a block is two sectors).  --reorder N tries that N times, at places and with
losses drawn from the seed.

--every N boots only every N-th cut; the others are recovered and checked by
the host alone, which takes no time.  --cut N does one cut, and keeps it.
"""
import argparse
import concurrent.futures
import contextlib
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mkfs
import qemu
from fsck import Checker
from fsimage import (BSIZE, LAYOUT, ROOTINO, T_DEVICE, T_DIR, T_FILE, Image,
                     ImageError)

SCRIPT = Path(__file__).resolve().with_name("powercut.txt")
SCRIPT_ON_DISK = "/powercut.txt"
BLOCKS, INODES = 800, 112       # a small disk is copied and read quickly
FILLERS = 61                    # files that are in /many from the start
CONSOLE = 1                     # device number; programs know it too
SHOWN = 5                       # findings that are told and kept
BOOT_LIMIT = 120                # seconds; the host may be loaded
SECTOR = 512

# The format of the record: Linux, Documentation/admin-guide/device-mapper/
# log-writes.rst.  Superblock and entries take a sector each.
LOG_MAGIC = 0x6A736677736872
LOG_SUPER = struct.Struct("<QQQI")
LOG_ENTRY = struct.Struct("<QQQQ")
LOG_FLUSH = 1


class Broken(Exception):
    """The test cannot be run; the text says what to do."""


class Finding(Exception):
    """The kernel did something wrong; the text says what."""


# ---- the model

@dataclass
class Node:
    """An inode."""
    kind: int
    nlink: int = 1
    data: bytes = b""
    major: int = 0
    entries: dict[str, "Node"] = field(default_factory=dict)
    parent: "Node | None" = None
    opened: int = 0


class Refused(Exception):
    """The operation fails, as some have to."""


Tree = dict[str, tuple]


class Model:
    """What the operations do, in memory.

    Each operation says whether it takes a transaction, that is, whether it
    changes anything on the disk.
    """

    def __init__(self) -> None:
        self.root = Node(T_DIR)
        self.root.parent = self.root
        self.cwd = self.root
        self.slots: dict[str, list] = {}        # node and offset

    # -- paths

    def _parent(self, path: str) -> tuple[Node, str]:
        node = self.root if path.startswith("/") else self.cwd
        *way, name = path.strip("/").split("/")
        for part in way:
            node = self._step(node, part)
        if node.kind != T_DIR:
            raise Refused
        return node, name

    def _step(self, node: Node, name: str) -> Node:
        if name == ".":
            return node
        if node.kind != T_DIR or node.nlink == 0:
            raise Refused
        if name == "..":
            return node.parent
        if name not in node.entries:
            raise Refused
        return node.entries[name]

    def find(self, path: str) -> Node:
        if path == "/":
            return self.root
        return self._step(*self._parent(path))

    def create(self, path: str, node: Node) -> bool:
        parent, name = self._parent(path)
        if parent.nlink == 0 or name in parent.entries:
            raise Refused
        parent.entries[name] = node
        node.parent = parent
        if node.kind == T_DIR:
            parent.nlink += 1
        return True

    # -- operations: the words of a line

    def mkdir(self, path: str) -> bool:
        return self.create(path, Node(T_DIR))

    def mknod(self, path: str, major: str) -> bool:
        return self.create(path, Node(T_DEVICE, major=int(major)))

    def link(self, old: str, new: str) -> bool:
        node = self.find(old)
        if node.kind == T_DIR:
            raise Refused
        parent, name = self._parent(new)
        if name in parent.entries:
            raise Refused
        parent.entries[name] = node
        node.nlink += 1
        return True

    def unlink(self, path: str) -> bool:
        parent, name = self._parent(path)
        node = self._step(parent, name)
        if node.kind == T_DIR:
            if node.entries:
                raise Refused
            parent.nlink -= 1
        del parent.entries[name]
        node.nlink -= 1
        return True

    def chdir(self, path: str) -> bool:
        left, self.cwd = self.cwd, self.find(path)
        return left.nlink == 0

    def open(self, slot: str, mode: str, path: str) -> bool:
        changed = False
        try:
            node = self.find(path)
        except Refused:
            if "c" not in mode:
                raise
            node = Node(T_FILE)
            changed = self.create(path, node)
        if "t" in mode and node.data:
            node.data = b""
            changed = True
        node.opened += 1
        self.slots[slot] = [node, 0]
        return changed

    def seek(self, slot: str) -> bool:
        self.slots[slot][1] = len(self.slots[slot][0].data)
        return False

    def write(self, slot: str, count: str, seed: str) -> bool:
        node, at = self.slots[slot]
        data = bytes((int(seed) * 131 + i * 7 + i // 256) & 255
                     for i in range(int(count)))
        most = (LAYOUT["MAXOPBLOCKS"] - 3) * BSIZE
        if at % BSIZE + len(data) > most:
            raise Broken(f"powercut.txt: a write of {count} at {at} takes "
                         "more than one transaction")
        node.data = node.data[:at] + data + node.data[at + len(data):]
        self.slots[slot][1] += len(data)
        return True

    def close(self, slot: str) -> bool:
        node, _ = self.slots.pop(slot)
        node.opened -= 1
        return node.opened == 0 and node.nlink == 0

    def do(self, line: str) -> bool:
        """Do a line of the script; did it take a transaction?"""
        words = line.lstrip("!").split()
        try:
            changed = getattr(self, words[0])(*words[1:])
        except Refused:
            changed = None
        if (changed is None) != line.startswith("!"):
            raise Broken(f"powercut.txt: the model disagrees with: {line}")
        return bool(changed)

    def tree(self) -> Tree:
        return flatten(self.root, lambda node: node.entries.items(),
                       lambda node: (node.kind, node.nlink, node.data,
                                     node.major))


def flatten(root: object, entries, facts) -> Tree:
    """Each path of a tree with its facts and the first path of its inode."""
    out: Tree = {}
    first: dict[object, str] = {}
    todo = [("/", root)]
    while todo:
        path, node = todo.pop(0)
        key = node if isinstance(node, int) else id(node)
        known = facts(node)
        out[path] = known + (first.setdefault(key, path),)
        if known[0] == T_DIR:
            todo += sorted((path.rstrip("/") + "/" + name, child)
                           for name, child in entries(node))
    return out


def image_tree(image: Image) -> Tree:
    """The tree of an image that fsck has found to be in order."""
    def entries(inum: int) -> list[tuple[str, int]]:
        return [(name.rstrip(b"\0").decode(), child)
                for child, name in image.entries(image.inode(inum))[2:]]

    def facts(inum: int) -> tuple:
        inode = image.inode(inum)
        data = image.contents(inode) if inode["type"] == T_FILE else b""
        major = inode["major"] if inode["type"] == T_DEVICE else 0
        return (inode["type"], inode["nlink"], data, major)

    return flatten(ROOTINO, entries, facts)


def difference(found: Tree, expected: Tree) -> str:
    for path in sorted(found.keys() | expected.keys()):
        if path not in found:
            return f"{path} is missing"
        if path not in expected:
            return f"{path} should not be there"
        if found[path] != expected[path]:
            kind, nlink, data, major, first = found[path]
            return (f"{path} differs: type {kind}, {nlink} links, "
                    f"{len(data)} bytes, same as {first}; expected type "
                    "{0}, {1} links, {2} bytes, same as {4}".format(
                        *(len(x) if isinstance(x, bytes) else x
                          for x in expected[path])))
    return "nothing"


@dataclass
class Plan:
    """trees[k]: what is on disk after k transactions; lines[k]: the last."""
    trees: list[Tree]
    lines: list[str]


def make_plan(start: Image, script: str) -> Plan:
    model = Model()
    for path, facts in image_tree(start).items():
        if facts[0] == T_DIR and path != "/":
            model.mkdir(path)
        elif facts[0] == T_FILE:
            model.open("0", "wc", path)
            model.slots["0"][0].data = facts[2]
            model.close("0")

    # init makes the console if there is none, so every boot begins with it.
    plan = Plan([], ["the start", "init makes the console"])
    model.mknod("/console", str(CONSOLE))
    plan.trees += [model.tree()] * 2
    for line in script.splitlines():
        if line.strip() and not line.startswith("#") and model.do(line):
            plan.trees.append(model.tree())
            plan.lines.append(line)
    if model.slots or model.cwd.nlink == 0:
        raise Broken("powercut.txt: close what is open at the end")
    return plan


# ---- the record

@dataclass
class Write:
    """Some bytes that went to the disk."""
    at: int
    data: bytes


def read_record(path: Path) -> list[Write | None]:
    """Every write of one block, in order; None is a flush."""
    raw = path.read_bytes()
    if not any(raw[:LOG_SUPER.size]):
        # QEMU fills in the superblock at a flush.
        raise Finding("the kernel never flushed the disk")
    magic, _, _, sector = LOG_SUPER.unpack_from(raw)
    if magic != LOG_MAGIC or not sector:
        raise Broken("QEMU's record of the writes has another format")
    out: list[Write | None] = []
    at = sector
    # The superblock counts the entries, but only as of the last flush.
    while at + LOG_ENTRY.size <= len(raw):
        start, length, flags, _ = LOG_ENTRY.unpack_from(raw, at)
        at += sector
        data = raw[at:at + length * sector]
        at += len(data)
        for part in range(0, len(data), BSIZE):
            out.append(Write(start * sector + part, data[part:part + BSIZE]))
        if flags & LOG_FLUSH:
            out.append(None)
    return out


class Disk:
    """A disk to which the record is played, and what it must recover to."""

    def __init__(self, start: bytes):
        self.image = Image(start)
        self.committed = 0      # transactions complete in the log so far

    def write(self, what: Write) -> None:
        self.image.data[what.at:what.at + len(what.data)] = what.data
        start = self.image.sb["logstart"]
        block = what.at // BSIZE
        if start <= block < start + self.image.sb["nlog"]:
            self.look()

    def look(self) -> None:
        for logged in self.image.transactions():
            self.committed = max(self.committed, logged.seq)

    def copy(self) -> "Disk":
        other = Disk(bytes(self.image.data))
        other.committed = self.committed
        return other


@dataclass
class Cut:
    """A disk as the power cut left it."""
    name: str
    data: bytes
    committed: int      # what recovery must bring
    boot: bool


def prefixes(start: bytes, record: list[Write | None],
             every: int) -> Iterator[Cut]:
    disk = Disk(start)
    yield Cut("0", start, 0, True)
    count = 0
    for what in record:
        if what is None:
            continue
        disk.write(what)
        count += 1
        yield Cut(str(count), bytes(disk.image.data), disk.committed,
                  count % every == 0)


def lose_some(rng: random.Random, what: Write) -> Write | None:
    """What a disk without power keeps of a write."""
    part = rng.choice(("all", "all", "none", "none", "first", "second"))
    if part == "none":
        return None
    if part == "first":
        return Write(what.at, what.data[:SECTOR])
    if part == "second":
        return Write(what.at + SECTOR, what.data[SECTOR:])
    return what


def reorders(start: bytes, record: list[Write | None], count: int,
             seed: int) -> Iterator[Cut]:
    """Cuts at random places, with random losses since the last flush."""
    rng = random.Random(seed)
    writes = [i for i, what in enumerate(record) if what]
    places = sorted(rng.choice(writes) for _ in range(count))
    safe = Disk(start)          # up to the last flush before the place
    done = 0
    for number, place in enumerate(places):
        flushed = max((i for i in range(place) if record[i] is None),
                      default=0)
        for what in record[done:flushed]:
            if what:
                safe.write(what)
        done = max(done, flushed)
        cut = safe.copy()
        for what in record[done:place + 1]:
            kept = lose_some(rng, what) if what else None
            if kept:
                cut.write(kept)
        yield Cut(f"reorder-{seed}-{number}", bytes(cut.image.data),
                  cut.committed, True)


# ---- running it

@dataclass
class Setup:
    kernel: Path
    folder: Path        # for disks, best in memory
    out: Path           # for what is kept
    plan: Plan
    kept: int = 0       # findings whose images are kept


def boot(setup: Setup, disk: list[str], program: str) -> None:
    """Boot, run a program, and power off; Finding if that fails."""
    config = qemu.Config(setup.kernel, None, 1, "32M",
                         f"batch run={program}")
    command = qemu.command(config) + disk + [
        "-display", "none", "-monitor", "none", "-serial", "stdio"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BOOT_LIMIT)
    except subprocess.TimeoutExpired as err:
        text = (err.stdout or b"").decode(errors="replace").strip()
        raise Finding(f"no end after {BOOT_LIMIT} s: {text[-300:]}") from err
    if done.returncode:
        text = done.stdout.decode(errors="replace").strip()
        raise Finding(f"{program} ended with status {done.returncode}: "
                      f"{text[-600:]}")


def drive(path: Path, *options: str) -> list[str]:
    return ["-drive", ",".join((f"file={path}", "if=none", "format=raw",
                                "id=x0", *options)),
            "-device", "virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0"]


def record_workload(setup: Setup, start: bytes) -> list[Write | None]:
    disk, log = setup.folder / "start.img", setup.folder / "record"
    disk.write_bytes(start)
    log.write_bytes(b"")
    blocks = ["-blockdev", f"driver=file,node-name=disk,filename={disk}",
              "-blockdev", f"driver=file,node-name=log,filename={log}",
              "-blockdev", "driver=blklogwrites,node-name=x0,file=disk,"
              f"log=log,log-sector-size={SECTOR}",
              "-device", "virtio-blk-device,drive=x0,"
              "bus=virtio-mmio-bus.0"]
    boot(setup, blocks, f"/fsscript {SCRIPT_ON_DISK}")
    record = read_record(log)
    end = Disk(start)
    for what in record:
        if what:
            end.write(what)
    if bytes(end.image.data) != disk.read_bytes():
        raise Broken("the record does not lead to the disk that was left")
    expected = len(setup.plan.trees) - 1
    if end.committed != expected:
        raise Finding(f"it took {end.committed} transactions, not {expected}")
    return record


def check(image: Image, expected: Tree, orphans_allowed: bool) -> None:
    findings = Checker(image, orphans_allowed).run()
    if findings:
        raise Finding(f"fsck: {findings[0]} ({len(findings)} findings)")
    tree = image_tree(image)
    # Before init has run, there may be no console; see make_plan().
    if orphans_allowed and "/console" not in tree:
        expected = {path: facts for path, facts in expected.items()
                    if path != "/console"}
    if tree != expected:
        raise Finding(difference(tree, expected))


def try_cut(setup: Setup, cut: Cut) -> str | None:
    """One cut: what is wrong, or None."""
    expected = setup.plan.trees[cut.committed]
    path = setup.folder / f"cut-{cut.name}.img"
    how = "recovered by the host"
    try:
        image = Image(cut.data)
        image.replay()
        check(image, expected, True)
        if not cut.boot:
            return None
        how = "booted"
        path.write_bytes(cut.data)
        boot(setup, drive(path, "cache=unsafe"), "/halt")
        image = Image(path.read_bytes())
        # Only what the boot itself has logged may still be on its way home.
        image.replay(after=cut.committed)
        check(image, expected, False)
    except (Finding, ImageError) as err:
        return (f"cut {cut.name}, {how}: after \""
                f"{setup.plan.lines[cut.committed]}\": {err}"
                + keep(setup, cut, path))
    finally:
        path.unlink(missing_ok=True)
    return None


def keep(setup: Setup, cut: Cut, after: Path) -> str:
    """Save what a cut left, and what the boot made of it; how to look."""
    if setup.kept >= SHOWN:
        return ""
    setup.kept += 1
    setup.out.mkdir(parents=True, exist_ok=True)
    kept = setup.out / f"cut-{cut.name}.img"
    kept.write_bytes(cut.data)
    hint = f"\n  python3 scripts/fsck.py --replay --orphans {kept}"
    if after.exists():
        booted = kept.with_suffix(".booted.img")
        shutil.copyfile(after, booted)
        hint += f"\n  python3 scripts/fsck.py {booted}"
    return hint + (f"\n  python3 scripts/qemu.py --kernel {setup.kernel} "
                   f"--disk {kept}")


class Progress:
    """A line on a terminal that says how far it is; nothing elsewhere."""

    def __init__(self, total: int):
        self.total = total
        self.shown = 0.0

    def tell(self, done: int, found: int) -> None:
        if not sys.stdout.isatty() or time.monotonic() - self.shown < 0.2:
            return
        self.shown = time.monotonic()
        print(f"\r{done}/{self.total} cuts, {found} findings ",
              end="", flush=True)

    def clear(self) -> None:
        if sys.stdout.isatty():
            print("\r\33[K", end="")


def try_all(setup: Setup, cuts: Iterator[Cut], total: int,
            jobs: int) -> tuple[int, int, list[str]]:
    """Cuts tried, boots among them, and findings."""
    progress = Progress(total)
    done = boots = 0
    findings: list[str] = []
    running: set[concurrent.futures.Future] = set()

    def collect(when: str) -> None:
        nonlocal running
        ready, running = concurrent.futures.wait(running, return_when=when)
        findings.extend(filter(None, (job.result() for job in ready)))
        progress.tell(done - len(running), len(findings))

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool, \
            contextlib.ExitStack() as undo:
        # Interrupted: what waits for its turn need not come to it.
        undo.callback(pool.shutdown, wait=False, cancel_futures=True)
        for cut in cuts:
            # A cut holds a whole disk: make few ahead of their turn.
            if len(running) >= 2 * jobs:
                collect(concurrent.futures.FIRST_COMPLETED)
            running.add(pool.submit(try_cut, setup, cut))
            done += 1
            boots += cut.boot
        collect(concurrent.futures.ALL_COMPLETED)
    progress.clear()
    return done, boots, findings


def make_start(fsimg: Path) -> bytes:
    """A small disk with the programs of the real one."""
    whole = Image.load(fsimg)
    names = {name.rstrip(b"\0").decode(errors="replace"): inum
             for inum, name in whole.entries(whole.inode(ROOTINO))}
    builder = mkfs.Builder(BLOCKS, INODES)
    for name in ("init", "halt", "fsscript"):
        if name not in names:
            raise Broken(f"{fsimg} has no /{name}; build it with `make`")
        builder.add_file(f"/{name}", whole.contents(whole.inode(names[name])))
    builder.add_file(SCRIPT_ON_DISK, SCRIPT.read_bytes())
    for i in range(FILLERS):
        builder.add_file(f"/many/a{i:02}", b"")
    return builder.finish()


def run(args: argparse.Namespace) -> int:
    started = time.monotonic()
    qemu.check_tools()
    qemu.check_files(qemu.Config(args.kernel, args.image))
    start = make_start(args.image)
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="powercut-", dir=place) as folder:
        setup = Setup(args.kernel, Path(folder), args.out,
                      make_plan(Image(start), SCRIPT.read_text()))
        try:
            record = record_workload(setup, start)
        except Finding as err:
            print(f"powercut: FAIL: the workload without a cut: {err}")
            return 1
        writes = sum(1 for what in record if what)
        total = writes + 1 + args.reorder
        print(f"powercut: {len(setup.plan.trees) - 1} transactions, {writes} "
              f"block writes, {len(record) - writes} flushes, seed "
              f"{args.seed}", flush=True)

        def cuts() -> Iterator[Cut]:
            yield from prefixes(start, record, args.every)
            yield from reorders(start, record, args.reorder, args.seed)

        if args.cut:
            return one_cut(setup, cuts(), args.cut)
        done, boots, findings = try_all(setup, cuts(), total, args.jobs)
    for finding in findings[:SHOWN]:
        print(f"powercut: {finding}")
    if findings[SHOWN:]:
        print(f"powercut: and {len(findings) - SHOWN} more")
    print(f"powercut: {'FAIL' if findings else 'OK'}: {done} cuts "
          f"({args.reorder} with lost writes), {boots} booted, "
          f"{len(findings)} findings, {time.monotonic() - started:.0f} s")
    return 1 if findings else 0


def one_cut(setup: Setup, cuts: Iterator[Cut], name: str) -> int:
    for cut in cuts:
        if cut.name == name:
            cut.boot = True
            print(f"powercut: cut {name}, after \""
                  f"{setup.plan.lines[cut.committed]}\""
                  + keep(setup, cut, Path("/nonexistent")))
            wrong = try_cut(setup, cut)
            print(f"powercut: {wrong or 'OK'}")
            return 1 if wrong else 0
    raise Broken(f"--cut {name}: there is none of that name")


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
    return int(text)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kernel", type=Path,
                        default=Path("build/plain/kernel"))
    parser.add_argument("--image", "--fsimg", type=Path,
                        help="default: fs.img beside the kernel")
    parser.add_argument("--every", type=positive, default=1)
    parser.add_argument("--reorder", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=positive,
                        default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cut", metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("build/powercut"))
    args = parser.parse_args(argv)
    args.image = args.image or args.kernel.with_name("fs.img")
    qemu.end_with_grace()
    try:
        return run(args)
    except KeyboardInterrupt:
        print("powercut: interrupted", file=sys.stderr)
        return 2
    except (Broken, qemu.Broken, ImageError, OSError) as err:
        print(f"powercut: {err}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
