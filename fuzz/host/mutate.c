/* SPDX-License-Identifier: MIT */
/*
 * mutate.c - new programs out of old ones.
 *
 * mutations[] is the list of all that can be done to a program.  mutate()
 * takes a few of them, one after the other: mostly one, for a program that
 * does something new is found near one that did, and with many changes at
 * once nobody knows what it was.
 *
 * Most rows change what is there with regard to its surroundings
 * (mutate_choose.c); some bring in whole scenes (mutate_scenes.c).
 *
 * The longer a program is, the less likely is a row that makes it longer, and
 * one that makes many processes is mostly undone; so programs stay at a size
 * at which they run fast and can be understood.
 */
#include "fuzz/host/mutate.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/host/mutate_rows.h"
#include "fuzz/host/mutate_scenes.h"

/* From here on programs do not get longer any more, if they can help it. */
enum { LONG_PROG = 24 };

/* More processes than that are seldom worth the time that they take. */
enum { MANY_PROCESSES = 8, SELDOM = 8 };

/*
 * How the weights came about: the first ones were guessed.  Runs of some
 * thousand executions from two short programs then told how often a row was
 * in the name of what afl-fuzz kept, by how often it had been applied.  Rows
 * that did better got more, which found a tenth more programs and about as
 * many edges in the same number of executions; without the scenes it was a
 * fifth fewer programs.  That is two seeds on one kernel, and equal weights do
 * not fare much worse: do not read much into small differences.
 *
 * Not by yield: rows that make programs smaller or plainer pay off later; and
 * "exhaust" pays best, but its programs are slow.
 */
const struct mutation mutations[NMUTATIONS] = {
	{"insert", 100, GROWS, row_insert},
	{"remove", 50, SHRINKS, row_remove},
	{"unlane", 10, SHRINKS, row_unlane},
	{"double", 30, GROWS, row_double},
	{"swap", 8, SAME_SIZE, row_swap},
	{"replace", 40, SAME_SIZE, row_replace},
	{"cross", 40, SAME_SIZE, row_cross},
	{"splice", 50, GROWS, row_splice},
	{"twin", 12, GROWS, row_twin},
	{"move", 15, SAME_SIZE, row_move},
	{"arg", 50, SAME_SIZE, row_arg},
	{"args", 15, SAME_SIZE, row_args},
	{"resource", 20, SAME_SIZE, row_resource},
	{"mend", 60, SAME_SIZE, row_mend},
	{"page", 20, SAME_SIZE, row_page},
	{"fail", 40, SAME_SIZE, row_fail},
	{"nth", 30, SAME_SIZE, row_nth},
	{"kill", 12, SAME_SIZE, row_kill},
	{"async", 20, SAME_SIZE, row_async},
	{"plain", 40, SAME_SIZE, row_plain},
	{"harts", 25, SAME_SIZE, row_harts},
	{"seed", 25, SAME_SIZE, row_seed},
	{"branch", 50, GROWS, scene_branch},
	{"meet", 15, GROWS, scene_meet},
	{"collide", 90, GROWS, scene_collide},
	{"copyout", 40, GROWS, scene_copyout},
	{"chain", 20, GROWS, scene_chain},
	{"exhaust", 15, GROWS, scene_exhaust},
};

struct weights
mutate_weights(void)
{
	struct weights w;

	for (unsigned i = 0; i < NMUTATIONS; i++)
		w.of[i] = mutations[i].weight;
	return w;
}

/* The row of that name, of n letters; NMUTATIONS if there is none. */
static unsigned
row_named(const char *name, size_t n)
{
	unsigned i;

	for (i = 0; i < NMUTATIONS; i++)
		if (strlen(mutations[i].name) == n &&
			memcmp(mutations[i].name, name, n) == 0)
			break;
	return i;
}

bool
mutate_set_weights(struct weights *w, const char *text)
{
	unsigned long value, sum = 0;
	unsigned row;
	char *end;

	while (*text != '\0') {
		row = row_named(text, strcspn(text, "="));
		text += strcspn(text, "=");
		if (row == NMUTATIONS || *text++ != '=')
			return false;
		value = strtoul(text, &end, 10);
		if (end == text || value > 1000000 || strchr(",", *end) == NULL)
			return false;
		w->of[row] = (unsigned)value;
		text = *end == ',' ? end + 1 : end;
	}
	for (row = 0; row < NMUTATIONS; row++)
		sum += w->of[row];
	return sum > 0;
}

/* A row, with regard to how long the program is already. */
static unsigned
choose_row(const struct prog *p, const struct weights *w, struct random *r)
{
	unsigned weights[NMUTATIONS], room = 0;

	if (p->nops < LONG_PROG)
		room = LONG_PROG - p->nops;
	for (unsigned i = 0; i < NMUTATIONS; i++) {
		weights[i] = w->of[i] * LONG_PROG;
		if (mutations[i].growth == GROWS)
			weights[i] = w->of[i] * (room + 1);
	}
	return random_weighted(r, weights, NMUTATIONS);
}

/* Each process of a lane makes all of the lane's forks. */
static unsigned
count_processes(const struct prog *p)
{
	unsigned count[LANES_MAX], roots = prog_roots(p), sum = 0;

	for (unsigned lane = 0; lane < LANES_MAX; lane++)
		count[lane] = roots >> lane & 1;
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		for (unsigned i = 0; i < p->nops; i++) {
			const struct op *op = &p->ops[i];

			if (op->lane != lane)
				continue;
			if (op->call == CALL_fork)
				count[op->arg[0]] += count[lane];
			if (op->prop == PROP_ASYNC)
				sum += count[lane];
		}
		sum += count[lane];
	}
	return sum;
}

static bool
too_many(const struct prog *p, const struct prog *before, struct random *r)
{
	unsigned processes = count_processes(p);

	return processes > MANY_PROCESSES &&
	       processes > count_processes(before) && !random_one_in(r, SELDOM);
}

static bool
same_prog(const struct prog *a, const struct prog *b)
{
	return a->seed == b->seed && a->harts == b->harts &&
	       a->nops == b->nops &&
	       memcmp(a->ops, b->ops, a->nops * sizeof(a->ops[0])) == 0;
}

/*
 * A row may have no place or change nothing, and what one does another may
 * undo.  If that is all that happens it is the seed that goes on by one.
 */
void
mutate(struct prog *p, const struct prog *donor, const struct weights *w,
	struct random *r, struct applied *applied)
{
	const struct prog original = *p;
	struct edit e = {p, donor, r};
	struct prog before;
	unsigned row, n = random_geometric(r, 35, STACK_MAX);

	applied->n = 0;
	for (unsigned tries = 0; tries < 64 && applied->n < n; tries++) {
		before = *p;
		row = choose_row(p, w, r);
		if (!mutations[row].run(&e))
			continue;
		prog_tidy(p);
		if (too_many(p, &before, r))
			*p = before;
		else if (!same_prog(p, &before))
			applied->row[applied->n++] = row;
	}
	if (!same_prog(p, &original))
		return;
	p->seed++;
	applied->row[0] = row_named("seed", strlen("seed"));
	applied->n = 1;
}

enum { FRESH_SCENES = 3, FRESH_OPS = 8 };

/* The scenes of the table, and calls in between. */
void
mutate_fresh(struct prog *p, struct random *r)
{
	static bool (*const scenes[])(struct edit *) = {scene_branch,
		scene_branch, scene_collide, scene_copyout, scene_chain,
		scene_exhaust, scene_meet};
	struct edit e = {p, NULL, r};
	unsigned n;

	*p = (struct prog){.seed = (uint32_t)random_next(r)};
	p->harts = (uint8_t)(1 + random_below(r, 8));
	for (n = random_geometric(r, 80, FRESH_OPS); n > 0; n--)
		row_insert(&e);
	for (n = random_below(r, FRESH_SCENES + 1); n > 0; n--)
		scenes[random_below(r, sizeof(scenes) / sizeof(scenes[0]))](&e);
	for (n = random_geometric(r, 80, FRESH_OPS); n > 0; n--)
		row_insert(&e);
	if (random_one_in(r, 3))
		row_fail(&e);
	prog_tidy(p);
}
