/* SPDX-License-Identifier: MIT */
/*
 * idata.c - what is in an inode: its blocks, reading and writing.
 *
 * A file has no holes: writes start at its end or before, so a file of a
 * given size has exactly the blocks that hold that many bytes, and an
 * indirect block exactly if it has more than NDIRECT.  Every function keeps
 * that, also when the disk gets full half way; fsck.py insists on it.
 *
 * A fresh block is never read or zeroed first: it is written from its start,
 * and only what is left of it gets zeroes.  Nor is an old block read that
 * will be overwritten as a whole.  This works because nothing can fail
 * between taking the buffer and having filled it.
 *
 * Budget of one transaction: WRITE_BLOCKS of data, the inode, the indirect
 * block, the bitmap; truncation changes the inode and the bitmap.
 */
#include "kernel/file/itable.h"
#include "kernel/file/balloc.h"
#include "kernel/file/bio.h"
#include "kernel/file/inode.h"
#include "kernel/file/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/uaccess.h"

enum { BATCH = 16 }; /* blocks asked of the disk at once */

static u64
blocks_for(u64 size)
{
	return (size + BSIZE - 1) / BSIZE;
}

/* Contents change: programs that start from now on must not see old ones. */
static void
forget_pages(struct inode *ip)
{
	if (*inode_cached(ip))
		pagecache_drop(ip);
}

u32
inode_block(struct inode *ip, u64 bn)
{
	struct buf *b;
	u32 blockno;

	ASSERT(bn < MAXFILE);
	if (bn < NDIRECT)
		return ip->d.addrs[bn];
	b = buf_read(ip->d.addrs[NDIRECT]);
	blockno = ((u32 *)b->data)[bn - NDIRECT];
	buf_put(b);
	return blockno;
}

/* The indirect block of ip, locked; a new one if there is none; or NULL. */
static struct buf *
indirect_get(struct inode *ip)
{
	struct buf *b;

	if (ip->d.addrs[NDIRECT] != 0)
		return buf_read(ip->d.addrs[NDIRECT]);
	ip->d.addrs[NDIRECT] = block_alloc();
	if (ip->d.addrs[NDIRECT] == 0)
		return NULL;
	b = buf_get(ip->d.addrs[NDIRECT]);
	memset(b->data, 0, BSIZE);
	b->valid = true;
	return b;
}

/*
 * Append a block, number bn of the file; 0 if the disk is full.  The caller
 * fills it, and logs the inode.
 */
static u32
inode_append(struct inode *ip, u64 bn)
{
	u32 blockno = block_alloc();
	struct buf *b;

	if (blockno == 0)
		return 0;
	if (bn < NDIRECT) {
		ip->d.addrs[bn] = blockno;
		return blockno;
	}
	b = indirect_get(ip);
	if (b == NULL) {
		block_free(&blockno, 1);
		return 0;
	}
	((u32 *)b->data)[bn - NDIRECT] = blockno;
	log_write(b);
	buf_put(b);
	return blockno;
}

void
inode_truncate(struct inode *ip)
{
	u64 n = blocks_for(ip->d.size);
	struct buf *b;

	ASSERT(sleeplock_holding(&ip->lock));
	forget_pages(ip);
	if (n == 0)
		return;
	block_free(ip->d.addrs, MIN(n, (u64)NDIRECT));
	if (n > NDIRECT) {
		b = buf_read(ip->d.addrs[NDIRECT]);
		block_free((const u32 *)b->data, n - NDIRECT);
		buf_put(b);
		block_free(&ip->d.addrs[NDIRECT], 1);
	}
	memset(ip->d.addrs, 0, sizeof(ip->d.addrs));
	ip->d.size = 0;
	inode_update(ip);
}

/* Ask the disk for blocks [bn, end) of the file, as many as one batch takes. */
static void
read_batch(struct inode *ip, u64 bn, u64 end)
{
	u32 batch[BATCH];
	u32 n = 0;

	for (; bn < end && n < BATCH; bn++)
		batch[n++] = inode_block(ip, bn);
	buf_prefetch(batch, n);
}

static int
mem_put(struct mem to, u64 at, const void *src, u64 n)
{
	if (to.vm != NULL)
		return copyout(to.vm, to.addr + at, src, n);
	memmove((u8 *)to.addr + at, src, n);
	return 0;
}

static void
mem_get(struct mem from, u64 at, void *dst, u64 n)
{
	if (from.vm != NULL)
		copyin_nofail(from.vm, dst, from.addr + at, n);
	else
		memmove(dst, (const u8 *)from.addr + at, n);
}

i64
inode_read_to(struct inode *ip, struct mem to, u64 off, u64 n)
{
	u64 done, part, end;
	struct buf *b;
	int err = 0;

	ASSERT(sleeplock_holding(&ip->lock));
	if (off >= ip->d.size)
		return 0;
	n = MIN(n, ip->d.size - off);
	end = blocks_for(off + n);

	for (done = 0; done < n; done += part, off += part) {
		u64 bn = off / BSIZE;

		if (end - bn > 1 && (done == 0 || bn % BATCH == 0))
			read_batch(ip, bn, MIN(end, bn - bn % BATCH + BATCH));
		part = MIN(n - done, BSIZE - off % BSIZE);
		b = buf_read(inode_block(ip, bn));
		err = mem_put(to, done, b->data + off % BSIZE, part);
		buf_put(b);
		if (err)
			break;
	}
	return done > 0 ? (i64)done : err;
}

i64
inode_read(struct inode *ip, void *dst, u64 off, u64 n)
{
	return inode_read_to(ip, (struct mem){NULL, (u64)dst}, off, n);
}

/*
 * Write part bytes at offset off, all in one block, which is appended if off
 * is the end of the file and of a block.  False if the disk is full.
 */
static bool
write_block(struct inode *ip, struct mem from, u64 at, u64 off, u64 part)
{
	u64 bn = off / BSIZE;
	bool fresh = bn == blocks_for(ip->d.size);
	u32 blockno = fresh ? inode_append(ip, bn) : inode_block(ip, bn);
	struct buf *b;

	if (blockno == 0)
		return false;
	if (fresh || part == BSIZE)
		b = buf_get(blockno);
	else
		b = buf_read(blockno);
	mem_get(from, at, b->data + off % BSIZE, part);
	if (fresh)
		memset(b->data + part, 0, BSIZE - part);
	b->valid = true;
	log_write(b);
	buf_put(b);
	return true;
}

i64
inode_write(struct inode *ip, struct mem from, u64 off, u64 n)
{
	u64 size = ip->d.size;
	u64 done, part;

	ASSERT(sleeplock_holding(&ip->lock));
	/* The file was cut short behind an open file's back: no holes. */
	if (off > size)
		return -EINVAL;
	ASSERT(off % BSIZE + n <= WRITE_BLOCKS * BSIZE);
	if (off >= MAXFILE * BSIZE && n > 0)
		return -EFBIG;
	n = MIN(n, MAXFILE * BSIZE - off);
	forget_pages(ip);

	for (done = 0; done < n; done += part, off += part) {
		part = MIN(n - done, BSIZE - off % BSIZE);
		if (!write_block(ip, from, done, off, part))
			break;
		ip->d.size = MAX(ip->d.size, (u32)(off + part));
	}
	if (ip->d.size != size)
		inode_update(ip);
	return done > 0 || n == 0 ? (i64)done : -ENOSPC;
}
