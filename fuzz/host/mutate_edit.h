/* SPDX-License-Identifier: MIT */
/*
 * mutate_edit.h - a program while it is being changed.
 *
 * Operations of different lanes stand in one list, in which only the order
 * within a lane means anything.
 */
#ifndef FUZZ_HOST_MUTATE_EDIT_H
#define FUZZ_HOST_MUTATE_EDIT_H

#include <stdbool.h>

#include "fuzz/host/mutate_scope.h"
#include "fuzz/host/random.h"
#include "fuzz/wire/prog.h"

struct edit {
	struct prog *prog;
	const struct prog *donor; /* another program; NULL if there is none */
	struct random *random;
};

/* edit_room: whether n more operations fit. */
bool edit_room(const struct edit *e, unsigned n);

/* edit_insert: before operation `at`; needs room for it. */
void edit_insert(struct edit *e, unsigned at, struct op op);

/* edit_remove: n operations from `at` on. */
void edit_remove(struct edit *e, unsigned at, unsigned n);

/* edit_op: any operation; NULL if there is none. */
struct op *edit_op(const struct edit *e);

/* edit_index: where that operation stands. */
static inline unsigned
edit_index(const struct edit *e, const struct op *op)
{
	return (unsigned)(op - e->prog->ops);
}

/* edit_scope: what that operation finds. */
static inline struct scope
edit_scope(const struct edit *e, const struct op *op)
{
	return scope_at(e->prog, op->lane, edit_index(e, op));
}

/* edit_lanes: a bit for each lane that has operations. */
unsigned edit_lanes(const struct edit *e);

/* edit_lane: one of those; 0 if there is none. */
unsigned edit_lane(const struct edit *e);

/* edit_lane_above: a higher one, rather without operations; lane < 7. */
unsigned edit_lane_above(const struct edit *e, unsigned lane);

/* edit_place: where to insert an operation of that lane: before its end. */
unsigned edit_place(const struct edit *e, unsigned lane);

/* edit_point: a point at which no lane meets yet, or any. */
unsigned edit_point(const struct edit *e);

#endif
