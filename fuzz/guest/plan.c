/* SPDX-License-Identifier: MIT */
/*
 * plan.c - how many processes a program can start, and how they may end.
 *
 * Lanes fork only lanes of higher numbers.  So, lane by lane upward, the
 * number of a lane's processes is known when its forks are counted.  An
 * operation that would bring them to more than INSTANCES_MAX is left out, for
 * all alike.
 */
#include "fuzz/guest/address.h"
#include "fuzz/guest/plan.h"
#include "kernel/fcntl.h"

enum {
	PAGE = 4096,
	PROCESS_PAGES = 28, /* tables, stack, the executor's own */
	SPARE_PAGES = 64,   /* caches, and what nobody thought of */
	SPECIAL_PAGES = 32, /* exec, pipes */
	ENDLESS = 1 << 20,
};

struct prog prog;
struct plan plan;

static bool
forks(const struct op *op)
{
	return op->call == CALL_fork;
}

static bool
is_async(const struct op *op)
{
	return op->prop == PROP_ASYNC;
}

/* ---- numbers */

/* Count what op i starts when made by all processes of its lane. */
static void
count_op(unsigned i)
{
	const struct op *op = &prog.ops[i];
	unsigned each = plan.count[op->lane];
	unsigned more = each * (forks(op) + is_async(op));

	if (more == 0)
		return;
	if (plan.total + more > INSTANCES_MAX) {
		plan.off |= 1UL << i;
		return;
	}
	plan.total += more;
	plan.parents |= 1U << op->lane;
	if (forks(op)) {
		plan.child[i] = plan.count[op->arg[0]];
		plan.count[op->arg[0]] += each;
	}
}

static void
count_all(void)
{
	unsigned roots = prog_roots(&prog);

	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		if (!(roots & 1U << lane))
			continue;
		plan.count[lane] = 1;
		plan.total++;
	}
	for (unsigned lane = 0; lane < LANES_MAX; lane++)
		for (unsigned i = 0; i < prog.nops; i++)
			if (prog.ops[i].lane == lane)
				count_op(i);
}

static void
number_all(void)
{
	unsigned next = 0;

	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		plan.first[lane] = next;
		next += plan.count[lane];
	}
	for (unsigned i = 0; i < prog.nops; i++) {
		if (!is_async(&prog.ops[i]) || (plan.off & 1UL << i))
			continue;
		plan.deputy[i] = next;
		next += plan.count[prog.ops[i].lane];
	}
}

unsigned
plan_child(unsigned i, unsigned index)
{
	return plan.first[prog.ops[i].arg[0]] + plan.child[i] + index;
}

unsigned
plan_deputy(unsigned i, unsigned index)
{
	return plan.deputy[i] + index;
}

unsigned
plan_lane_of(unsigned instance, int *op)
{
	*op = -1;
	for (unsigned lane = 0; lane < LANES_MAX; lane++)
		if (instance - plan.first[lane] < plan.count[lane])
			return lane;
	for (unsigned i = 0; i < prog.nops; i++) {
		if (!is_async(&prog.ops[i]) || (plan.off & 1UL << i))
			continue;
		if (instance - plan.deputy[i] < plan.count[prog.ops[i].lane]) {
			*op = i;
			return prog.ops[i].lane;
		}
	}
	return LANES_MAX;
}

/* ---- who may be killed */

static bool
may_die_at(const struct op *op)
{
	return op->prop == PROP_FAIL || op->call == CALL_fault;
}

static void
find_mortal(void)
{
	for (unsigned i = 0; i < prog.nops; i++) {
		const struct op *op = &prog.ops[i];

		plan.failing |= op->prop == PROP_FAIL;
		if (may_die_at(op))
			plan.mortal |= 1U << op->lane;
		if (op->call == CALL_kill && op->arg[0] < LANES_MAX)
			plan.mortal |= 1U << op->arg[0];
	}
}

/* ---- is there memory enough? */

static unsigned
pages_spanned(unsigned len_value)
{
	int64_t n = prog_lengths[len_value];

	return n <= 0 ? 0 : n / PAGE + 2;
}

/* Frames that an operation can take, at most. */
static unsigned
op_pages(const struct op *op)
{
	switch (op->call) {
	case CALL_store:
	case CALL_load:
		return pages_spanned(op->arg[1]);
	case CALL_read:
	case CALL_write:
		return pages_spanned(op->arg[2]);
	case CALL_touch:
		return op->arg[1] + 1;
	case CALL_check:
		return 2;
	case CALL_exec:
		return SPECIAL_PAGES;
	case CALL_sbrk:
		if (op->arg[1] != 0 || prog_breaks[op->arg[0]] <= 0)
			return 2;
		if (prog_breaks[op->arg[0]] > PAGE)
			return ENDLESS;
		return prog_breaks[op->arg[0]] + 4;
	}
	return 2;
}

static uint64_t
pages_needed(void)
{
	uint64_t sum = plan.total * PROCESS_PAGES + SPARE_PAGES;

	for (unsigned i = 0; i < prog.nops; i++)
		sum += plan.count[prog.ops[i].lane] * op_pages(&prog.ops[i]);
	return sum;
}

/* ---- what bytes can there be? */

/* Does a kernel write of op i land where some write() takes from? */
static bool
feeds_writes(unsigned i)
{
	const struct op *op = &prog.ops[i];
	unsigned where, size = address_out(op, &where);

	if (size == 0)
		return false;
	for (unsigned k = 0; k < prog.nops; k++) {
		const struct op *to = &prog.ops[k];
		uint64_t lo, hi;

		if (to->call != CALL_write)
			continue;
		if (!address_static(to->arg[1], &lo) ||
			!address_static(op->arg[where], &hi))
			return true;
		if (lo < hi + size && hi < lo + prog_lengths[to->arg[2]])
			return true;
	}
	return false;
}

/* Can op i bring other bytes into files, pipes or what is read of them? */
static bool
is_odd(unsigned i)
{
	const struct op *op = &prog.ops[i];
	uint64_t at;

	if (op->call == CALL_write)
		return !address_static(op->arg[1], &at);
	if (op->call == CALL_open) /* of a directory */
		return prog_modes[op->arg[1]] == O_RDONLY;
	return op->call == CALL_mknod || feeds_writes(i);
}

static void
find_odd(void)
{
	for (unsigned i = 0; i < prog.nops && !plan.odd; i++)
		plan.odd = is_odd(i);
}

void
plan_make(uint64_t free_pages)
{
	plan = (struct plan){0};
	count_all();
	number_all();
	find_mortal();
	find_odd();
	plan.scarce = pages_needed() > free_pages;
}

/* ---- how processes end */

struct ending {
	bool certain; /* no operation behind this one is made */
	bool possible;
	int status;
};

static bool
image_is_good(unsigned image)
{
	return image <= IMAGE_LONG;
}

static struct ending
ending_of(const struct op *op)
{
	struct ending no = {0};

	if (op->prop == PROP_KILL)
		return (struct ending){true, true, KILLED};
	if (op->call == CALL_exit)
		return (struct ending){true, true, op->arg[0]};
	if (op->call == CALL_exec && image_is_good(op->arg[0]))
		return (struct ending){op->prop != PROP_FAIL && !plan.scarce,
			true, EXEC_STATUS};
	if (op->call == CALL_kill && op->arg[0] == PID_SELF)
		return (struct ending){true, true, KILLED};
	return no;
}

static bool
may_be_killed(unsigned lane)
{
	return plan.scarce || (plan.mortal & 1U << lane);
}

bool
plan_lane_ends(unsigned lane, int status)
{
	if (status == KILLED && may_be_killed(lane))
		return true;
	for (unsigned i = 0; i < prog.nops; i++) {
		const struct op *op = &prog.ops[i];
		struct ending e = ending_of(op);

		if (op->lane != lane || is_async(op))
			continue;
		if (e.possible && e.status == status)
			return true;
		if (e.certain)
			return false;
	}
	return status == 0;
}

bool
plan_deputy_ends(unsigned i, int status)
{
	const struct op *op = &prog.ops[i];
	struct ending e = ending_of(op);

	if (status == KILLED && (plan.scarce || may_die_at(op)))
		return true;
	if (e.possible && e.status == status)
		return true;
	return !e.certain && status == 0;
}
