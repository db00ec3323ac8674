/* SPDX-License-Identifier: MIT */
/*
 * inode.c - inodes: which there are in memory, and which are free on disk.
 *
 * An inode with references has its place in the table, found by a hash of its
 * number.  Without references it keeps that place, and what was read of it,
 * until another needs it; the longest unused goes first.
 *
 * An inode lives on disk as long as a directory names it or memory refers to
 * it.  inode_put() frees one whose links are gone when the last reference
 * goes.  If the power is cut before that, it is left with a type but without
 * links, and inode_reclaim_orphans() frees it at the next boot.
 *
 * What keeps this right on many harts:
 *
 *   - References come from a directory entry, with that directory locked, or
 *     from an older reference.  So the last reference to an inode without
 *     links is the last for good, and its owner may look into the inode
 *     without its lock.
 *   - Sleep locks are taken parent directory first, then what is in it, then
 *     free_lock, then buffers.  Of directories on a path only one is locked
 *     at a time, since ".." leads from child to parent.
 *
 * scripts/fsck.py checks the outcome: every inode is named as often as it
 * says, and every block in use belongs to exactly one.
 */
#include "kernel/check/asan.h"
#include "kernel/check/failnth.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/file/bio.h"
#include "kernel/file/log.h"
#include "kernel/file/super.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/hart.h"
#include "kernel/stat.h"

enum { BUCKETS = 64 };

/* What nobody may touch while the inode has no references. */
#define INODE_BODY(ip) FROM_MEMBER(ip, lock)

/*
 *   [I] fixed at boot
 *   [t] lock
 */
static struct {
	struct spinlock lock;
	struct inode inodes[NINODE];
	struct list buckets[BUCKETS]; /* [t] of inodes with a number */
	struct list idle;             /* [t] without references, oldest first */
	u32 used;                     /* [t] inodes with references */

	/*
	 * [I] a page of flags by inode number: may the page cache have pages
	 * of it?  The flags are guarded by the locks of the inodes.  They are
	 * not in struct inode because they outlive that.
	 */
	bool *cached;
} itable = {.lock = SPINLOCK(itable, "itable")};

_Static_assert(INODES_MAX * sizeof(bool) <= PGSIZE, "flags fill one page");

/* Guards the choice of a free inode, and lowest_free. */
static struct sleeplock free_lock;
static u32 lowest_free = ROOTINO + 1; /* no inode below it is free */

void
itable_init(void)
{
	list_init(&itable.idle);
	for (u32 i = 0; i < BUCKETS; i++)
		list_init(&itable.buckets[i]);
	for (u32 i = 0; i < NINODE; i++) {
		struct inode *ip = &itable.inodes[i];

		sleeplock_init(&ip->lock, "inode");
		list_init(&ip->chain);
		list_push(&itable.idle, &ip->idle);
		asan_poison(INODE_BODY(ip), SHADOW_OBJECT);
	}
	itable.cached = kalloc();
	if (itable.cached == NULL)
		panic("fs: no memory for the table of inodes", NINODE);
	page_keep(itable.cached);
	page_zero(itable.cached);
	sleeplock_init(&free_lock, "free inodes");
}

/* The place in memory of inode inum, or NULL if it has none. */
static struct inode *
itable_find(u32 inum)
{
	struct inode *ip;

	list_for_each(ip, &itable.buckets[inum % BUCKETS], chain)
	{
		if (ip->inum == inum)
			return ip;
	}
	return NULL;
}

/* Give inode inum the place that was unused for longest; NULL: none is. */
static struct inode *
itable_replace(u32 inum)
{
	struct inode *ip;

	if (list_empty(&itable.idle))
		return NULL;
	ip = list_first(&itable.idle, struct inode, idle);
	list_remove(&ip->chain);
	ip->inum = inum;
	asan_unpoison(INODE_BODY(ip));
	ip->valid = false;
	list_push_front(&itable.buckets[inum % BUCKETS], &ip->chain);
	return ip;
}

__injectable struct inode *
inode_get(u32 inum)
{
	struct inode *ip;

	if (inum == 0 || inum >= sb.ninodes)
		panic("fs: no such inode", inum);
	if (fail_here(ALLOC_SITE()))
		return ERR_PTR(-ENFILE);
	acquire(&itable.lock);
	ip = itable_find(inum);
	if (ip == NULL)
		ip = itable_replace(inum);
	DEBUG_ASSERT(ip == NULL || list_empty(&ip->idle) == (ip->refs > 0));
	if (ip != NULL && ip->refs++ == 0) {
		asan_unpoison(INODE_BODY(ip));
		list_remove(&ip->idle);
		itable.used++;
	}
	release(&itable.lock);
	return ip != NULL ? ip : ERR_PTR(-ENFILE);
}

struct inode *
inode_hold(struct inode *ip)
{
	acquire(&itable.lock);
	ASSERT(ip->refs > 0);
	ip->refs++;
	release(&itable.lock);
	return ip;
}

/*
 * Drop a reference.  Not if the inode has no links left and it is the last:
 * then the answer is false, and the caller still has it.
 */
static bool
inode_drop(struct inode *ip)
{
	bool dead;

	acquire(&itable.lock);
	ASSERT(ip->refs > 0);
	dead = ip->refs == 1 && ip->valid && ip->d.nlink == 0;
	if (!dead && --ip->refs == 0) {
		itable.used--;
		asan_free(INODE_BODY(ip), SHADOW_OBJECT);
		list_push(&itable.idle, &ip->idle);
	}
	release(&itable.lock);
	return !dead;
}

/* Free on disk an inode without links whose last reference is the caller's. */
static void
inode_free(struct inode *ip)
{
	inode_lock(ip);
	inode_truncate(ip);
	sleeplock_acquire(&free_lock);
	memset(&ip->d, 0, sizeof(ip->d));
	inode_update(ip);
	lowest_free = MIN(lowest_free, ip->inum);
	ip->valid = false;
	sleeplock_release(&free_lock);
	inode_unlock(ip);
}

void
inode_put(struct inode *ip)
{
	/* Free on disk, it may be made anew, and given up, before the drop. */
	while (!inode_drop(ip))
		inode_free(ip);
}

void
inode_close(struct inode *ip)
{
	/* Most often there is nothing to log: then do not wait for the log. */
	if (inode_drop(ip))
		return;
	log_begin();
	inode_put(ip);
	log_end();
}

/* The buffer with inode inum, locked, and in *d where in it that is. */
static struct buf *
dinode_read(u32 inum, struct dinode **d)
{
	struct buf *b = buf_read(IBLOCK(inum, sb));

	*d = (struct dinode *)b->data + inum % IPB;
	return b;
}

/* Who locks an inode has locked at most directories.  For DEBUG_ASSERT. */
static bool
only_directories_locked(void)
{
	bool only = true;

	/* With the lock, what has references keeps them, and is there. */
	acquire(&itable.lock);
	for (u32 i = 0; i < NINODE && only; i++) {
		const struct inode *ip = &itable.inodes[i];

		only = ip->refs == 0 || !sleeplock_holding(&ip->lock) ||
		       ip->d.type == T_DIR;
	}
	release(&itable.lock);
	return only;
}

void
inode_lock(struct inode *ip)
{
	struct dinode *d;
	struct buf *b;

	DEBUG_ASSERT(only_directories_locked());
	sleeplock_acquire(&ip->lock);
	if (ip->valid)
		return;
	b = dinode_read(ip->inum, &d);
	ip->d = *d;
	buf_put(b);
	if (ip->d.type == 0)
		panic("fs: a directory names a free inode", ip->inum);
	ip->valid = true;
}

void
inode_unlock(struct inode *ip)
{
	DEBUG_ASSERT(ip->refs > 0);
	sleeplock_release(&ip->lock);
}

void
inode_update(struct inode *ip)
{
	struct dinode *d;
	struct buf *b;

	ASSERT(sleeplock_holding(&ip->lock));
	b = dinode_read(ip->inum, &d);
	*d = ip->d;
	log_write(b);
	buf_put(b);
}

/*
 * The lowest free inode number, in *b the buffer that has it, locked, and in
 * *d where in it; or 0 if all are in use.  free_lock held.
 */
static u32
dinode_find_free(struct buf **b, struct dinode **d)
{
	while (lowest_free < sb.ninodes) {
		*b = dinode_read(lowest_free, d);
		do {
			if ((*d)->type == 0)
				return lowest_free;
			lowest_free++;
			(*d)++;
		} while (lowest_free % IPB != 0 && lowest_free < sb.ninodes);
		buf_put(*b);
	}
	return 0;
}

__injectable struct inode *
inode_alloc(const struct dinode *like)
{
	struct inode *ip = ERR_PTR(-ENOSPC);
	struct dinode *d;
	struct buf *b;
	u32 inum;

	if (fail_here(ALLOC_SITE()))
		return ip;
	sleeplock_acquire(&free_lock);
	inum = dinode_find_free(&b, &d);
	if (inum == 0)
		goto unlock;
	ip = inode_get(inum);
	if (!IS_ERR(ip)) {
		*d = *like;
		log_write(b);
		lowest_free++;
	}
	buf_put(b);
unlock:
	sleeplock_release(&free_lock);
	return ip;
}

/* The orphans of the block with inode first: bit i stands for first + i. */
static u64
orphans_of_block(u32 first)
{
	struct dinode *d;
	struct buf *b = dinode_read(first, &d);
	u64 orphans = 0;

	for (u32 i = 0; i < IPB && first + i < sb.ninodes; i++) {
		if (d[i].type != 0 && d[i].nlink == 0)
			orphans |= 1UL << i;
	}
	buf_put(b);
	return orphans;
}

static void
orphan_free(u32 inum)
{
	struct inode *ip = inode_get(inum);

	ASSERT(!IS_ERR(ip)); /* there is room: nobody uses any yet */
	inode_lock(ip);
	inode_unlock(ip);
	inode_close(ip);
}

void
inode_reclaim_orphans(void)
{
	u32 count = 0;

	for (u32 first = 0; first < sb.ninodes; first += IPB) {
		u64 orphans = orphans_of_block(first);

		for (u32 i = 0; i < IPB; i++) {
			if (!(orphans >> i & 1))
				continue;
			orphan_free(first + i);
			count++;
		}
	}
	if (count > 0)
		printf("fs: freed %u deleted files that were in use\n", count);
}

u64
inode_count(void)
{
	u64 used;

	acquire(&itable.lock);
	used = itable.used;
	release(&itable.lock);
	return used;
}

u32
inode_number(const struct inode *ip)
{
	DEBUG_ASSERT(ip->refs > 0);
	return ip->inum;
}

u32
inode_type(const struct inode *ip)
{
	return ip->d.type;
}

u64
inode_size(const struct inode *ip)
{
	return ip->d.size;
}

bool *
inode_cached(struct inode *ip)
{
	DEBUG_ASSERT(sleeplock_holding(&ip->lock));
	return &itable.cached[ip->inum];
}

const struct inode *
inode_slot(u32 n)
{
	return &itable.inodes[n];
}
