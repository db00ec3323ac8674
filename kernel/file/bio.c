/* SPDX-License-Identifier: MIT */
/*
 * bio.c - the buffer cache: disk blocks in memory.
 *
 * Every access to a disk block goes through its one buffer, so two users of a
 * block see the same bytes, and the second need not ask the disk.
 *
 * A buffer is in the bucket that its block number selects, or, as long as it
 * has no block, in the spare one.  Who misses takes a victim out of whatever
 * bucket it is in, the way of a clock: a hand goes round the buffers, spares
 * those used since it last came by, and takes the first that was not.  While
 * a victim is in no bucket it belongs to its taker alone.
 *
 * What keeps this right on many harts:
 *
 *   - At most one bucket's lock is held at a time.  So between the miss and
 *     the insertion another hart may insert the same block: the second look,
 *     under the lock that also covers the insertion, finds that, and then the
 *     victim goes to the spare bucket.  A block is never in two buffers.
 *   - A buffer with references is never a victim, so whoever holds one may
 *     sleep for its lock and still get the block it asked for.
 *   - b->bucket is read without a lock to learn which lock to take; under
 *     that lock it is looked at again.
 *   - Modified blocks are the log's: it pins them until they are on disk, so
 *     a victim never has to be written.
 *
 * Buffers cannot run out.  Whoever waits for the disk or a buffer's lock holds
 * the lock of an inode and one buffer, or is one of the CALLS in a transaction
 * and has at most HELD_AT_ONCE; the log pins what two transactions changed.
 * Prefetching stops short of the last RESERVED.
 *
 * Order of the sleep locks: inodes, then buffers; among buffers, a file's
 * indirect block before the bitmap, and otherwise one at a time.
 */
#include "kernel/check/asan.h"
#include "kernel/file/bio.h"
#include "kernel/file/super.h"
#include "kernel/dev/dev.h"
#include "kernel/fs.h"
#include "kernel/mm/page.h"

enum {
	BUCKETS = 128,
	SPARE = BUCKETS,       /* the bucket of buffers without a block */
	NOWHERE = BUCKETS + 1, /* in no bucket: its taker's own */
	PER_PAGE = PGSIZE / BSIZE,
	HELD_AT_ONCE = 2,
	PREFETCH = 16,
	CALLS = LOGBLOCKS / MAXOPBLOCKS,
	RESERVED = NINODE + 2 * LOGBLOCKS + HELD_AT_ONCE * CALLS,
};

_Static_assert(NBUF % PER_PAGE == 0, "buffers fill whole pages");
_Static_assert(NBUF >= RESERVED + PREFETCH, "see the head of this file");

/*
 * [b] lock
 */
struct bucket {
	struct spinlock lock;
	struct list bufs; /* [b] */
};

static struct bucket buckets[BUCKETS + 1];
static struct buf bufs[NBUF];
static u32 hand;        /* atomic: the clock's, counts on for ever */
static u32 prefetching; /* atomic: buffers that prefetches hold */

void
bio_init(void)
{
	u8 *page = NULL;

	for (u32 i = 0; i <= SPARE; i++) {
		spin_init(&buckets[i].lock, RANK_bcache, "bcache");
		list_init(&buckets[i].bufs);
	}
	for (u32 i = 0; i < NBUF; i++) {
		struct buf *b = &bufs[i];

		if (i % PER_PAGE == 0) {
			page = kalloc();
			if (page == NULL)
				panic("bio: no memory for buffers", i);
			page_keep(page);
		}
		b->data = page + i % PER_PAGE * BSIZE;
		sleeplock_init(&b->lock, "buf");
		b->bucket = SPARE;
		list_push(&buckets[SPARE].bufs, &b->chain);
		asan_poison(b->data, BSIZE, SHADOW_OBJECT);
	}
}

static u32
bucket_index(u32 blockno)
{
	return blockno % BUCKETS;
}

static void
bucket_add(u32 index, struct buf *b)
{
	ASSERT(holding(&buckets[index].lock));
	list_push_front(&buckets[index].bufs, &b->chain);
	__atomic_store_n(&b->bucket, index, __ATOMIC_RELAXED);
}

/* Give back a victim that turned out not to be needed. */
static void
spare_add(struct buf *b)
{
	acquire(&buckets[SPARE].lock);
	bucket_add(SPARE, b);
	release(&buckets[SPARE].lock);
}

/* Take b out of its bucket, if it is idle and has had its second chance. */
static bool
buf_steal(struct buf *b)
{
	u32 at = __atomic_load_n(&b->bucket, __ATOMIC_RELAXED);
	bool mine;

	if (at == NOWHERE)
		return false;
	acquire(&buckets[at].lock);
	mine = __atomic_load_n(&b->bucket, __ATOMIC_RELAXED) == at &&
	       b->refs == 0 && !b->recent;
	if (mine) {
		DEBUG_ASSERT(!b->logged);
		list_remove(&b->chain);
		__atomic_store_n(&b->bucket, NOWHERE, __ATOMIC_RELAXED);
	} else if (b->bucket == at) {
		b->recent = false;
	}
	release(&buckets[at].lock);
	return mine;
}

/* A buffer that is in no bucket and that nobody uses. */
static struct buf *
victim_take(void)
{
	/* Twice round clears every mark; others may set some again. */
	for (u32 i = 0; i < 4 * NBUF; i++) {
		u32 at = __atomic_fetch_add(&hand, 1, __ATOMIC_RELAXED);

		if (buf_steal(&bufs[at % NBUF]))
			return &bufs[at % NBUF];
	}
	panic("bio: every buffer is in use", NBUF);
}

/*
 * The buffer of a block with one more reference; if the block is not cached,
 * fresh becomes its buffer (NULL: the answer is NULL).
 */
static struct buf *
bucket_find(u32 blockno, struct buf *fresh)
{
	u32 index = bucket_index(blockno);
	struct bucket *bk = &buckets[index];
	struct buf *found = NULL;
	struct buf *b;

	acquire(&bk->lock);
	list_for_each(b, &bk->bufs, chain)
	{
		DEBUG_ASSERT(b->bucket == index);
		if (b->blockno == blockno) {
			found = b;
			break;
		}
	}
	if (found == NULL && fresh != NULL) {
		DEBUG_ASSERT(fresh->refs == 0 && fresh->bucket == NOWHERE);
		found = fresh;
		found->blockno = blockno;
		found->valid = false;
		bucket_add(index, found);
	}
	if (found != NULL) {
		if (found->refs++ == 0)
			asan_unpoison(found->data, BSIZE);
		found->recent = true;
	}
	release(&bk->lock);
	return found;
}

struct buf *
buf_get(u32 blockno)
{
	struct buf *b, *fresh;

	if (blockno >= sb.size)
		panic("bio: no such block", blockno);
	b = bucket_find(blockno, NULL);
	if (b == NULL) {
		fresh = victim_take();
		b = bucket_find(blockno, fresh);
		if (b != fresh)
			spare_add(fresh);
	}
	sleeplock_acquire(&b->lock);
	return b;
}

struct buf *
buf_read(u32 blockno)
{
	struct buf *b = buf_get(blockno);

	if (!b->valid) {
		disk_rw(&b, 1, false);
		b->valid = true;
	}
	return b;
}

static void
buf_drop(struct buf *b)
{
	struct bucket *bk = &buckets[bucket_index(b->blockno)];

	acquire(&bk->lock);
	ASSERT(b->refs > 0);
	if (--b->refs == 0)
		asan_free(b->data, BSIZE, SHADOW_OBJECT);
	release(&bk->lock);
}

void
buf_put(struct buf *b)
{
	sleeplock_release(&b->lock);
	buf_drop(b);
}

void
buf_pin(struct buf *b)
{
	struct bucket *bk = &buckets[bucket_index(b->blockno)];

	ASSERT(sleeplock_holding(&b->lock));
	acquire(&bk->lock);
	b->refs++;
	release(&bk->lock);
}

void
buf_unpin(struct buf *b)
{
	buf_drop(b);
}

/*
 * A new buffer for a block that is not cached, locked; NULL if it is.  Nobody
 * else can have locked it: so several may be held without a deadlock.
 */
static struct buf *
buf_get_missing(u32 blockno)
{
	struct buf *b = bucket_find(blockno, NULL);
	struct buf *fresh;

	if (b != NULL) {
		buf_drop(b);
		return NULL;
	}
	fresh = victim_take();
	sleeplock_acquire(&fresh->lock);
	b = bucket_find(blockno, fresh);
	if (b == fresh)
		return b;
	buf_drop(b);
	sleeplock_release(&fresh->lock);
	spare_add(fresh);
	return NULL;
}

void
buf_prefetch(const u32 *blocknos, u32 n)
{
	struct buf *batch[PREFETCH];
	int got = 0;
	u32 held;

	n = MIN(n, (u32)PREFETCH);
	held = __atomic_add_fetch(&prefetching, n, __ATOMIC_RELAXED);
	for (u32 i = 0; i < n && held <= NBUF - RESERVED; i++) {
		struct buf *b = buf_get_missing(blocknos[i]);

		if (b != NULL)
			batch[got++] = b;
	}
	if (got > 0)
		disk_rw(batch, got, false);
	for (int i = 0; i < got; i++) {
		batch[i]->valid = true;
		buf_put(batch[i]);
	}
	__atomic_sub_fetch(&prefetching, n, __ATOMIC_RELAXED);
}

__audit_only u32
bio_in_use(void)
{
	u32 used = 0;

	for (u32 i = 0; i < NBUF; i++)
		used += bufs[i].refs > 0;
	return used - __atomic_load_n(&prefetching, __ATOMIC_RELAXED);
}
