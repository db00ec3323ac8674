/* SPDX-License-Identifier: MIT */
/* mutate_edit.c - a program while it is being changed. */
#include "fuzz/host/mutate_edit.h"

#include <string.h>

enum { ALL_LANES = (1U << LANES_MAX) - 1, ALL_POINTS = (1U << POINTS) - 1 };

bool
edit_room(const struct edit *e, unsigned n)
{
	return e->prog->nops + n <= OPS_MAX;
}

void
edit_insert(struct edit *e, unsigned at, struct op op)
{
	struct prog *p = e->prog;

	memmove(&p->ops[at + 1], &p->ops[at], (p->nops - at) * sizeof(op));
	p->ops[at] = op;
	p->nops++;
}

void
edit_remove(struct edit *e, unsigned at, unsigned n)
{
	struct prog *p = e->prog;

	p->nops = (uint8_t)(p->nops - n);
	memmove(&p->ops[at], &p->ops[at + n],
		(p->nops - at) * sizeof(p->ops[0]));
}

struct op *
edit_op(const struct edit *e)
{
	struct prog *p = e->prog;

	if (p->nops == 0)
		return NULL;
	return &p->ops[random_below(e->random, p->nops)];
}

unsigned
edit_lanes(const struct edit *e)
{
	unsigned lanes = 0;

	for (unsigned i = 0; i < e->prog->nops; i++)
		lanes |= 1U << e->prog->ops[i].lane;
	return lanes;
}

unsigned
edit_lane(const struct edit *e)
{
	unsigned lanes = edit_lanes(e);

	return lanes ? random_bit(e->random, lanes) : 0;
}

unsigned
edit_lane_above(const struct edit *e, unsigned lane)
{
	unsigned above = ALL_LANES & ~1U << lane;
	unsigned empty = above & ~edit_lanes(e);

	/* The lowest, for it leaves the most room for children of its own. */
	return empty ? (unsigned)__builtin_ctz(empty)
		     : random_bit(e->random, above);
}

unsigned
edit_place(const struct edit *e, unsigned lane)
{
	const struct prog *p = e->prog;
	unsigned places[OPS_MAX + 1], n = 0, i, last = p->nops;

	for (i = 0; i < p->nops; i++) {
		if (p->ops[i].lane != lane)
			continue;
		places[n++] = i;
		last = i + 1;
		if (scope_ended(&p->ops[i]))
			return places[random_below(e->random, n)];
	}
	places[n++] = last;
	return places[random_below(e->random, n)];
}

unsigned
edit_point(const struct edit *e)
{
	unsigned unused = ALL_POINTS;

	for (unsigned i = 0; i < e->prog->nops; i++)
		if (e->prog->ops[i].call == CALL_meet)
			unused &= ~(1U << e->prog->ops[i].arg[0]);
	return random_bit(e->random, unused ? unused : ALL_POINTS);
}
