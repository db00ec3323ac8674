/* SPDX-License-Identifier: MIT */
/*
 * must.c - calls which set a case up.
 *
 * When one fails the case cannot run: that is trouble, but no finding, so
 * the verdict is broken, with the place of the call.  Patterns that test a
 * call call it directly and use EXPECT().
 */
#include "stress.h"

int
must_fork_at(const char *file, int line)
{
	int pid = fork();

	if (pid < 0)
		verdict_at(BROKEN, file, line, "fork failed, %ld pages free",
			pages_free());
	return pid;
}

void
must_pipe_at(const char *file, int line, int fds[2])
{
	if (pipe(fds) != 0)
		verdict_at(BROKEN, file, line, "pipe failed");
}

int
must_open_at(const char *file, int line, const char *path, int mode)
{
	int fd = open(path, mode);

	if (fd < 0)
		verdict_at(BROKEN, file, line, "open %s failed", path);
	return fd;
}

char *
must_sbrk_at(const char *file, int line, int bytes)
{
	char *mem = sbrk(bytes);

	if (mem == SBRK_ERROR)
		verdict_at(BROKEN, file, line, "sbrk %d failed", bytes);
	return mem;
}

char *
must_lazy_at(const char *file, int line, int bytes)
{
	char *mem = sbrklazy(bytes);

	if (mem == SBRK_ERROR)
		verdict_at(BROKEN, file, line, "sbrklazy %d failed", bytes);
	return mem;
}

void
must_write_at(const char *file, int line, int fd, const void *b, int n)
{
	int done = write(fd, b, n);

	if (done != n)
		verdict_at(
			BROKEN, file, line, "write of %d returned %d", n, done);
}

/* must_read_at: all n bytes, in as many pieces as they come. */
void
must_read_at(const char *file, int line, int fd, void *b, int n)
{
	int done = 0;

	while (done < n) {
		int got = read(fd, (char *)b + done, n - done);

		if (got <= 0)
			verdict_at(BROKEN, file, line,
				"read returned %d after %d of %d bytes", got,
				done, n);
		done += got;
	}
}

void
must_mkdir_at(const char *file, int line, const char *path)
{
	if (mkdir(path) != 0)
		verdict_at(BROKEN, file, line, "mkdir %s failed", path);
}

void
must_unlink_at(const char *file, int line, const char *path)
{
	if (unlink(path) != 0)
		verdict_at(BROKEN, file, line, "unlink %s failed", path);
}

void
must_kstat_at(const char *file, int line, struct kstat *st)
{
	if (kstat(st, sizeof(*st)) < 0)
		verdict_at(BROKEN, file, line, "kstat failed");
}
