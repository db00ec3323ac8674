/* SPDX-License-Identifier: MIT */
/* tree.h - changes to the tree of names (file/tree.c). */
#ifndef KERNEL_FILE_TREE_H
#define KERNEL_FILE_TREE_H

#include "kernel/lib/base.h"

struct inode;

/* What tree_create() makes. */
struct tree_node {
	short type;  /* T_FILE, T_DIR or T_DEVICE */
	short major; /* of a device */
	short minor;
};

/* All in a transaction; 0 or a negative errno, and then nothing changed. */

/*
 * tree_create: give path a new inode, *ip, with a reference.  If the name is
 * taken, -EEXIST, and *ip is what has it.  Other errors leave *ip alone.
 */
int tree_create(
	const char *path, const struct tree_node *node, struct inode **ip);

/* tree_link: let path also name ip, which is no directory. */
int tree_link(struct inode *ip, const char *path);

/* tree_unlink: take away a name; a directory must be empty. */
int tree_unlink(const char *path);

#endif
