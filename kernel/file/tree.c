/* SPDX-License-Identifier: MIT */
/*
 * tree.c - changes to the tree of names: create, link, unlink.
 *
 * Each finds out first whether it can be done, with the parent locked, and
 * then does the step that may run out of disk; what follows cannot fail.
 *
 * nlink counts the entries that name an inode: for a directory its own name
 * and the ".." of each directory in it, but not its ".".  An inode that is
 * made but not yet named has none, so it goes away with its reference if its
 * name cannot be written.
 */
#include "kernel/file/tree.h"
#include "kernel/file/dir.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/file/path.h"
#include "kernel/stat.h"

enum { NLINK_MAX = 32767 };

static void
nlink_add(struct inode *ip, int n)
{
	ip->d.nlink += n;
	inode_update(ip);
}

static void
unlock_put(struct inode *ip)
{
	inode_unlock(ip);
	inode_put(ip);
}

/*
 * The directory that path's last name is in, locked, with a reference; or
 * ERR_PTR.  Nothing but a directory may be locked when another lock follows.
 */
static struct inode *
parent_lock(const char *path, struct path_name *last)
{
	struct inode *dp = path_parent(path, last);

	if (IS_ERR(dp))
		return dp;
	inode_lock(dp);
	if (dp->d.type == T_DIR)
		return dp;
	unlock_put(dp);
	return ERR_PTR(-ENOTDIR);
}

/*
 * Look for a place for a name in dp: 0; -EEXIST, and the slot is of what has
 * the name; -ENOENT if dp itself is removed.
 */
static int
find_vacant(struct inode *dp, const char *name, struct dir_slot *slot)
{
	int err = dir_find(dp, name, slot);

	if (err == 0)
		return -EEXIST;
	if (err != -ENOENT)
		return err;
	return dp->d.nlink > 0 ? 0 : -ENOENT;
}

/* Fill a new directory, child of dp. */
static int
put_dots(struct inode *ip, struct inode *dp)
{
	int err = dir_put(ip, 0, ".", ip->inum);

	return err ? err : dir_put(ip, ip->d.size, "..", dp->inum);
}

/* Make a node and name it in the slot of dp; its inode or ERR_PTR. */
static struct inode *
node_make(struct inode *dp, const struct dir_slot *slot, const char *name,
	const struct tree_node *node)
{
	const struct dinode like = {
		.type = node->type,
		.major = node->major,
		.minor = node->minor,
	};
	struct inode *ip;
	int err = 0;

	if (dp->d.nlink == NLINK_MAX)
		return ERR_PTR(-EMLINK);
	ip = inode_alloc(&like);
	if (IS_ERR(ip))
		return ip;
	inode_lock(ip);
	if (node->type == T_DIR)
		err = put_dots(ip, dp);
	if (err == 0)
		err = dir_put(dp, slot->off, name, ip->inum);
	if (err) {
		unlock_put(ip); /* it has no links: this frees it */
		return ERR_PTR(err);
	}

	/* Nothing below can fail. */
	nlink_add(ip, 1);
	inode_unlock(ip);
	if (node->type == T_DIR)
		nlink_add(dp, 1);
	return ip;
}

int
tree_create(const char *path, const struct tree_node *node, struct inode **ip)
{
	struct path_name name;
	struct inode *dp = parent_lock(path, &name);
	struct dir_slot slot;
	struct inode *got;
	int err;

	if (IS_ERR(dp))
		return PTR_ERR(dp);
	err = find_vacant(dp, name.s, &slot);
	if (err == 0)
		got = node_make(dp, &slot, name.s, node);
	else if (err == -EEXIST)
		got = inode_get(slot.inum);
	else
		got = ERR_PTR(err);
	unlock_put(dp);

	if (IS_ERR(got))
		return PTR_ERR(got);
	*ip = got;
	return err;
}

/* Name ip in dp; both locked. */
static int
link_in(struct inode *dp, const char *name, struct inode *ip)
{
	struct dir_slot slot;
	int err = find_vacant(dp, name, &slot);

	if (err)
		return err;
	if (ip->d.nlink == 0) /* removed since it was looked up */
		return -ENOENT;
	if (ip->d.nlink == NLINK_MAX)
		return -EMLINK;
	err = dir_put(dp, slot.off, name, ip->inum);
	if (err == 0)
		nlink_add(ip, 1);
	return err;
}

int
tree_link(struct inode *ip, const char *path)
{
	struct path_name name;
	struct inode *dp;
	bool is_dir;
	int err;

	/* A directory is only locked behind its parent, so find out now. */
	inode_lock(ip);
	is_dir = ip->d.type == T_DIR;
	inode_unlock(ip);
	if (is_dir)
		return -EISDIR;

	dp = parent_lock(path, &name);
	if (IS_ERR(dp))
		return PTR_ERR(dp);
	inode_lock(ip);
	err = link_in(dp, name.s, ip);
	inode_unlock(ip);
	unlock_put(dp);
	return err;
}

/* Take ip's name, in the slot, out of dp; both locked. */
static int
unlink_from(struct inode *dp, const struct dir_slot *slot, struct inode *ip)
{
	bool is_dir = ip->d.type == T_DIR;

	if (ip->d.nlink < 1)
		panic("fs: named inode has no links", ip->inum);
	if (is_dir && !dir_empty(ip))
		return -ENOTEMPTY;

	/* Nothing below can fail. */
	dir_clear(dp, slot->off);
	if (is_dir)
		nlink_add(dp, -1); /* its ".." */
	nlink_add(ip, -1);
	return 0;
}

int
tree_unlink(const char *path)
{
	struct path_name name;
	struct inode *dp = parent_lock(path, &name);
	struct dir_slot slot;
	struct inode *ip;
	int err;

	if (IS_ERR(dp))
		return PTR_ERR(dp);
	err = name_is_dots(name.s) ? -EINVAL : dir_find(dp, name.s, &slot);
	if (err)
		goto put_parent;
	ip = inode_get(slot.inum);
	if (IS_ERR(ip)) {
		err = PTR_ERR(ip);
		goto put_parent;
	}
	inode_lock(ip);
	err = unlink_from(dp, &slot, ip);
	unlock_put(ip);
put_parent:
	unlock_put(dp);
	return err;
}
