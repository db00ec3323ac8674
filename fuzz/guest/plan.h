/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what can be told of a program before it runs, once for all of its
 * processes.
 *
 * Every process that a program can start has a number of its own, which does
 * not depend on the schedule: a lane has as many processes as its forks have
 * forkers.  The numbers are what patterns in memory are marked with.
 */
#ifndef FUZZ_GUEST_PLAN_H
#define FUZZ_GUEST_PLAN_H

#include <stdbool.h>

#include "fuzz/wire/prog.h"

enum {
	INSTANCES_MAX = 20, /* processes of one program, at most */
	KILLED = -1,        /* the status of a process that the kernel ended */
};

struct plan {
	uint64_t off;             /* operations left out: too many processes */
	uint8_t total;            /* processes, at most */
	uint8_t count[LANES_MAX]; /* of one lane, at most */
	uint8_t first[LANES_MAX]; /* number of the first of them */
	uint8_t child[OPS_MAX];   /* of the child that a lane's first forks */
	uint8_t deputy[OPS_MAX];  /* of the one that makes its async call */
	uint8_t mortal;           /* a bit for each lane that may be killed */
	uint8_t parents;          /* a bit for each that may have children */
	bool scarce;              /* there may not be memory for all of it */
	bool failing;             /* it has allocations fail */
	bool odd;                 /* see plan_bytes_known() */
};

extern struct prog prog;
extern struct plan plan;

/* plan_make: for prog, on a machine with so many free pages; 0: unknown. */
void plan_make(uint64_t free_pages);

/* The instances that op i brings into being for the index-th of its lane. */
unsigned plan_child(unsigned i, unsigned index);
unsigned plan_deputy(unsigned i, unsigned index);

/*
 * May a process end so (KILLED, or the status of an exit)?  The one that runs
 * a lane, and the one that makes the call of op i and no other.
 */
bool plan_lane_ends(unsigned lane, int status);
bool plan_deputy_ends(unsigned i, int status);

/* The lane of an instance, and of a deputy its operation, else -1. */
unsigned plan_lane_of(unsigned instance, int *op);

/*
 * Can nothing reach pipes and files but zeroes, patterns and descriptors?
 * Then most bytes that a kernel could mix in are known to be wrong.
 */
static inline bool
plan_bytes_known(void)
{
	return !plan.odd;
}

#endif
