/* SPDX-License-Identifier: MIT */
/*
 * files.c - calls on files that cannot get an open file, an inode or a disk
 * block.  (That no disk block is lost, fsck.py sees in the end.)
 */
#include "user/tests/failnth/failnth.h"

static int
exists(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int
links(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.nlink : 0;
}

/* A call that returns 0 or -1, whose doing is that path exists or not. */
static int
outcome(int result, const char *path, int wanted)
{
	EXPECT(result == 0 || result == -1);
	EXPECT(exists(path) == (result == 0 ? wanted : !wanted));
	EXPECT(fd_is_next(3));
	return result == 0 ? WORKED : FAILED;
}

static int
opened(int fd)
{
	EXPECT(fd == -1 || fd == 3);
	EXPECT(fd_is_next(fd < 0 ? 3 : 4));
	return fd < 0 ? FAILED : WORKED;
}

static int
open_file(void)
{
	file_make(10, 'x');
	return opened(TRY(open(FILE_A, O_RDWR)));
}

static int
open_create(void)
{
	int fd = TRY(open(FILE_A, O_CREATE | O_RDWR));

	if (fd < 0)
		EXPECT(!exists(FILE_A));
	return opened(fd);
}

static int
open_existing(void)
{
	int fd;

	file_make(10, 'x');
	fd = TRY(open(FILE_A, O_CREATE | O_RDWR));
	EXPECT(file_has(10, 10, 'x'));
	return opened(fd);
}

static int
open_truncate(void)
{
	int fd;

	file_make(20 * BSIZE, 'x');
	fd = TRY(open(FILE_A, O_TRUNC | O_RDWR));
	EXPECT(fd < 0 ? file_has(20 * BSIZE, 20 * BSIZE, 'x')
		      : file_has(0, 0, 0));
	return opened(fd);
}

static int
open_device(void)
{
	return opened(TRY(open("/console", O_RDWR)));
}

static int
open_directory(void)
{
	return opened(TRY(open(".", O_RDONLY)));
}

/* Directories on the way, from the root and from here. */
static int
open_deep(void)
{
	int fd;

	MUST(mkdir(DIR_A) == 0 && mkdir(DIR_A "/" DIR_A) == 0);
	fd = TRY(open("/" DIR_A "/" DIR_A "/../" FILE_A, O_CREATE | O_RDWR));
	EXPECT(exists(DIR_A "/" FILE_A) == (fd >= 0));
	return opened(fd);
}

/* What cannot be opened is refused as ever. */
static int
open_refused(void)
{
	EXPECT(TRY(open("/" FILE_B, O_RDONLY)) == -1);
	EXPECT(TRY(open("/", O_RDWR)) == -1);
	EXPECT(TRY(open("/README.md/x", O_RDONLY)) == -1);
	EXPECT(TRY(open("/README.md/x", O_CREATE)) == -1);
	EXPECT(fd_is_next(3));
	return WORKED;
}

static int
make_directory(void)
{
	return outcome(TRY(mkdir(DIR_A)), DIR_A, 1);
}

static int
make_deep_directory(void)
{
	MUST(mkdir(DIR_A) == 0);
	return outcome(TRY(mkdir("/" DIR_A "/" DIR_A)), DIR_A "/" DIR_A, 1);
}

/* One directory entry more than fits in the directory's last block. */
static int
make_in_full_directory(void)
{
	enum { ENTRIES = BSIZE / sizeof(struct dirent) - 2 };
	char name[] = DIR_A "/nn";
	int last = sizeof(name) - 2, result;

	MUST(mkdir(DIR_A) == 0);
	file_make(0, 0);
	for (int i = 0; i < ENTRIES; i++) {
		name[last - 1] = 'a' + i / 26;
		name[last] = 'a' + i % 26;
		MUST(link(FILE_A, name) == 0);
	}
	result = outcome(TRY(mkdir(DIR_A "/" DIR_A)), DIR_A "/" DIR_A, 1);
	for (int i = 0; i < ENTRIES; i++) {
		name[last - 1] = 'a' + i / 26;
		name[last] = 'a' + i % 26;
		EXPECT(unlink(name) == 0);
	}
	return result;
}

static int
make_node(void)
{
	return outcome(TRY(mknod(FILE_B, 7, 0)), FILE_B, 1);
}

static int
link_file(void)
{
	int result;

	file_make(10, 'x');
	result = TRY(link("/" FILE_A, "/" FILE_B));
	EXPECT(links(FILE_A) == (result == 0 ? 2 : 1));
	return outcome(result, FILE_B, 1);
}

static int
unlink_file(void)
{
	file_make(20 * BSIZE, 'x');
	return outcome(TRY(unlink("/" FILE_A)), FILE_A, 0);
}

static int
unlink_directory(void)
{
	MUST(mkdir(DIR_A) == 0);
	return outcome(TRY(unlink(DIR_A)), DIR_A, 0);
}

static int
change_directory(void)
{
	int result;

	MUST(mkdir(DIR_A) == 0);
	result = TRY(chdir("/" DIR_A));
	EXPECT(result == 0 || result == -1);
	EXPECT(exists(DIR_A) == (result == -1));
	EXPECT(exists("../" DIR_A));
	return result == 0 ? WORKED : FAILED;
}

/* ---- contents */

/* Write n bytes at the end of a file of `there`; a short count is legal. */
static int
append(int there, int n)
{
	int fd, got;

	file_make(there, 'x');
	fd = open(FILE_A, O_RDWR);
	MUST(fd >= 0);
	for (int left = there; left > 0; left -= got) {
		got = read(fd, box, left < PGSIZE ? left : PGSIZE);
		MUST(got > 0);
	}
	memset(box, 'x', sizeof(box));
	got = TRY(write(fd, box, n));
	close(fd);
	EXPECT(got == -1 || (got > 0 && got <= n));
	EXPECT(file_has(there + (got < 0 ? 0 : got), 0, 0));
	EXPECT(file_has(
		there + (got < 0 ? 0 : got), there + (got < 0 ? 0 : got), 'x'));
	if (got == n)
		return WORKED;
	return FAILED;
}

static int
write_small(void)
{
	return append(0, 10);
}

static int
write_blocks(void)
{
	return append(BSIZE / 2, 5 * BSIZE);
}

/* The first block that an indirect block names. */
static int
write_indirect(void)
{
	return append((NDIRECT - 2) * BSIZE, 4 * BSIZE);
}

static int
write_in_place(void)
{
	int fd;

	file_make(2 * BSIZE, 'x');
	fd = open(FILE_A, O_RDWR);
	MUST(fd >= 0);
	memset(box, 'y', BSIZE);
	EXPECT(TRY(write(fd, box, BSIZE)) == BSIZE);
	EXPECT(file_has(2 * BSIZE, BSIZE, 'y'));
	return WORKED;
}

static int
read_file(void)
{
	int fd;

	file_make(2 * BSIZE, 'x');
	fd = open(FILE_A, O_RDWR);
	MUST(fd >= 0);
	EXPECT(TRY(read(fd, box, BSIZE)) == BSIZE);
	EXPECT(box[0] == 'x' && box[BSIZE - 1] == 'x');
	return WORKED;
}

/* The last to close a file without a name frees its blocks. */
static int
close_last(void)
{
	int fd;

	file_make(20 * BSIZE, 'x');
	fd = open(FILE_A, O_RDWR);
	MUST(fd == 3 && unlink(FILE_A) == 0);
	EXPECT(TRY(close(fd)) == 0);
	EXPECT(fd_is_next(3));
	return WORKED;
}

/* And so does who ends with it open. */
static int
exit_last(void)
{
	file_make(20 * BSIZE, 'x');
	MUST(open(FILE_A, O_RDWR) == 3 && unlink(FILE_A) == 0);
	own_pages();
	failnth(nth);
	exit(WORKED);
}

const struct scenario file_scenarios[] = {
	{"open", open_file, 0},
	{"open_create", open_create, 0},
	{"open_existing", open_existing, 0},
	{"open_truncate", open_truncate, 0},
	{"open_device", open_device, 0},
	{"open_directory", open_directory, 0},
	{"open_deep", open_deep, 0},
	{"open_refused", open_refused, 0},
	{"mkdir", make_directory, 0},
	{"mkdir_deep", make_deep_directory, 0},
	{"mkdir_full", make_in_full_directory, 0},
	{"mknod", make_node, 0},
	{"link", link_file, 0},
	{"unlink", unlink_file, 0},
	{"unlink_directory", unlink_directory, 0},
	{"chdir", change_directory, 0},
	{"write", write_small, 0},
	{"write_blocks", write_blocks, 0},
	{"write_indirect", write_indirect, 0},
	{"write_in_place", write_in_place, 0},
	{"read", read_file, 0},
	{"close", close_last, 0},
	{"exit", exit_last, 0},
	{},
};
