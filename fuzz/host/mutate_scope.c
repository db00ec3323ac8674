/* SPDX-License-Identifier: MIT */
/*
 * mutate_scope.c - what an operation at some place of a program finds there.
 *
 * Lanes fork upward only, so the way back to the lane that the executor
 * starts has at most LANES_MAX steps.
 */
#include "fuzz/host/mutate_scope.h"

#include "kernel/fcntl.h"

enum { PAGE = 4096 };

/* --- the effects of calls */

/* The arena's pages from addr over n bytes; none if addr is hostile. */
static uint64_t
pages_of(uint16_t addr, int64_t n)
{
	enum prog_region region = ADDR_REGION(addr);
	unsigned first = ADDR_PAGE(addr), last;

	if (n <= 0 || (region > REGION_ARENA4 && region < REGION_ARENA5))
		return 0;
	last = first +
	       (unsigned)((prog_places[ADDR_PLACE(addr)] + n - 1) / PAGE);
	if (last >= ARENA_MAX)
		last = ARENA_MAX - 1;
	return (~0ULL >> (ARENA_MAX - 1 - last)) & (~0ULL << first);
}

static void
take_slot(struct scope *s, unsigned slot, bool read, bool write)
{
	uint8_t bit = (uint8_t)(1U << slot);

	s->readers &= (uint8_t)~bit;
	s->writers &= (uint8_t)~bit;
	if (read)
		s->readers |= bit;
	if (write)
		s->writers |= bit;
}

static void
take_close(struct scope *s, unsigned fd)
{
	if (fd < SLOTS)
		take_slot(s, fd, false, false);
}

static void
take_dup(struct scope *s, unsigned fd, unsigned slot)
{
	if (fd < SLOTS)
		take_slot(s, slot, s->readers >> fd & 1, s->writers >> fd & 1);
}

static void
take_open(struct scope *s, const struct op *op)
{
	unsigned mode = prog_modes[op->arg[1]] & (O_WRONLY | O_RDWR);

	take_slot(s, op->arg[2], mode != O_WRONLY, mode != O_RDONLY);
}

static void
take_fork(struct scope *s, unsigned lane)
{
	s->kids |= (uint8_t)(1U << lane);
	s->shared |= s->written;
}

bool
scope_ended(const struct op *op)
{
	if (op->prop == PROP_ASYNC)
		return false;
	if (op->prop == PROP_KILL || op->call == CALL_exit)
		return true;
	if (op->call == CALL_exec)
		return op->arg[0] < IMAGE_MISSING;
	return op->call == CALL_kill && op->arg[0] == PID_SELF;
}

/* What a child of its own does for the lane, the lane does not have. */
static void
take_op(struct scope *s, const struct op *op)
{
	const uint16_t *arg = op->arg;

	s->ended |= scope_ended(op);
	if (op->prop == PROP_ASYNC)
		return;
	switch (op->call) {
	case CALL_store:
		s->written |= pages_of(arg[0], prog_lengths[arg[1]]);
		break;
	case CALL_touch:
		s->written |= pages_of(arg[0], ((int64_t)arg[1] + 1) * PAGE);
		break;
	case CALL_read:
		s->written |= pages_of(arg[1], prog_lengths[arg[2]]);
		break;
	case CALL_fork:
		take_fork(s, arg[0]);
		break;
	case CALL_pipe:
		take_slot(s, arg[0], true, false);
		take_slot(s, arg[1], false, true);
		break;
	case CALL_close:
		take_close(s, arg[0]);
		break;
	case CALL_dup:
		take_dup(s, arg[0], arg[1]);
		break;
	case CALL_open:
		take_open(s, op);
		break;
	}
}

/* --- whole programs */

static void
take_name(struct scope *s, const struct op *op)
{
	switch (op->call) {
	case CALL_open:
		if (prog_modes[op->arg[1]] & O_CREATE)
			s->names |= (uint16_t)(1U << op->arg[0]);
		break;
	case CALL_mkdir:
	case CALL_mknod:
		s->names |= (uint16_t)(1U << op->arg[0]);
		break;
	case CALL_link:
		s->names |= (uint16_t)(1U << op->arg[1]);
		break;
	}
}

static void
take_program(struct scope *s, const struct prog *p)
{
	for (unsigned i = 0; i < p->nops; i++) {
		s->lanes |= (uint8_t)(1U << p->ops[i].lane);
		if (p->ops[i].call == CALL_fork)
			s->forked |= (uint8_t)(1U << p->ops[i].arg[0]);
		take_name(s, &p->ops[i]);
	}
}

/*
 * The first operation that forks the lane; p->nops if there is none.  A fork
 * downward is none, though a program that is not tidy yet may have it.
 */
static unsigned
fork_of(const struct prog *p, unsigned lane)
{
	unsigned i;

	for (i = 0; i < p->nops; i++)
		if (p->ops[i].call == CALL_fork && p->ops[i].lane < lane &&
			p->ops[i].arg[0] == lane)
			break;
	return i;
}

static void
take_lane(struct scope *s, const struct prog *p, unsigned lane, unsigned at)
{
	unsigned start = fork_of(p, lane);

	if (start < p->nops) {
		take_lane(s, p, p->ops[start].lane, start);
		s->shared |= s->written;
		s->ended = false;
	}
	for (unsigned i = 0; i < at; i++)
		if (p->ops[i].lane == lane)
			take_op(s, &p->ops[i]);
}

struct scope
scope_at(const struct prog *p, unsigned lane, unsigned at)
{
	struct scope s = {.lane = (uint8_t)lane};

	take_program(&s, p);
	take_lane(&s, p, lane, at);
	return s;
}
