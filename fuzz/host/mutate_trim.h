/* SPDX-License-Identifier: MIT */
/*
 * mutate_trim.h - what can be left out of a program.
 *
 * The caller says of each proposal whether it is as good as the program:
 *
 *	trim_start(&t, p);
 *	while (trim_next(&t))
 *		trim_judge(&t, is_as_good(&t.proposal));
 *	... t.best
 */
#ifndef FUZZ_HOST_MUTATE_TRIM_H
#define FUZZ_HOST_MUTATE_TRIM_H

#include <stdbool.h>

#include "fuzz/wire/prog.h"

enum trim_phase { TRIM_LANES, TRIM_OPS, TRIM_PROPS, TRIM_DONE };

struct trim {
	struct prog best;     /* the smallest that is known to be good */
	struct prog proposal; /* never larger than best */
	enum trim_phase phase;
	unsigned at;   /* LANES: the next; else end of what is still to try */
	unsigned size; /* OPS: how many at once */
};

void trim_start(struct trim *t, const struct prog *p);

/* trim_next: make a proposal; false if there is nothing left to try. */
bool trim_next(struct trim *t);

/* trim_judge: whether the last proposal was good. */
void trim_judge(struct trim *t, bool good);

/* trim_most: a bound of how many proposals there are for n operations. */
unsigned trim_most(unsigned nops);

#endif
