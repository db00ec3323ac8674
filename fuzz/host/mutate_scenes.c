/* SPDX-License-Identifier: MIT */
/*
 * mutate_scenes.c - several operations at once, that together do something
 * which single insertions would take long to come by.
 *
 * None of these looks for one bug: they bring about situations in which
 * kernels of this sort go wrong, and leave it to the other mutations to vary
 * them.
 */
#include "fuzz/host/mutate_scenes.h"

#include "fuzz/host/mutate_choose.h"

/* Where operations go to, one behind the other. */
struct cursor {
	struct edit *e;
	unsigned at;
};

static void
put(struct cursor *c, struct op op)
{
	edit_insert(c->e, c->at++, op);
}

/* A call whose arguments are chosen; what has to be special is bound. */
static struct op
made(struct cursor *c, unsigned lane, enum prog_call call)
{
	struct scope s = scope_at(c->e->prog, lane, c->at);

	return choose_args(&s, call, c->e->random);
}

static void
put_call(struct cursor *c, unsigned lane, enum prog_call call)
{
	put(c, made(c, lane, call));
}

static void
put_fork(struct cursor *c, unsigned lane, unsigned child)
{
	put(c, (struct op){
		       .call = CALL_fork,
		       .lane = (uint8_t)lane,
		       .arg = {(uint16_t)child},
	       });
}

/* A store, load or touch of whole pages. */
static void
put_access(struct cursor *c, unsigned lane, enum prog_call call, unsigned page)
{
	struct op op = made(c, lane, call);

	op_bind(&op, KIND_ADDR, choose_address(page, 0));
	put(c, op);
}

/* A lane that can fork; whichever lane 0 is, it can. */
static unsigned
forking_lane(struct edit *e)
{
	unsigned lane = edit_lane(e);

	return lane < LANES_MAX - 1 ? lane : 0;
}

/* --- lanes */

enum { BRANCH_OPS = 5 };

bool
scene_branch(struct edit *e)
{
	unsigned lane = forking_lane(e), child, n;
	struct cursor c = {e, edit_place(e, lane)};

	if (!edit_room(e, BRANCH_OPS + 2))
		return false;
	child = edit_lane_above(e, lane);
	put_fork(&c, lane, child);
	for (n = random_geometric(e->random, 60, BRANCH_OPS); n > 0; n--) {
		struct scope s = scope_at(e->prog, child, c.at);

		put(&c, choose_op(&s, e->random));
	}
	if (random_one_in(e->random, 2))
		put_call(&c, lane, CALL_wait);
	return true;
}

static void
put_meet(struct edit *e, unsigned at, unsigned lane, unsigned point,
	unsigned lanes)
{
	edit_insert(e, at,
		(struct op){
			.call = CALL_meet,
			.lane = (uint8_t)lane,
			.arg = {(uint16_t)point, (uint16_t)lanes},
		});
}

/* All lanes that are in use, or two of them; 0 if there are none. */
static unsigned
some_lanes(struct edit *e)
{
	unsigned lanes = edit_lanes(e), two;

	if ((lanes & (lanes - 1)) == 0)
		return 0;
	if (random_one_in(e->random, 8))
		return lanes;
	two = 1U << random_bit(e->random, lanes);
	return two | 1U << random_bit(e->random, lanes & ~two);
}

bool
scene_meet(struct edit *e)
{
	unsigned lanes = some_lanes(e), point = edit_point(e);

	if (lanes == 0 || !edit_room(e, LANES_MAX))
		return false;
	for (unsigned lane = 0; lane < LANES_MAX; lane++)
		if (lanes >> lane & 1)
			put_meet(e, edit_place(e, lane), lane, point, lanes);
	return true;
}

/* --- collisions */

/* The lower lane of two, which is often the parent, makes the first call. */
static const struct pair {
	enum prog_call low, high;
	enum prog_kind same; /* what both of them are about */
} pairs[] = {
	{CALL_store, CALL_store, KIND_ADDR},
	{CALL_store, CALL_load, KIND_ADDR},
	{CALL_store, CALL_read, KIND_ADDR},
	{CALL_store, CALL_fstat, KIND_ADDR},
	{CALL_store, CALL_fork, KIND_NONE},
	{CALL_store, CALL_exit, KIND_NONE},
	{CALL_store, CALL_exec, KIND_NONE},
	{CALL_touch, CALL_touch, KIND_ADDR},
	{CALL_wait, CALL_store, KIND_ADDR},
	{CALL_wait, CALL_exit, KIND_NONE},
	{CALL_read, CALL_read, KIND_ADDR},
	{CALL_fork, CALL_fork, KIND_NONE},
	{CALL_fork, CALL_store, KIND_NONE},
	{CALL_fork, CALL_exit, KIND_NONE},
	{CALL_sbrk, CALL_sbrk, KIND_NONE},
	{CALL_sbrk, CALL_store, KIND_NONE},
	{CALL_sbrk, CALL_fork, KIND_NONE},
	{CALL_kill, CALL_store, KIND_PID},
	{CALL_kill, CALL_fork, KIND_PID},
	{CALL_kill, CALL_exit, KIND_PID},
	{CALL_kill, CALL_exec, KIND_PID},
	{CALL_kill, CALL_wait, KIND_PID},
	{CALL_kill, CALL_read, KIND_PID},
	{CALL_kill, CALL_write, KIND_PID},
	{CALL_kill, CALL_sbrk, KIND_PID},
	{CALL_kill, CALL_pause, KIND_PID},
	{CALL_exec, CALL_exec, KIND_NONE},
	{CALL_exec, CALL_unlink, KIND_NONE},
	{CALL_read, CALL_write, KIND_NONE},
	{CALL_read, CALL_read, KIND_FD},
	{CALL_write, CALL_write, KIND_FD},
	{CALL_read, CALL_close, KIND_NONE},
	{CALL_write, CALL_close, KIND_NONE},
	{CALL_close, CALL_close, KIND_FD},
	{CALL_close, CALL_dup, KIND_FD},
	{CALL_open, CALL_open, KIND_PATH},
	{CALL_open, CALL_unlink, KIND_PATH},
	{CALL_open, CALL_mkdir, KIND_PATH},
	{CALL_open, CALL_mknod, KIND_PATH},
	{CALL_unlink, CALL_unlink, KIND_PATH},
	{CALL_unlink, CALL_link, KIND_PATH},
	{CALL_unlink, CALL_chdir, KIND_PATH},
	{CALL_unlink, CALL_write, KIND_NONE},
	{CALL_mkdir, CALL_mkdir, KIND_PATH},
	{CALL_link, CALL_link, KIND_PATH},
	{CALL_pipe, CALL_fork, KIND_NONE},
	{CALL_pipe, CALL_pipe, KIND_ADDR},
};

/* The first argument of that kind, as a value for the other call. */
static uint16_t
shared_value(const struct op *op, enum prog_kind kind)
{
	const struct call_info *info = &prog_calls[op->call];

	for (unsigned i = 0; i < info->nargs; i++)
		if (info->kind[i] == kind)
			return op->arg[i];
	return 0;
}

/* One lane of the two: meet, make the call on that value, look at memory. */
static struct op
put_side(struct edit *e, unsigned lane, enum prog_call call, struct op meet,
	enum prog_kind same, uint16_t value)
{
	struct cursor c = {e, edit_place(e, lane)};
	struct op op = made(&c, lane, call);

	op_bind(&op, same, value);
	meet.lane = (uint8_t)lane;
	put(&c, meet);
	put(&c, op);
	if (random_one_in(e->random, 3))
		put(&c, op);
	if (random_one_in(e->random, 3))
		put_call(&c, lane, CALL_check);
	return op;
}

/* Two lanes as bits; if there is only one it forks.  0: no room. */
static unsigned
two_lanes(struct edit *e)
{
	unsigned lanes = edit_lanes(e), low;

	if ((lanes & (lanes - 1)) == 0) {
		if (!scene_branch(e))
			return 0;
		lanes = edit_lanes(e);
	}
	low = 1U << random_bit(e->random, lanes);
	return low | 1U << random_bit(e->random, lanes & ~low);
}

bool
scene_collide(struct edit *e)
{
	const struct pair *pair;
	unsigned lanes, low, high;
	struct op meet, first;

	if (!edit_room(e, 2 * 4 + BRANCH_OPS + 2))
		return false;
	lanes = two_lanes(e);
	low = (unsigned)__builtin_ctz(lanes);
	high = (unsigned)__builtin_ctz(lanes & (lanes - 1));
	pair = &pairs[random_below(
		e->random, sizeof(pairs) / sizeof(pairs[0]))];
	meet = (struct op){
		.call = CALL_meet,
		.arg = {(uint16_t)edit_point(e), (uint16_t)lanes},
	};
	/* The first one has a choice, unless it is to kill the other. */
	first = put_side(e, low, pair->low, meet,
		pair->same == KIND_PID ? KIND_PID : KIND_NONE, (uint16_t)high);
	put_side(e, high, pair->high, meet, pair->same,
		shared_value(&first, pair->same));
	return true;
}

/* --- memory */

/* Calls by which the kernel writes to memory of its caller. */
static const enum prog_call copyouts[] = {
	CALL_read, CALL_wait, CALL_fstat, CALL_pipe};

enum { COPYOUT_OPS = 8 };

/* What the call needs to succeed; returns the slot that it can read from. */
static uint16_t
put_source(struct cursor *c, unsigned lane, enum prog_call call)
{
	struct op source, data;

	if (call == CALL_fstat) {
		source = made(c, lane, CALL_open);
		put(c, source);
		return source.arg[2];
	}
	if (call != CALL_read)
		return 0;
	source = made(c, lane, CALL_pipe);
	put(c, source);
	data = made(c, lane, CALL_write);
	op_bind(&data, KIND_FD, source.arg[1]);
	put(c, data);
	return source.arg[0];
}

bool
scene_copyout(struct edit *e)
{
	unsigned lane = forking_lane(e), child, writer, other, page;
	struct cursor c = {e, edit_place(e, lane)};
	enum prog_call call = copyouts[random_below(
		e->random, sizeof(copyouts) / sizeof(copyouts[0]))];
	uint16_t slot;
	struct op op;

	if (!edit_room(e, COPYOUT_OPS))
		return false;
	child = edit_lane_above(e, lane);
	page = random_below(e->random, ARENA_PAGES - 1);
	put_access(&c, lane, CALL_touch, page);
	put_access(&c, lane, CALL_store, page);
	slot = put_source(&c, lane, call);
	put_fork(&c, lane, child);

	/* Only the parent can wait; all else either of them can do. */
	writer = lane;
	other = child;
	if (call != CALL_wait && random_one_in(e->random, 2)) {
		writer = child;
		other = lane;
	}
	op = made(&c, writer, call);
	op_bind(&op, KIND_FD, slot);
	op_bind(&op, KIND_ADDR,
		choose_address(page + random_below(e->random, 2),
			random_below(e->random, PLACES)));
	put(&c, op);
	put_access(&c, other, CALL_load, page);
	put_call(&c, writer, CALL_check);
	return true;
}

enum { CHAIN_MOST = 4 };

bool
scene_chain(struct edit *e)
{
	unsigned lane = forking_lane(e), last;
	unsigned page = random_below(e->random, ARENA_PAGES);
	struct cursor c = {e, edit_place(e, lane)};
	unsigned n = 1 + random_geometric(e->random, 50, CHAIN_MOST - 1);

	if (!edit_room(e, CHAIN_MOST * 4 + 2))
		return false;
	put_access(&c, lane, CALL_store, page);
	for (; n > 0 && lane < LANES_MAX - 1; n--, lane = last) {
		last = edit_lane_above(e, lane);
		put_fork(&c, lane, last);
		if (random_one_in(e->random, 2))
			put_access(&c, last, CALL_load, page);
		put_access(&c, last, CALL_store, page);
		if (random_one_in(e->random, 2))
			put_access(&c, lane, CALL_store, page);
	}
	put_access(&c, lane, CALL_load, page);
	return true;
}

enum { EXHAUST_MOST = 6 };

/* The number of the break that asks for the most that can be had. */
static uint16_t
largest_break(struct random *r)
{
	uint16_t best = 0;

	for (uint16_t i = 0; i < kind_values[KIND_BREAK]; i++)
		if (prog_breaks[i] > prog_breaks[best] &&
			prog_breaks[i] < 10000)
			best = i;
	return best - (uint16_t)random_below(r, 2);
}

bool
scene_exhaust(struct edit *e)
{
	unsigned lane = forking_lane(e), child;
	struct cursor c = {e, edit_place(e, lane)};
	unsigned n = random_geometric(e->random, 70, EXHAUST_MOST);
	struct op grow;

	if (!edit_room(e, EXHAUST_MOST + 5))
		return false;
	child = edit_lane_above(e, lane);
	grow = made(&c, lane, CALL_sbrk);
	op_bind(&grow, KIND_BREAK, largest_break(e->random));
	while (n-- > 0)
		put(&c, grow);
	put_call(&c, lane, CALL_touch);
	put_fork(&c, lane, child);
	put_call(&c, child, CALL_touch);
	put_call(&c, lane, CALL_touch);
	put_call(&c, child, CALL_store);
	return true;
}
