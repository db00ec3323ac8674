/* SPDX-License-Identifier: MIT */
/*
 * print.c - the text of a program.
 */
#include "fuzz/wire/kinds.h"
#include "fuzz/wire/text.h"

static void
put_op(struct out *out, const struct op *op)
{
	const struct call_info *info = &prog_calls[op->call];

	out_put(out, "%u: %s", op->lane, info->name);
	for (unsigned i = 0; i < info->nargs; i++) {
		out_put(out, " ");
		kind_put(out, info->kind[i], op->arg[i]);
	}
	if (op->prop == PROP_FAIL)
		out_put(out, " fail=%u", op->n);
	else if (op->prop == PROP_KILL)
		out_put(out, " kill");
	else if (op->prop == PROP_ASYNC)
		out_put(out, " async");
}

size_t
prog_print_op(const struct op *op, char *to, size_t size)
{
	struct out out = {to, size, 0};

	put_op(&out, op);
	return out.n;
}

size_t
prog_print(const struct prog *p, char *to, size_t size)
{
	struct out out = {to, size, 0};

	out_put(&out, "program harts=%u seed=%u\n", p->harts, p->seed);
	for (unsigned i = 0; i < p->nops; i++) {
		put_op(&out, &p->ops[i]);
		out_put(&out, "\n");
	}
	return out.n;
}
