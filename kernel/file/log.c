/* SPDX-License-Identifier: MIT */
/*
 * log.c - the write-ahead log: after a power cut at any moment, the disk holds
 * each system call's changes completely or not at all.
 *
 * Calls that change the disk do so between log_begin() and log_end(), in
 * buffers, which they hand to log_write().  All calls under way at one time
 * form one transaction.  When the last of them ends, it commits:
 *
 *   - The new contents of its blocks are written to the log, together with a
 *     header that says where they belong.  The buffers serve as they are;
 *     nothing is copied.  The log has two areas, used in turn.
 *   - In the same request to the disk, the blocks of the transaction before
 *     are written to their homes, but for those that this one changes again.
 *   - flush.  Now, and not before, the transaction is in force.
 *
 * So a commit waits for the disk twice, and a block that one call after the
 * other changes (the bitmap, a directory) goes home only when that is over.
 *
 * The header carries a checksum over the blocks and itself: an area whose
 * writing was cut short does not match it, and counts for nothing.  That is
 * why the header needs no flush before it, and why nothing has to be erased.
 * Recovery writes home what both areas hold, if it is complete, the older
 * transaction first.  Let N be in force when the power goes:
 *
 *   - N is complete in its area, which N + 1 does not touch.
 *   - What N changed may be home in part: recovery writes all of it.
 *   - What N - 1 changed and N did not was written home in the request that
 *     brought N, and is there since N's flush; the rest is in N.  So N - 1 is
 *     not needed, and N + 1 may overwrite it.
 *   - If N + 1 is complete too, although not flushed, it is in force.
 *   - Writing home once more what is there already does no harm; nor does
 *     N - 1 if it is still complete, for N comes after it.
 *
 * File contents go through the log like everything else.  An area has room
 * for a fixed number of blocks: log_begin() lets a call in when the blocks
 * logged, and MAXOPBLOCKS for each call under way and the new one, fit.  A
 * block that several calls change takes room once.
 *
 * What keeps this right on many harts:
 *
 *   - During a commit no call is under way and none is let in.  The committer
 *     therefore owns what is marked [c], and nobody changes the data of the
 *     blocks, although others may lock and read them.
 *   - A block that waits to go home has not changed since its transaction:
 *     who changes it makes it part of the next, which then writes it.
 *   - A call holds no inode's or buffer's lock when it waits in log_begin(),
 *     for those who have to end first may need that lock.
 *
 * The host's power-cut test cuts at every write of a workload, and also loses
 * writes that no flush has followed (scripts/powercut.py).
 */
#include "kernel/check/lockdep.h"
#include "kernel/file/log.h"
#include "kernel/file/bio.h"
#include "kernel/file/inode.h"
#include "kernel/file/super.h"
#include "kernel/dev/dev.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

/* Some blocks, each pinned as often as it is in such a list. */
struct block_list {
	u32 n;
	struct buf *bufs[LOGBLOCKS];
};

/*
 *   [l] lock
 *   [c] lock; while committing, and at boot, the committer's alone
 */
static struct {
	struct spinlock lock;
	u32 active;             /* [l] calls in the transaction */
	u32 waiters;            /* [l] processes asleep for a change */
	bool committing;        /* [l] */
	struct block_list now;  /* [c] the transaction under way */
	struct block_list last; /* [c] the one before: not yet home */
	u64 seq;                /* [c] number of the last transaction */
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

#pragma GCC unroll 16
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
data_sum(const struct block_list *list)
{
	u64 sum = FSMAGIC;

	for (u32 i = 0; i < list->n; i++)
		sum = sum_block(sum, list->bufs[i]->data);
	return sum;
}

/* --- requests to the disk; the committer's */

static struct {
	struct buf slots[LOGAREASIZE]; /* blocks of the log, data borrowed */
	u32 nslots;
	struct buf *bufs[LOGAREASIZE + LOGBLOCKS];
	u32 n;
} request;

static void
request_add(struct buf *b)
{
	request.bufs[request.n++] = b;
}

/* Block i of an area of the log, to be read into or written from data. */
static void
request_add_log(u64 area, u32 i, u8 *data)
{
	struct buf *slot = &request.slots[request.nslots++];

	slot->blockno = sb.logstart + area * LOGAREASIZE + i;
	slot->data = data;
	request_add(slot);
}

static void
request_add_log_data(u64 area, const struct block_list *list)
{
	for (u32 i = 0; i < list->n; i++)
		request_add_log(area, 1 + i, list->bufs[i]->data);
}

static void
request_run(bool write)
{
	disk_rw(request.bufs, request.n, write);
	request.n = 0;
	request.nslots = 0;
}

/* --- recovery */

/* Read the header of an area; its transaction's number, or 0 if it is bad. */
static u64
header_read(u64 area)
{
	request_add_log(area, 0, header.block);
	request_run(false);
	if (header.h.head_sum != header_sum() || header.h.n > LOGBLOCKS)
		return 0;
	return header.h.seq;
}

/* Write home what an area holds, if it is complete. */
static void
area_recover(u64 area)
{
	struct block_list *list = &log.now;
	u64 seq = header_read(area);
	bool complete;

	if (seq == 0)
		return;
	for (u32 i = 0; i < header.h.n; i++) {
		if (header.h.blocks[i] < sb.inodestart)
			panic("log: no home for a block", header.h.blocks[i]);
		list->bufs[list->n++] = buf_get(header.h.blocks[i]);
	}
	request_add_log_data(area, list);
	request_run(false);
	complete = data_sum(list) == header.h.data_sum;
	if (complete) {
		log.seq = seq;
		disk_rw(list->bufs, list->n, true);
		disk_flush();
	}
	while (list->n > 0) {
		struct buf *b = list->bufs[--list->n];

		b->valid = complete;
		buf_put(b);
	}
}

void
log_recover(void)
{
	u64 older = header_read(0) < header_read(1) ? 0 : 1;

	area_recover(older);
	area_recover(!older);
}

/* --- transactions */

static void
header_fill(void)
{
	memset(header.block, 0, BSIZE);
	header.h.seq = log.seq;
	header.h.n = log.now.n;
	for (u32 i = 0; i < log.now.n; i++)
		header.h.blocks[i] = log.now.bufs[i]->blockno;
	header.h.data_sum = data_sum(&log.now);
	header.h.head_sum = header_sum();
}

/* DEBUG: the sums of what is in log.last; the committer's. */
static u64 last_sums[DEBUG ? LOGBLOCKS : 1];

static void
last_note(void)
{
	for (u32 i = 0; i < log.last.n; i++)
		last_sums[i] = sum_block(FSMAGIC, log.last.bufs[i]->data);
}

/* Block i of log.last has not changed, unless by a call that logged it. */
static bool
last_sound(u32 i)
{
	const struct buf *b = log.last.bufs[i];

	return b->refs > 0 &&
	       (b->logged || sum_block(FSMAGIC, b->data) == last_sums[i]);
}

/* Put the transaction in force.  Nobody is active. */
static void
log_commit(void)
{
	u64 area = ++log.seq % LOGAREAS;

	DEBUG_ASSERT(log.committing && log.active == 0);
	header_fill();
	request_add_log(area, 0, header.block);
	request_add_log_data(area, &log.now);
	for (u32 i = 0; i < log.last.n; i++) {
		DEBUG_ASSERT(last_sound(i));
		if (!log.last.bufs[i]->logged)
			request_add(log.last.bufs[i]);
	}
	request_run(true);
	disk_flush();

	for (u32 i = 0; i < log.last.n; i++)
		buf_unpin(log.last.bufs[i]);
	for (u32 i = 0; i < log.now.n; i++)
		log.now.bufs[i]->logged = false;
	log.last = log.now;
	log.now.n = 0;
	if (DEBUG)
		last_note();
}

static bool
log_has_room(void)
{
	return log.now.n + (log.active + 1) * MAXOPBLOCKS <= LOGBLOCKS;
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
	if (LOCKDEP)
		lockdep_enter("transaction", NULL);
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
	if (log.active == 0 && log.now.n > 0) {
		log.committing = true;
		release(&log.lock);

		log_commit();

		acquire(&log.lock);
		log.committing = false;
	}
	log_wake();
	release(&log.lock);
	if (LOCKDEP)
		lockdep_leave("transaction", myproc());
}

void
log_write(struct buf *b)
{
	ASSERT(sleeplock_holding(&b->lock) && b->valid);
	acquire(&log.lock);
	ASSERT(log.active > 0);
	if (!b->logged) {
		if (log.now.n == LOGBLOCKS)
			panic("log: transaction too big", b->blockno);
		b->logged = true;
		log.now.bufs[log.now.n++] = b;
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

u32
log_in_use(void)
{
	return log.active + log.now.n;
}

u32
log_pinned(void)
{
	return log.last.n;
}
