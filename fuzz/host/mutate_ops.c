/* SPDX-License-Identifier: MIT */
/* mutate_ops.c - rows that bring, take and move whole operations. */
#include "fuzz/host/mutate_rows.h"

#include "fuzz/host/mutate_choose.h"

/* Now and then in a lane that nobody has used yet. */
bool
row_insert(struct edit *e)
{
	unsigned lane = edit_lane(e), at;
	struct scope s;

	if (!edit_room(e, 1))
		return false;
	if (random_one_in(e->random, 16))
		lane = random_below(e->random, LANES_MAX);
	at = edit_place(e, lane);
	s = scope_at(e->prog, lane, at);
	edit_insert(e, at, choose_op(&s, e->random));
	return true;
}

/* A few at a time. */
bool
row_remove(struct edit *e)
{
	unsigned nops = e->prog->nops, n;

	if (nops == 0)
		return false;
	n = random_geometric(e->random, 35, nops);
	edit_remove(e, random_below(e->random, nops - n + 1), n);
	return true;
}

/* All of a lane, but not the last lane. */
bool
row_unlane(struct edit *e)
{
	unsigned lanes = edit_lanes(e), lane = edit_lane(e);

	if ((lanes & (lanes - 1)) == 0)
		return false;
	for (unsigned i = e->prog->nops; i-- > 0;)
		if (e->prog->ops[i].lane == lane)
			edit_remove(e, i, 1);
	return true;
}

/* At once again, or at the lane's end: what is done twice finds leaks. */
bool
row_double(struct edit *e)
{
	struct op *op = edit_op(e), copy;
	unsigned at, n = random_geometric(e->random, 40, 4);

	if (op == NULL || !edit_room(e, n))
		return false;
	copy = *op;
	at = edit_index(e, op) + 1;
	if (random_one_in(e->random, 4))
		at = edit_place(e, copy.lane);
	while (n-- > 0)
		edit_insert(e, at, copy);
	return true;
}

/* The next operation of the same lane; NULL at its end. */
static struct op *
successor(struct edit *e, const struct op *op)
{
	struct prog *p = e->prog;

	for (unsigned i = edit_index(e, op) + 1; i < p->nops; i++)
		if (p->ops[i].lane == op->lane)
			return &p->ops[i];
	return NULL;
}

bool
row_swap(struct edit *e)
{
	struct op *op = edit_op(e), *next, saved;

	next = op == NULL ? NULL : successor(e, op);
	if (next == NULL)
		return false;
	saved = *op;
	*op = *next;
	*next = saved;
	return true;
}

/* Another call in the place of an old one. */
bool
row_replace(struct edit *e)
{
	struct op *op = edit_op(e);
	struct scope s;

	if (op == NULL)
		return false;
	s = edit_scope(e, op);
	*op = choose_op(&s, e->random);
	return true;
}

/* --- pieces of programs */

/*
 * What the operations of another program are to be changed by, so that the
 * two do not get into each other's way.
 */
struct lift {
	unsigned lanes;  /* so many lanes up, those at the top come below */
	unsigned points; /* for a point at which a lane has been is open */
};

static uint16_t
lift_value(const struct lift *lift, enum prog_kind kind, unsigned value)
{
	switch (kind) {
	case KIND_LANE:
		return (uint16_t)((value + lift->lanes) % LANES_MAX);
	case KIND_PID:
		if (value < LANES_MAX)
			value = (value + lift->lanes) % LANES_MAX;
		return (uint16_t)value;
	case KIND_LANES:
		value <<= lift->lanes;
		return (uint16_t)((value | value >> LANES_MAX) &
				  ((1U << LANES_MAX) - 1));
	case KIND_POINT:
		return (uint16_t)((value + lift->points) % POINTS);
	default:
		return (uint16_t)value;
	}
}

/* Operations of the donor, n from `from` on, to another place. */
static void
graft(struct edit *e, unsigned at, const struct op *from, unsigned n,
	const struct lift *lift)
{
	for (unsigned i = 0; i < n; i++) {
		struct op op = from[i];
		const struct call_info *info = &prog_calls[op.call];

		op.lane = (uint8_t)((op.lane + lift->lanes) % LANES_MAX);
		for (unsigned k = 0; k < info->nargs; k++)
			op.arg[k] = lift_value(lift, info->kind[k], op.arg[k]);
		edit_insert(e, at + i, op);
	}
}

/* The first part of one program and the second part of the other. */
bool
row_cross(struct edit *e)
{
	struct prog *p = e->prog;
	const struct prog *donor = e->donor;
	unsigned cut, from, n;

	if (donor == NULL || donor->nops == 0)
		return false;
	cut = random_below(e->random, p->nops + 1U);
	from = random_below(e->random, donor->nops);
	n = donor->nops - from;
	if (n > OPS_MAX - cut)
		n = OPS_MAX - cut;
	edit_remove(e, cut, p->nops - cut);
	graft(e, cut, &donor->ops[from], n, &(struct lift){0, 0});
	return true;
}

/*
 * Some of the donor's operations among the program's own; or in the lanes
 * above the program's, so that both of them run side by side.
 */
bool
row_splice(struct edit *e)
{
	struct prog *p = e->prog;
	const struct prog *donor = e->donor;
	unsigned from, n, lanes = edit_lanes(e);
	struct lift lift = {0, 0};

	if (donor == NULL || donor->nops == 0)
		return false;
	from = random_below(e->random, donor->nops);
	n = 1 + random_below(e->random, donor->nops - from);
	if (random_one_in(e->random, 3) && lanes) {
		lift.lanes = 32 - (unsigned)__builtin_clz(lanes);
		lift.points = edit_point(e);
		from = 0;
		n = donor->nops;
	}
	if (!edit_room(e, n))
		return false;
	graft(e, random_below(e->random, p->nops + 1U), &donor->ops[from], n,
		&lift);
	return true;
}

/* Another lane does what one has done, at the same time if it can. */
bool
row_twin(struct edit *e)
{
	struct prog *p = e->prog;
	unsigned lane = edit_lane(e), twin = edit_lane(e), nops = p->nops;
	struct op op;

	if (twin == lane)
		twin = random_below(e->random, LANES_MAX);
	for (unsigned i = 0; i < nops && edit_room(e, 1); i++) {
		op = p->ops[i];
		if (op.lane != lane || random_one_in(e->random, 4))
			continue;
		op.lane = (uint8_t)twin;
		edit_insert(e, p->nops, op);
	}
	return p->nops > nops;
}

bool
row_move(struct edit *e)
{
	struct op *op = edit_op(e);
	unsigned lane = edit_lane(e);

	if (op == NULL)
		return false;
	if (lane == op->lane)
		lane = random_below(e->random, LANES_MAX);
	op->lane = (uint8_t)lane;
	return true;
}
