/* SPDX-License-Identifier: MIT */
/*
 * copy.c - system calls that write to or read from pages that are shared or
 * not there, and cannot get what that takes.
 *
 * The call says no, or less than was asked for, and takes nothing: what was
 * not delivered can still be had.
 */
#include "user/tests/failnth/failnth.h"

/* The last bytes of one page and the first ones of the next. */
static char *
border(int unit, int bytes)
{
	return page_full(unit, 1) - bytes / 2;
}

/* The same from one page table to the next; its second page is empty. */
static char *
table_border(int bytes)
{
	return page_full(1, 0) - bytes / 2;
}

static int
all_are(const char *p, int n, char c)
{
	for (int i = 0; i < n; i++)
		if (p[i] != c)
			return 0;
	return 1;
}

/* A pipe with n bytes in it, all of them c. */
static void
pipe_with(int fds[2], int n, char c)
{
	MUST(pipe(fds) == 0);
	memset(box, c, n);
	MUST(write(fds[1], box, n) == n);
}

/* Read n bytes from a pipe to `to`; what is refused is still in it. */
static int
read_pipe(char *to, int n)
{
	int fds[2], got;

	pipe_with(fds, n, 'p');
	got = TRY(read(fds[0], to, n));
	if (got < 0) {
		EXPECT(read(fds[0], box, n) == n);
		EXPECT(all_are(box, n, 'p'));
		return FAILED;
	}
	EXPECT(got == n && all_are(to, n, 'p'));
	return WORKED;
}

static int
copyout_pipe(void)
{
	return read_pipe(border(0, 400), 400);
}

static int
copyout_tables(void)
{
	return read_pipe(table_border(400), 400);
}

static int
copyout_promised(void)
{
	return read_pipe(page_promised(0, 1), 400);
}

static int
copyout_empty(void)
{
	return read_pipe(page_empty(0, 1), 400);
}

/* A short read moves the file's offset by just as much. */
static int
copyout_file(void)
{
	enum { BYTES = 3 * PGSIZE };
	char *to = page_full(0, 1);
	int fd, got, rest;

	file_make(BYTES, 'f');
	fd = open(FILE_A, O_RDONLY);
	MUST(fd >= 0);
	got = TRY(read(fd, to, BYTES));
	EXPECT(got == -1 || (got > 0 && all_are(to, got, 'f')));
	rest = BYTES - (got < 0 ? 0 : got);
	while (rest > 0) {
		int n = read(fd, box, sizeof(box));

		EXPECT(n > 0 && all_are(box, n, 'f'));
		rest -= n;
	}
	EXPECT(rest == 0);
	return got < 0 ? FAILED : WORKED;
}

/* No child is lost for want of a place for its status. */
static int
copyout_wait(void)
{
	int *to = (int *)page_full(0, 0), pid = fork(), got;

	MUST(pid >= 0);
	if (pid == 0)
		exit(77);
	/* The page is shared with the parent, whatever the child did. */
	got = TRY(wait(to));
	if (got < 0) {
		int status = 0;

		EXPECT(wait(&status) == pid && status == 77);
		return FAILED;
	}
	EXPECT(got == pid && *to == 77);
	return WORKED;
}

static int
copyout_fstat(void)
{
	struct stat *to = (struct stat *)border(0, 8);
	int fd, got;

	file_make(5, 'x');
	fd = open(FILE_A, O_RDONLY);
	got = TRY(fstat(fd, to));
	if (got < 0)
		return FAILED;
	EXPECT(to->size == 5 && to->nlink == 1);
	return WORKED;
}

/* pipe() that cannot tell its descriptors does not make any. */
static int
copyout_fds(void)
{
	int *to = (int *)border(0, 8), got = TRY(pipe(to));

	if (got < 0) {
		EXPECT(fd_is_next(3));
		EXPECT(arena_intact());
		return FAILED;
	}
	EXPECT(to[0] == 3 && to[1] == 4);
	EXPECT(write(4, "x", 1) == 1 && read(3, box, 1) == 1);
	return WORKED;
}

static int
copyout_kstat(void)
{
	struct kstat *to = (struct kstat *)border(0, 80);

	if (TRY(kstat(to, sizeof(*to))) < 0)
		return FAILED;
	EXPECT(to->pages_total > 0 && to->syscalls > 0);
	return WORKED;
}

static int
copyout_bootargs(void)
{
	char *to = border(0, 8);

	if (TRY(bootargs(to, PGSIZE)) < 0)
		return FAILED;
	EXPECT(all_are(to, 1, 'b') || strlen(to) > 0);
	return WORKED;
}

/* ---- from memory that nobody touched: it reads as zeroes */

static int
copyin_pipe(void)
{
	const char *from = page_empty(0, 0);
	int fds[2], put;

	MUST(pipe(fds) == 0);
	put = TRY(write(fds[1], from, 300));
	close(fds[1]);
	EXPECT(read(fds[0], box, 512) == (put < 0 ? 0 : put));
	if (put < 0)
		return FAILED;
	EXPECT(put == 300 && all_are(box, 300, 0));
	return WORKED;
}

static int
copyin_file(void)
{
	const char *from = page_promised(0, 0) - 100;
	int fd, put;

	file_make(0, 0);
	fd = open(FILE_A, O_RDWR);
	put = TRY(write(fd, from, 2000));
	EXPECT(file_has(put < 0 ? 0 : put, 0, 0));
	if (put < 0)
		return FAILED;
	EXPECT(put == 2000);
	return WORKED;
}

/* The empty path names the current directory. */
static int
copyin_path(void)
{
	const char *path = page_empty(0, 0);
	int fd = TRY(open(path, O_RDONLY));

	if (fd < 0) {
		EXPECT(fd_is_next(3));
		return FAILED;
	}
	EXPECT(fd == 3);
	return WORKED;
}

static int
copyin_console(void)
{
	const char *from = page_empty(0, 0);

	return TRY(write(1, from, 1)) == 1 ? WORKED : FAILED;
}

const struct scenario copy_scenarios[] = {
	{"copyout_pipe", copyout_pipe, 0},
	{"copyout_tables", copyout_tables, 0},
	{"copyout_promised", copyout_promised, 0},
	{"copyout_empty", copyout_empty, 0},
	{"copyout_file", copyout_file, 0},
	{"copyout_wait", copyout_wait, 0},
	{"copyout_fstat", copyout_fstat, 0},
	{"copyout_fds", copyout_fds, 0},
	{"copyout_kstat", copyout_kstat, 0},
	{"copyout_bootargs", copyout_bootargs, 0},
	{"copyin_pipe", copyin_pipe, 0},
	{"copyin_file", copyin_file, 0},
	{"copyin_path", copyin_path, 0},
	{"copyin_console", copyin_console, 0},
	{},
};
