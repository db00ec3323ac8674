/* SPDX-License-Identifier: MIT */
/*
 * balloc.c - the bitmap of data blocks in use.
 *
 * The whole bitmap is one disk block (super.c sees to that), which is why an
 * operation that frees the largest file still fits the log.  Its buffer's
 * lock guards the allocation.
 *
 * A block freed may be used again by the same transaction: since contents go
 * through the log too, the disk shows either none of that or all of it.
 */
#include "kernel/check/failnth.h"
#include "kernel/file/balloc.h"
#include "kernel/file/bio.h"
#include "kernel/file/log.h"
#include "kernel/file/super.h"

enum { WORD_BITS = 64 };

/*
 * No block below it is free.  Guarded by the lock of the bitmap's buffer, so
 * that a search starts where there is something to find, and a full disk
 * takes no search at all.
 */
static u32 lowest_free;

static u32
first_data_block(void)
{
	return sb.bmapstart + 1;
}

/* The first free block from `from` on, or sb.size. */
static u32
bitmap_search(const u64 *words, u32 from)
{
	u32 b = from;

	while (b < sb.size) {
		u64 rest = ~words[b / WORD_BITS] >> (b % WORD_BITS);

		if (rest & 1)
			return b;
		b += rest ? 1 : WORD_BITS - b % WORD_BITS;
	}
	return sb.size;
}

__injectable u32
block_alloc(void)
{
	struct buf *map;
	u64 *words;
	u32 b;

	if (fail_here(ALLOC_SITE()))
		return 0;
	map = buf_read(sb.bmapstart);
	words = (u64 *)map->data;
	b = bitmap_search(words, MAX(lowest_free, first_data_block()));
	lowest_free = b;
	if (b == sb.size) {
		buf_put(map);
		return 0;
	}
	words[b / WORD_BITS] |= 1UL << (b % WORD_BITS);
	lowest_free = b + 1;
	log_write(map);
	buf_put(map);
	return b;
}

void
block_free(const u32 *blocknos, u32 n)
{
	struct buf *map = buf_read(sb.bmapstart);
	u64 *words = (u64 *)map->data;

	for (u32 i = 0; i < n; i++) {
		u32 b = blocknos[i];
		u64 bit = 1UL << (b % WORD_BITS);

		if (b < first_data_block() || b >= sb.size)
			panic("balloc: freeing what is no data block", b);
		if (!(words[b / WORD_BITS] & bit))
			panic("balloc: freeing a free block", b);
		words[b / WORD_BITS] &= ~bit;
		lowest_free = MIN(lowest_free, b);
	}
	log_write(map);
	buf_put(map);
}
