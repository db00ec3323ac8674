/* SPDX-License-Identifier: MIT */
/* dir.h - the entries of a directory (file/dir.c). */
#ifndef KERNEL_FILE_DIR_H
#define KERNEL_FILE_DIR_H

#include "kernel/lib/base.h"

struct inode;

/* Where an entry is, or where one may be put. */
struct dir_slot {
	u64 off;  /* in the directory */
	u32 inum; /* whom it names */
};

/* All with dp locked. */

/*
 * dir_find: look for a name (at most DIRSIZ bytes count).  0 and its slot;
 * -ENOTDIR; or -ENOENT, and slot->off is where an entry can be put.  In a
 * directory that is removed there is nothing but "." to be found.
 */
int dir_find(struct inode *dp, const char *name, struct dir_slot *slot);

/*
 * dir_put: write an entry at off, in a transaction; 0, -ENOSPC or -EFBIG.
 * dir_clear: erase the entry at off; cannot fail.
 */
int dir_put(struct inode *dp, u64 off, const char *name, u32 inum);
void dir_clear(struct inode *dp, u64 off);

/* dir_empty: has it no entries but "." and ".."? */
bool dir_empty(struct inode *dp);

bool name_is_dots(const char *name); /* "." or ".." */

#endif
