#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The file system on disk, for the scripts: its layout, images, the log.

The layout is read from the kernel's own headers, so there is nothing here to
keep in step with them but the checksum of the log.  Usable as a module only.
"""
import re
import struct
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADERS = ("kernel/param.h", "kernel/stat.h", "kernel/fs.h",
           "kernel/file/log.h")

# C types that the structs on disk use: struct's letter and the size.
CTYPES = {"u64": ("Q", 8), "u32": ("I", 4), "uint": ("I", 4),
          "short": ("h", 2), "ushort": ("H", 2), "char": ("s", 1)}

MASK = (1 << 64) - 1


class ImageError(Exception):
    """Something that a user can be told in one line."""


class Record:
    """A C struct: turns bytes into a dict of its fields and back."""

    def __init__(self, name: str, fields: list[tuple[str, str, int]]):
        letters = "<"
        offset = 0
        self.name = name
        self.fields = fields
        for ctype, field, count in fields:
            letter, size = CTYPES[ctype]
            if offset % size:
                raise ImageError(f"struct {name}: {field} is not aligned")
            letters += f"{count or ''}{letter}"
            offset += size * (count or 1)
        self.codec = struct.Struct(letters)
        self.size = self.codec.size

    def unpack(self, data: bytes) -> dict:
        values = list(self.codec.unpack_from(data))
        out = {}
        for ctype, field, count in self.fields:
            if count and ctype != "char":
                out[field], values = values[:count], values[count:]
            else:
                out[field] = values.pop(0)
        return out

    def pack(self, record: dict) -> bytes:
        flat = []
        for ctype, field, count in self.fields:
            value = record.get(field, [0] * count if count else 0)
            if count and ctype != "char":
                flat += value
            else:
                flat.append(value)
        return self.codec.pack(*flat)


class Layout:
    """The constants and structs that the headers define."""

    def __init__(self, root: Path = ROOT):
        text = "\n".join((root / name).read_text() for name in HEADERS)
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        self.macros = dict(re.findall(
            r"^#define[ \t]+(\w+)[ \t]+(\S.*)$", text, re.M))
        self.records: dict[str, Record] = {}
        for name, body in re.findall(r"struct (\w+) \{(.*?)\n\};", text, re.S):
            self._add_record(name, body)

    def _add_record(self, name: str, body: str) -> None:
        fields = []
        for ctype, field, count in re.findall(
                r"(\w+)\s+(\w+)(?:\[([^\]]+)\])?;", body):
            if ctype not in CTYPES:
                return          # not one that is stored on disk
            fields.append((ctype, field, self.value(count) if count else 0))
        self.records[name] = Record(name, fields)

    def value(self, expression: str) -> int:
        """Evaluate a constant expression of the headers."""
        def sizeof(match: re.Match) -> str:
            kind = match[1].split()
            if kind[0] == "struct":
                return str(self.records[kind[1]].size)
            return str(CTYPES[kind[0]][1])

        expression = re.sub(r"sizeof\(([\w ]+)\)", sizeof, expression)
        names = set(re.findall(r"\b[A-Za-z_]\w*\b", expression))
        known = {name: self.value(self.macros[name]) for name in names}
        if not re.fullmatch(r"[\w\s()+*/-]+", expression):
            raise ImageError(f"cannot evaluate {expression!r}")
        return int(eval(expression.replace("/", "//"),
                        {"__builtins__": {}}, known))

    def __getitem__(self, macro: str) -> int:
        return self.value(self.macros[macro])


LAYOUT = Layout()
BSIZE = LAYOUT["BSIZE"]
NDIRECT = LAYOUT["NDIRECT"]
NINDIRECT = LAYOUT["NINDIRECT"]
MAXFILE = LAYOUT["MAXFILE"]
DIRSIZ = LAYOUT["DIRSIZ"]
ROOTINO = LAYOUT["ROOTINO"]
FSMAGIC = LAYOUT["FSMAGIC"]
FSSIZE = LAYOUT["FSSIZE"]
LOGBLOCKS = LAYOUT["LOGBLOCKS"]
LOGAREAS, LOGAREASIZE = LAYOUT["LOGAREAS"], LAYOUT["LOGAREASIZE"]
IPB = LAYOUT["IPB"]
T_DIR, T_FILE, T_DEVICE = LAYOUT["T_DIR"], LAYOUT["T_FILE"], LAYOUT["T_DEVICE"]
SUPERBLOCK = LAYOUT.records["superblock"]
DINODE = LAYOUT.records["dinode"]
DIRENT = LAYOUT.records["dirent"]
LOG_HEADER = LAYOUT.records["log_header"]
BITS = BSIZE * 8                # blocks that one bitmap block speaks for


def block_sum(total: int, block: bytes) -> int:
    """Mix a block into a checksum, as the kernel's file/log.c does."""
    for (word,) in struct.iter_unpack("<Q", block):
        total = ((total ^ word) * 0x9E3779B97F4A7C15) & MASK
        total ^= total >> 32
    return total


@dataclass
class Transaction:
    """What the log holds: where blocks belong, and their contents."""
    seq: int
    blocks: dict[int, bytes]


class Image:
    """A disk image in memory.  Reads what is there, however wrong it is."""

    def __init__(self, data: bytes):
        self.data = bytearray(data)
        self.nblocks = len(data) // BSIZE
        if self.nblocks < 2:
            raise ImageError("too short to be a file system")
        self.sb = SUPERBLOCK.unpack(self.block(1))

    @classmethod
    def load(cls, path: Path) -> "Image":
        try:
            return cls(path.read_bytes())
        except OSError as err:
            raise ImageError(f"{path}: {err.strerror}") from err
        except ImageError as err:
            raise ImageError(f"{path}: {err}") from err

    def block(self, number: int) -> bytes:
        """The contents of a block; zeroes beyond the end of the image."""
        data = self.data[number * BSIZE:(number + 1) * BSIZE]
        return bytes(data).ljust(BSIZE, b"\0")

    def set_block(self, number: int, data: bytes) -> None:
        if not 0 <= number < self.nblocks or len(data) != BSIZE:
            raise ImageError(f"block {number} is not in the image")
        self.data[number * BSIZE:(number + 1) * BSIZE] = data

    @property
    def first_data(self) -> int:
        return self.sb["bmapstart"] + 1

    def _inode_at(self, inum: int) -> int:
        return self.sb["inodestart"] * BSIZE + inum * DINODE.size

    def inode(self, inum: int) -> dict:
        at = self._inode_at(inum)
        raw = bytes(self.data[at:at + DINODE.size]).ljust(DINODE.size, b"\0")
        return DINODE.unpack(raw)

    def set_inode(self, inum: int, inode: dict) -> None:
        at = self._inode_at(inum)
        self.data[at:at + DINODE.size] = DINODE.pack(inode)

    def indirect(self, inode: dict) -> list[int]:
        """The numbers in an inode's indirect block, or none."""
        number = inode["addrs"][NDIRECT]
        if not self.first_data <= number < self.nblocks:
            return [0] * NINDIRECT
        return list(struct.unpack(f"<{NINDIRECT}I", self.block(number)))

    def contents(self, inode: dict) -> bytes:
        """What a file holds, as far as its blocks can be followed."""
        size = min(inode["size"], MAXFILE * BSIZE)
        count = -(-size // BSIZE)
        numbers = inode["addrs"][:NDIRECT]
        if count > NDIRECT:
            numbers = numbers + self.indirect(inode)
        return b"".join(map(self.block, numbers[:count]))[:size]

    def entries(self, inode: dict) -> list[tuple[int, bytes]]:
        """The entries of a directory in use: inode numbers and raw names."""
        data = self.contents(inode)
        out = []
        for at in range(0, len(data) - DIRENT.size + 1, DIRENT.size):
            entry = DIRENT.unpack(data[at:at + DIRENT.size])
            if entry["inum"]:
                out.append((entry["inum"], entry["name"]))
        return out

    def _transaction(self, start: int) -> Transaction | None:
        """What an area of the log holds, if it is complete."""
        raw = self.block(start)
        head = LOG_HEADER.unpack(raw)
        bare = LOG_HEADER.pack({**head, "head_sum": 0})
        bare += raw[LOG_HEADER.size:]
        if head["head_sum"] != block_sum(FSMAGIC, bare):
            return None
        if not head["seq"] or head["n"] > LOGBLOCKS:
            return None
        homes = head["blocks"][:head["n"]]
        contents = [self.block(start + 1 + i) for i in range(head["n"])]
        total = FSMAGIC
        for data in contents:
            total = block_sum(total, data)
        if total != head["data_sum"]:
            return None
        return Transaction(head["seq"], dict(zip(homes, contents)))

    def log_area(self, number: int) -> int:
        """The first block of an area of the log."""
        return self.sb["logstart"] + number * LOGAREASIZE

    def transactions(self) -> list[Transaction]:
        """The complete transactions in the log, the older first."""
        found = (self._transaction(self.log_area(i)) for i in range(LOGAREAS))
        return sorted(filter(None, found), key=lambda one: one.seq)

    def replay(self, after: int = 0) -> None:
        """Write transactions in the log home, as the kernel does at boot.

        Only those with a number above `after`.
        """
        for one in self.transactions():
            for number, data in one.blocks.items():
                if one.seq > after and number < self.nblocks:
                    self.set_block(number, data)
