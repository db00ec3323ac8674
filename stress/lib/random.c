/* SPDX-License-Identifier: MIT */
/*
 * random.c - the run's random numbers.
 *
 * All of them derive from the seed.  A process draws from a stream of its
 * own; the stream of a child follows from its parent's and from the child's
 * index, never from how many numbers somebody has drawn so far.  So what one
 * process does with its numbers cannot change those of another.
 */
#include "stress.h"

static uint64 state;

/* mix64: a bijection that spreads every bit of x over all of the result. */
uint64
mix64(uint64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

/* stream_set: draw from this stream from now on. */
void
stream_set(uint64 stream)
{
	run.stream = stream;
	state = mix64(stream);
}

/* stream_fork: become child number index of the stream so far. */
void
stream_fork(int index)
{
	stream_set(mix64(run.stream + 0x9e3779b97f4a7c15UL * (index + 1)));
}

uint64
rnd(void)
{
	state += 0x9e3779b97f4a7c15UL;
	return mix64(state);
}

/* below: a number from 0 to n - 1; n must be at least 1. */
int
below(int n)
{
	return (int)((rnd() >> 32) * (uint64)n >> 32);
}

int
one_in(int n)
{
	return below(n) == 0;
}

void
shuffle(int *list, int n)
{
	while (n > 1) {
		int at = below(n--);
		int last = list[n];

		list[n] = list[at];
		list[at] = last;
	}
}

/*
 * dawdle: burn a random amount of time, at most about `most` loop turns.
 * Races have a phase; this sweeps it.  Nothing ever relies on its length.
 */
void
dawdle(int most)
{
	for (int turns = below(most + 1); turns > 0; turns--)
		asm volatile("" ::: "memory");
}
