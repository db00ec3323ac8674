/* SPDX-License-Identifier: MIT */
/*
 * tree.c - files of a case: names, making them, and clearing away what an
 * earlier run that was killed has left.
 */
#include "stress.h"

/* file_name: "stem" and the number, in the caller's buffer. */
char *
file_name(char name[16], const char *stem, int number)
{
	char digits[12];
	int n = 0, len = 0;

	while (stem[len] && len < DIRSIZ - 4) {
		name[len] = stem[len];
		len++;
	}
	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0 && len < DIRSIZ)
		name[len++] = digits[--n];
	name[len] = '\0';
	return name;
}

/* file_make: create or replace a file; broken if that fails. */
void
file_make(const char *name, const void *data, int size)
{
	int fd = must_open(name, O_CREATE | O_WRONLY | O_TRUNC);

	must_write(fd, data, size);
	close(fd);
}

/* next_entry: the next name in an open directory; 0 at its end. */
static int
next_entry(int fd, char name[DIRSIZ + 1])
{
	struct dirent de;

	while (read(fd, &de, sizeof(de)) == sizeof(de)) {
		if (de.inum == 0)
			continue;
		memmove(name, de.name, DIRSIZ);
		name[DIRSIZ] = '\0';
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			return 1;
	}
	return 0;
}

static void
empty_here(void)
{
	char name[DIRSIZ + 1];
	int fd = open(".", O_RDONLY);

	if (fd < 0)
		return;
	while (next_entry(fd, name))
		unlink(name);
	close(fd);
}

/*
 * tree_remove: remove a directory, its files, and directories in it that
 * hold nothing but files.  What cannot be removed stays.
 */
void
tree_remove(const char *dir)
{
	char name[DIRSIZ + 1];
	int fd = open(dir, O_RDONLY);

	if (fd < 0)
		return;
	if (chdir(dir) == 0) {
		while (next_entry(fd, name)) {
			if (unlink(name) == 0 || chdir(name) != 0)
				continue;
			empty_here();
			chdir("..");
			unlink(name);
		}
		chdir("/");
	}
	close(fd);
	unlink(dir);
}
