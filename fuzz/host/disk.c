/* SPDX-License-Identifier: MIT */
/*
 * disk.c - files and folders that must survive a kill.
 */
#define _GNU_SOURCE
#include "fuzz/host/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 4, BLOCK = 1 << 16, LINE_MAX_ = 1024 };

static int
close_all(int a, int b, int err)
{
	int saved = errno;

	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	errno = saved;
	return err;
}

int
disk_make(const char *path)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *at = part + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(part, 0777) != 0 && errno != EEXIST)
			return -1;
		if (c == '\0')
			return 0;
		*at = c;
	}
}

static void
remove_below(int at, const char *name, int depth)
{
	int fd = openat(
		at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		const char *below = entry->d_name;

		if (strcmp(below, ".") == 0 || strcmp(below, "..") == 0)
			continue;
		if (unlinkat(fd, below, 0) != 0 && errno == EISDIR &&
			depth < DEPTH_MAX)
			remove_below(fd, below, depth + 1);
	}
	closedir(dir);
	unlinkat(at, name, AT_REMOVEDIR);
}

void
disk_remove(const char *path)
{
	remove_below(AT_FDCWD, path, 0);
}

void
disk_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int
disk_append(const char *path, const char *line)
{
	char text[LINE_MAX_], last = '\n';
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int n;

	if (fd < 0)
		return -1;
	if (lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) != 1)
		last = '\n';
	n = snprintf(
		text, sizeof(text), "%s%s\n", last == '\n' ? "" : "\n", line);
	if (n >= LINE_MAX_) {
		errno = EINVAL;
		return close_all(fd, -1, -1);
	}
	errno = ENOSPC; /* if it is cut short */
	if (write(fd, text, (size_t)n) != n || fsync(fd) != 0)
		return close_all(fd, -1, -1);
	return close_all(fd, -1, 0);
}

int
disk_copy(const char *from, const char *to)
{
	static char block[BLOCK];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	struct stat about;
	ssize_t n;

	if (in < 0 || fstat(in, &about) != 0)
		return close_all(in, out, -1);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		about.st_mode & 0777);
	if (out < 0)
		return close_all(in, out, -1);
	while ((n = read(in, block, sizeof(block))) > 0) {
		errno = ENOSPC;
		if (write(out, block, (size_t)n) != n)
			return close_all(in, out, -1);
	}
	if (n < 0 || fsync(out) != 0)
		return close_all(in, out, -1);
	return close_all(in, out, 0);
}

int
disk_hash(const char *path, uint64_t *hash)
{
	static uint8_t block[BLOCK];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, block, sizeof(block))) > 0)
		for (ssize_t i = 0; i < n; i++)
			*hash = (*hash ^ block[i]) * 0x100000001b3u;
	return close_all(fd, -1, n < 0 ? -1 : 0);
}
