/* SPDX-License-Identifier: MIT */
/*
 * minimize.h - the smallest program that still fails the same way.
 */
#ifndef FUZZ_HOST_MINIMIZE_H
#define FUZZ_HOST_MINIMIZE_H

#include <stdbool.h>

#include "fuzz/wire/prog.h"

struct minimize_count {
	unsigned tried;  /* programs that were judged */
	unsigned cached; /* that need not be: they had been judged before */
	unsigned kept;   /* steps that made the program simpler */
};

struct minimize_job {
	/*
	 * Does p fail as the first program did?  It alone decides what is
	 * accepted; it is asked about no program twice.
	 */
	bool (*same)(void *ctx, const struct prog *p);
	/* NULL, or called after every judgement. */
	void (*progress)(void *ctx, const struct prog *best,
		const struct minimize_count *count);
	/* NULL, or returns true if the job shall end with what it has. */
	bool (*stop)(void *ctx);
	void *ctx;
	unsigned tries_max; /* 0: until nothing can be made simpler */
};

/*
 * minimize: make *p, of which same() holds, as simple as it goes.  What is
 * left in *p was accepted by same(), and is never larger than what came in.
 * False if there is no memory, or if stop() or tries_max ended it early.
 */
bool minimize(struct prog *p, const struct minimize_job *job,
	struct minimize_count *count);

/* minimize_lanes: how many lanes have operations. */
unsigned minimize_lanes(const struct prog *p);

#endif
