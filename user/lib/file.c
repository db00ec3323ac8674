/* SPDX-License-Identifier: MIT */
/* file.c - small comforts on top of read() and fstat(). */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/lib/weak.h"

/*
 * Read a line from descriptor 0 into buf, its newline included, cut at
 * max - 1 bytes; always NUL-terminated.  An empty string means end of file.
 */
WEAK char *
gets(char *buf, int max)
{
	int n = 0;

	while (n + 1 < max && read(0, &buf[n], 1) == 1) {
		n++;
		if (buf[n - 1] == '\n' || buf[n - 1] == '\r')
			break;
	}
	if (max > 0)
		buf[n] = '\0';
	return buf;
}

WEAK int
stat(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY);
	int result;

	if (fd < 0)
		return -1;
	result = fstat(fd, st);
	close(fd);
	return result;
}
