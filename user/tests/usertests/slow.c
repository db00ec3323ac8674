/* SPDX-License-Identifier: MIT */
/* slow.c - a full disk, and much to write. */
#include "usertests.h"

void
test_bigdir(void)
{
	enum { N = 500 };
	char name[DIRSIZ + 1];

	make_file("seed", 10, 1);
	for (int i = 0; i < N; i++)
		EXPECT_EQ(link("seed", nth(name, "link", i)), 0);
	EXPECT_EQ(file_links("seed"), N + 1);
	EXPECT_EQ(dir_count("."), N + 1);

	/* Every other name goes, and its slot is used again. */
	for (int i = 0; i < N; i += 2)
		EXPECT_EQ(unlink(nth(name, "link", i)), 0);
	EXPECT_EQ(unlink(nth(name, "link", 0)), -1);
	for (int i = 0; i < N; i += 2)
		EXPECT_EQ(link("seed", nth(name, "again", i)), 0);
	EXPECT_EQ(dir_count("."), N + 1);
	EXPECT(file_is("again0008", 10, 1));

	for (int i = 0; i < N; i++)
		EXPECT_EQ(unlink(nth(name, i % 2 ? "link" : "again", i)), 0);
	EXPECT_EQ(file_links("seed"), 1);
	EXPECT_EQ(dir_count("."), 1);
}

void
test_manywrites(void)
{
	enum { WRITERS = 4, ROUNDS = 25 };
	char name[DIRSIZ + 1];

	for (int w = 0; w < WRITERS; w++) {
		uint seed = w;

		if (FORK() != 0)
			continue;
		nth(name, "many", w);
		for (int i = 0; i < ROUNDS; i++) {
			int size = next_random(&seed) % (20 * BSIZE);

			make_file(name, size, i);
			EXPECT(file_is(name, size, i));
			if (i % 2)
				EXPECT_EQ(unlink(name), 0);
		}
		exit(0);
	}
	EXPECT_EXITS(WRITERS, 0);
}

/* Write a file of the largest size, or as far as it goes; returns blocks. */
static int
fill_file(const char *name, uint tag)
{
	const int most = MAXFILE * BSIZE;
	int fd = open(name, O_CREATE | O_WRONLY);
	int at = 0;
	int n;

	if (fd < 0)
		return 0;
	while (at < most) {
		n = most - at < SCRATCH ? most - at : SCRATCH;
		fill(scratch, at, n, tag);
		n = write(fd, scratch, n);
		if (n <= 0)
			break;
		at += n;
	}
	close(fd);
	return (file_size(name) + BSIZE - 1) / BSIZE;
}

/* Write such files until one is short; returns the blocks of them all. */
static int
fill_disk(int *files)
{
	char name[DIRSIZ + 1];
	int blocks = 0, n = MAXFILE;

	for (*files = 0; n == (int)MAXFILE; ++*files) {
		n = fill_file(nth(name, "full", *files), *files);
		blocks += n;
	}
	return blocks;
}

static void
empty_disk(int files)
{
	char name[DIRSIZ + 1];

	for (int i = 0; i < files; i++) {
		nth(name, "full", i);
		EXPECT(file_is(name, file_size(name), i));
		EXPECT_EQ(unlink(name), 0);
	}
}

/* Blocks that a failed write took and never gave back would add up. */
void
test_badwrite(void)
{
	int fd, files, before;

	before = fill_disk(&files);
	empty_disk(files);
	for (int i = 0; i < 300; i++) {
		fd = open("junk", O_CREATE | O_WRONLY);
		EXPECT(fd >= 0);
		EXPECT_EQ(write(fd, (char *)nowhere[i % NNOWHERE], 1), -1);
		close(fd);
		EXPECT_EQ(unlink("junk"), 0);
	}
	EXPECT_EQ(fill_disk(&files), before);
	empty_disk(files);
}

void
test_diskfull(void)
{
	char name[DIRSIZ + 1];
	int files, before, n = 0;

	before = fill_disk(&files);
	EXPECT(files > 1);

	/* Names still fit into the directory's block, contents nowhere. */
	while (n < 200 && mkdir(nth(name, "dir", n)) == 0)
		n++;
	EXPECT(n < 200);
	EXPECT_EQ(chdir(name), -1);
	while (n-- > 0)
		EXPECT_EQ(unlink(nth(name, "dir", n)), 0);

	empty_disk(files);
	EXPECT_EQ(dir_count("."), 0);
	EXPECT_EQ(fill_disk(&files), before);
	empty_disk(files);
}

static int
take_inodes(void)
{
	char name[DIRSIZ + 1];
	int n, fd;

	for (n = 0; n < 10000; n++) {
		fd = open(nth(name, "ino", n), O_CREATE | O_WRONLY);
		if (fd < 0)
			break;
		close(fd);
	}
	EXPECT(n > 0 && n < 10000);
	EXPECT_EQ(mkdir(name), -1);
	EXPECT_EQ(dir_count("."), n);
	return n;
}

static void
give_inodes(int n)
{
	char name[DIRSIZ + 1];

	while (n-- > 0)
		EXPECT_EQ(unlink(nth(name, "ino", n)), 0);
}

void
test_outofinodes(void)
{
	int n = take_inodes();

	give_inodes(n);
	EXPECT_EQ(take_inodes(), n);
	give_inodes(n);
}
