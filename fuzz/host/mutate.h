/* SPDX-License-Identifier: MIT */
/*
 * mutate.h - new programs out of old ones.
 *
 * What comes out depends on what goes in, on nothing else, and the random
 * numbers go in, too.
 */
#ifndef FUZZ_HOST_MUTATE_H
#define FUZZ_HOST_MUTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/host/mutate_edit.h"
#include "fuzz/host/random.h"
#include "fuzz/wire/prog.h"

/* What a mutation does to the number of operations. */
enum growth { SAME_SIZE, GROWS, SHRINKS };

struct mutation {
	const char *name;
	unsigned weight;
	enum growth growth;
	/* False if the program has no place for it, and is as it was. */
	bool (*run)(struct edit *e);
};

enum { NMUTATIONS = 28, STACK_MAX = 8 };
extern const struct mutation mutations[NMUTATIONS];

/* How likely each of them is.  Start from mutate_weights(). */
struct weights {
	unsigned of[NMUTATIONS];
};

/* Which ones were applied, in order. */
struct applied {
	unsigned n;
	unsigned row[STACK_MAX];
};

/* mutate_weights: those of the table. */
struct weights mutate_weights(void);

/*
 * mutate_set_weights: change some, as in "insert=10,harts=0".  Returns false
 * at a name or number that is none, or if no weight were left.
 */
bool mutate_set_weights(struct weights *w, const char *text);

/*
 * mutate: change p, a tidy program, by one mutation or some.  donor is a
 * second tidy program, or NULL.  The result is tidy and is not what p was.
 */
void mutate(struct prog *p, const struct prog *donor, const struct weights *w,
	struct random *r, struct applied *applied);

/* mutate_fresh: a program out of nothing. */
void mutate_fresh(struct prog *p, struct random *r);

#endif
