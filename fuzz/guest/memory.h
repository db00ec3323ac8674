/* SPDX-License-Identifier: MIT */
/*
 * memory.h - the arena: writing to it, and what must be in it.
 *
 * Offsets are in bytes from the start of the arena.
 */
#ifndef FUZZ_GUEST_MEMORY_H
#define FUZZ_GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Store the pattern of op in [lo, hi). */
void memory_fill(unsigned op, uint32_t lo, uint32_t hi);

/* Store one word of it at lo, and every PAGE bytes behind, below hi. */
void memory_touch(unsigned op, uint32_t lo, uint32_t hi);

/* The kernel wrote to [lo, hi) for op: from now on that must be there. */
void memory_take(unsigned op, uint32_t lo, uint32_t hi);

/* The same, but who knows what; and: there are zeroes now. */
void memory_doubt(unsigned op, uint32_t lo, uint32_t hi);
void memory_clear(unsigned op, uint32_t lo, uint32_t hi);

/* Accuse if [lo, hi) does not hold what it must. */
void memory_check(uint32_t lo, uint32_t hi);
/* Only where something was written before; touches no other page. */
void memory_check_written(void);
/* What is beside [lo, hi), which the kernel wrote: spilt, if it is wrong. */
void memory_check_around(uint32_t lo, uint32_t hi);

/* Are n bytes zeroes and parts of patterns? If not, *bad is the first. */
bool memory_is_known(const uint8_t *bytes, uint64_t n, uint64_t *bad);

#endif
