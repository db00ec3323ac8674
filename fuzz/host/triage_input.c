/* SPDX-License-Identifier: MIT */
/*
 * triage_input.c - from one failing input to a finding, or to one more hit of
 * a finding.
 */
#define _GNU_SOURCE
#include "fuzz/host/triage.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/host/capture.h"
#include "fuzz/host/stop.h"
#include "fuzz/host/trial.h"

/* For whoever follows the log: each line at once. */
__attribute__((format(printf, 1, 2))) static void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

/* --- machines */

static void
find_revision(struct rig *rig)
{
	char *copy = strdup(rig->config.kernel);
	const char *argv[] = {"git", "-C", NULL, "describe", "--always",
		"--dirty", "--tags", NULL};
	char text[FINDING_LINE];

	if (copy == NULL)
		abort();
	argv[2] = dirname(copy);
	if (capture(argv, text, sizeof(text)) != 0)
		strcpy(text, "unknown");
	text[strcspn(text, "\n")] = '\0';
	finding_line(rig->revision, sizeof(rig->revision), text);
	free(copy);
}

bool
rig_open(struct rig *rig, struct store *store, unsigned deadline_ms)
{
	char err[STORE_ERROR];

	if (rig->open)
		return true;
	if (!driver_open(&rig->driver, &rig->config, deadline_ms, NULL, err,
		    sizeof(err))) {
		fprintf(stderr, "stampede-fuzz triage: %s\n", err);
		return false;
	}
	rig->open = true;
	find_revision(rig);
	if (store_keep(store, rig->config.kernel, rig->config.monitor,
		    rig->build) == 0)
		return true;
	fprintf(stderr, "stampede-fuzz triage: %s\n", store_error(store));
	driver_close(&rig->driver);
	rig->open = false;
	return false;
}

/* --- one input */

static void
describe(struct finding *f, const struct rig *rig, const struct prog *p,
	const struct verdict *v, const char *path)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->signature, v->signature);
	snprintf(f->class, sizeof(f->class), "%s", class_name(v->class));
	strcpy(f->revision, rig->revision);
	strcpy(f->build, rig->build);
	finding_line(f->input, sizeof(f->input), path);
	f->ops = p->nops;
	f->ops_before = p->nops;
	f->lanes = minimize_lanes(p);
	f->harts = p->harts;
	f->reproduced = v->hits;
	f->repeats = v->runs;
	f->others = v->others;
	f->steady = v->steady;
}

static int
record_odd(struct rig *rig, struct store *store, struct tally *tally,
	const struct prog *p, const struct verdict *v, const char *path,
	uint64_t hash)
{
	struct evidence e = {.prog = p, .kernel_path = rig->config.kernel};
	struct finding f;

	describe(&f, rig, p, v, path);
	snprintf(f.what, sizeof(f.what),
		v->hits == 0 ? "Saved as a failure, but it passed each time"
			     : "Failed at first, and then no more");
	tally->odd++;
	say("%s: did not fail again\n", path);
	return store_add(store, &f, &e, hash);
}

static void
show_progress(
	void *ctx, const struct prog *best, const struct minimize_count *count)
{
	(void)ctx;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rminimising: %u operations, %u tries ",
			best->nops, count->tried);
}

static bool
asked_to_stop(void *ctx)
{
	(void)ctx;
	return stop_asked();
}

static int
record_finding(struct store *store, struct tally *tally, struct finding *f,
	const struct evidence *e, uint64_t hash)
{
	const struct finding *old = store_find(store, f->signature);
	int err;

	if (old != NULL && f->ops >= old->ops) {
		tally->hits++;
		return store_hit(store, f->signature, hash, f->input);
	}
	if (old != NULL) {
		tally->better++;
		err = store_replace(store, f, e, hash);
	} else {
		tally->added++;
		err = store_add(store, f, e, hash);
	}
	if (err == 0)
		say("finding %s: %u operations (of %u), failed in %u of %u "
		    "runs%s\n",
			f->name, f->ops, f->ops_before, f->reproduced,
			f->repeats, old != NULL ? ", smaller than before" : "");
	return err;
}

/* A failure that is new, or smaller than what there is of it. */
static int
work_out(struct rig *rig, struct store *store, struct tally *tally,
	struct prog *p, struct verdict *v, const char *path, uint64_t hash)
{
	struct minimize_count count = {0};
	struct vm_result result;
	struct evidence e = {.prog = p,
		.result = &result,
		.kernel = rig->driver.kernel,
		.kernel_path = rig->config.kernel};
	unsigned before = p->nops;
	struct finding f;
	bool seen;

	trial_minimize(
		&rig->driver, p, v, &count, show_progress, asked_to_stop);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	seen = !stop_asked() && trial_witness(&rig->driver, p, v, &result);
	if (stop_asked())
		return 0; /* not recorded: it is done again next time */
	if (!seen)
		return record_odd(rig, store, tally, p, v, path, hash);
	describe(&f, rig, p, v, path);
	f.ops_before = before;
	finding_line(f.what, sizeof(f.what), result.what);
	finding_line(f.detail, sizeof(f.detail), result.detail);
	return record_finding(store, tally, &f, &e, hash);
}

int
triage_input(struct rig *rig, struct store *store, struct tally *tally,
	struct prog *p, const char *path, uint64_t hash)
{
	struct verdict v = trial(&rig->driver, p, TRIAL_RUNS);
	const struct finding *known;

	/* A signal to all of the terminal's processes ends QEMU as well. */
	if (stop_asked())
		return 0;
	if (v.runs == 0) {
		tally->broken++;
		fprintf(stderr, "%s: QEMU dies of it; left for another time\n",
			path);
		return 0;
	}
	if (v.hits == 0)
		return record_odd(rig, store, tally, p, &v, path, hash);
	known = store_find(store, v.signature);
	if (known == NULL || p->nops < known->ops)
		return work_out(rig, store, tally, p, &v, path, hash);
	tally->hits++;
	return store_hit(store, v.signature, hash, path);
}
