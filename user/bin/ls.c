/* SPDX-License-Identifier: MIT */
/* ls - list folders and files: name, type, inode, size. */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"

static char path[MAXPATH + DIRSIZ + 2];

static int
trouble(const char *name)
{
	fprintf(2, "ls: %s: cannot be read\n", name);
	return 1;
}

static void
show(const char *name, const struct stat *st)
{
	static const char *const types[] = {
		[T_DIR] = "dir",
		[T_FILE] = "file",
		[T_DEVICE] = "dev",
	};
	const char *type = "?";

	if (st->type >= T_DIR && st->type <= T_DEVICE)
		type = types[st->type];
	printf("%-14s %-4s %5u %8lu\n", name, type, st->ino, st->size);
}

/* List the folder that is open as fd and whose name is in path. */
static int
list_folder(int fd)
{
	static struct dirent entries[64];
	uint base = strlen(path);
	int status = 0;
	struct stat st;
	int n;

	path[base++] = '/';
	while ((n = read(fd, entries, sizeof(entries))) > 0) {
		for (uint i = 0; i < n / sizeof(entries[0]); i++) {
			if (entries[i].inum == 0)
				continue;
			memcpy(path + base, entries[i].name, DIRSIZ);
			path[base + DIRSIZ] = '\0';
			if (stat(path, &st) < 0)
				status |= trouble(path);
			else
				show(path + base, &st);
		}
	}
	return status | (n < 0);
}

static int
list(const char *name)
{
	struct stat st;
	int status = 0;
	int fd;

	if (strlen(name) >= MAXPATH)
		return trouble(name);
	strcpy(path, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return trouble(path);
	if (fstat(fd, &st) < 0)
		status = trouble(path);
	else if (st.type == T_DIR)
		status = list_folder(fd);
	else
		show(path, &st);
	close(fd);
	return status;
}

int
main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2)
		return list(".");
	for (int i = 1; i < argc; i++)
		status |= list(argv[i]);
	return status;
}
