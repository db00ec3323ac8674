/* SPDX-License-Identifier: MIT */
/*
 * fsstorm - files and directories under many hands.
 *
 * Aimed at: contents that end up in another file, or of another writer;
 * names that are lost, doubled or listed twice while others come and go;
 * link counts that differ from the names there are; a rename that is seen
 * half done; files that die before their last close, or never; what a
 * writer leaves that is killed in the middle; blocks and inodes that leak.
 *
 * Every byte of a file follows from its tag and its place, so any part of
 * any file can be checked on its own.
 */
#include "stress/lib/stress.h"

enum {
	BLOCK_WORDS = BSIZE / sizeof(uint64),
	STEPS = 6,     /* names that a file moves through */
	OBSERVERS = 3, /* of each moving file */
	NAMES = 6,     /* that all fight for */
	STAYING = 10,  /* names that never change, in the listed directory */
	CRASH_BLOCKS = 24,
	MANY = 20000,    /* more than there can be blocks or inodes */
	COUNT_SECS = 20, /* runs as long as this count what is left on disk */
};

static uint64 block[BLOCK_WORDS];
static struct gate gate;
static int blocks_before, inodes_before;

/* hands: how many at a time; each may hold an inode or two open. */
static int
hands(void)
{
	return run.children < NINODE / 4 ? run.children : NINODE / 4;
}

/* ---- files with a tag */

static uint64
tag_word(uint64 tag, uint64 word)
{
	return page_word(
		tag * 4096 + word / BLOCK_WORDS, (int)(word % BLOCK_WORDS));
}

/* tag_write: append n bytes, which begin at `off` of the file, to fd. */
static int
tag_write(int fd, uint64 tag, int off, int n)
{
	static uint64 piece[BLOCK_WORDS];
	char *bytes = (char *)piece;

	for (int i = 0; i < n; i++) {
		uint64 word = tag_word(tag, (uint64)(off + i) / 8);

		bytes[i] = (char)(word >> (off + i) % 8 * 8);
	}
	return write(fd, bytes, n);
}

/* tag_check: what is left to read from fd is of this tag; returns bytes. */
static int
tag_check(int fd, uint64 tag)
{
	int off = 0, got;

	while ((got = read(fd, block, sizeof(block))) > 0) {
		uint64 word = 0;

		for (int i = 0; i < got; i++, off++) {
			if (i == 0 || off % 8 == 0)
				word = tag_word(tag, (uint64)off / 8);
			EXPECT(((uchar *)block)[i] ==
					(uchar)(word >> off % 8 * 8),
				"tag %lu: byte %d of the file is wrong", tag,
				off);
		}
	}
	EXPECT(got == 0, "read returned %d at %d", got, off);
	return off;
}

/* tag_file: make a file of `size` bytes, in pieces of random sizes. */
static void
tag_file(const char *name, uint64 tag, int size)
{
	int fd = open(name, O_CREATE | O_RDWR), off = 0;

	EXPECT(fd >= 0, "%s cannot be created", name);
	while (off < size) {
		int n = 1 + below(BSIZE);

		if (n > size - off)
			n = size - off;
		EXPECT(tag_write(fd, tag, off, n) == n,
			"%s: write of %d bytes at %d fell short", name, n, off);
		off += n;
	}
	close(fd);
	run.ops++;
}

static void
expect_file(const char *name, uint64 tag, int size)
{
	int fd = open(name, O_RDONLY), got;

	EXPECT(fd >= 0, "%s is not there", name);
	got = tag_check(fd, tag);
	EXPECT(got == size, "%s has %d bytes, should have %d", name, got, size);
	close(fd);
}

static void
expect_gone(const char *name)
{
	EXPECT(open(name, O_RDONLY) == -1, "%s is there after unlink", name);
}

/* ---- everybody on files of his own */

static void
hermit(int index)
{
	char a[16], b[16];

	do {
		int number = index * 100 + below(100);
		int size = below(6 * BSIZE);

		if (one_in(6)) /* far enough for an indirect block */
			size += NDIRECT * BSIZE;
		file_name(a, "a", number);
		file_name(b, "b", number);
		tag_file(a, (uint64)number, size);
		expect_file(a, (uint64)number, size);
		EXPECT(link(a, b) == 0, "link %s %s failed", a, b);
		EXPECT(link(a, b) == -1, "link to a name that exists");
		EXPECT(unlink(a) == 0, "unlink %s failed", a);
		expect_gone(a);
		expect_file(b, (uint64)number, size);
		EXPECT(unlink(b) == 0, "unlink %s failed", b);
		expect_gone(b);
	} while (more());
}

static void
own(void)
{
	herd(hands(), 1, hermit);
}

/* ---- a file moves from name to name: link the new, unlink the old */

static char *
step_name(char name[16], int file, int step)
{
	return file_name(name, "n", file * (STEPS + 1) + step);
}

static void
mover(int file)
{
	char from[16], to[16];

	for (int step = 0; step < STEPS; step++) {
		step_name(from, file, step);
		step_name(to, file, step + 1);
		EXPECT(link(from, to) == 0, "link %s %s failed", from, to);
		dawdle(2000);
		EXPECT(unlink(from) == 0, "unlink %s failed", from);
	}
	run.ops += STEPS;
}

/*
 * observer: follow the file.  When a name is gone the next one has been
 * there already; so at no moment has it no name.
 */
static void
observer(int file)
{
	char name[16];
	int step = 0, looks = 0;

	while (looks < 3) {
		int fd = open(step_name(name, file, step), O_RDONLY);

		if (fd < 0) {
			EXPECT(step < STEPS, "a file vanished on its way");
			step++;
			continue;
		}
		EXPECT(tag_check(fd, (uint64)file) == 2 * BSIZE,
			"%s has lost bytes", name);
		close(fd);
		looks += step == STEPS;
		run.ops++;
	}
}

static void
move_or_watch(int i)
{
	if (i % (1 + OBSERVERS) == 0)
		mover(i / (1 + OBSERVERS));
	else
		observer(i / (1 + OBSERVERS));
}

static void
moves(void)
{
	int files = (hands() + OBSERVERS) / (1 + OBSERVERS);
	char name[16];

	do {
		for (int f = 0; f < files; f++)
			tag_file(step_name(name, f, 0), (uint64)f, 2 * BSIZE);
		herd(files * (1 + OBSERVERS), 1, move_or_watch);
		for (int f = 0; f < files; f++)
			must_unlink(step_name(name, f, STEPS));
	} while (more());
}

/* ---- all fight for the same few names */

static void
fight_open(const char *name, int tag)
{
	int fd = open(name, O_CREATE | O_RDWR);
	struct stat st;
	int got;

	EXPECT(fd >= 0, "%s cannot be opened nor created", name);
	EXPECT(fstat(fd, &st) == 0 && st.type == T_FILE && st.nlink >= 0 &&
			st.nlink <= NAMES,
		"%s: type %d, %d links", name, st.type, st.nlink);
	got = read(fd, block, sizeof(block));
	EXPECT(got == 0 || got == BSIZE, "%s has %d bytes", name, got);
	for (int i = 1; got != 0 && i < BLOCK_WORDS; i++)
		EXPECT(block[i] == page_word(block[0], i),
			"%s: word %d is of another writer", name, i);
	if (got == 0) { /* each file is one block, written at once */
		for (int i = 1; i < BLOCK_WORDS; i++)
			block[i] = page_word((uint64)tag, i);
		block[0] = (uint64)tag;
		/* Somebody else may have done so: then this is the second. */
		close(fd);
		fd = open(name, O_RDWR);
		if (fd >= 0)
			EXPECT(write(fd, block, BSIZE) == BSIZE,
				"%s cannot be written", name);
	}
	if (fd >= 0)
		close(fd);
}

static void
fighter(int index)
{
	char a[16], b[16];

	for (int turn = 0; turn < 12 || more(); turn++) {
		file_name(a, "s", below(NAMES));
		file_name(b, "s", below(NAMES));
		switch (below(4)) {
		case 0:
		case 1:
			fight_open(a, index * 1000 + turn);
			break;
		case 2:
			link(a, b);
			break;
		case 3:
			unlink(a);
			break;
		}
		run.ops++;
	}
}

/* count_links: the links that an inode has must be the names it has. */
static void
count_links(void)
{
	static struct stat st[NAMES];
	char name[16];

	for (int i = 0; i < NAMES; i++) {
		st[i].ino = 0;
		stat(file_name(name, "s", i), &st[i]);
	}
	for (int i = 0; i < NAMES; i++) {
		int names = 0;

		for (int k = 0; k < NAMES; k++)
			names += st[k].ino == st[i].ino;
		EXPECT(st[i].ino == 0 || st[i].nlink == names,
			"inode %u has %d links and %d names", st[i].ino,
			st[i].nlink, names);
	}
}

static void
fights(void)
{
	char name[16];

	herd(hands(), 1, fighter);
	count_links();
	for (int i = 0; i < NAMES; i++)
		unlink(file_name(name, "s", i));
}

/* ---- writers are killed */

static void
crash_writer(int index)
{
	char name[16], moved[16];

	file_name(name, "c", index);
	file_name(moved, "m", index);
	for (;;) {
		int fd = open(name, O_CREATE | O_RDWR | O_TRUNC);

		EXPECT(fd >= 0, "%s cannot be created", name);
		for (int b = 0; b < CRASH_BLOCKS; b++)
			EXPECT(tag_write(fd, (uint64)index, b * BSIZE, BSIZE) ==
					BSIZE,
				"%s: write fell short", name);
		close(fd);
		if (one_in(2) && link(name, moved) == 0)
			unlink(name);
		if (one_in(2))
			unlink(moved);
	}
}

static void
expect_remains(const char *name, int tag)
{
	int fd = open(name, O_RDONLY), size;

	if (fd < 0)
		return;
	size = tag_check(fd, (uint64)tag);
	EXPECT(size <= CRASH_BLOCKS * BSIZE && size % BSIZE == 0,
		"%s: %d bytes are left of a killed writer", name, size);
	close(fd);
	EXPECT(unlink(name) == 0, "unlink %s failed", name);
}

static void
crashes(void)
{
	static int pid[NINODE];
	int n = hands();
	char name[16];

	do {
		for (int i = 0; i < n; i++)
			pid[i] = spawn(crash_writer, i);
		for (int i = 0; i < n; i++) {
			dawdle(100000);
			kill(pid[i]);
		}
		EXPECT(reap(n, MAY_DIE) == n, "a writer outlived its kill");
		for (int i = 0; i < n; i++) {
			expect_remains(file_name(name, "c", i), i);
			expect_remains(file_name(name, "m", i), i);
		}
		run.ops += n;
	} while (more());
}

/* ---- a directory is listed while names come and go */

static void
lister(void)
{
	int seen[STAYING] = {0}, fd = open(".", O_RDONLY);
	struct dirent de;
	char name[DIRSIZ + 1];

	EXPECT(fd >= 0, "the directory cannot be opened");
	while (read(fd, &de, sizeof(de)) == sizeof(de)) {
		if (de.inum == 0)
			continue;
		memmove(name, de.name, DIRSIZ);
		name[DIRSIZ] = '\0';
		if (name[0] == 'p')
			seen[atoi(name + 1) % STAYING]++;
		else
			EXPECT(name[0] == 'x' || name[0] == '.',
				"a name that nobody made: %s", name);
	}
	close(fd);
	for (int i = 0; i < STAYING; i++)
		EXPECT(seen[i] == 1, "p%d is listed %d times", i, seen[i]);
	run.ops++;
}

static void
list_or_churn(int index)
{
	char name[16];

	for (int turn = 0; turn < 5 || more(); turn++) {
		int fd;

		if (index % 2) {
			lister();
			continue;
		}
		file_name(name, "x", index);
		fd = open(name, O_CREATE | O_WRONLY);
		EXPECT(fd >= 0, "%s cannot be created", name);
		close(fd);
		EXPECT(unlink(name) == 0, "unlink %s failed", name);
	}
}

static void
listing(void)
{
	char name[16];

	for (int i = 0; i < STAYING; i++)
		file_make(file_name(name, "p", i), name, 1);
	herd(hands(), 1, list_or_churn);
	lister();
	for (int i = 0; i < STAYING; i++)
		must_unlink(file_name(name, "p", i));
}

/* ---- unlinked, but open */

static void
reader_of(int fd)
{
	gate_wait(&gate); /* the parent has closed it and made others */
	EXPECT(tag_check(fd, 77) == 3 * BSIZE, "an open file lost bytes");
	run.ops++;
}

static void
undead(int index)
{
	char name[16];

	file_name(name, "u", index);
	do {
		int fd;

		tag_file(name, 77, 3 * BSIZE);
		fd = open(name, O_RDONLY);
		EXPECT(fd >= 0, "%s is not there", name);
		EXPECT(unlink(name) == 0, "unlink %s failed", name);
		gate_make(&gate);
		spawn(reader_of, fd);
		close(fd);
		tag_file(name, 78, 3 * BSIZE);
		gate_open(&gate);
		reap(1, 0);
		expect_file(name, 78, 3 * BSIZE);
		EXPECT(unlink(name) == 0, "unlink %s failed", name);
	} while (more());
}

static void
openfiles(void)
{
	herd((hands() + 1) / 2, 2, undead);
}

/* ---- directories */

static void
settler(int index)
{
	char dir[16];

	file_name(dir, "d", index);
	do {
		EXPECT(mkdir(dir) == 0, "mkdir %s failed", dir);
		EXPECT(mkdir(dir) == -1, "mkdir of what exists");
		EXPECT(chdir(dir) == 0, "chdir %s failed", dir);
		tag_file("house", (uint64)index, 700);
		EXPECT(mkdir("sub") == 0, "mkdir sub failed");
		expect_file("sub/../house", (uint64)index, 700);
		EXPECT(chdir("..") == 0, "chdir .. failed");
		EXPECT(unlink(dir) == -1, "a full directory was removed");
		EXPECT(chdir(dir) == 0, "chdir %s failed", dir);
		EXPECT(unlink("house") == 0, "unlink house failed");
		EXPECT(unlink("sub") == 0, "unlink sub failed");
		EXPECT(unlink(".") == -1 && unlink("..") == -1,
			"a directory lost its dots");
		EXPECT(chdir("..") == 0, "chdir .. failed");
		EXPECT(unlink(dir) == 0, "unlink %s failed", dir);
		EXPECT(chdir(dir) == -1, "%s is there after unlink", dir);
		run.ops += 14;
	} while (more());
}

static void
dirs(void)
{
	herd(hands(), 1, settler);
}

/* ---- directories go while somebody walks through them */

/* Even by exec(), the last to leave frees the directory. */
static void
walk_or_remove(int index)
{
	static char way[] = "l/./././././././././././././././././././nosuch";
	char *argv[] = {way, NULL};

	do {
		if (index == 0) {
			EXPECT(mkdir("l") == 0, "mkdir l failed");
			EXPECT(unlink("l") == 0, "unlink l failed");
		} else {
			EXPECT(exec(way, argv) == -1, "exec of nothing");
		}
		run.ops++;
	} while (more());
}

static void
leaving(void)
{
	herd(4, 1, walk_or_remove);
}

/* ---- what cannot be made is undone, while others make the same inode */

static void
in_vain(int index)
{
	enum { FIRST_BLOCK = 3 }; /* after the inode, on disk and in memory */
	char dir[16];

	EXPECT(mkdir(file_name(dir, "v", index)) == 0, "mkdir %s failed", dir);
	EXPECT(chdir(dir) == 0, "chdir %s failed", dir);
	do {
		failnth(FIRST_BLOCK);
		EXPECT(mkdir("x") == -1, "mkdir worked without a block");
		failnth(0);
		run.ops++;
	} while (more());
	EXPECT(chdir("..") == 0, "chdir .. failed");
	EXPECT(unlink(dir) == 0, "unlink %s failed", dir);
}

static void
undone(void)
{
	herd(hands(), 1, in_vain);
}

/* ---- what is left on the disk */

/* count_inodes: how many files can be created; all are removed again. */
static int
count_inodes(void)
{
	char name[16];
	int n = 0, fd;

	while (n < MANY &&
		(fd = open(file_name(name, "i", n), O_CREATE | O_RDWR)) >= 0) {
		close(fd);
		n++;
	}
	for (int i = 0; i < n; i++)
		must_unlink(file_name(name, "i", i));
	return n;
}

/* count_blocks: how many blocks can be written; all are given back. */
static int
count_blocks(void)
{
	char name[16];
	int total = 0, files = 0, written = 1;

	while (written > 0 && total < MANY) {
		int fd = open(file_name(name, "z", files), O_CREATE | O_RDWR);

		if (fd < 0)
			break;
		files++;
		written = 0;
		while (write(fd, block, BSIZE) == BSIZE)
			written++;
		total += written;
		close(fd);
	}
	while (files > 0)
		must_unlink(file_name(name, "z", --files));
	return total;
}

static void
count_disk(void)
{
	if (run.seconds < COUNT_SECS)
		return;
	inodes_before = count_inodes();
	blocks_before = count_blocks();
}

static void
count_again(void)
{
	int inodes, blocks;

	if (run.seconds < COUNT_SECS)
		return;
	inodes = count_inodes();
	blocks = count_blocks();
	EXPECT(inodes == inodes_before, "%d inodes were free, %d are",
		inodes_before, inodes);
	EXPECT(blocks == blocks_before, "%d blocks were free, %d are",
		blocks_before, blocks);
}

STRESS(fsstorm, .what = "a file holds what was written to it, under its names",
	.files = 1, .prepare = count_disk, .finish = count_again,
	.patterns = {{"own", own}, {"moves", moves}, {"fights", fights},
		{"crashes", crashes}, {"listing", listing},
		{"openfiles", openfiles}, {"dirs", dirs}, {"leaving", leaving},
		{"undone", undone}});
