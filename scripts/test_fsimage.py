#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of mkfs.py, fsimage.py and fsck.py; no QEMU.

Usage: pytest scripts/test_fsimage.py
"""
import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mkfs
from fsck import Checker
from fsimage import (BSIZE, DINODE, DIRENT, FSMAGIC, FSSIZE, LOG_HEADER,
                     LOGAREAS, MAXFILE, NDIRECT, ROOTINO, SUPERBLOCK, T_DEVICE,
                     T_DIR, T_FILE, Image, ImageError, block_sum)

SCRIPTS = Path(__file__).resolve().parent
BIG = bytes(range(256)) * 80        # 20 blocks: needs an indirect block

# The inode numbers that mkfs gives the files of sample().
SMALL, FOLDER, LARGE, DEEPER, DEEP = 2, 3, 4, 5, 6


def sample() -> Image:
    builder = mkfs.Builder(400, 64)
    builder.add_file("/small", b"hello\n")
    builder.add_file("/folder/large", BIG)
    builder.add_file("/folder/deeper/deep", b"")
    return Image(builder.finish())


def findings(image: Image, orphans: bool = False) -> list[str]:
    return Checker(Image(bytes(image.data)), orphans).run()


def change_inode(image: Image, inum: int, **fields: object) -> None:
    image.set_inode(inum, {**image.inode(inum), **fields})


def change_super(image: Image, **fields: int) -> None:
    at = BSIZE
    image.data[at:at + SUPERBLOCK.size] = SUPERBLOCK.pack(
        {**image.sb, **fields})


def change_entry(image: Image, folder: int, index: int, **fields) -> None:
    at = image.inode(folder)["addrs"][0] * BSIZE + index * DIRENT.size
    entry = DIRENT.unpack(image.data[at:at + DIRENT.size])
    image.data[at:at + DIRENT.size] = DIRENT.pack({**entry, **fields})


def flip_bit(image: Image, block: int) -> None:
    image.data[image.sb["bmapstart"] * BSIZE + block // 8] ^= 1 << block % 8


def set_addr(image: Image, inum: int, index: int, value: int) -> None:
    addrs = list(image.inode(inum)["addrs"])
    addrs[index] = value
    change_inode(image, inum, addrs=addrs)


def add_log(image: Image, blocks: dict[int, bytes], seq: int = 9) -> None:
    """Put a complete transaction into the log, as the kernel does."""
    start = image.log_area(seq % LOGAREAS)
    total = FSMAGIC
    for i, data in enumerate(blocks.values()):
        image.set_block(start + 1 + i, data)
        total = block_sum(total, data)
    homes = list(blocks) + [0] * (LOG_HEADER.fields[-1][2] - len(blocks))
    head = {"head_sum": 0, "data_sum": total, "seq": seq, "n": len(blocks),
            "blocks": homes}
    bare = LOG_HEADER.pack(head).ljust(BSIZE, b"\0")
    head["head_sum"] = block_sum(FSMAGIC, bare)
    image.set_block(start, LOG_HEADER.pack(head).ljust(BSIZE, b"\0"))


def indirect_entry(image: Image, index: int, value: int) -> None:
    at = image.inode(LARGE)["addrs"][NDIRECT] * BSIZE + 4 * index
    struct.pack_into("<I", image.data, at, value)


# ---- what mkfs makes

def test_fresh_image_is_clean_and_holds_what_was_put_in() -> None:
    image = sample()
    assert findings(image) == []
    assert image.contents(image.inode(LARGE)) == BIG
    assert image.contents(image.inode(SMALL)) == b"hello\n"
    names = [name.rstrip(b"\0") for _, name in
             image.entries(image.inode(FOLDER))]
    assert names == [b".", b"..", b"large", b"deeper"]
    assert image.inode(ROOTINO)["nlink"] == 2
    assert image.inode(FOLDER)["nlink"] == 2


def test_same_input_same_image() -> None:
    assert sample().data == sample().data


def test_largest_file_fits_and_one_byte_more_does_not() -> None:
    builder = mkfs.Builder()
    builder.add_file("/max", bytes(MAXFILE * BSIZE))
    assert Checker(Image(builder.finish())).run() == []
    with pytest.raises(ImageError, match=f"at most {MAXFILE * BSIZE}"):
        mkfs.Builder().add_file("/more", bytes(MAXFILE * BSIZE + 1))


def test_folder_of_several_blocks() -> None:
    builder = mkfs.Builder(400, 200)
    for i in range(150):
        builder.add_file(f"/d/{i}", b"")
    assert Checker(Image(builder.finish())).run() == []


@pytest.mark.parametrize("path, why", [
    ("/fifteen_letters", "at most 14"),
    ("/a/fifteen_letters/x", "at most 14"),
    ("relative", "must be like"),
    ("/folder/", "must be like"),
    ("/a/../b", "without dots"),
    ("/small", "of that name already"),
    ("/folder", "of that name already"),
    ("/small/below", "is a file"),
])
def test_bad_paths_are_refused(path: str, why: str) -> None:
    builder = mkfs.Builder(400, 64)
    builder.add_file("/small", b"")
    builder.add_file("/folder/large", b"")
    with pytest.raises(ImageError, match=why):
        builder.add_file(path, b"")


def test_full_disk_and_no_inode_left() -> None:
    with pytest.raises(ImageError, match="too few"):
        mkfs.Builder(100, 64)
    with pytest.raises(ImageError, match="disk full"):
        mkfs.Builder(150, 64).add_file("/f", bytes(BSIZE * 200))
    builder = mkfs.Builder(400, 4)
    builder.add_file("/1", b"")
    builder.add_file("/2", b"")
    with pytest.raises(ImageError, match="no inode left"):
        builder.add_file("/3", b"")


# ---- what fsck finds: each corruption by a line of its own

CORRUPTIONS: list[tuple[Callable[[Image], None], str]] = [
    (lambda i: change_super(i, magic=7), r"superblock: magic is 0x7"),
    (lambda i: change_super(i, size=9000), r"superblock: size cannot"),
    (lambda i: change_super(i, size=0), r"superblock: size cannot be 0"),
    (lambda i: change_super(i, ninodes=0), r"superblock: ninodes"),
    (lambda i: change_super(i, ninodes=1 << 31), r"superblock: ninodes"),
    (lambda i: change_super(i, nlog=3), r"superblock: nlog"),
    (lambda i: change_super(i, logstart=0), r"superblock: logstart"),
    (lambda i: change_super(i, inodestart=4), r"superblock: inodestart"),
    (lambda i: change_super(i, bmapstart=64), r"superblock: bmapstart"),
    (lambda i: change_super(i, nblocks=1), r"superblock: nblocks"),
    (lambda i: add_log(i, {i.first_data: b"x" * BSIZE}),
     r"log: 1 blocks are not at home yet"),
    (lambda i: add_log(i, {1: b"x" * BSIZE}), r"log: block 1 has no home"),
    (lambda i: add_log(i, {1 << 30: b"x" * BSIZE}), r"has no home"),
    (lambda i: change_inode(i, 0, type=T_FILE), r"inode 0: free, but not"),
    (lambda i: change_inode(i, 20, size=5), r"inode 20: free, but not"),
    (lambda i: change_inode(i, SMALL, type=9), r"inode 2: no such type: 9"),
    (lambda i: change_inode(i, SMALL, type=-1), r"inode 2: no such type"),
    (lambda i: change_inode(i, SMALL, size=1 << 31), r"size is 2147483648"),
    (lambda i: change_inode(i, SMALL, nlink=-2), r"link count is -2"),
    (lambda i: change_inode(i, SMALL, type=T_DEVICE), r"has a size: 6"),
    (lambda i: change_inode(i, FOLDER, size=50), r"no multiple of an entry"),
    (lambda i: set_addr(i, SMALL, 0, 0), r"block 0: 0 is no data block"),
    (lambda i: set_addr(i, SMALL, 0, 1), r"block 0: 1 is no data block"),
    (lambda i: set_addr(i, SMALL, 0, 1 << 31), r"2147483648 is no data"),
    (lambda i: set_addr(i, SMALL, 3, 300), r"block 3, 300, is beyond"),
    (lambda i: set_addr(i, SMALL, NDIRECT, 300), r"too short for one"),
    (lambda i: set_addr(i, LARGE, NDIRECT, 3), r"indirect: 3 is no data"),
    (lambda i: set_addr(i, SMALL, 0, i.inode(LARGE)["addrs"][1]),
     r"block \d+: used twice, by inode 2 .* and inode 4 .*, block 1"),
    (lambda i: indirect_entry(i, 0, 0), r"block 12: 0 is no data block"),
    (lambda i: indirect_entry(i, 9, 77), r"block 21, 77, is beyond"),
    (lambda i: flip_bit(i, 1), r"bitmap: block 1 is used, but not marked"),
    (lambda i: flip_bit(i, 350), r"bitmap: block 350 is marked, but not"),
    (lambda i: flip_bit(i, 5000), r"bitmap: block 5000 is marked"),
    (lambda i: flip_bit(i, i.inode(SMALL)["addrs"][0]), r"is used, but not"),
    (lambda i: change_inode(i, ROOTINO, type=T_FILE), r"root is not a dir"),
    (lambda i: change_entry(i, FOLDER, 0, inum=1), r'first entry is not "\."'),
    (lambda i: change_entry(i, FOLDER, 0, name=b"x"), r"first entry is not"),
    (lambda i: change_entry(i, FOLDER, 1, inum=2), r"second entry is not"),
    (lambda i: change_entry(i, ROOTINO, 2, name=b""), r"is not a name"),
    (lambda i: change_entry(i, ROOTINO, 2, name=b"a/b"), r"is not a name"),
    (lambda i: change_entry(i, ROOTINO, 2, name=b".."), r"is not a name"),
    (lambda i: change_entry(i, ROOTINO, 2, name=b"a\0b"), r"is not a name"),
    (lambda i: change_entry(i, ROOTINO, 2, name=b"folder"),
     r"/folder: the name is there twice"),
    (lambda i: change_entry(i, ROOTINO, 2, inum=33), r"names inode 33, which"),
    (lambda i: change_entry(i, ROOTINO, 2, inum=65535), r"names inode 65535"),
    (lambda i: change_entry(i, FOLDER, 2, inum=ROOTINO), r"has another name"),
    (lambda i: change_entry(i, FOLDER, 2, inum=FOLDER), r"has another name"),
    (lambda i: change_entry(i, ROOTINO, 2, inum=0),
     r"inode 2: nothing leads to it, but it says 1"),
    (lambda i: change_inode(i, SMALL, nlink=2), r"says 2 links, has 1"),
    (lambda i: change_inode(i, FOLDER, nlink=1), r"says 1 links, has 2"),
    (lambda i: change_inode(i, 30, type=T_FILE), r"inode 30: orphan"),
]


@pytest.mark.parametrize("number", range(len(CORRUPTIONS)))
def test_corruption_is_found(number: int) -> None:
    corrupt, line = CORRUPTIONS[number]
    image = sample()
    corrupt(image)
    found = findings(image)
    assert any(re.search(line, text) for text in found), found


def test_orphans_can_be_allowed() -> None:
    image = sample()
    change_inode(image, 30, type=T_DIR)
    assert findings(image, orphans=True) == []


def test_garbage_raises_nothing() -> None:
    """fsck must survive whatever it is given, and say what is wrong."""
    rng = random.Random(1)
    for _ in range(60):
        image = sample()
        sb = image.sb
        low, high = rng.choice((
            (1, 2), (sb["logstart"], sb["logstart"] + 1),
            (sb["inodestart"], sb["inodestart"] + 1),
            (image.first_data, image.first_data + 30)))
        for _ in range(rng.choice((1, 30, 3000))):
            at = rng.randrange(low * BSIZE, high * BSIZE)
            image.data[at] = rng.choice((0, 255, rng.randrange(256)))
        changed = Image(bytes(image.data))
        changed.replay()
        Checker(changed).run()
    for size in (2 * BSIZE, 2 * BSIZE + 1, 70 * BSIZE):
        noise = bytearray(rng.randbytes(size))
        Checker(Image(bytes(noise))).run()
        noise[BSIZE:2 * BSIZE] = sample().block(1)
        assert Checker(Image(bytes(noise))).run()


# ---- the log

def text_block(text: bytes) -> bytes:
    return text.ljust(BSIZE, b"\0")


def test_replay_brings_a_complete_transaction_home() -> None:
    image = sample()
    add_log(image, {image.inode(SMALL)["addrs"][0]: text_block(b"other\n")})
    image.replay(after=9)
    assert image.contents(image.inode(SMALL)) == b"hello\n"
    image.replay()
    assert image.contents(image.inode(SMALL)) == b"other\n"
    assert findings(image) == []


@pytest.mark.parametrize("older, newer", [(8, 9), (9, 10)])
def test_replay_writes_the_newer_transaction_last(older: int,
                                                  newer: int) -> None:
    image = sample()
    small = image.inode(SMALL)["addrs"][0]
    large = image.inode(LARGE)["addrs"][0]
    add_log(image, {small: text_block(b"older\n"),
                    large: text_block(b"older\n")}, older)
    add_log(image, {small: text_block(b"newer\n")}, newer)
    assert [one.seq for one in image.transactions()] == [older, newer]
    image.replay()
    assert image.contents(image.inode(SMALL)) == b"newer\n"
    assert image.contents(image.inode(LARGE))[:6] == b"older\n"
    assert findings(image) == []


def test_a_torn_transaction_is_ignored() -> None:
    for at in (0, 8, 24, 40, BSIZE - 1, BSIZE, 2 * BSIZE - 1):
        image = sample()
        add_log(image, {image.first_data: b"x" * BSIZE})
        image.data[image.log_area(1) * BSIZE + at] ^= 1
        before = bytes(image.data)
        image.replay()
        assert image.data == before
        assert findings(image) == []


# ---- the programs

def program(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(SCRIPTS / words[0]),
                           *words[1:]], capture_output=True, text=True,
                          timeout=60)


def test_programs_agree_and_tell_by_exit_status(tmp_path: Path) -> None:
    host, image = tmp_path / "host", tmp_path / "fs.img"
    host.write_bytes(BIG)
    assert program("mkfs.py", str(image), f"{host}:/a/b/c").returncode == 0
    assert image.stat().st_size == FSSIZE * BSIZE
    assert program("fsck.py", str(image)).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.name[0] == "."
            ] == []

    damaged = Image.load(image)
    change_inode(damaged, ROOTINO, nlink=7)
    image.write_bytes(damaged.data)
    done = program("fsck.py", str(image))
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)


@pytest.mark.parametrize("words, why", [
    (["mkfs.py", "{}/i", "nowhere"], "write HOSTFILE:/path"),
    (["mkfs.py", "{}/i", "{}/none:/x"], "No such file"),
    (["mkfs.py", "{}/no/i"], "No such file"),
    (["mkfs.py"], "Usage"),
    (["fsck.py", "{}/none"], "No such file"),
    (["fsck.py", "{}/short"], "too short"),
    (["fsck.py"], "usage"),
])
def test_one_line_says_what_is_broken(tmp_path: Path, words: list[str],
                                      why: str) -> None:
    (tmp_path / "short").write_bytes(b"abc")
    done = program(*(word.format(tmp_path) for word in words))
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_layout_is_that_of_the_headers() -> None:
    assert (DINODE.size, DIRENT.size, BSIZE) == (64, 16, 1024)
    assert LOG_HEADER.size <= BSIZE
