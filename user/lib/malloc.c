/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - the heap of a program.
 *
 * Memory from sbrk() is a row of blocks without gaps.  Each begins with a
 * header that holds its own size and that of its left neighbour, so both
 * neighbours can be found at once and no two free blocks ever lie side by
 * side.  The row ends in a header that is marked as used and has no payload;
 * when sbrk() continues the row, that header becomes the new block's.  If
 * somebody else has moved the break in between, a second row begins.
 *
 * Free blocks hang in bins by size: one bin for each size up to SMALL, then
 * one for each power of two.  A request takes the first block that fits from
 * its own bin upwards, and gives back what it does not need.
 */
#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"
#include "user/lib/weak.h"

struct block {
	uint64 size; /* header included; lowest bit: USED */
	uint64 left; /* size of the left neighbour; 0: there is none */

	/* Only while free: */
	struct block *next;
	struct block **link; /* what points here */
};

enum {
	USED = 1,
	UNIT = 16, /* all sizes and addresses are multiples */
	HEADER = __builtin_offsetof(struct block, next),
	LEAST = sizeof(struct block),
	SMALL = 512,
	NEXACT = SMALL / UNIT,
	NBIN = NEXACT + 24, /* up to 2^32 */
	GROW = 64 * 1024,   /* ask sbrk() for no less */
	LARGEST = 0x7fff0000,
};

static struct block *bins[NBIN];
static struct block *last; /* the header that ends the newest row */

static uint64
size_of(const struct block *b)
{
	return b->size & ~(uint64)USED;
}

static struct block *
right_of(struct block *b)
{
	return (struct block *)((char *)b + size_of(b));
}

static struct block *
left_of(struct block *b)
{
	return (struct block *)((char *)b - b->left);
}

static int
bin_of(uint64 size)
{
	int bin = NEXACT;

	if (size < SMALL)
		return size / UNIT;
	for (size /= SMALL; size > 1; size /= 2)
		bin++;
	return bin;
}

static void
unlink_free(struct block *b)
{
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
}

/* Make [b, b + size) a free block in its bin; its neighbours are in use. */
static void
link_free(struct block *b, uint64 size)
{
	struct block **bin = &bins[bin_of(size)];

	b->size = size;
	right_of(b)->left = size;
	b->next = *bin;
	b->link = bin;
	if (b->next)
		b->next->link = &b->next;
	*bin = b;
}

/* Free b, whatever its neighbours are; returns the block it has become. */
static struct block *
release(struct block *b)
{
	uint64 size = size_of(b);
	struct block *right = right_of(b);

	if (!(right->size & USED)) {
		unlink_free(right);
		size += right->size;
	}
	if (b->left && !(left_of(b)->size & USED)) {
		b = left_of(b);
		unlink_free(b);
		size += b->size;
	}
	link_free(b, size);
	return b;
}

/* Put the closing header at the end of a row, behind b. */
static void
close_row(struct block *b)
{
	last = right_of(b);
	last->left = size_of(b);
	last->size = HEADER | USED;
}

/* Turn n fresh bytes at mem into a free block, and return that. */
static struct block *
add_memory(char *mem, uint64 n)
{
	struct block *b;
	uint64 skip;

	if (last && mem == (char *)last + HEADER) {
		b = last;
		b->size = n | USED;
		close_row(b);
		return release(b);
	}
	skip = -(uint64)mem % UNIT;
	b = (struct block *)(mem + skip);
	b->left = 0;
	b->size = ((n - skip - HEADER) & ~(uint64)(UNIT - 1)) | USED;
	close_row(b);
	return release(b);
}

/* Get a free block of at least size bytes from the system, or 0. */
static struct block *
grow(uint64 size)
{
	/* A new row needs a closing header, and may need to be aligned. */
	uint64 need = PGROUNDUP(size + HEADER + UNIT);
	uint64 ask = need < GROW ? GROW : need;
	char *mem = sbrk(ask);

	if (mem == SBRK_ERROR && ask > need) {
		ask = need;
		mem = sbrk(ask);
	}
	if (mem == SBRK_ERROR)
		return 0;
	return add_memory(mem, ask);
}

static struct block *
find(uint64 size)
{
	for (int bin = bin_of(size); bin < NBIN; bin++)
		for (struct block *b = bins[bin]; b; b = b->next)
			if (b->size >= size)
				return b;
	return 0;
}

/* Returns n bytes at a multiple of 16, or 0 if there is no memory. */
WEAK void *
malloc(uint n)
{
	uint64 size = ((uint64)n + HEADER + UNIT - 1) & ~(uint64)(UNIT - 1);
	struct block *b;
	uint64 rest;

	if (size < LEAST)
		size = LEAST;
	if (size > LARGEST)
		return 0;
	b = find(size);
	if (b == 0)
		b = grow(size);
	if (b == 0)
		return 0;

	unlink_free(b);
	rest = b->size - size;
	if (rest >= LEAST) {
		b->size = size;
		link_free(right_of(b), rest);
		right_of(b)->left = size;
	}
	b->size |= USED;
	return (char *)b + HEADER;
}

/* A block that is not in use ends the program: the heap is not to be saved. */
WEAK void
free(void *mem)
{
	struct block *b;

	if (mem == 0)
		return;
	b = (struct block *)((char *)mem - HEADER);
	if ((uint64)mem % UNIT || !(b->size & USED)) {
		fprintf(2, "free: %p is not allocated\n", mem);
		exit(-1);
	}
	release(b);
}
