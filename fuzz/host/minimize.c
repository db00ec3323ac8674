/* SPDX-License-Identifier: MIT */
/*
 * minimize.c - structural delta debugging of a program.
 *
 * A pass proposes simpler programs, one after the other; each that still
 * fails the same way becomes the one to go on from.  The passes take away
 * whole lanes, runs of operations from the back, single ones and pairs; they
 * put two lanes into one; they take properties, harts and the seed away, give
 * slots, pages, paths and points smaller names all over the program, and at
 * last make every argument as simple as its kind allows.  They start again
 * until a round brings nothing.
 *
 * What keeps it right:
 *
 *   - Programs have a cost, and what is not cheaper is not taken.  So there
 *     is an end, and the result is never larger than what came in.
 *   - Only minimize_judge() changes the best program, and only if same()
 *     accepts.  A pass can be as wild as it likes.
 *   - What was rejected is remembered by its hash and not run again.  Two
 *     programs with one hash can cost a step, but never a wrong result.
 */
#include <stdlib.h>

#include "fuzz/host/minimize_steps.h"

enum { CACHE_SIZE = 1 << 15 };

/* Never 0, which marks an empty place of the cache. */
static uint64_t
hash_of(const struct prog *p)
{
	uint8_t bytes[PROG_BYTES_MAX];
	uint64_t h = 0xcbf29ce484222325u;
	size_t n = prog_encode(p, bytes);

	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h | 1;
}

bool
minimize_judge(struct work *w, struct prog *candidate)
{
	const struct minimize_job *job = w->job;
	uint64_t hash, *place;
	bool same;

	prog_tidy(candidate);
	if (w->ended || !minimize_cheaper(candidate, &w->best))
		return false;
	hash = hash_of(candidate);
	place = &w->rejected[(hash >> 1) % CACHE_SIZE];
	if (*place == hash) {
		w->count.cached++;
		return false;
	}
	same = job->same(job->ctx, candidate);
	w->count.tried++;
	if (same) {
		w->best = *candidate;
		w->count.kept++;
	} else {
		*place = hash;
	}
	if (job->progress != NULL)
		job->progress(job->ctx, &w->best, &w->count);
	w->ended = (job->tries_max != 0 && w->count.tried >= job->tries_max) ||
		   (job->stop != NULL && job->stop(job->ctx));
	return same;
}

bool
minimize(struct prog *p, const struct minimize_job *job,
	struct minimize_count *count)
{
	struct work w = {.best = *p, .job = job};
	bool again = true;

	w.rejected = calloc(CACHE_SIZE, sizeof(*w.rejected));
	if (w.rejected == NULL)
		return false;
	while (again && !w.ended) {
		again = false;
		for (unsigned i = 0; minimize_passes[i] != NULL; i++)
			again |= minimize_passes[i](&w);
	}
	free(w.rejected);
	*p = w.best;
	if (count != NULL)
		*count = w.count;
	return !w.ended;
}
