/* SPDX-License-Identifier: MIT */
/*
 * mutate_scope.h - what an operation at some place of a program finds there.
 *
 * This is a guess without a schedule: what the lane's operations so far, and
 * before them those of the lanes it was forked from, would have left behind
 * had all of them succeeded.
 */
#ifndef FUZZ_HOST_MUTATE_SCOPE_H
#define FUZZ_HOST_MUTATE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "fuzz/wire/prog.h"

struct scope {
	/* Of the lane. */
	uint8_t lane;
	uint8_t readers;  /* slots with descriptors that can be read */
	uint8_t writers;  /* and written */
	uint8_t kids;     /* lanes that it knows processes of */
	bool ended;       /* it cannot come here */
	uint64_t written; /* pages of the arena */
	uint64_t shared;  /* those that were when it was forked, or forked */

	/* Of the program. */
	uint8_t lanes;  /* with operations */
	uint8_t forked; /* by some operation */
	uint16_t names; /* paths that some operation creates */
};

/* scope_at: for an operation of that lane that would be inserted at `at`. */
struct scope scope_at(const struct prog *p, unsigned lane, unsigned at);

/* scope_ended: no operation of the lane is made behind this one. */
bool scope_ended(const struct op *op);

/* scope_slots: all slots that hold a descriptor. */
static inline uint8_t
scope_slots(const struct scope *s)
{
	return s->readers | s->writers;
}

#endif
