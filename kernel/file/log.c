/* SPDX-License-Identifier: MIT */
/*
 * log.c - the write-ahead log: after a power cut at any moment, the disk holds
 * each system call's changes completely or not at all.
 *
 * Calls that change the disk do so between log_begin() and log_end(), in
 * buffers, which they hand to log_write().  All calls under way at one time
 * form one transaction.  When the last of them ends, it commits:
 *
 *   1. The new contents of the blocks are written to the log, together with
 *      the header, which says where they belong: one request to the disk.
 *      The buffers serve as they are; nothing is copied.
 *   2. flush.  Now, and not before, the transaction is in force.
 *   3. The blocks are written to their homes: one more request.
 *   4. flush.  Now the log may be used again.
 *
 * The header carries a checksum over the blocks and itself.  That is why it
 * needs neither a flush before it nor to be erased after step 4:
 *
 *   - A cut during 1 leaves a header that does not match the blocks, for some
 *     are old: recovery ignores the log, and no home was touched yet.
 *   - A cut during 3 leaves a complete log: recovery does 3 again.  So it does
 *     after a cut in quiet times, and writes what is there already.
 *   - The homes of an older transaction are on disk (4) before the next 1
 *     begins, so that one that is half overwritten is not needed.
 *
 * File contents go through the log like everything else.  The log has room
 * for a fixed number of blocks: log_begin() lets a call in when the blocks
 * logged, and MAXOPBLOCKS for each call under way and the new one, fit.  A
 * block that several calls change takes room once.
 *
 * What keeps this right on many harts:
 *
 *   - During a commit no call is under way and none is let in.  The committer
 *     therefore owns log.n and log.blocks, and nobody changes the data of the
 *     blocks, although others may lock and read them.
 *   - A call holds no inode's or buffer's lock when it waits in log_begin(),
 *     for those who have to end first may need that lock.
 *
 * The host's power-cut test cuts at every write of a workload, and also loses
 * writes that no flush has followed (scripts/powercut.py).
 */
#include "kernel/file/log.h"
#include "kernel/file/bio.h"
#include "kernel/file/inode.h"
#include "kernel/file/super.h"
#include "kernel/dev/dev.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

/*
 *   [l] lock
 *   [c] lock; while committing, the committer's
 */
static struct {
	struct spinlock lock;
	u32 active;                    /* [l] calls in the transaction */
	u32 waiters;                   /* [l] processes asleep for a change */
	bool committing;               /* [l] */
	u32 n;                         /* [c] blocks in the transaction */
	struct buf *blocks[LOGBLOCKS]; /* [c] those, pinned */
	u64 seq;                       /* [c] of the last transaction */
} log = {.lock = SPINLOCK(log, "log")};

/* The header as it is on disk; the committer's. */
static union {
	struct log_header h;
	u8 block[BSIZE];
} header __aligned(BSIZE);

_Static_assert(sizeof(struct log_header) <= BSIZE, "the header is one block");

/* What is in a block may have been stored as anything. */
typedef u64 __attribute__((may_alias)) word;

/* Mix the words of a block into a sum. */
static u64
sum_block(u64 sum, const u8 *block)
{
	const word *w = (const word *)block;

	for (u32 i = 0; i < BSIZE / sizeof(*w); i++) {
		sum = (sum ^ w[i]) * 0x9e3779b97f4a7c15UL;
		sum ^= sum >> 32;
	}
	return sum;
}

/* The sum that belongs into the header, whatever is there now. */
static u64
header_sum(void)
{
	u64 there = header.h.head_sum;
	u64 sum;

	header.h.head_sum = 0;
	sum = sum_block(FSMAGIC, header.block);
	header.h.head_sum = there;
	return sum;
}

static u64
data_sum(struct buf **blocks, u32 n)
{
	u64 sum = FSMAGIC;

	for (u32 i = 0; i < n; i++)
		sum = sum_block(sum, blocks[i]->data);
	return sum;
}

/*
 * Read or write the blocks of the log, from the i-th on, with the data of the
 * given buffers; with_header: and the header.
 */
static void
log_rw(struct buf **blocks, u32 n, bool with_header, bool write)
{
	static struct buf slots[LOGBLOCKS + 1]; /* the committer's */
	struct buf *batch[LOGBLOCKS + 1];
	u32 count = 0;

	for (u32 i = 0; i < n; i++) {
		slots[i].blockno = sb.logstart + 1 + i;
		slots[i].data = blocks[i]->data;
		batch[count++] = &slots[i];
	}
	if (with_header) {
		slots[n].blockno = sb.logstart;
		slots[n].data = header.block;
		batch[count++] = &slots[n];
	}
	disk_rw(batch, count, write);
}

/* Is what was read as a header one that a commit wrote? */
static bool
header_good(void)
{
	return header.h.head_sum == header_sum() && header.h.n > 0 &&
	       header.h.n <= LOGBLOCKS;
}

void
log_recover(void)
{
	struct buf **blocks = log.blocks;
	bool complete;
	u32 n;

	log_rw(NULL, 0, true, false);
	if (!header_good())
		return;
	n = header.h.n;
	log.seq = header.h.seq;

	for (u32 i = 0; i < n; i++) {
		if (header.h.blocks[i] < sb.inodestart)
			panic("log: no home for a block", header.h.blocks[i]);
		blocks[i] = buf_get(header.h.blocks[i]);
	}
	log_rw(blocks, n, false, false);
	complete = data_sum(blocks, n) == header.h.data_sum;
	if (complete) {
		disk_rw(blocks, n, true);
		disk_flush();
	}
	for (u32 i = 0; i < n; i++) {
		blocks[i]->valid = complete;
		buf_put(blocks[i]);
	}
}

/* Write the transaction to the log and then home.  Nobody else is active. */
static void
log_commit(void)
{
	memset(header.block, 0, BSIZE);
	header.h.seq = ++log.seq;
	header.h.n = log.n;
	for (u32 i = 0; i < log.n; i++)
		header.h.blocks[i] = log.blocks[i]->blockno;
	header.h.data_sum = data_sum(log.blocks, log.n);
	header.h.head_sum = header_sum();

	log_rw(log.blocks, log.n, true, true);
	disk_flush();
	disk_rw(log.blocks, log.n, true);
	disk_flush();

	for (u32 i = 0; i < log.n; i++)
		buf_unpin(log.blocks[i]);
}

static bool
log_has_room(void)
{
	return log.n + (log.active + 1) * MAXOPBLOCKS <= LOGBLOCKS;
}

/* Sleep until something has changed; log.lock held. */
static void
log_wait(void)
{
	log.waiters++;
	sleep(&log, &log.lock);
	log.waiters--;
}

static void
log_wake(void)
{
	if (log.waiters > 0)
		wakeup(&log);
}

void
log_begin(void)
{
	acquire(&log.lock);
	while (log.committing || !log_has_room())
		log_wait();
	log.active++;
	release(&log.lock);
}

void
log_end(void)
{
	acquire(&log.lock);
	ASSERT(log.active > 0 && !log.committing);
	log.active--;
	if (log.active == 0 && log.n > 0) {
		for (u32 i = 0; i < log.n; i++)
			log.blocks[i]->logged = false;
		log.committing = true;
		release(&log.lock);

		log_commit();

		acquire(&log.lock);
		log.committing = false;
		log.n = 0;
	}
	log_wake();
	release(&log.lock);
}

void
log_write(struct buf *b)
{
	ASSERT(sleeplock_holding(&b->lock) && b->valid);
	acquire(&log.lock);
	ASSERT(log.active > 0);
	if (!b->logged) {
		if (log.n == LOGBLOCKS)
			panic("log: transaction too big", b->blockno);
		b->logged = true;
		log.blocks[log.n++] = b;
		buf_pin(b);
	}
	release(&log.lock);
}

void
fs_quiesce(void)
{
	acquire(&log.lock);
	while (log.committing)
		log_wait();
	release(&log.lock);
}
