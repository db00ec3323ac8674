/* SPDX-License-Identifier: MIT */
/*
 * prog2c.c - a program as one C file, for the shell of any xv6-like kernel.
 *
 * The file is alone.inc, which has a function do_CALL() for each call, and
 * behind it one function for each lane, with one line for each operation.
 * What an argument looks like in C depends on its kind alone, so a new call
 * needs a do_CALL() in alone.inc and nothing here.
 *
 * Lanes run side by side there as well, but by the kernel's own schedule, so
 * a finding that hangs on the order of things may need several runs.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/wire/kinds.h"
#include "fuzz/wire/text.h"

/* The text of alone.inc. */
extern const char alone_begin[], alone_end[];
__asm__(".pushsection .rodata\n"
	"alone_begin: .incbin \"fuzz/wire/alone.inc\"\n"
	"alone_end: .byte 0\n"
	".popsection\n");

enum { PROCESSES_MAX = 32 };

/* What is known of a program before it is written. */
struct outline {
	const struct prog *p;
	bool left_out[OPS_MAX];  /* they would start too many processes */
	unsigned round[OPS_MAX]; /* of a meeting */
};

/* --- the outline */

/*
 * Lanes fork upward only: when it is a lane's turn, the number of its
 * processes is known.  As in the executor, a fork is left out that would
 * make them too many.
 */
static void
limit_processes(struct outline *o)
{
	unsigned count[LANES_MAX] = {0}, total = 0;

	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		count[lane] = prog_roots(o->p) >> lane & 1;
		total += count[lane];
	}
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		for (unsigned i = 0; i < o->p->nops; i++) {
			const struct op *op = &o->p->ops[i];
			unsigned more =
				count[lane] * ((op->call == CALL_fork) +
						      (op->prop == PROP_ASYNC));

			if (op->lane != lane)
				continue;
			o->left_out[i] = total + more > PROCESSES_MAX;
			if (o->left_out[i])
				continue;
			total += more;
			if (op->call == CALL_fork)
				count[op->arg[0]] += count[lane];
		}
	}
}

/*
 * Give each meeting a round: lanes that come to a point the same time in
 * their lives meet there, and later in time than where they met before.
 */
static void
plan_meetings(struct outline *o)
{
	unsigned round_of[POINTS][OPS_MAX] = {{0}};
	unsigned visits[LANES_MAX][POINTS] = {{0}}, last[LANES_MAX] = {0};

	for (unsigned i = 0; i < o->p->nops; i++) {
		const struct op *op = &o->p->ops[i];
		unsigned *round;

		if (op->call != CALL_meet)
			continue;
		round = &round_of[op->arg[0]][visits[op->lane][op->arg[0]]++];
		if (*round <= last[op->lane])
			*round = last[op->lane] + 1;
		last[op->lane] = o->round[i] = *round;
	}
}

/* --- the file */

static void
put_comment(FILE *to, const struct prog *p, const char *name)
{
	char text[TEXT_MAX];

	prog_print(p, text, sizeof(text));
	fprintf(to, "/* %s.c - made by `prog c` from this program:\n *\n",
		name);
	for (char *line = strtok(text, "\n"); line != NULL;
		line = strtok(NULL, "\n"))
		fprintf(to, " *\t%s\n", line);
	fputs(" *\n"
	      " * A user program like any other: add it to yours, and run it.\n"
	      " * With a number it does so as many times, or until it has\n"
	      " * FOUND something.  It exits 0 after `prog: ok`, 1 after a\n"
	      " * finding, and 2 if it cannot tell.\n"
	      " */\n",
		to);
}

static void
put_arg(FILE *to, enum prog_kind kind, unsigned v)
{
	char text[TEXT_LINE];
	struct out out = {text, sizeof(text), 0};

	kind_put_c(&out, kind, v);
	fputs(text, to);
}

static void
put_call(FILE *to, const struct op *op, unsigned round)
{
	const struct call_info *info = &prog_calls[op->call];

	fprintf(to, "do_%s(", info->name);
	for (unsigned i = 0; i < info->nargs && op->call != CALL_meet; i++) {
		fputs(i > 0 ? ", " : "", to);
		put_arg(to, info->kind[i], op->arg[i]);
	}
	if (op->call == CALL_meet)
		fprintf(to, "%u", round);
	fputs(")", to);
}

static void
put_op(FILE *to, const struct outline *o, unsigned i)
{
	const struct op *op = &o->p->ops[i];
	char text[TEXT_LINE];

	prog_print_op(op, text, sizeof(text));
	fprintf(to, "\t/* %s */\n", text);
	if (o->left_out[i]) {
		fprintf(to, "\t/* left out: more than %d processes */\n",
			PROCESSES_MAX);
		return;
	}
	if (op->prop == PROP_FAIL)
		fprintf(to, "\tFAIL(%u, %u, ", i, op->n);
	else if (op->prop == PROP_KILL)
		fprintf(to, "\tKILL(%u, ", i);
	else if (op->prop == PROP_ASYNC)
		fprintf(to, "\tASYNC(%u, ", i);
	else
		fprintf(to, "\tOP(%u, ", i);
	put_call(to, op, o->round[i]);
	fputs(");\n", to);
}

static void
put_lane(FILE *to, const struct outline *o, unsigned lane)
{
	fprintf(to, "static void\nlane%u(void)\n{\n", lane);
	for (unsigned i = 0; i < o->p->nops; i++) {
		if (o->p->ops[i].lane == lane)
			put_op(to, o, i);
	}
	fputs("}\n\n", to);
}

static void
put_main(FILE *to, const struct prog *p, unsigned used)
{
	fputs("static void\nrun_lane(int which)\n{\n"
	      "\tstatic void (*const lanes[8])(void) = {\n",
		to);
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		if (used & 1U << lane)
			fprintf(to, "\t\t[%u] = lane%u,\n", lane, lane);
	}
	fputs("\t};\n\n"
	      "\tif (lanes[which] != 0)\n\t\tlanes[which]();\n}\n\n"
	      "int\nmain(int argc, char **argv)\n{\n"
	      "\tif (argc > 1 && strcmp(argv[1], \"-exec\") == 0)\n"
	      "\t\texit(EXEC_STATUS);\n"
	      "\texit(run(argv[0], argc > 1 ? atoi(argv[1]) : 1,\n",
		to);
	/* Those that nobody forks. */
	fprintf(to, "\t\t0x%x));\n}\n", prog_roots(p));
}

int
prog_to_c(const struct prog *p, const char *name, FILE *to)
{
	struct outline o = {.p = p};
	unsigned used = 0;

	limit_processes(&o);
	plan_meetings(&o);
	put_comment(to, p, name);
	fwrite(alone_begin, 1, (size_t)(alone_end - alone_begin), to);
	fputs("\n/* ---- the program */\n\n", to);
	for (unsigned i = 0; i < p->nops; i++)
		used |= 1U << p->ops[i].lane;
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		if (used & 1U << lane)
			put_lane(to, &o, lane);
	}
	put_main(to, p, used);
	return ferror(to) ? -1 : 0;
}
