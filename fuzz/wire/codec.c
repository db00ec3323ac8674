/* SPDX-License-Identifier: MIT */
/*
 * codec.c - programs from bytes and back.
 *
 * Decoding cannot fail behind the head: each field is reduced to its range,
 * so whatever a fuzzer makes of the bytes is a program.  prog_tidy() is the
 * only place that knows the ranges, and doing it twice changes nothing; hence
 * what is encoded decodes to the same program again.
 */
#include "fuzz/wire/prog.h"

/* The names by which calls.def means the kinds. */
enum {
#define KIND(name, ...) name = KIND_##name,
#include "fuzz/wire/kinds.def"
#undef KIND
};

#define COUNT(...) (sizeof((uint8_t[]){0, __VA_ARGS__}) - 1)

const struct call_info prog_calls[NCALLS] = {
#define CALL(name, result, ...)                                                \
	[CALL_##name] = {#name, #result, COUNT(__VA_ARGS__), {__VA_ARGS__}},
#include "fuzz/wire/calls.def"
#undef CALL
};

const uint16_t kind_values[NKINDS] = {
#define KIND(name, values, ...) [KIND_##name] = values,
#include "fuzz/wire/kinds.def"
#undef KIND
};

/* --- into range */

/* Lanes fork upward only, so that there is an end. */
static unsigned
lane_above(unsigned lane, unsigned wanted)
{
	if (wanted > lane)
		return wanted;
	return lane + 1 + wanted % (LANES_MAX - 1 - lane);
}

/* One number for the arena. */
static unsigned
tidy_addr(unsigned addr)
{
	unsigned region = ADDR_REGION(addr);

	if (region >= REGION_TEXT && region <= REGION_HOLE)
		return addr;
	return ADDR_MAKE(REGION_ARENA, ADDR_PLACE(addr), ADDR_PAGE(addr));
}

static unsigned
tidy_arg(enum prog_kind kind, unsigned value)
{
	value %= kind_values[kind];
	return kind == KIND_ADDR ? tidy_addr(value) : value;
}

/* The harness's own operations are made by the lane, in its place. */
static void
tidy_prop(struct op *op)
{
	op->prop %= NPROPS;
	if (op->call == CALL_meet || op->call == CALL_audit)
		op->prop = PROP_NONE;
	if (op->prop != PROP_FAIL)
		op->n = 0;
	else
		op->n = op->n == 0 ? 1 : (op->n - 1) % FAIL_MAX + 1;
}

static void
tidy_op(struct op *op)
{
	const struct call_info *info;

	op->call %= NCALLS;
	op->lane %= LANES_MAX;
	if (op->call == CALL_fork && op->lane == LANES_MAX - 1)
		op->call = CALL_getpid;
	tidy_prop(op);
	info = &prog_calls[op->call];
	for (unsigned i = 0; i < info->nargs; i++)
		op->arg[i] = (uint16_t)tidy_arg(info->kind[i], op->arg[i]);
	for (unsigned i = info->nargs; i < ARGS_MAX; i++)
		op->arg[i] = 0;
	if (op->call == CALL_fork)
		op->arg[0] = (uint16_t)lane_above(op->lane, op->arg[0]);
}

void
prog_tidy(struct prog *p)
{
	if (p->harts == 0)
		p->harts = 1;
	p->harts = (uint8_t)((p->harts - 1) % 8 + 1);
	if (p->nops > OPS_MAX)
		p->nops = OPS_MAX;
	for (unsigned i = 0; i < p->nops; i++)
		tidy_op(&p->ops[i]);
}

unsigned
prog_roots(const struct prog *p)
{
	unsigned used = 0, forked = 0;

	for (unsigned i = 0; i < p->nops; i++) {
		used |= 1U << p->ops[i].lane;
		if (p->ops[i].call == CALL_fork)
			forked |= 1U << p->ops[i].arg[0];
	}
	return used & ~forked;
}

/* --- bytes */

static unsigned
get16(const uint8_t *from)
{
	return from[0] | (unsigned)from[1] << 8;
}

static void
put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void
decode_op(struct op *op, const uint8_t *from)
{
	op->call = from[0];
	op->lane = from[1];
	op->prop = from[2];
	op->n = from[3];
	for (unsigned i = 0; i < ARGS_MAX; i++)
		op->arg[i] = (uint16_t)get16(from + 4 + 2 * i);
}

static void
encode_op(const struct op *op, uint8_t *to)
{
	to[0] = op->call;
	to[1] = op->lane;
	to[2] = op->prop;
	to[3] = op->n;
	for (unsigned i = 0; i < ARGS_MAX; i++)
		put16(to + 4 + 2 * i, op->arg[i]);
}

enum prog_error
prog_decode(struct prog *p, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	if (n < PROG_HEAD)
		return PROG_SHORT;
	if (from[0] != 'S' || from[1] != 'P' || from[2] != '1')
		return PROG_MAGIC;
	p->harts = from[3];
	p->seed = get16(from + 4) | (uint32_t)get16(from + 6) << 16;
	p->nops = 0;
	n -= PROG_HEAD;
	from += PROG_HEAD;
	for (; n >= PROG_OP && p->nops < OPS_MAX; n -= PROG_OP) {
		decode_op(&p->ops[p->nops++], from);
		from += PROG_OP;
	}
	prog_tidy(p);
	return PROG_OK;
}

size_t
prog_encode(const struct prog *p, void *bytes)
{
	uint8_t *to = bytes;

	to[0] = 'S';
	to[1] = 'P';
	to[2] = '1';
	to[3] = p->harts;
	put16(to + 4, p->seed & 0xffff);
	put16(to + 6, p->seed >> 16);
	for (unsigned i = 0; i < p->nops; i++)
		encode_op(&p->ops[i], to + PROG_HEAD + i * PROG_OP);
	return PROG_HEAD + (size_t)p->nops * PROG_OP;
}
