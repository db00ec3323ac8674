/* SPDX-License-Identifier: MIT */
/*
 * fdtable.c - the descriptors of a process.
 *
 * Only the process itself reads or writes its table, so there is no lock, and
 * a descriptor seen to be free can be promised before the work that may fail
 * begins.
 */
#include "kernel/file/file.h"
#include "kernel/proc/proc.h"

struct file *
fd_get(u64 fd)
{
	/* A program's int arrives sign-extended: negative ones are huge. */
	return fd < NOFILE ? myproc()->files[fd] : NULL;
}

int
fd_find_free(int from)
{
	for (int fd = from; fd < NOFILE; fd++) {
		if (myproc()->files[fd] == NULL)
			return fd;
	}
	return -EMFILE;
}

void
fd_set(int fd, struct file *f)
{
	struct file **slot = &myproc()->files[fd];

	ASSERT((*slot == NULL) != (f == NULL));
	*slot = f;
}
