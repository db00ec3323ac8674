/* SPDX-License-Identifier: MIT */
/* log.h - the write-ahead log (file/log.c). */
#ifndef KERNEL_FILE_LOG_H
#define KERNEL_FILE_LOG_H

#include "kernel/lib/base.h"
#include "kernel/fs.h"

/*
 * The log is two areas, which transactions use in turn.  This is the first
 * block of an area; the contents of blocks[i] follow it in the i-th block
 * after.  scripts/fsimage.py reads this, and knows the sums as well.
 */
#define LOGAREAS    2
#define LOGAREASIZE (1 + LOGBLOCKS)

struct log_header {
	u64 head_sum;          /* of this block, with 0 here */
	u64 data_sum;          /* of the n blocks, one after the other */
	u64 seq;               /* how many transactions there have been */
	u64 n;                 /* blocks in this one */
	u32 blocks[LOGBLOCKS]; /* where they belong */
};

struct buf;

/*
 * log_recover: write home the complete transactions that the log holds.  At
 * boot, before any other access but to the superblock.
 */
void log_recover(void);

/*
 * log_write: make the contents of b part of the transaction.  b is locked and
 * valid, and stays in memory until it is on disk.  Between log_begin() and
 * log_end() (inode.h), for at most MAXOPBLOCKS different blocks.
 */
void log_write(struct buf *b);

/* log_in_use: calls in the transaction plus blocks in it; for the audit. */
u32 log_in_use(void);

/* log_pinned: buffers of the transaction that is not yet home. */
u32 log_pinned(void);

#endif
