/* SPDX-License-Identifier: MIT */
/*
 * random.h - random numbers that are the same for the same seed, everywhere.
 *
 * A stream is one word of state that goes on by a constant step; each number
 * is that word, mixed.  So any seed is good, streams of neighbouring seeds
 * have nothing in common, and to start one costs nothing: who wants a number
 * to depend on less than all that was drawn before takes a stream of its own.
 */
#ifndef FUZZ_HOST_RANDOM_H
#define FUZZ_HOST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* random_mix: a bijection that spreads every bit of x over the result. */
static inline uint64_t
random_mix(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* random_start: stream number `stream` of this seed. */
static inline struct random
random_start(uint64_t seed, uint64_t stream)
{
	return (struct random){random_mix(random_mix(seed + 1) + stream)};
}

static inline uint64_t
random_next(struct random *r)
{
	r->state += 0x9e3779b97f4a7c15ULL;
	return random_mix(r->state);
}

/* random_below: 0 to n - 1; n must not be 0. */
static inline unsigned
random_below(struct random *r, unsigned n)
{
	return (unsigned)((random_next(r) >> 32) * n >> 32);
}

static inline bool
random_one_in(struct random *r, unsigned n)
{
	return random_below(r, n) == 0;
}

/* random_percent: true in that many of a hundred cases. */
static inline bool
random_percent(struct random *r, unsigned percent)
{
	return random_below(r, 100) < percent;
}

/*
 * random_geometric: 1 or more, but at most `most`; each next number is less
 * likely by the factor percent / 100.
 */
static inline unsigned
random_geometric(struct random *r, unsigned percent, unsigned most)
{
	unsigned n = 1;

	while (n < most && random_percent(r, percent))
		n++;
	return n;
}

/* random_bit: the number of one of the bits that are set; set is not 0. */
static inline unsigned
random_bit(struct random *r, uint64_t set)
{
	unsigned skip = random_below(r, (unsigned)__builtin_popcountll(set));

	while (skip-- > 0)
		set &= set - 1;
	return (unsigned)__builtin_ctzll(set);
}

/* random_weighted: an index, as likely as its weight; not all may be 0. */
static inline unsigned
random_weighted(struct random *r, const unsigned *weights, unsigned n)
{
	unsigned sum = 0, at, i;

	for (i = 0; i < n; i++)
		sum += weights[i];
	at = random_below(r, sum);
	for (i = 0; at >= weights[i]; i++)
		at -= weights[i];
	return i;
}

#endif
