/* SPDX-License-Identifier: MIT */
/*
 * mutate_choose.c - calls and arguments that make sense where they stand.
 *
 * Random calls with random arguments fail at their first check and reach
 * nothing behind it.  So a call is likely where its lane has what it needs,
 * and an argument is likely what would let the call succeed; what would not
 * comes about seldom, but it does: error paths are half of a kernel.
 */
#include "fuzz/host/mutate_choose.h"

#include "kernel/fcntl.h"

/* One value in so many is drawn from all, the hostile ones among them. */
enum { HOSTILE = 32 };

/* Where prog_paths has a name for a folder; the other first ones are files'. */
enum { FOLDER = 3 };

/* What a lane should have before it makes a call. */
enum {
	NEEDS_READER = 1,
	NEEDS_WRITER = 2,
	NEEDS_SLOT = 4,
	NEEDS_KID = 8,
	NEEDS_NAME = 16,
	NEEDS_PEER = 32,
	NEEDS_PAGE = 64,
};

/* A call that lacks something is less likely by this factor. */
enum { LACKING = 16 };

static const struct taste {
	uint8_t weight;
	uint8_t needs;
} tastes[NCALLS] = {
	[CALL_store] = {40, 0},
	[CALL_load] = {24, NEEDS_PAGE},
	[CALL_touch] = {24, 0},
	[CALL_check] = {8, NEEDS_PAGE},
	[CALL_fault] = {8, 0},
	[CALL_fork] = {48, 0},
	[CALL_exit] = {8, 0},
	[CALL_wait] = {32, NEEDS_KID},
	[CALL_kill] = {16, NEEDS_KID},
	[CALL_getpid] = {8, 0},
	[CALL_exec] = {16, 0},
	[CALL_sbrk] = {40, 0},
	[CALL_pause] = {8, 0},
	[CALL_uptime] = {4, 0},
	[CALL_pipe] = {32, 0},
	[CALL_read] = {40, NEEDS_READER},
	[CALL_write] = {40, NEEDS_WRITER},
	[CALL_close] = {24, NEEDS_SLOT},
	[CALL_dup] = {24, NEEDS_SLOT},
	[CALL_open] = {40, 0},
	[CALL_fstat] = {16, NEEDS_SLOT},
	[CALL_link] = {16, NEEDS_NAME},
	[CALL_unlink] = {24, NEEDS_NAME},
	[CALL_mkdir] = {16, 0},
	[CALL_mknod] = {8, 0},
	[CALL_chdir] = {16, NEEDS_NAME},
	[CALL_meet] = {8, NEEDS_PEER},
	[CALL_audit] = {4, 0},
};

/* --- calls */

static unsigned
haves(const struct scope *s)
{
	unsigned have = 0;

	if (s->readers)
		have |= NEEDS_READER;
	if (s->writers)
		have |= NEEDS_WRITER;
	if (scope_slots(s))
		have |= NEEDS_SLOT;
	if (s->kids)
		have |= NEEDS_KID;
	if (s->names)
		have |= NEEDS_NAME;
	if (s->lanes & ~(1U << s->lane))
		have |= NEEDS_PEER;
	if (s->written | s->shared)
		have |= NEEDS_PAGE;
	return have;
}

static enum prog_call
choose_call(const struct scope *s, struct random *r)
{
	unsigned weights[NCALLS], have = haves(s);

	for (unsigned i = 0; i < NCALLS; i++) {
		weights[i] = tastes[i].weight;
		if (tastes[i].needs & ~have)
			weights[i] = 1 + weights[i] / LACKING;
	}
	return random_weighted(r, weights, NCALLS);
}

/* --- values, by kind */

unsigned
choose_page(const struct scope *s, struct random *r)
{
	unsigned luck = random_below(r, 100);

	if (luck < 55 && s->shared)
		return random_bit(r, s->shared);
	if (luck < 80 && s->written)
		return random_bit(r, s->written);
	return random_below(r, luck < 97 ? ARENA_PAGES : ARENA_MAX);
}

static uint16_t
choose_addr(const struct scope *s, struct random *r)
{
	unsigned place = random_one_in(r, 2) ? 0 : random_below(r, PLACES);

	return choose_address(choose_page(s, r), place);
}

/* Rather more than a page than less: that is where the joints are. */
static uint16_t
choose_len(const struct scope *s, struct random *r)
{
	(void)s;
	return (uint16_t)random_below(r, random_one_in(r, 16) ? 16 : 14);
}

static uint16_t
choose_lane(const struct scope *s, struct random *r)
{
	unsigned above = ~1U << s->lane & ((1U << LANES_MAX) - 1);
	unsigned used = s->lanes & above;

	if (used && !random_one_in(r, 4))
		above = used;
	return above ? (uint16_t)random_bit(r, above) : 0;
}

static uint16_t
choose_pid(const struct scope *s, struct random *r)
{
	if (s->kids && !random_one_in(r, 8))
		return (uint16_t)random_bit(r, s->kids);
	return (uint16_t)random_below(r, PID_SELF + 1);
}

static uint16_t
choose_fd(const struct scope *s, struct random *r)
{
	if (scope_slots(s) && !random_one_in(r, 8))
		return (uint16_t)random_bit(r, scope_slots(s));
	return (uint16_t)random_below(r, SLOTS);
}

/* Rather one that is empty, for what was in it is left open for good. */
static uint16_t
choose_slot(const struct scope *s, struct random *r)
{
	unsigned empty = (uint8_t)~scope_slots(s);

	if (empty && !random_one_in(r, 4))
		return (uint16_t)random_bit(r, empty);
	return (uint16_t)random_below(r, SLOTS);
}

/* Small steps, for a program's arena shall have something in it. */
static uint16_t
choose_break(const struct scope *s, struct random *r)
{
	static const unsigned steps[16] = {
		1, 4, 4, 4, 6, 4, 2, 4, 4, 4, 4, 3, 4, 2, 1, 1};

	(void)s;
	return (uint16_t)random_weighted(r, steps, 16);
}

static uint16_t
choose_path(const struct scope *s, struct random *r)
{
	if (s->names && random_percent(r, 60))
		return (uint16_t)random_bit(r, s->names);
	return (uint16_t)random_below(r, random_one_in(r, 3) ? 12 : 5);
}

/* The lane itself and others; not all, for then nobody would be late. */
static uint16_t
choose_lanes(const struct scope *s, struct random *r)
{
	unsigned others = s->lanes & ~(1U << s->lane);

	if (others == 0)
		return (uint16_t)(1U << s->lane);
	others &= 1U << random_bit(r, others) | (unsigned)random_next(r);
	return (uint16_t)(others | 1U << s->lane);
}

typedef uint16_t chooser(const struct scope *s, struct random *r);

static chooser *const choosers[NKINDS] = {
	[KIND_ADDR] = choose_addr,
	[KIND_LEN] = choose_len,
	[KIND_LANE] = choose_lane,
	[KIND_PID] = choose_pid,
	[KIND_BREAK] = choose_break,
	[KIND_SLOT] = choose_slot,
	[KIND_FD] = choose_fd,
	[KIND_PATH] = choose_path,
	[KIND_LANES] = choose_lanes,
};

uint16_t
choose_value(const struct scope *s, enum prog_kind kind, struct random *r)
{
	if (choosers[kind] == NULL || random_one_in(r, HOSTILE))
		return (uint16_t)random_below(r, kind_values[kind]);
	return choosers[kind](s, r);
}

/* Another page close by, another place in it, or another sort of page. */
static uint16_t
near_addr(uint16_t old, struct random *r)
{
	unsigned page = ADDR_PAGE(old), place = ADDR_PLACE(old);
	unsigned region = ADDR_REGION(old);

	if (random_one_in(r, HOSTILE))
		region = random_below(r, REGION_ARENA8 + 1);
	else if (random_one_in(r, 2))
		place = random_below(r, PLACES);
	else if (random_one_in(r, 2))
		page++;
	else
		page += ARENA_MAX - 1;
	return (uint16_t)(choose_address(page, place) +
			  region * ARENA_MAX * PLACES);
}

uint16_t
choose_near(enum prog_kind kind, uint16_t old, struct random *r)
{
	unsigned values = kind_values[kind];

	if (kind == KIND_ADDR)
		return near_addr(old, r);
	if (kind == KIND_LANES)
		return old ^ (uint16_t)(1U << random_below(r, LANES_MAX));
	return (uint16_t)((old + (random_one_in(r, 2) ? 1 : values - 1)) %
			  values);
}

/* --- operations */

static uint16_t
creating_mode(struct random *r)
{
	unsigned modes = 0;

	for (unsigned i = 0; i < sizeof(prog_modes) / sizeof(*prog_modes); i++)
		if (prog_modes[i] & O_CREATE)
			modes |= 1U << i;
	return (uint16_t)random_bit(r, modes);
}

/* What no kind can say by itself. */
static void
settle(struct op *op, const struct scope *s, struct random *r)
{
	if (random_one_in(r, HOSTILE))
		return;
	switch (op->call) {
	case CALL_pipe:
		if (op->arg[0] == op->arg[1])
			op->arg[1] = (op->arg[0] + 1) % SLOTS;
		break;
	case CALL_read:
		if (s->readers)
			op->arg[0] = (uint16_t)random_bit(r, s->readers);
		break;
	case CALL_write:
		if (s->writers)
			op->arg[0] = (uint16_t)random_bit(r, s->writers);
		break;
	case CALL_open:
		/* What nobody has made yet cannot but be created. */
		if (!(s->names >> op->arg[0] & 1))
			op->arg[1] = creating_mode(r);
		break;
	case CALL_mkdir:
		if (!(s->names >> FOLDER & 1))
			op->arg[0] = FOLDER;
		break;
	}
}

struct op
choose_args(const struct scope *s, enum prog_call call, struct random *r)
{
	const struct call_info *info = &prog_calls[call];
	struct op op = {.call = (uint8_t)call, .lane = s->lane};

	for (unsigned i = 0; i < info->nargs; i++)
		op.arg[i] = choose_value(s, info->kind[i], r);
	settle(&op, s, r);
	return op;
}

struct op
choose_op(const struct scope *s, struct random *r)
{
	return choose_args(s, choose_call(s, r), r);
}

void
op_bind(struct op *op, enum prog_kind kind, uint16_t value)
{
	const struct call_info *info = &prog_calls[op->call];

	for (unsigned i = 0; i < info->nargs; i++)
		if (info->kind[i] == kind)
			op->arg[i] = value;
}
