/* SPDX-License-Identifier: MIT */
/*
 * mutator.c - mutate.c and mutate_trim.c as a library for afl-fuzz.
 *
 *	AFL_CUSTOM_MUTATOR_LIBRARY=build/fuzz/mutator.so
 *	AFL_CUSTOM_MUTATOR_ONLY=1
 *
 * The interface is that of AFL++ 4.04c.  afl-fuzz's own state is not looked
 * into.  Compiled with -fvisibility=hidden.
 *
 * The n-th mutation draws from a stream of its own, which follows from
 * afl-fuzz's seed and from n.  The name of a file that is kept has both, what
 * was done, and by afl-fuzz itself the numbers of the two programs that went
 * in; so it tells how to come to the same program again:
 *
 *	id:000009,src:000003+000005,time:812,execs:977,op:insert+fail,rng:2f-3d1
 *
 * STAMPEDE_WEIGHTS changes how likely mutations are, as in
 * "insert=10,harts=0"; it is there for measuring what they are worth.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/host/mutate.h"
#include "fuzz/host/mutate_trim.h"
#include "fuzz/monitor/mailbox.h"
#include "fuzz/wire/prog.h"

_Static_assert((int)PROG_BYTES_MAX <= (int)INPUT_MAX, "a program is an input");

/*
 * What afl-fuzz calls, and all that it shall see: it has names of its own,
 * which must not take the place of ours.
 */
#define EXPORT __attribute__((visibility("default")))

EXPORT void *afl_custom_init(void *afl, unsigned seed);
EXPORT void afl_custom_deinit(void *data);
EXPORT size_t afl_custom_fuzz(void *data, const uint8_t *buf, size_t size,
	uint8_t **out, const uint8_t *add, size_t add_size, size_t max);
EXPORT const char *afl_custom_describe(void *data, size_t max);
EXPORT int afl_custom_init_trim(void *data, const uint8_t *buf, size_t size);
EXPORT size_t afl_custom_trim(void *data, uint8_t **out);
EXPORT int afl_custom_post_trim(void *data, uint8_t good);

struct mutator {
	uint32_t seed;
	uint64_t count; /* of mutations */
	struct weights weights;
	struct applied applied; /* n is 0: a fresh program */
	struct trim trim;
	int trim_steps, trim_step;
	uint8_t out[PROG_BYTES_MAX];
	char name[256];
};

/* The weights as the environment wants them; ends the process if it errs. */
static struct weights
read_weights(void)
{
	struct weights w = mutate_weights();
	const char *text = getenv("STAMPEDE_WEIGHTS");

	if (text == NULL || mutate_set_weights(&w, text))
		return w;
	fprintf(stderr,
		"mutator: STAMPEDE_WEIGHTS=%s: write name=number,... with "
		"names of",
		text);
	for (unsigned i = 0; i < NMUTATIONS; i++)
		fprintf(stderr, " %s", mutations[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

void *
afl_custom_init(void *afl, unsigned seed)
{
	struct mutator *m = calloc(1, sizeof(*m));

	(void)afl;
	if (m == NULL) {
		fprintf(stderr, "mutator: no memory\n");
		exit(2);
	}
	m->seed = seed;
	m->weights = read_weights();
	return m;
}

void
afl_custom_deinit(void *data)
{
	free(data);
}

/* p into m->out, without the operations that do not fit into max bytes. */
static size_t
put_out(struct mutator *m, struct prog *p, size_t max)
{
	while (p->nops > 0 && PROG_HEAD + (size_t)p->nops * PROG_OP > max)
		p->nops--;
	return prog_encode(p, m->out);
}

size_t
afl_custom_fuzz(void *data, const uint8_t *buf, size_t size, uint8_t **out,
	const uint8_t *add, size_t add_size, size_t max)
{
	struct mutator *m = data;
	struct random r = random_start(m->seed, m->count++);
	struct prog p, donor;
	bool has_donor;

	*out = m->out;
	m->applied.n = 0;
	if (max < PROG_HEAD)
		return 0;
	if (prog_decode(&p, buf, size) != PROG_OK) {
		mutate_fresh(&p, &r);
		return put_out(m, &p, max);
	}
	has_donor =
		add != NULL && prog_decode(&donor, add, add_size) == PROG_OK;
	mutate(&p, has_donor ? &donor : NULL, &m->weights, &r, &m->applied);
	return put_out(m, &p, max);
}

/* --- names */

/* Add to m->name, of which *used letters are taken; cut what is too long. */
static void
say(struct mutator *m, size_t *used, const char *text, size_t max)
{
	size_t n = strlen(text), room = max - *used;

	if (n > room)
		n = room;
	memcpy(m->name + *used, text, n);
	*used += n;
	m->name[*used] = '\0';
}

/*
 * The name of what afl_custom_fuzz() returned last.  If it has to be cut it
 * loses names of mutations, for the numbers alone say what was done.
 */
const char *
afl_custom_describe(void *data, size_t max)
{
	struct mutator *m = data;
	const struct applied *applied = &m->applied;
	size_t used = 0, rest;
	char numbers[64];

	rest = (size_t)snprintf(numbers, sizeof(numbers), ",rng:%x-%llx",
		m->seed, (unsigned long long)m->count - 1);
	if (max >= sizeof(m->name))
		max = sizeof(m->name) - 1;
	if (max < rest)
		return "";
	say(m, &used, applied->n == 0 ? "op:fresh" : "op:", max - rest);
	for (unsigned i = 0; i < applied->n; i++) {
		say(m, &used, i ? "+" : "", max - rest);
		say(m, &used, mutations[applied->row[i]].name, max - rest);
	}
	say(m, &used, numbers, max);
	return m->name;
}

/* --- trimming */

/* How many steps there can be; never negative, which would be no error. */
int
afl_custom_init_trim(void *data, const uint8_t *buf, size_t size)
{
	struct mutator *m = data;
	struct prog p;

	m->trim_step = m->trim_steps = 0;
	if (prog_decode(&p, buf, size) != PROG_OK)
		return 0;
	trim_start(&m->trim, &p);
	if (trim_next(&m->trim))
		m->trim_steps = (int)trim_most(p.nops);
	return m->trim_steps;
}

size_t
afl_custom_trim(void *data, uint8_t **out)
{
	struct mutator *m = data;

	*out = m->out;
	return prog_encode(&m->trim.proposal, m->out);
}

/* The number of the next step; that behind the last one ends it. */
int
afl_custom_post_trim(void *data, uint8_t good)
{
	struct mutator *m = data;

	trim_judge(&m->trim, good);
	if (!trim_next(&m->trim))
		return m->trim_steps;
	if (m->trim_step < m->trim_steps - 1)
		m->trim_step++;
	return m->trim_step;
}
