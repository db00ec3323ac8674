#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make a file system image.

Usage: mkfs.py IMAGE [HOSTFILE:/path ...]
Exit:  0 done, 2 it cannot be done (the message says why).

Folders on the way to a path are made as needed.  The same input gives the
same image, byte for byte.  The image is written beside its place and then
renamed, so there is never half of one.
"""
import os
import struct
import sys
from pathlib import Path


from fsimage import (BITS, BSIZE, DIRENT, DIRSIZ, FSMAGIC, FSSIZE,
                     IPB, LOGAREAS, LOGAREASIZE, MAXFILE, NDIRECT, NINDIRECT,
                     ROOTINO, SUPERBLOCK, T_DIR, T_FILE, Image, ImageError)

INODES = 512


class Builder:
    """An image that is being filled.  Folders are written at the end."""

    def __init__(self, size: int = FSSIZE, inodes: int = INODES):
        if size > BITS:
            raise ImageError(f"more than {BITS} blocks need a second bitmap")
        logstart = 2
        nlog = LOGAREAS * LOGAREASIZE
        inodestart = logstart + nlog
        bmapstart = inodestart + -(-inodes // IPB)
        if size <= bmapstart:
            raise ImageError(f"{size} blocks: too few for a file system")
        data = bytearray(size * BSIZE)
        data[BSIZE:BSIZE + SUPERBLOCK.size] = SUPERBLOCK.pack({
            "magic": FSMAGIC, "size": size, "nblocks": size - bmapstart - 1,
            "ninodes": inodes, "nlog": nlog, "logstart": logstart,
            "inodestart": inodestart, "bmapstart": bmapstart})
        self.image = Image(bytes(data))
        self.next_block = bmapstart + 1
        self.next_inode = ROOTINO
        # For each folder its entries; its own number is that of ".".
        root = self._new_inode()
        self.folders = {"/": {".": root, "..": root}}

    def _new_inode(self) -> int:
        if self.next_inode == self.image.sb["ninodes"]:
            raise ImageError("no inode left")
        self.next_inode += 1
        return self.next_inode - 1

    def _new_block(self, data: bytes) -> int:
        if self.next_block == self.image.sb["size"]:
            raise ImageError("disk full")
        self.image.set_block(self.next_block, data.ljust(BSIZE, b"\0"))
        self.next_block += 1
        return self.next_block - 1

    def _write(self, inum: int, kind: int, nlink: int, data: bytes) -> None:
        if len(data) > MAXFILE * BSIZE:
            raise ImageError(f"{len(data)} bytes: a file has at most "
                             f"{MAXFILE * BSIZE}")
        addrs = [self._new_block(data[at:at + BSIZE])
                 for at in range(0, len(data), BSIZE)]
        direct, rest = addrs[:NDIRECT], addrs[NDIRECT:]
        direct += [0] * (NDIRECT - len(direct))
        rest_block = 0
        if rest:
            rest += [0] * (NINDIRECT - len(rest))
            rest_block = self._new_block(struct.pack(f"<{NINDIRECT}I", *rest))
        self.image.set_inode(inum, {
            "type": kind, "nlink": nlink, "size": len(data),
            "addrs": direct + [rest_block]})

    def _enter(self, path: str) -> tuple[dict[str, int], str]:
        """The folder of an absolute path, made if need be, and its name."""
        *way, name = [part for part in path.split("/") if part]
        at = "/"
        for part in way:
            at = self.make_folder(at, part)
        return self.folders[at], self._check_name(name)

    @staticmethod
    def _check_name(name: str) -> str:
        if len(name.encode()) > DIRSIZ:
            raise ImageError(f"{name}: names have at most {DIRSIZ} characters")
        if name in (".", ".."):
            raise ImageError(f"{name}: give the path without dots")
        return name

    def make_folder(self, parent: str, name: str) -> str:
        """Make a folder unless it is there; its path."""
        path = parent + name + "/"
        entries = self.folders[parent]
        if path in self.folders:
            return path
        if self._check_name(name) in entries:
            raise ImageError(f"{parent}{name} is a file")
        inum = self._new_inode()
        entries[name] = inum
        self.folders[path] = {".": inum, "..": entries["."]}
        return path

    def add_file(self, path: str, data: bytes) -> None:
        if not path.startswith("/") or path.endswith("/"):
            raise ImageError("the path in the image must be like /bin/name")
        entries, name = self._enter(path)
        if name in entries:
            raise ImageError("there is one of that name already")
        entries[name] = self._new_inode()
        self._write(entries[name], T_FILE, 1, data)

    def finish(self) -> bytes:
        """Write folders and bitmap; the whole image."""
        for path, entries in self.folders.items():
            data = b"".join(DIRENT.pack({"inum": inum, "name": name.encode()})
                            for name, inum in entries.items())
            below = sum(1 for other in self.folders
                        if other != path and other.startswith(path)
                        and other.count("/") == path.count("/") + 1)
            self._write(entries["."], T_DIR, 1 + below, data)
        used = (1 << self.next_block) - 1
        self.image.set_block(self.image.sb["bmapstart"],
                             used.to_bytes(BSIZE, "little"))
        return bytes(self.image.data)


def build(files: list[str]) -> bytes:
    builder = Builder()
    for spec in files:
        host, colon, path = spec.rpartition(":")
        if not colon or not host:
            raise ImageError(f"{spec}: write HOSTFILE:/path")
        try:
            builder.add_file(path, Path(host).read_bytes())
        except OSError as err:
            raise ImageError(f"{host}: {err.strerror}") from err
        except ImageError as err:
            raise ImageError(f"{spec}: {err}") from err
    return builder.finish()


def write_image(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as err:
        draft.unlink(missing_ok=True)
        raise ImageError(f"{path}: {err.strerror}") from err


def main(argv: list[str]) -> int:
    if len(argv) < 2 or argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        write_image(Path(argv[1]), build(argv[2:]))
    except ImageError as err:
        print(f"mkfs: {err}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
