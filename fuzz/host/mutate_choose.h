/* SPDX-License-Identifier: MIT */
/*
 * mutate_choose.h - calls and arguments that make sense where they stand.
 *
 * Mostly: now and then each of these chooses what cannot succeed.
 */
#ifndef FUZZ_HOST_MUTATE_CHOOSE_H
#define FUZZ_HOST_MUTATE_CHOOSE_H

#include "fuzz/host/mutate_scope.h"
#include "fuzz/host/random.h"
#include "fuzz/wire/prog.h"

/* choose_op: a call with its arguments, for the scope's lane. */
struct op choose_op(const struct scope *s, struct random *r);

/* choose_args: the same for a given call. */
struct op choose_args(
	const struct scope *s, enum prog_call call, struct random *r);

/* choose_value: one argument of that kind. */
uint16_t choose_value(
	const struct scope *s, enum prog_kind kind, struct random *r);

/* choose_near: a value that differs little from the old one. */
uint16_t choose_near(enum prog_kind kind, uint16_t old, struct random *r);

/* choose_page: of the arena; rather one that is shared. */
unsigned choose_page(const struct scope *s, struct random *r);

/* choose_address: the place number `place` of a page of the arena. */
static inline uint16_t
choose_address(unsigned page, unsigned place)
{
	return (uint16_t)(page % ARENA_MAX + place % PLACES * ARENA_MAX);
}

/* op_bind: give that value to all arguments of one kind; of NONE to none. */
void op_bind(struct op *op, enum prog_kind kind, uint16_t value);

#endif
