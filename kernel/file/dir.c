/* SPDX-License-Identifier: MIT */
/*
 * dir.c - directories: files of fixed-size entries, in no order.
 *
 * Entries are written and erased in place and never move.  One that is erased
 * is all zeroes, and is used again before the directory grows.  Entries do not
 * straddle blocks, so a search looks at them where they are, in the buffers.
 */
#include "kernel/file/dir.h"
#include "kernel/file/bio.h"
#include "kernel/file/itable.h"
#include "kernel/lib/string.h"
#include "kernel/stat.h"

enum { ENTRY = sizeof(struct dirent) };

_Static_assert(BSIZE % ENTRY == 0, "entries do not straddle blocks");

/* A search: what is looked for, and what is noted on the way. */
struct dir_search {
	bool (*match)(const struct dirent *e, const char *name);
	const char *name;
	u64 free; /* offset of the first free entry, or the end */
};

static bool
match_name(const struct dirent *e, const char *name)
{
	return strncmp(e->name, name, DIRSIZ) == 0;
}

static bool
match_not_dots(const struct dirent *e, const char *name)
{
	return !name_is_dots(e->name);
}

/* Search the entries [off, end), which lie in one block. */
static bool
search_block(struct inode *dp, struct dir_search *s, u64 off, u64 end,
	struct dir_slot *slot)
{
	struct buf *b = buf_read(inode_block(dp, off / BSIZE));
	const struct dirent *e = (const struct dirent *)b->data;
	bool found = false;

	for (; off < end; off += ENTRY, e++) {
		if (e->inum == 0) {
			s->free = MIN(s->free, off);
		} else if (s->match(e, s->name)) {
			*slot = (struct dir_slot){off, e->inum};
			found = true;
			break;
		}
	}
	buf_put(b);
	return found;
}

/* Find the first entry that matches. */
static bool
dir_search(struct inode *dp, struct dir_search *s, struct dir_slot *slot)
{
	u64 size = dp->d.size;

	s->free = size;
	for (u64 off = 0; off < size; off += BSIZE) {
		if (search_block(dp, s, off, MIN(size, off + BSIZE), slot))
			return true;
	}
	return false;
}

bool
name_is_dots(const char *name)
{
	return name[0] == '.' &&
	       (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int
dir_find(struct inode *dp, const char *name, struct dir_slot *slot)
{
	struct dir_search s = {.match = match_name, .name = name};

	ASSERT(sleeplock_holding(&dp->lock));
	if (dp->d.type != T_DIR)
		return -ENOTDIR;
	if (dp->d.nlink == 0 && strcmp(name, ".") != 0)
		return -ENOENT;
	if (dir_search(dp, &s, slot))
		return 0;
	*slot = (struct dir_slot){s.free, 0};
	return -ENOENT;
}

int
dir_put(struct inode *dp, u64 off, const char *name, u32 inum)
{
	struct dirent e = {.inum = inum};
	i64 n;

	for (u32 i = 0; i < DIRSIZ && name[i] != '\0'; i++)
		e.name[i] = name[i];
	n = inode_write(dp, (struct mem){NULL, (u64)&e}, off, ENTRY);
	return n < 0 ? n : 0;
}

void
dir_clear(struct inode *dp, u64 off)
{
	static const struct dirent none;
	i64 n;

	ASSERT(off + ENTRY <= dp->d.size);
	n = inode_write(dp, (struct mem){NULL, (u64)&none}, off, ENTRY);
	ASSERT(n == ENTRY);
}

bool
dir_empty(struct inode *dp)
{
	struct dir_search s = {.match = match_not_dots};
	struct dir_slot slot;

	return !dir_search(dp, &s, &slot);
}
