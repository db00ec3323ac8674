/* SPDX-License-Identifier: MIT */
/* path.h - from a path to an inode; path_lookup() is in inode.h. */
#ifndef KERNEL_FILE_PATH_H
#define KERNEL_FILE_PATH_H

#include "kernel/lib/base.h"
#include "kernel/fs.h"

struct inode;

/* The last name of a path, cut to what a directory holds. */
struct path_name {
	char s[DIRSIZ + 1];
};

/*
 * path_parent: the inode in which the path's last name is to be looked for,
 * with a reference, and that name; or ERR_PTR.  It need not be a directory.
 * In a transaction.
 */
struct inode *path_parent(const char *path, struct path_name *last);

#endif
