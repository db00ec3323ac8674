/* SPDX-License-Identifier: MIT */
/*
 * pagecache.c - file pages that processes share.
 *
 * exec() maps text, and data that nobody has written to yet, straight from
 * here.  Each cached page has one reference of the cache's; those with no
 * other are free memory in waiting, which a failing allocation takes back
 * (pagecache_shrink).
 *
 * What keeps it right: pages enter and leave under the lock; a reference for
 * a caller is taken under it as well, so a page whose count is 1 stays at 1
 * as long as the lock is held.  A page is read and entered with its inode
 * locked, and dropped with the inode locked before the file changes; so no
 * page of old contents is entered after a change.
 */
#include "kernel/file/inode.h"
#include "kernel/fs.h"
#include "kernel/lib/list.h"
#include "kernel/lib/string.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/hart.h"

enum {
	NSLOT = 1024, /* pages that can be cached */
	NHASH = 256,
	FILE_PAGES = (MAXFILE * BSIZE + PGSIZE - 1) / PGSIZE,
};

/* All fields: cache.lock. */
struct slot {
	struct slot *next; /* hash chain or free list */
	struct page *page;
	u32 inum;
	u32 index;
};

static struct {
	struct spinlock lock;
	struct slot *hash[NHASH];
	struct slot *free;
	u32 unused; /* slots from here on were never used */
	u64 count;
	struct slot slots[NSLOT];
} cache = {.lock = SPINLOCK(pagecache, "pagecache")};

static struct slot **
chain_of(u32 inum, u64 index)
{
	return &cache.hash[(inum * 31 + index) % NHASH];
}

/* Where the pointer to the slot of a page is, or the end of its chain. */
static struct slot **
find(u32 inum, u64 index)
{
	struct slot **at = chain_of(inum, index);

	while (*at != NULL && ((*at)->inum != inum || (*at)->index != index))
		at = &(*at)->next;
	return at;
}

/* Take the slot at *at out, and drop the cache's reference to its page. */
static void
drop_slot(struct slot **at)
{
	struct slot *s = *at;

	*at = s->next;
	page_put(s->page);
	s->next = cache.free;
	cache.free = s;
	cache.count--;
}

static struct slot *
take_slot(void)
{
	struct slot *s = cache.free;

	if (s != NULL)
		cache.free = s->next;
	else if (cache.unused < NSLOT)
		s = &cache.slots[cache.unused++];
	return s;
}

static u64
shrink_chain(struct slot **at)
{
	u64 freed = 0;

	while (*at != NULL) {
		if (page_sole((*at)->page)) {
			drop_slot(at);
			freed++;
		} else {
			at = &(*at)->next;
		}
	}
	return freed;
}

/* Drop what nobody maps; cache.lock held. */
static u64
shrink_all(void)
{
	u64 freed = 0;

	for (int i = 0; i < NHASH; i++)
		freed += shrink_chain(&cache.hash[i]);
	return freed;
}

u64
pagecache_shrink(void)
{
	u64 freed;

	acquire(&cache.lock);
	freed = shrink_all();
	release(&cache.lock);
	return freed;
}

/* A cached page with a reference for the caller, or NULL. */
static struct page *
look_up(u32 inum, u64 index)
{
	struct page *pg = NULL;
	struct slot *s;

	acquire(&cache.lock);
	s = *find(inum, index);
	if (s != NULL) {
		pg = s->page;
		page_get(pg);
	}
	release(&cache.lock);
	return pg;
}

/* Enter a page; if there is no room it stays the caller's alone. */
static void
enter(u32 inum, u64 index, struct page *pg)
{
	struct slot *s, **chain = chain_of(inum, index);

	acquire(&cache.lock);
	s = take_slot();
	if (s == NULL && shrink_all() > 0)
		s = take_slot();
	if (s != NULL) {
		page_get(pg);
		*s = (struct slot){.next = *chain,
			.page = pg,
			.inum = inum,
			.index = index};
		*chain = s;
		cache.count++;
	}
	release(&cache.lock);
}

/* Read a page of the file into a new frame; NULL without memory or disk. */
static struct page *
read_page(struct inode *ip, u64 index)
{
	struct page *pg = page_alloc();
	i64 n;

	if (pg == NULL)
		return NULL;
	n = inode_read(ip, page_kva(pg), index * PGSIZE, PGSIZE);
	if (n < 0) {
		page_put(pg);
		return NULL;
	}
	memset((char *)page_kva(pg) + n, 0, PGSIZE - n);
	STAT_ADD(bytes_exec, PGSIZE);
	return pg;
}

struct page *
pagecache_get(struct inode *ip, u64 index)
{
	u32 inum = inode_number(ip);
	struct page *pg = look_up(inum, index);

	if (pg != NULL) {
		STAT(text_hit);
		return pg;
	}
	pg = read_page(ip, index);
	if (pg == NULL)
		return NULL;
	STAT(text_miss);
	*inode_cached(ip) = true;
	enter(inum, index, pg);
	return pg;
}

void
pagecache_drop(struct inode *ip)
{
	u32 inum = inode_number(ip);

	if (!*inode_cached(ip))
		return;
	acquire(&cache.lock);
	for (u64 index = 0; index < FILE_PAGES; index++) {
		struct slot **at = find(inum, index);

		if (*at != NULL)
			drop_slot(at);
	}
	release(&cache.lock);
	*inode_cached(ip) = false;
}

u64
pagecache_count(void)
{
	return __atomic_load_n(&cache.count, __ATOMIC_RELAXED);
}

__audit_only void
pagecache_each(void (*visit)(struct page *pg))
{
	u64 left = NSLOT; /* more are in a circle, and counted twice by now */

	for (int i = 0; i < NHASH; i++)
		for (struct slot *s = cache.hash[i]; s != NULL && left > 0;
			s = s->next, left--)
			visit(s->page);
}
