/* SPDX-License-Identifier: MIT */
/*
 * minimize_cost.c - how simple a program is.
 *
 * First of all its operations count, then its lanes, then what else a reader
 * has to think about.  Two programs that cost the same are equally simple, and
 * then neither is a step down from the other.
 */
#include <string.h>

#include "fuzz/host/minimize_steps.h"

enum { COSTS = 6 };

static unsigned
bits(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

unsigned
minimize_used(const struct prog *p)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < p->nops; i++)
		mask |= 1u << p->ops[i].lane;
	return mask;
}

unsigned
minimize_lanes(const struct prog *p)
{
	return bits(minimize_used(p));
}

unsigned
minimize_kind(const struct op *op, unsigned arg)
{
	const struct call_info *call = &prog_calls[op->call];

	return arg < call->nargs ? call->kind[arg] : KIND_NONE;
}

/* How far a table's value is from doing nothing; errors come last. */
static unsigned
length_weight(unsigned value)
{
	int64_t length = prog_lengths[value % 16];

	if (length < 0)
		return 1u << 24;
	return length < 1 << 20 ? (unsigned)length : 1u << 20;
}

static unsigned
break_weight(unsigned value)
{
	int64_t pages = prog_breaks[value % 16];

	if (pages < 0)
		return pages > -(1 << 20) ? 2 * (unsigned)-pages + 1 : 1u << 24;
	return pages < 1 << 20 ? 2 * (unsigned)pages : 1u << 23;
}

static unsigned
addr_weight(unsigned value)
{
	unsigned region = ADDR_REGION(value);

	return region * 4096 + ADDR_PLACE(value) * 256 + ADDR_PAGE(value);
}

unsigned
minimize_weight(unsigned kind, unsigned value)
{
	switch (kind) {
	case KIND_NONE:
		return 0;
	case KIND_ADDR:
		return addr_weight(value);
	case KIND_LEN:
		return length_weight(value);
	case KIND_BREAK:
		return break_weight(value);
	case KIND_LANES:
		return bits(value) * 256 + value;
	default:
		return value;
	}
}

/* The parts of a program's cost, what matters most first. */
static void
cost_of(const struct prog *p, uint64_t cost[COSTS])
{
	memset(cost, 0, COSTS * sizeof(*cost));
	cost[0] = p->nops;
	cost[1] = minimize_lanes(p);
	cost[3] = p->harts;
	cost[4] = p->seed;
	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &p->ops[i];

		cost[2] += op->prop != PROP_NONE;
		cost[5] += op->n + op->lane;
		for (unsigned a = 0; a < ARGS_MAX; a++)
			cost[5] += minimize_weight(
				minimize_kind(op, a), op->arg[a]);
	}
}

bool
minimize_cheaper(const struct prog *a, const struct prog *b)
{
	uint64_t ca[COSTS], cb[COSTS];

	cost_of(a, ca);
	cost_of(b, cb);
	for (unsigned i = 0; i < COSTS; i++)
		if (ca[i] != cb[i])
			return ca[i] < cb[i];
	return false;
}
