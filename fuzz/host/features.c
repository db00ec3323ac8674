/* SPDX-License-Identifier: MIT */
/*
 * features.c - from a result to a map.  One row of the table and a function
 * for each kind of feature.
 */
#include "fuzz/host/features.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/wire/prog.h"

/* How a step ended, as seen by the program. */
enum outcome {
	OUTCOME_ERROR,
	OUTCOME_ZERO,
	OUTCOME_SHORT, /* less than the length asked for */
	OUTCOME_OTHER, /* all of it, a descriptor, a process, an address */
	NOUTCOMES,
};

/* Where the kinds lie behind the edges. */
enum {
	RESULTS_AT = COVER_SIZE,
	RESULTS = NCALLS * NPROPS * NOUTCOMES,
	PAIRS_AT = RESULTS_AT + RESULTS,
	PAIRS = NCALLS * NCALLS * 2,
	VERDICTS_AT = PAIRS_AT + PAIRS,
	VERDICTS = 256,
	FEATURES_END = VERDICTS_AT + VERDICTS,
};

_Static_assert(
	(int)FEATURES_END <= (int)FEATURES_MAP, "FEATURES_SIZE is too small");

struct run {
	const struct prog *prog;
	const struct vm_result *result;
	uint8_t *map;
};

/* --- edges */

/* All of it at once: looking for the few bytes that are set takes longer. */
static void
fill_edges(const struct run *run)
{
	memcpy(run->map, run->result->cover, COVER_SIZE);
}

/* --- states, from the trace */

/* asked_length: the length that a call was given, or 0 if it takes none. */
static int64_t
asked_length(const struct op *op)
{
	const struct call_info *info = &prog_calls[op->call];

	for (unsigned i = 0; i < info->nargs; i++) {
		if (info->kind[i] == KIND_LEN)
			return prog_lengths[op->arg[i]];
	}
	return 0;
}

static enum outcome
outcome(const struct op *op, uint32_t value)
{
	if (value == UINT32_MAX)
		return OUTCOME_ERROR;
	if (value == 0)
		return OUTCOME_ZERO;
	return (int64_t)value < asked_length(op) ? OUTCOME_SHORT
						 : OUTCOME_OTHER;
}

/* step_op: the operation that a trace event is a step of, or NULL. */
static const struct op *
step_op(const struct run *run, const struct mailbox_trace *event)
{
	if (event->what != 'S' || event->op < 0 || event->op >= run->prog->nops)
		return NULL;
	return &run->prog->ops[event->op];
}

static uint32_t
trace_length(const struct run *run)
{
	uint32_t n = run->result->box->ntrace;

	return n < TRACE_MAX ? n : TRACE_MAX;
}

/* Each call, with each property, and how it ended. */
static void
fill_results(const struct run *run)
{
	const struct mailbox_trace *trace = run->result->box->trace;

	for (uint32_t i = 0; i < trace_length(run); i++) {
		const struct op *op = step_op(run, &trace[i]);

		if (op != NULL)
			run->map[RESULTS_AT +
				 (op->call * NPROPS + op->prop) * NOUTCOMES +
				 outcome(op, trace[i].value)] = 1;
	}
}

/* Each call and the one that ended before it, in this lane or another. */
static void
fill_pairs(const struct run *run)
{
	const struct mailbox_trace *trace = run->result->box->trace;
	const struct op *before = NULL;

	for (uint32_t i = 0; i < trace_length(run); i++) {
		const struct op *op = step_op(run, &trace[i]);

		if (op == NULL)
			continue;
		if (before != NULL)
			run->map[PAIRS_AT +
				 (before->call * NCALLS + op->call) * 2 +
				 (before->lane != op->lane)] = 1;
		before = op;
	}
}

/* What is wrong, so that another bug on known edges is news. */
static void
fill_verdict(const struct run *run)
{
	const struct vm_result *r = run->result;
	unsigned h = 2166136261u + r->class;

	if (!vm_failed(r->class))
		return;
	for (const char *c = r->what; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * 16777619u;
	run->map[VERDICTS_AT + (h >> 16 ^ h) % VERDICTS] = 1;
}

/* --- the table */

static const struct feature {
	const char *name;
	bool trace; /* needs it */
	bool state; /* lies behind the edges */
	void (*fill)(const struct run *run);
} features[] = {
	{"edges", false, false, fill_edges},
	{"results", true, true, fill_results},
	{"pairs", true, true, fill_pairs},
	{"verdict", false, true, fill_verdict},
};

enum { NFEATURES = sizeof(features) / sizeof(features[0]) };

static void
complain(const char *name, size_t n, char *err, size_t size)
{
	int at = snprintf(
		err, size, "no feature '%.*s'; there are", (int)n, name);

	for (unsigned i = 0; i < NFEATURES; i++) {
		if (at >= 0 && (size_t)at < size)
			at += snprintf(err + at, size - (size_t)at, " %s",
				features[i].name);
	}
}

static bool
feature_add(const char *name, size_t n, unsigned *set)
{
	for (unsigned i = 0; i < NFEATURES; i++) {
		if (strlen(features[i].name) == n &&
			memcmp(features[i].name, name, n) == 0) {
			*set |= 1U << i;
			return true;
		}
	}
	return false;
}

bool
features_parse(const char *list, unsigned *set, char *err, size_t size)
{
	*set = 0;
	for (;;) {
		size_t n = strcspn(list, ",");

		if (!feature_add(list, n, set)) {
			complain(list, n, err, size);
			return false;
		}
		list += n;
		if (*list == '\0')
			return true;
		list++;
	}
}

size_t
features_size(unsigned set)
{
	for (unsigned i = 0; i < NFEATURES; i++) {
		if ((set & 1U << i) && features[i].state)
			return FEATURES_MAP;
	}
	return COVER_SIZE;
}

bool
features_trace(unsigned set)
{
	for (unsigned i = 0; i < NFEATURES; i++) {
		if ((set & 1U << i) && features[i].trace)
			return true;
	}
	return false;
}

void
features_fill(unsigned set, const void *input, size_t n,
	const struct vm_result *r, uint8_t *map)
{
	struct prog p = {0};
	struct run run = {.prog = &p, .result = r, .map = map};

	/* What is no program has no operations, and so no states. */
	if (features_trace(set))
		(void)prog_decode(&p, input, n);
	for (unsigned i = 0; i < NFEATURES; i++) {
		if (set & 1U << i)
			features[i].fill(&run);
	}
}
