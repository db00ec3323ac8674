/* SPDX-License-Identifier: MIT */
/*
 * minimize_steps.c - the ways in which a program can be made simpler.
 *
 * A pass proposes what it can think of to minimize_judge(), and is free to
 * propose what is not simpler at all, or no longer makes sense: the judge
 * brings it into range and looks at its cost before it is run.  Passes go
 * through a program from the back, for what comes after the failing call goes
 * at once, and so that a cut does not move what is still to be looked at.
 */
#include <string.h>

#include "fuzz/host/minimize_steps.h"

enum {
	PAIR_OPS_MAX = 20, /* more operations make too many pairs */
	NAME_TRIES = 8,
};

/* What stands for an object of the program by its number. */
enum name_space {
	NAME_SLOT,
	NAME_PAGE,
	NAME_PATH,
	NAME_POINT,
	NNAMES,
};

static bool
in_arena(unsigned addr)
{
	enum prog_region region = ADDR_REGION(addr);

	return region <= REGION_ARENA4 || region >= REGION_ARENA5;
}

static void
cut(struct prog *p, unsigned at, unsigned n)
{
	memmove(&p->ops[at], &p->ops[at + n],
		(p->nops - at - n) * sizeof(p->ops[0]));
	p->nops -= n;
}

/* Does op speak of another lane as of a process? */
static bool
names_lane(const struct op *op, unsigned lane)
{
	return (op->call == CALL_fork && op->arg[0] == lane) ||
	       (op->call == CALL_kill && op->arg[0] == lane);
}

/* Wait at meeting points for none but the lanes in mask. */
static void
meet_only(struct prog *p, unsigned mask)
{
	for (unsigned i = 0; i < p->nops; i++)
		for (unsigned a = 0; a < ARGS_MAX; a++)
			if (minimize_kind(&p->ops[i], a) == KIND_LANES)
				p->ops[i].arg[a] &= (uint16_t)mask;
}

/* Take out all operations of the lanes in mask, and what starts them. */
static void
cut_lanes(struct prog *p, unsigned mask)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &p->ops[i];
		bool drop = mask & 1u << op->lane;

		for (unsigned lane = 0; lane < LANES_MAX; lane++)
			drop |= mask & 1u << lane && names_lane(op, lane);
		if (!drop)
			p->ops[kept++] = *op;
	}
	p->nops = (uint8_t)kept;
	meet_only(p, ~mask);
}

/* The lanes that come to be only by way of lane, itself included. */
static unsigned
offspring(const struct prog *p, unsigned lane)
{
	unsigned mask = 1u << lane;

	/* Forks go to higher numbers only, so one look in order is enough. */
	for (unsigned from = lane; from < LANES_MAX; from++) {
		if (!(mask & 1u << from))
			continue;
		for (unsigned i = 0; i < p->nops; i++)
			if (p->ops[i].lane == from &&
				p->ops[i].call == CALL_fork)
				mask |= 1u << p->ops[i].arg[0] % LANES_MAX;
	}
	return mask;
}

static bool
drop_lanes(struct work *w)
{
	bool any = false;

	for (unsigned lane = LANES_MAX; lane-- > 0;) {
		struct prog candidate = w->best;

		if (!(minimize_used(&w->best) & 1u << lane))
			continue;
		cut_lanes(&candidate, offspring(&w->best, lane));
		if (minimize_judge(w, &candidate)) {
			any = true;
			continue;
		}
		candidate = w->best;
		cut_lanes(&candidate, 1u << lane);
		any |= minimize_judge(w, &candidate);
	}
	return any;
}

/* From the back, for what comes after the failing call goes at once. */
static bool
drop_ops(struct work *w)
{
	bool any = false;

	for (unsigned size = (w->best.nops + 1u) / 2; size > 0; size /= 2) {
		unsigned end = w->best.nops;

		while (end > 0) {
			unsigned n = size < end ? size : end;
			struct prog candidate = w->best;

			end -= n;
			cut(&candidate, end, n);
			any |= minimize_judge(w, &candidate);
		}
	}
	return any;
}

/* Two that need each other, like a fork and its wait. */
static bool
drop_pairs(struct work *w)
{
	bool any = false;

	if (w->best.nops > PAIR_OPS_MAX)
		return false;
	for (unsigned i = w->best.nops; i-- > 1;) {
		for (unsigned j = i; j-- > 0;) {
			struct prog candidate = w->best;

			cut(&candidate, i, 1);
			cut(&candidate, j, 1);
			if (minimize_judge(w, &candidate)) {
				any = true;
				i = w->best.nops;
				break;
			}
		}
	}
	return any;
}

/* Lane `from` has the number `to` wherever it is spoken of. */
static void
move_lane(struct prog *p, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < p->nops; i++) {
		struct op *op = &p->ops[i];

		if (op->lane == from)
			op->lane = (uint8_t)to;
		for (unsigned a = 0; a < ARGS_MAX; a++) {
			unsigned kind = minimize_kind(op, a), v = op->arg[a];

			if ((kind == KIND_LANE || kind == KIND_PID) &&
				v == from)
				op->arg[a] = (uint16_t)to;
			if (kind == KIND_LANES && v & 1u << from)
				op->arg[a] = (uint16_t)((v & ~(1u << from)) |
							1u << to);
		}
	}
}

/* All that lane `from` does is done by lane `to`, which is lower. */
static void
merge(struct prog *p, unsigned to, unsigned from)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->nops; i++) {
		struct op *op = &p->ops[i];

		if (op->lane == to && op->call == CALL_fork &&
			op->arg[0] == from)
			continue;
		p->ops[kept++] = *op;
	}
	p->nops = (uint8_t)kept;
	move_lane(p, from, to);
}

static bool
merge_lanes(struct work *w)
{
	bool any = false;

	for (unsigned from = LANES_MAX; from-- > 1;) {
		for (unsigned to = 0; to < from; to++) {
			unsigned both = 1u << from | 1u << to;
			struct prog candidate = w->best;

			if ((minimize_used(&w->best) & both) != both)
				continue;
			merge(&candidate, to, from);
			any |= minimize_judge(w, &candidate);
		}
	}
	return any;
}

/* Lanes 0, 1, 2 in place of 0, 3, 6; lanes that nobody is are forgotten. */
static bool
close_gaps(struct work *w)
{
	bool any = false;

	for (unsigned from = 1; from < LANES_MAX; from++) {
		for (unsigned to = 0; to < from; to++) {
			unsigned used = minimize_used(&w->best);
			struct prog candidate = w->best;

			if (!(used & 1u << from) || used & 1u << to)
				continue;
			meet_only(&candidate, used);
			move_lane(&candidate, from, to);
			any |= minimize_judge(w, &candidate);
		}
	}
	return any;
}

static bool
drop_props(struct work *w)
{
	bool any = false;

	for (unsigned i = w->best.nops; i-- > 0;) {
		struct prog candidate = w->best;
		unsigned n = candidate.ops[i].n;

		if (candidate.ops[i].prop == PROP_NONE)
			continue;
		candidate.ops[i].prop = PROP_NONE;
		candidate.ops[i].n = 0;
		if (minimize_judge(w, &candidate)) {
			any = true;
			continue;
		}
		for (unsigned lower = 1; lower < n; lower++) {
			candidate = w->best;
			candidate.ops[i].n = (uint8_t)lower;
			if (minimize_judge(w, &candidate)) {
				any = true;
				break;
			}
		}
	}
	return any;
}

static bool
lower_harts(struct work *w)
{
	for (unsigned harts = 1; harts < w->best.harts; harts++) {
		struct prog candidate = w->best;

		candidate.harts = (uint8_t)harts;
		if (minimize_judge(w, &candidate))
			return true;
	}
	return false;
}

static bool
lower_seed(struct work *w)
{
	for (uint32_t seed = 0; seed < 8 && seed < w->best.seed; seed++) {
		struct prog candidate = w->best;

		candidate.seed = seed;
		if (minimize_judge(w, &candidate))
			return true;
	}
	return false;
}

/* The number in its name space that an argument stands for, or -1. */
static int
name_get(enum name_space space, unsigned kind, unsigned value)
{
	switch (space) {
	case NAME_SLOT:
		if (kind == KIND_SLOT || (kind == KIND_FD && value < SLOTS))
			return (int)value;
		return -1;
	case NAME_PAGE:
		if (kind == KIND_ADDR && in_arena(value))
			return (int)ADDR_PAGE(value);
		return -1;
	case NAME_PATH:
		return kind == KIND_PATH ? (int)value : -1;
	case NAME_POINT:
		return kind == KIND_POINT ? (int)value : -1;
	default:
		return -1;
	}
}

static void
rename_all(struct prog *p, enum name_space space, int from, int to)
{
	for (unsigned i = 0; i < p->nops; i++) {
		struct op *op = &p->ops[i];

		for (unsigned a = 0; a < ARGS_MAX; a++) {
			unsigned value = op->arg[a];

			if (name_get(space, minimize_kind(op, a), value) !=
				from)
				continue;
			if (space == NAME_PAGE)
				op->arg[a] = (uint16_t)(value - (unsigned)from +
							(unsigned)to);
			else
				op->arg[a] = (uint16_t)to;
		}
	}
}

static uint64_t
names_used(const struct prog *p, enum name_space space)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < p->nops; i++) {
		for (unsigned a = 0; a < ARGS_MAX; a++) {
			const struct op *op = &p->ops[i];
			int n = name_get(
				space, minimize_kind(op, a), op->arg[a]);

			if (n >= 0)
				mask |= 1ull << n % 64;
		}
	}
	return mask;
}

/* A slot is set by one call and used by others: all change together. */
static bool
shorten_names(struct work *w)
{
	bool any = false;

	for (enum name_space space = 0; space < NNAMES; space++) {
		for (int from = 1; from < 64; from++) {
			if (!(names_used(&w->best, space) & 1ull << from))
				continue;
			for (int to = 0; to < from && to < NAME_TRIES; to++) {
				struct prog candidate = w->best;

				rename_all(&candidate, space, from, to);
				if (minimize_judge(w, &candidate)) {
					any = true;
					break;
				}
			}
		}
	}
	return any;
}

static bool
try_arg(struct work *w, unsigned i, unsigned a, unsigned value)
{
	struct prog candidate = w->best;

	candidate.ops[i].arg[a] = (uint16_t)value;
	return minimize_judge(w, &candidate);
}

static bool
simplify_addr(struct work *w, unsigned i, unsigned a)
{
	unsigned value = w->best.ops[i].arg[a];
	unsigned region = ADDR_REGION(value), place = ADDR_PLACE(value);
	unsigned page = ADDR_PAGE(value);

	return try_arg(w, i, a, 0) || try_arg(w, i, a, ADDR_MAKE(0, 0, page)) ||
	       try_arg(w, i, a, ADDR_MAKE(0, place, page)) ||
	       try_arg(w, i, a, ADDR_MAKE(region, 0, 0)) ||
	       try_arg(w, i, a, ADDR_MAKE(region, 0, page)) ||
	       try_arg(w, i, a, ADDR_MAKE(region, place, 0)) ||
	       try_arg(w, i, a, ADDR_MAKE(region, place, page / 2));
}

/* The values of a table, from the simplest to what it is. */
static bool
simplify_table(struct work *w, unsigned i, unsigned a, unsigned kind)
{
	unsigned now = minimize_weight(kind, w->best.ops[i].arg[a]);
	unsigned done = 0;

	for (unsigned n = 0; n < 16; n++) {
		unsigned pick = 16;

		for (unsigned v = 0; v < 16; v++)
			if (!(done & 1u << v) &&
				(pick == 16 ||
					minimize_weight(kind, v) <
						minimize_weight(kind, pick)))
				pick = v;
		if (pick == 16 || minimize_weight(kind, pick) >= now)
			return false;
		if (try_arg(w, i, a, pick))
			return true;
		done |= 1u << pick;
	}
	return false;
}

static bool
simplify_mask(struct work *w, unsigned i, unsigned a)
{
	bool any = try_arg(
		w, i, a, w->best.ops[i].arg[a] & minimize_used(&w->best));

	for (unsigned l = LANES_MAX; l-- > 0;)
		any |= try_arg(w, i, a, w->best.ops[i].arg[a] & ~(1u << l));
	return any;
}

static bool
simplify_arg(struct work *w, unsigned i, unsigned a)
{
	unsigned kind = minimize_kind(&w->best.ops[i], a);
	unsigned value = w->best.ops[i].arg[a];

	switch (kind) {
	case KIND_NONE:
		return false;
	case KIND_ADDR:
		return simplify_addr(w, i, a);
	case KIND_LEN:
	case KIND_BREAK:
		return simplify_table(w, i, a, kind);
	case KIND_LANES:
		return simplify_mask(w, i, a);
	default:
		return try_arg(w, i, a, 0) || try_arg(w, i, a, 1) ||
		       try_arg(w, i, a, 2) || try_arg(w, i, a, value / 2) ||
		       (value > 0 && try_arg(w, i, a, value - 1));
	}
}

static bool
simplify_args(struct work *w)
{
	bool any = false;

	for (unsigned i = w->best.nops; i-- > 0;)
		for (unsigned a = 0; a < ARGS_MAX; a++)
			while (simplify_arg(w, i, a))
				any = true;
	return any;
}

const minimize_pass minimize_passes[] = {
	drop_lanes,
	drop_ops,
	merge_lanes,
	drop_props,
	lower_harts,
	lower_seed,
	close_gaps,
	shorten_names,
	simplify_args,
	drop_pairs,
	NULL,
};
