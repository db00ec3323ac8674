/* SPDX-License-Identifier: MIT */
/*
 * path.c - from a path to an inode.
 *
 * A path is names with slashes between them; where it starts with a slash
 * the walk starts at the root, else at the working directory.  The empty path
 * names where the walk starts.  Names are cut to DIRSIZ bytes.
 *
 * The walk locks one directory at a time, takes a reference to what it names
 * while that lock is held, and only then lets the directory go.  So the walk
 * always stands on something that exists, and ".." cannot deadlock.
 */
#include "kernel/file/path.h"
#include "kernel/file/dir.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/proc/proc.h"

static const char *
skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

/*
 * Take the next name off *rest, which starts with it; afterwards *rest starts
 * with the name behind it, or is empty.
 */
static void
name_next(const char **rest, struct path_name *name)
{
	const char *p = *rest;
	u32 n = 0;

	for (; *p != '\0' && *p != '/'; p++) {
		if (n < DIRSIZ)
			name->s[n++] = *p;
	}
	name->s[n] = '\0';
	*rest = skip_slashes(p);
}

static struct inode *
walk_start(const char *path)
{
	if (*path == '/')
		return inode_get(ROOTINO);
	return inode_hold(myproc()->cwd);
}

/* From ip to what it calls name; lets go of ip in any case. */
static struct inode *
walk_step(struct inode *ip, const struct path_name *name)
{
	struct dir_slot slot;
	struct inode *next;
	int err;

	inode_lock(ip);
	err = dir_find(ip, name->s, &slot);
	next = err ? ERR_PTR(err) : inode_get(slot.inum);
	inode_unlock(ip);
	inode_put(ip);
	return next;
}

struct inode *
path_lookup(const char *path)
{
	const char *rest = skip_slashes(path);
	struct inode *ip = walk_start(path);
	struct path_name name;

	while (!IS_ERR(ip) && *rest != '\0') {
		name_next(&rest, &name);
		ip = walk_step(ip, &name);
	}
	return ip;
}

struct inode *
path_parent(const char *path, struct path_name *last)
{
	const char *rest = skip_slashes(path);
	struct inode *ip;

	if (*rest == '\0')
		return ERR_PTR(-EINVAL);
	ip = walk_start(path);
	name_next(&rest, last);
	while (!IS_ERR(ip) && *rest != '\0') {
		ip = walk_step(ip, last);
		name_next(&rest, last);
	}
	return ip;
}
