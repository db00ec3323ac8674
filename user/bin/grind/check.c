/* SPDX-License-Identifier: MIT */
/*
 * check.c - what a call gave is compared with what it has to give.
 *
 * The first difference ends the worker: its model is wrong from there on.
 */
#include "user/bin/grind/grind.h"

uint seed = 1;
int worker;
int beat;
const char *step;
uint64 nops, nlacks;

void
fail(const char *what, long got, long want)
{
	printf("grind: FAIL: %s: %s: %ld, not %ld (seed %u, worker %d, "
	       "operation %lu)\n",
		step, what, got, want, seed, worker, nops);
	write(beat, "F", 1);
	exit(FAIL);
}

void
expect(const char *what, long got, long want)
{
	if (got != want)
		fail(what, got, want);
}

int
lacks(long got)
{
	if (got >= 0)
		return 0;
	expect("error", got, -1);
	nlacks++;
	return 1;
}

void
expect_child(int pid, int status)
{
	int got = 0;

	expect("wait", wait(&got), pid);
	expect("exit status", got, status);
}
