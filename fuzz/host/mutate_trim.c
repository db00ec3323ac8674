/* SPDX-License-Identifier: MIT */
/*
 * mutate_trim.c - what can be left out of a program.
 *
 * Lanes first, for they are the largest parts.  Then operations from the
 * back, since nothing depends on those: half of them at once, a quarter, and
 * so on to single ones.  At last the properties of those that stay.
 *
 * Each phase goes over the program once for each size, whatever is judged
 * good: so there is an end, and trim_most() knows it.
 */
#include "fuzz/host/mutate_trim.h"

#include <stddef.h>

#include "fuzz/host/mutate_edit.h"

static void
propose_without(struct trim *t, unsigned at, unsigned n)
{
	struct edit e = {&t->proposal, NULL, NULL};

	t->proposal = t->best;
	edit_remove(&e, at, n);
}

static bool
next_lane(struct trim *t)
{
	const struct prog *best = &t->best;

	while (t->at < LANES_MAX) {
		unsigned lane = t->at++, n = 0;

		t->proposal = *best;
		for (unsigned i = 0; i < best->nops; i++)
			if (best->ops[i].lane != lane)
				t->proposal.ops[n++] = best->ops[i];
		t->proposal.nops = (uint8_t)n;
		if (n > 0 && n < best->nops)
			return true;
	}
	return false;
}

static bool
next_ops(struct trim *t)
{
	while (t->size > 0) {
		unsigned n = t->size < t->at ? t->size : t->at;

		if (n > 0) {
			t->at -= n;
			propose_without(t, t->at, n);
			return true;
		}
		t->size /= 2;
		t->at = t->best.nops;
	}
	return false;
}

static bool
next_prop(struct trim *t)
{
	while (t->at-- > 0) {
		if (t->best.ops[t->at].prop == PROP_NONE)
			continue;
		t->proposal = t->best;
		t->proposal.ops[t->at].prop = PROP_NONE;
		t->proposal.ops[t->at].n = 0;
		return true;
	}
	return false;
}

static void
begin(struct trim *t, enum trim_phase phase)
{
	t->phase = phase;
	t->at = phase == TRIM_LANES ? 0 : t->best.nops;
	t->size = (t->best.nops + 1) / 2;
}

void
trim_start(struct trim *t, const struct prog *p)
{
	t->best = *p;
	begin(t, TRIM_LANES);
}

bool
trim_next(struct trim *t)
{
	static bool (*const next[])(struct trim * t) = {
		[TRIM_LANES] = next_lane,
		[TRIM_OPS] = next_ops,
		[TRIM_PROPS] = next_prop,
	};

	for (; t->phase != TRIM_DONE; begin(t, t->phase + 1))
		if (next[t->phase](t))
			return true;
	return false;
}

void
trim_judge(struct trim *t, bool good)
{
	if (good)
		t->best = t->proposal;
}

/* A pass with pieces of one size has n/size proposals, and one more. */
unsigned
trim_most(unsigned nops)
{
	unsigned most = LANES_MAX + nops;

	for (unsigned size = (nops + 1) / 2; size > 0; size /= 2)
		most += nops / size + 1;
	return most;
}
