/* SPDX-License-Identifier: MIT */
/* bio.h - disk blocks in memory (file/bio.c). */
#ifndef KERNEL_FILE_BIO_H
#define KERNEL_FILE_BIO_H

#include "kernel/lib/base.h"
#include "kernel/lib/list.h"
#include "kernel/lock/sleeplock.h"

/*
 * A block, for the cache and for the disk driver, which reads blockno and
 * data and nothing else.
 *
 *   [I] fixed at boot
 *   [b] the lock of the bucket that the buffer is in; blockno does not
 *       change while refs > 0
 *   [a] atomic; changed with the bucket's lock held
 *   [s] lock
 *   [l] the log's lock; during a commit, the committer's
 */
struct buf {
	u32 blockno; /* [b] which block */
	u8 *data;    /* [I] BSIZE bytes that cross no page boundary */
	struct sleeplock lock;
	bool valid;        /* [s] data is what the block holds, or will */
	bool logged;       /* [l] part of the transaction under way */
	bool recent;       /* [b] used since the hand last went by */
	u32 refs;          /* [b] users, and the log if logged */
	u32 bucket;        /* [a] where chain is */
	struct list chain; /* [b] the buffers of one bucket */
};

/* bio_init: allocate the buffers; panics without memory for them. */
void bio_init(void);

/*
 * buf_get: the buffer of a block, locked.  Unless it is valid its contents
 * are undefined: for callers that fill all of it, and set valid.
 * buf_read: the same, with the block's contents.
 * Both may sleep; a block beyond the file system panics.
 */
struct buf *buf_get(u32 blockno);
struct buf *buf_read(u32 blockno);

/* buf_put: unlock and let go of b. */
void buf_put(struct buf *b);

/*
 * buf_prefetch: have the disk read those of n blocks that are not cached, all
 * at once, so that a buf_read() of each soon after finds them.  A hint: it
 * may do nothing.  No buffer may be held.
 */
void buf_prefetch(const u32 *blocknos, u32 n);

/* bio_in_use: buffers with users, prefetches apart; for the audit. */
u32 bio_in_use(void);

/* buf_pin: keep b cached after buf_put(); b locked.  buf_unpin: no more. */
void buf_pin(struct buf *b);
void buf_unpin(struct buf *b);

#endif
