/* SPDX-License-Identifier: MIT */
/*
 * cover.c - what the kernel's code says of itself as it runs
 * (gcc's -fsanitize-coverage=trace-pc).
 *
 * FUZZ=cover: each block counts how often it came, in one of its few places in
 * the map: which one tells the block before.  The code for it is in line, put
 * there by scripts/inline_cover.py, which knows the layout below.  The block
 * before is whatever ran last on any hart: one hart runs at a time and by
 * rule, so the map is the same for the same input all the same.
 *
 * FUZZ=exact: one byte for each block, by its place in the text, for the
 * report that lists what was reached.
 */
#include "fuzz/shim/hooks.h"

#if COVER_EXACT
extern char kernel_text[];

void __sanitizer_cov_trace_pc(void);

/* The host finds it by its name. */
unsigned char stampede_blocks[BLOCKS_MAX] __attribute__((aligned(4096)));

void
__sanitizer_cov_trace_pc(void)
{
	unsigned long at = ((unsigned long)__builtin_return_address(0) -
				   (unsigned long)kernel_text) /
			   2;

	if (at < sizeof(stampede_blocks))
		stampede_blocks[at] = 1;
}
#endif

struct cover stampede_cover;
_Static_assert(offsetof(struct cover, map) == 64 &&
		       offsetof(struct cover, before) == 60 &&
		       COVER_SIZE == 32768,
	"inline_cover.py and cover.ld");
