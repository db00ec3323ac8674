/* SPDX-License-Identifier: MIT */
/*
 * minimize_steps.h - what the parts of the minimiser know of each other.
 */
#ifndef FUZZ_HOST_MINIMIZE_STEPS_H
#define FUZZ_HOST_MINIMIZE_STEPS_H

#include "fuzz/host/minimize.h"

struct work {
	struct prog best;
	const struct minimize_job *job;
	struct minimize_count count;
	bool ended;         /* nothing more is judged */
	uint64_t *rejected; /* hashes; the newest has the place */
};

/* A pass returns true if it made w->best simpler. */
typedef bool (*minimize_pass)(struct work *w);

/* In the order in which they are made; NULL behind the last. */
extern const minimize_pass minimize_passes[];

/*
 * minimize_judge: make *candidate the best program if it is simpler and fails
 * in the same way.  Tidies it.  Returns true if it was taken.
 */
bool minimize_judge(struct work *w, struct prog *candidate);

/* minimize_cheaper: is a simpler than b? */
bool minimize_cheaper(const struct prog *a, const struct prog *b);

/* minimize_weight: how much there is to an argument; less is simpler. */
unsigned minimize_weight(unsigned kind, unsigned value);

/* minimize_kind: of an operation's argument; KIND_NONE if it has no such. */
unsigned minimize_kind(const struct op *op, unsigned arg);

/* minimize_used: a bit for each lane that has operations. */
unsigned minimize_used(const struct prog *p);

#endif
