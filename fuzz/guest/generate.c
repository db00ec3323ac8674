/* SPDX-License-Identifier: MIT */
/*
 * generate.c - programs from random numbers.
 *
 * Without a fuzzer that learns, uniform bytes are poor programs: too many
 * lanes with hardly an operation, most of them on descriptors that are not
 * open.  So sizes are small as often as not, and operations are chosen from
 * a list in which the useful ones stand more than once.
 */
#include "fuzz/guest/generate.h"

static uint32_t state;

/* xorshift; a number below n */
static uint32_t
draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (state >> 8) % n;
}

static const uint8_t often[] = {
	CALL_store,
	CALL_store,
	CALL_store,
	CALL_load,
	CALL_touch,
	CALL_check,
	CALL_fork,
	CALL_fork,
	CALL_fork,
	CALL_wait,
	CALL_wait,
	CALL_pipe,
	CALL_read,
	CALL_read,
	CALL_write,
	CALL_write,
	CALL_sbrk,
	CALL_open,
};

static unsigned
draw_call(void)
{
	if (draw(2) == 0)
		return often[draw(sizeof(often))];
	return draw(NCALLS);
}

static unsigned
draw_prop(void)
{
	return draw(8) == 0 ? draw(NPROPS) : PROP_NONE;
}

static void
draw_op(struct op *op, unsigned lanes)
{
	op->call = (uint8_t)draw_call();
	op->lane = (uint8_t)draw(lanes);
	op->prop = (uint8_t)draw_prop();
	op->n = (uint8_t)(1 + draw(draw(2) ? 4 : FAIL_MAX));
	for (unsigned i = 0; i < ARGS_MAX; i++)
		op->arg[i] = (uint16_t)draw(0x10000);
	/* Near each other, as far as they are addresses or slots. */
	for (unsigned i = 0; i < ARGS_MAX; i++)
		if (draw(3) != 0)
			op->arg[i] &= (uint16_t)(7 | draw(2) << 6);
}

void
generate(struct prog *p, uint32_t seed)
{
	unsigned lanes;

	state = seed * 2654435761U | 1;
	for (int i = 0; i < 8; i++)
		draw(2);
	lanes = 1 + draw(draw(2) ? 3 : LANES_MAX);
	p->seed = seed;
	p->harts = (uint8_t)(1 + draw(8));
	p->nops = (uint8_t)(1 + draw(draw(2) ? 12 : OPS_MAX));
	for (unsigned i = 0; i < p->nops; i++)
		draw_op(&p->ops[i], lanes);
	prog_tidy(p);
}
