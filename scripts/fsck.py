#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Check a file system image; nothing in it is trusted.

Usage: fsck.py [--replay] [--orphans] IMAGE
  --replay   look at the image as it is after the log has been written home,
             as the next boot would do (the image itself is not changed)
  --orphans  inodes without links are allowed: a power cut leaves them, and
             the next boot frees them
Exit:  0 clean, 1 findings (one line each), 2 the image cannot be read.
"""
import argparse
import sys
from collections import Counter
from pathlib import Path

from fsimage import (BITS, BSIZE, DIRENT, DIRSIZ, FSMAGIC, IPB, LOGAREAS,
                     LOGAREASIZE, MAXFILE, NDIRECT, ROOTINO, T_DEVICE, T_DIR,
                     T_FILE, Image, ImageError)

KINDS = {T_DIR: "directory", T_FILE: "file", T_DEVICE: "device"}


class Checker:
    """One check of one image; findings gathers the lines."""

    def __init__(self, image: Image, orphans_allowed: bool = False):
        self.image = image
        self.orphans_allowed = orphans_allowed
        self.findings: list[str] = []
        self.inodes: dict[int, dict] = {}       # those in use
        self.owner: dict[int, str] = {}         # of each block in use
        self.links: Counter[int] = Counter()    # entries that name an inode
        self.reached: set[int] = set()          # directories, from the root

    def note(self, text: str) -> None:
        self.findings.append(text)

    def run(self) -> list[str]:
        if self.check_superblock():
            self.check_log()
            self.check_inodes()
            self.check_bitmap()
            self.check_tree()
            self.check_links()
        return self.findings

    # ---- the parts

    def check_superblock(self) -> bool:
        """False if it makes no sense to look further."""
        sb = self.image.sb
        if sb["magic"] != FSMAGIC:
            self.note(f"superblock: magic is {sb['magic']:#x}, "
                      f"not {FSMAGIC:#x}")
            return False
        inode_blocks = -(-sb["ninodes"] // IPB)
        wrong = {
            "size": not 0 < sb["size"] <= min(BITS, self.image.nblocks),
            "ninodes": not ROOTINO < sb["ninodes"] <= 0xffff,
            "nlog": sb["nlog"] < LOGAREAS * LOGAREASIZE,
            "logstart": sb["logstart"] < 2,
            "inodestart": sb["inodestart"] < sb["logstart"] + sb["nlog"],
            "bmapstart": not (sb["inodestart"] + inode_blocks
                              <= sb["bmapstart"] < sb["size"]),
            "nblocks": sb["nblocks"] != sb["size"] - sb["bmapstart"] - 1,
        }
        for field, bad in wrong.items():
            if bad:
                self.note(f"superblock: {field} cannot be {sb[field]}")
        return not any(wrong.values())

    def check_log(self) -> None:
        sb = self.image.sb
        last: dict[int, bytes] = {}
        for logged in self.image.transactions():
            last |= logged.blocks
        away = 0
        for number, data in last.items():
            if not sb["inodestart"] <= number < sb["size"]:
                self.note(f"log: block {number} has no home")
            elif self.image.block(number) != data:
                away += 1
        if away:
            self.note(f"log: {away} blocks are not at home yet: use --replay, "
                      "or boot it")

    def check_inodes(self) -> None:
        for inum in range(self.image.sb["ninodes"]):
            inode = self.image.inode(inum)
            if inode["type"] == 0 or inum == 0:
                if any(inode["addrs"]) or any(
                        value for field, value in inode.items()
                        if field != "addrs"):
                    self.note(f"inode {inum}: free, but not empty")
                continue
            if inode["type"] not in KINDS:
                self.note(f"inode {inum}: no such type: {inode['type']}")
                continue
            self.inodes[inum] = inode
            self.check_inode(inum, inode)

    def check_inode(self, inum: int, inode: dict) -> None:
        kind = KINDS[inode["type"]]
        size = inode["size"]
        where = f"inode {inum} ({kind})"
        if size > MAXFILE * BSIZE:
            self.note(f"{where}: size is {size}, the most is "
                      f"{MAXFILE * BSIZE}")
            size = MAXFILE * BSIZE
        if inode["type"] == T_DEVICE and size:
            self.note(f"{where}: has a size: {size}")
        if inode["type"] == T_DIR and size % DIRENT.size:
            self.note(f"{where}: size {size} is no multiple of an entry's")
        if inode["nlink"] < 0:
            self.note(f"{where}: link count is {inode['nlink']}")

        count = -(-size // BSIZE)
        numbers = inode["addrs"][:NDIRECT]
        indirect = inode["addrs"][NDIRECT]
        if count > NDIRECT and self.claim(indirect, f"{where}, indirect"):
            numbers = numbers + self.image.indirect(inode)
        elif count <= NDIRECT and indirect:
            self.note(f"{where}: has an indirect block, {indirect}, "
                      "but is too short for one")
        for index, number in enumerate(numbers):
            if index < count:
                self.claim(number, f"{where}, block {index}")
            elif number:
                self.note(f"{where}: block {index}, {number}, "
                          "is beyond the end")

    def claim(self, number: int, who: str) -> bool:
        """Block `number` belongs to who; false if that cannot be."""
        if not self.image.first_data <= number < self.image.sb["size"]:
            self.note(f"{who}: {number} is no data block")
        elif number in self.owner:
            self.note(f"block {number}: used twice, by {self.owner[number]} "
                      f"and {who}")
        else:
            self.owner[number] = who
            return True
        return False

    def check_bitmap(self) -> None:
        sb = self.image.sb
        bits = int.from_bytes(self.image.block(sb["bmapstart"]), "little")
        for number in range(BITS):
            marked = bool(bits >> number & 1)
            used = number < self.image.first_data or number in self.owner
            if marked and not used:
                self.note(f"bitmap: block {number} is marked, but not used")
            elif used and not marked:
                self.note(f"bitmap: block {number} is used, but not marked")

    def check_tree(self) -> None:
        root = self.inodes.get(ROOTINO)
        if root is None or root["type"] != T_DIR:
            self.note("tree: the root is not a directory")
            return
        todo = [(ROOTINO, ROOTINO, "/")]
        self.links[ROOTINO] += 1        # as if a parent named it
        self.reached.add(ROOTINO)
        while todo:
            inum, parent, path = todo.pop()
            todo += self.check_folder(inum, parent, path)

    def check_folder(self, inum: int, parent: int,
                     path: str) -> list[tuple[int, int, str]]:
        """Check the entries of a directory; the directories in it."""
        entries = self.image.entries(self.inodes[inum])
        dots = [(number, name.rstrip(b"\0")) for number, name in entries[:2]]
        if dots[:1] != [(inum, b".")]:
            self.note(f"{path}: the first entry is not \".\", itself")
        if dots[1:] != [(parent, b"..")]:
            self.note(f"{path}: the second entry is not \"..\", its parent")
        if inum != ROOTINO and dots[1:] == [(parent, b"..")]:
            self.links[parent] += 1

        below = []
        seen = set()
        for number, raw in entries[2:]:
            name = raw.split(b"\0")[0]
            child = path + name.decode("ascii", "backslashreplace")
            if (not name or b"/" in name or name in (b".", b"..")
                    or raw != name.ljust(DIRSIZ, b"\0")):
                self.note(f"{path}: {raw!r} is not a name")
            if name in seen:
                self.note(f"{child}: the name is there twice")
            seen.add(name)
            if number not in self.inodes:
                self.note(f"{child}: names inode {number}, which is not "
                          "in use")
                continue
            self.links[number] += 1
            if self.inodes[number]["type"] != T_DIR:
                continue
            if number in self.reached:
                self.note(f"{child}: directory {number} has another name")
                continue
            self.reached.add(number)
            below.append((number, inum, child + "/"))
        return below

    def check_links(self) -> None:
        for inum, inode in self.inodes.items():
            count, says = self.links[inum], inode["nlink"]
            if count == 0 and says == 0:
                if not self.orphans_allowed:
                    self.note(f"inode {inum}: orphan: in use, but no link")
            elif count == 0:
                self.note(f"inode {inum}: nothing leads to it, but it says "
                          f"{says} links")
            elif count != says:
                self.note(f"inode {inum}: says {says} links, has {count}")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--orphans", action="store_true")
    parser.add_argument("image", type=Path)
    args = parser.parse_args(argv[1:])
    try:
        image = Image.load(args.image)
        if args.replay:
            image.replay()
    except ImageError as err:
        print(f"fsck: {err}", file=sys.stderr)
        return 2
    findings = Checker(image, args.orphans).run()
    for line in findings:
        print(line)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
