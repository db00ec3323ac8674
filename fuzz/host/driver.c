/* SPDX-License-Identifier: MIT */
/*
 * driver.c - runs inputs one after the other and keeps count.
 *
 * Three things can bound an input.  The guest's own budget ends it with a
 * verdict.  The watchdog kills a QEMU that does nothing for too long; that is
 * no verdict about the kernel, so the input is broken and not failed.  The
 * same goes for whoever else kills QEMU, as afl-fuzz does after its -t.
 *
 * An input that finds QEMU dead, or kills it, runs once more on the new one,
 * unless the first time took so long that the caller has given it up.  What
 * is broken in another way is not tried again: it would hide a snapshot that
 * is not restored.  The run-up of what stays broken is written beside the log.
 *
 * The budget is small, for hangs shall cost little.  Then it does not always
 * suffice either: QEMU has translated nothing yet, or has a busy machine to
 * share.  So what exceeds it gets a second run with much more, and only that
 * one counts.
 */
#define _GNU_SOURCE
#include "fuzz/host/driver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/host/clock.h"
#include "fuzz/host/signature.h"
#include "fuzz/host/watchdog.h"

enum {
	SAVES_MAX = 8,
	BUDGET_MS = 12,
	PATIENCE = 20, /* times the budget, to make sure of a hang */
};

void
driver_note(struct driver *d, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	if (d->log == NULL)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0)
		return;
	/* One write: several instances may share a log. */
	fprintf(d->log, "[%d] %s\n", (int)getpid(), line);
	fflush(d->log);
	clearerr(d->log);
}

static bool
open_log(struct driver *d, const char *path, char *err, size_t size)
{
	if (path == NULL)
		return true;
	d->log = fopen(path, "ae");
	if (d->log == NULL) {
		snprintf(err, size, "--log=%s: %s", path, strerror(errno));
		return false;
	}
	d->log_path = path;
	return true;
}

bool
driver_open(struct driver *d, const struct vm_config *config,
	unsigned deadline_ms, const char *log_path, char *err, size_t size)
{
	char why[256];

	memset(d, 0, sizeof(*d));
	if (!open_log(d, log_path, err, size))
		return false;
	d->deadline_ms = deadline_ms;
	d->vm = vm_open(config, err, size);
	if (d->vm == NULL) {
		driver_note(d, "broken: %s", err);
		driver_close(d);
		return false;
	}
	if (deadline_ms > 0 && !watchdog_start()) {
		snprintf(err, size, "no thread for the watchdog");
		driver_close(d);
		return false;
	}
	d->budget_ms = config->budget_ms > 0 ? config->budget_ms : BUDGET_MS;
	vm_budget(d->vm, d->budget_ms);
	d->kernel = elf_open(config->kernel, why, sizeof(why));
	if (d->kernel == NULL)
		driver_note(d, "signatures have no names: %s", why);
	driver_note(d, "start: kernel %s, QEMU is process %d", config->kernel,
		vm_pid(d->vm));
	return true;
}

static enum vm_class
run_once(struct driver *d, const void *input, size_t n, struct vm_result *r)
{
	enum vm_class class;

	watchdog_arm(vm_pid(d->vm), d->deadline_ms);
	class = vm_run(d->vm, input, n, r);
	watchdog_disarm();
	return class;
}

/* save_runup: if there is a log to lay it beside; only some, for space. */
static void
save_runup(struct driver *d)
{
	char *folder;

	if (d->log_path == NULL || d->saved == SAVES_MAX)
		return;
	if (asprintf(&folder, "%s.runup-%d-%u", d->log_path, (int)getpid(),
		    d->saved++) < 0)
		return;
	if (runup_save(&d->runup, folder))
		driver_note(d, "the inputs before it are in %s", folder);
	else
		driver_note(d, "%s: %s", folder, strerror(errno));
	free(folder);
}

static void
count_broken(struct driver *d, const struct vm_result *r)
{
	d->broken++;
	d->broken_in_row++;
	driver_note(d, "broken: run %lu: %s %s (%u in a row, %u by deadline)",
		d->runs, r->what, r->detail, d->broken_in_row,
		watchdog_bites());
	save_runup(d);
}

static uint64_t
hash_text(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

static bool
names_have(const struct driver_names *names, const char *name)
{
	uint64_t hash = hash_text(name);

	for (unsigned i = 0; i < names->n; i++) {
		if (names->hash[i] == hash)
			return true;
	}
	return false;
}

/* names_add: false if there is no room. */
static bool
names_add(struct driver_names *names, const char *name)
{
	if (names->n == NAMES_MAX)
		return false;
	names->hash[names->n++] = hash_text(name);
	return true;
}

/* count_failed: a signature goes to the log the first time that it is met. */
static void
count_failed(struct driver *d, const struct vm_result *r)
{
	char name[SIGNATURE_MAX];

	d->failed++;
	if (d->log == NULL)
		return;
	signature(r, d->kernel, name, sizeof(name));
	if (!names_have(&d->logged, name) && names_add(&d->logged, name))
		driver_note(d, "new: run %lu: %s: %s %s", d->runs, name,
			r->what, r->detail);
}

static bool
over_budget(enum vm_class class, const struct vm_result *r)
{
	return class == VM_HANG && r->box->event == EVENT_CANCEL;
}

/* make_sure: run what was over its budget again, with a larger one. */
static enum vm_class
make_sure(struct driver *d, const void *input, size_t n, struct vm_result *r)
{
	char name[SIGNATURE_MAX];
	enum vm_class class;

	signature(r, d->kernel, name, sizeof(name));
	if (d->hasty && names_have(&d->hangs, name))
		return r->class;
	vm_budget(d->vm, d->budget_ms * PATIENCE);
	class = run_once(d, input, n, r);
	vm_budget(d->vm, d->budget_ms);
	if (d->hasty && over_budget(class, r))
		names_add(&d->hangs, name);
	return class;
}

/* run_surely: as often as it takes for a verdict to mean something. */
static enum vm_class
run_surely(struct driver *d, const void *input, size_t n, struct vm_result *r)
{
	int pid = vm_pid(d->vm);
	double start = clock_ms(CLOCK_MONOTONIC);
	enum vm_class class = run_once(d, input, n, r);
	double took = clock_ms(CLOCK_MONOTONIC) - start;
	bool late = d->deadline_ms > 0 && took > d->deadline_ms / 2;

	if (class == VM_BROKEN && vm_pid(d->vm) != pid && !late) {
		driver_note(d, "again: run %lu: %s %s", d->runs, r->what,
			r->detail);
		class = run_once(d, input, n, r);
	}
	if (over_budget(class, r))
		class = make_sure(d, input, n, r);
	return class;
}

enum vm_class
driver_run(struct driver *d, const void *input, size_t n, struct vm_result *r)
{
	enum vm_class class;

	d->runs++;
	runup_add(&d->runup, input, n);
	class = run_surely(d, input, n, r);
	if (class == VM_BROKEN) {
		count_broken(d, r);
		return class;
	}
	d->broken_in_row = 0;
	if (class == VM_SKIPPED)
		d->skipped++;
	if (vm_failed(class))
		count_failed(d, r);
	return class;
}

void
driver_close(struct driver *d)
{
	if (d->vm != NULL) {
		driver_note(d,
			"end: %lu runs, %lu failed, %lu broken, "
			"%lu skipped",
			d->runs, d->failed, d->broken, d->skipped);
		vm_close(d->vm);
	}
	if (d->kernel != NULL)
		elf_close(d->kernel);
	if (d->log != NULL)
		fclose(d->log);
	memset(d, 0, sizeof(*d));
}
