/* SPDX-License-Identifier: MIT */
/*
 * mutate_rows.h - the simple mutations: one function for each row of
 * mutations[], by the row's name.
 *
 * Each returns false if it has no place in the program, which is then as it
 * was.  What they leave behind may want tidying.
 */
#ifndef FUZZ_HOST_MUTATE_ROWS_H
#define FUZZ_HOST_MUTATE_ROWS_H

#include "fuzz/host/mutate_edit.h"

/* mutate_ops.c: whole operations. */
bool row_insert(struct edit *e);
bool row_remove(struct edit *e);
bool row_unlane(struct edit *e);
bool row_double(struct edit *e);
bool row_swap(struct edit *e);
bool row_replace(struct edit *e);
bool row_cross(struct edit *e);
bool row_splice(struct edit *e);
bool row_twin(struct edit *e);
bool row_move(struct edit *e);

/* mutate_args.c: what they are done with. */
bool row_arg(struct edit *e);
bool row_args(struct edit *e);
bool row_resource(struct edit *e);
bool row_mend(struct edit *e);
bool row_page(struct edit *e);
bool row_fail(struct edit *e);
bool row_nth(struct edit *e);
bool row_kill(struct edit *e);
bool row_async(struct edit *e);
bool row_plain(struct edit *e);
bool row_harts(struct edit *e);
bool row_seed(struct edit *e);

#endif
