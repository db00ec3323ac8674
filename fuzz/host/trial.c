/* SPDX-License-Identifier: MIT */
/*
 * trial.c - repeats.
 *
 * Runs are deterministic unless the harness has a hole, so most of this is a
 * check on the harness.  A program that fails the same way in every run of
 * its first trial is trusted, and one run decides about each step of its
 * minimisation.  For any other a step must fail the same way in k of n runs,
 * where k is half of what the program itself would be expected to do: so the
 * steps cannot lead from a frequent failure to a rare one.  If the trust was
 * wrong, which a trial of the result shows, all is done again without it.
 */
#include <string.h>

#include "fuzz/host/trial.h"

enum {
	BROKEN_RETRIES = 3,
	KINDS_MAX = 8, /* signatures of one trial that are told apart */
};

struct kind {
	char signature[SIGNATURE_MAX];
	enum vm_class class;
	unsigned hits;
	uint64_t trace_hash;
	bool steady;
};

enum vm_class
trial_once(
	struct driver *driver, const struct prog *p, struct vm_result *result)
{
	uint8_t bytes[PROG_BYTES_MAX];
	size_t n = prog_encode(p, bytes);
	enum vm_class class = VM_BROKEN;

	for (int i = 0; i < BROKEN_RETRIES && class == VM_BROKEN; i++)
		class = driver_run(driver, bytes, n, result);
	return class;
}

static void
count_kind(struct kind *kinds, unsigned *n, struct driver *driver,
	const struct vm_result *result)
{
	char name[SIGNATURE_MAX];
	unsigned i;

	signature(result, driver->kernel, name, sizeof(name));
	for (i = 0; i < *n; i++)
		if (strcmp(kinds[i].signature, name) == 0)
			break;
	if (i == KINDS_MAX)
		return;
	if (i == *n) {
		memset(&kinds[i], 0, sizeof(kinds[i]));
		strcpy(kinds[i].signature, name);
		kinds[i].class = result->class;
		kinds[i].trace_hash = result->box->trace_hash;
		kinds[i].steady = true;
		(*n)++;
	}
	kinds[i].hits++;
	if (result->box->trace_hash != kinds[i].trace_hash)
		kinds[i].steady = false;
}

struct verdict
trial(struct driver *driver, const struct prog *p, unsigned runs)
{
	struct verdict v = {.class = VM_PASS};
	struct kind kinds[KINDS_MAX];
	struct vm_result result;
	unsigned n = 0, failed = 0, most = 0;

	for (unsigned i = 0; i < runs; i++) {
		enum vm_class class = trial_once(driver, p, &result);

		if (class == VM_BROKEN) {
			v.broken++;
			continue;
		}
		v.runs++;
		if (!vm_failed(class))
			continue;
		failed++;
		count_kind(kinds, &n, driver, &result);
	}
	if (n == 0)
		return v;
	for (unsigned i = 1; i < n; i++)
		if (kinds[i].hits > kinds[most].hits)
			most = i;
	strcpy(v.signature, kinds[most].signature);
	v.class = kinds[most].class;
	v.hits = kinds[most].hits;
	v.others = failed - v.hits;
	v.steady = kinds[most].steady && v.hits == v.runs;
	return v;
}

static bool
fails_so(struct driver *driver, const struct prog *p, enum vm_class class,
	const char *wanted, struct vm_result *result)
{
	char name[SIGNATURE_MAX];

	if (trial_once(driver, p, result) != class)
		return false;
	signature(result, driver->kernel, name, sizeof(name));
	return strcmp(name, wanted) == 0;
}

bool
trial_witness(struct driver *driver, const struct prog *p,
	const struct verdict *verdict, struct vm_result *result)
{
	bool seen = false;

	vm_trace(driver->vm, true);
	for (unsigned i = 0; i < 5 * TRIAL_RUNS && !seen; i++)
		seen = fails_so(
			driver, p, verdict->class, verdict->signature, result);
	vm_trace(driver->vm, false);
	return seen;
}

struct comparison {
	struct driver *driver;
	const struct verdict *verdict;
	unsigned k;
	unsigned n;
	void (*progress)(
		void *, const struct prog *, const struct minimize_count *);
	bool (*stop)(void *);
};

static bool
same(void *ctx, const struct prog *p)
{
	const struct comparison *c = ctx;
	struct vm_result result;
	unsigned hits = 0;

	for (unsigned i = 0; i < c->n && hits < c->k; i++) {
		if (c->k - hits > c->n - i)
			return false; /* the rest cannot be enough */
		hits += fails_so(c->driver, p, c->verdict->class,
			c->verdict->signature, &result);
	}
	return hits >= c->k;
}

void
trial_minimize(struct driver *driver, struct prog *p, struct verdict *verdict,
	struct minimize_count *count,
	void (*progress)(
		void *, const struct prog *, const struct minimize_count *),
	bool (*stop)(void *))
{
	struct comparison c = {driver, verdict, 1, 1, progress, stop};
	struct minimize_job job = {
		.same = same, .progress = progress, .stop = stop, .ctx = &c};
	unsigned half = (verdict->hits + 1) / 2;
	struct prog best;
	struct verdict after;

	for (int trust = verdict->hits == verdict->runs; trust >= 0; trust--) {
		c.k = trust ? 1 : half;
		c.n = trust ? 1 : verdict->runs;
		best = *p;
		minimize(&best, &job, count);
		after = trial(driver, &best, TRIAL_RUNS);
		if (after.hits < half ||
			strcmp(after.signature, verdict->signature) != 0)
			continue;
		*p = best;
		*verdict = after;
		return;
	}
}
