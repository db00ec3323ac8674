/* SPDX-License-Identifier: MIT */
/*
 * mutate_args.c - rows that change operations where they stand: arguments,
 * properties, and the schedule under which all of them run.
 */
#include "fuzz/host/mutate_rows.h"

#include "fuzz/host/mutate_choose.h"

/* --- arguments */

/* One that has arguments, if a few tries find one. */
static struct op *
op_with_args(struct edit *e)
{
	struct op *op;

	for (unsigned tries = 0; tries < 4; tries++) {
		op = edit_op(e);
		if (op != NULL && prog_calls[op->call].nargs > 0)
			return op;
	}
	return NULL;
}

bool
row_arg(struct edit *e)
{
	struct op *op = op_with_args(e);
	struct scope s;
	enum prog_kind kind;
	unsigned i, luck = random_below(e->random, 100);

	if (op == NULL)
		return false;
	i = random_below(e->random, prog_calls[op->call].nargs);
	kind = prog_calls[op->call].kind[i];
	s = edit_scope(e, op);
	if (luck < 45)
		op->arg[i] = choose_near(kind, op->arg[i], e->random);
	else if (luck < 90)
		op->arg[i] = choose_value(&s, kind, e->random);
	else
		op->arg[i] =
			(uint16_t)random_below(e->random, kind_values[kind]);
	return true;
}

/* All arguments anew, for the same call. */
bool
row_args(struct edit *e)
{
	struct op *op = op_with_args(e);
	struct scope s;

	if (op == NULL)
		return false;
	s = edit_scope(e, op);
	*op = choose_args(&s, op->call, e->random);
	return true;
}

static bool
is_resource(enum prog_kind kind)
{
	return kind == KIND_FD || kind == KIND_SLOT || kind == KIND_PID ||
	       kind == KIND_PATH || kind == KIND_LANE;
}

/* The same call on another descriptor, process or file. */
bool
row_resource(struct edit *e)
{
	struct op *op = op_with_args(e);
	const struct call_info *info;
	struct scope s;
	unsigned start;

	if (op == NULL)
		return false;
	info = &prog_calls[op->call];
	s = edit_scope(e, op);
	start = random_below(e->random, info->nargs);
	for (unsigned i = 0; i < info->nargs; i++) {
		unsigned at = (start + i) % info->nargs;

		if (!is_resource(info->kind[at]))
			continue;
		op->arg[at] = choose_value(&s, info->kind[at], e->random);
		return true;
	}
	return false;
}

static bool
lacks_fd(const struct op *op, const struct scope *s)
{
	const struct call_info *info = &prog_calls[op->call];

	/* Where a call has one it is the first argument. */
	return info->nargs > 0 && info->kind[0] == KIND_FD &&
	       op->arg[0] < SLOTS && !(scope_slots(s) >> op->arg[0] & 1);
}

/*
 * Descriptors that nobody opens any more, since other mutations went over
 * the program: replace them by others that are open.
 */
bool
row_mend(struct edit *e)
{
	bool done = false;

	for (unsigned i = 0; i < e->prog->nops; i++) {
		struct op *op = &e->prog->ops[i];
		struct scope s = edit_scope(e, op);

		if (!lacks_fd(op, &s) || scope_slots(&s) == 0)
			continue;
		op->arg[0] = (uint16_t)random_bit(e->random, scope_slots(&s));
		done = true;
	}
	return done;
}

/* An operation is about the same page as another one. */
bool
row_page(struct edit *e)
{
	struct op *op = op_with_args(e), *other = op_with_args(e);
	const struct call_info *info;

	if (op == NULL || other == NULL)
		return false;
	info = &prog_calls[other->call];
	for (unsigned i = 0; i < info->nargs; i++) {
		if (info->kind[i] != KIND_ADDR)
			continue;
		op_bind(op, KIND_ADDR, other->arg[i]);
		return true;
	}
	return false;
}

/* --- properties */

static bool
has_lane_of_its_own(const struct op *op)
{
	return op->call != CALL_meet && op->call != CALL_audit;
}

static bool
set_prop(struct edit *e, enum prog_prop prop)
{
	struct op *op = edit_op(e);

	if (op == NULL || !has_lane_of_its_own(op))
		return false;
	op->prop = (uint8_t)prop;
	op->n = 0;
	return true;
}

/* Calls that allocate, as a set. */
static const uint64_t allocates =
	1ULL << CALL_store | 1ULL << CALL_touch | 1ULL << CALL_fork |
	1ULL << CALL_wait | 1ULL << CALL_exec | 1ULL << CALL_sbrk |
	1ULL << CALL_pipe | 1ULL << CALL_read | 1ULL << CALL_write |
	1ULL << CALL_open | 1ULL << CALL_fstat | 1ULL << CALL_mkdir |
	1ULL << CALL_link;

/* The first allocations of a call fail it most often. */
bool
row_fail(struct edit *e)
{
	struct op *op = NULL;

	for (unsigned tries = 0; tries < 4; tries++) {
		op = edit_op(e);
		if (op != NULL && allocates >> op->call & 1)
			break;
	}
	if (op == NULL || !has_lane_of_its_own(op))
		return false;
	op->prop = PROP_FAIL;
	op->n = (uint8_t)random_geometric(e->random, 70, FAIL_MAX);
	return true;
}

/* An operation with that property, from a random one on; NULL if none. */
static struct op *
op_with_prop(struct edit *e, bool (*wanted)(const struct op *op))
{
	struct prog *p = e->prog;
	unsigned start;

	if (p->nops == 0)
		return NULL;
	start = random_below(e->random, p->nops);
	for (unsigned i = 0; i < p->nops; i++) {
		struct op *op = &p->ops[(start + i) % p->nops];

		if (wanted(op))
			return op;
	}
	return NULL;
}

static bool
has_fail(const struct op *op)
{
	return op->prop == PROP_FAIL;
}

static bool
has_prop(const struct op *op)
{
	return op->prop != PROP_NONE;
}

/* Mostly one step on, as somebody would who tries them all. */
bool
row_nth(struct edit *e)
{
	struct op *op = op_with_prop(e, has_fail);

	if (op == NULL)
		return false;
	if (random_one_in(e->random, 4))
		op->n = (uint8_t)(1 + random_below(e->random, FAIL_MAX));
	else if (random_one_in(e->random, 3) && op->n > 1)
		op->n--;
	else
		op->n = (uint8_t)(op->n % FAIL_MAX + 1);
	return true;
}

bool
row_kill(struct edit *e)
{
	return set_prop(e, PROP_KILL);
}

bool
row_async(struct edit *e)
{
	return set_prop(e, PROP_ASYNC);
}

/*
 * Of one operation or of all: where allocations may fail anything may, so
 * the executor has less to complain of.
 */
bool
row_plain(struct edit *e)
{
	struct op *op = op_with_prop(e, has_prop);
	bool all = random_one_in(e->random, 3);

	if (op == NULL)
		return false;
	do {
		op->prop = PROP_NONE;
		op->n = 0;
		op = op_with_prop(e, has_prop);
	} while (all && op != NULL);
	return true;
}

/* --- the schedule */

bool
row_harts(struct edit *e)
{
	e->prog->harts = (uint8_t)(1 + random_below(e->random, 8));
	return true;
}

bool
row_seed(struct edit *e)
{
	e->prog->seed = (uint32_t)random_next(e->random);
	return true;
}
