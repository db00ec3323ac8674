/* SPDX-License-Identifier: MIT */
/*
 * trial.h - what a program does, seen in more than one run.
 */
#ifndef FUZZ_HOST_TRIAL_H
#define FUZZ_HOST_TRIAL_H

#include <stdbool.h>

#include "fuzz/host/driver.h"
#include "fuzz/host/minimize.h"
#include "fuzz/host/signature.h"
#include "fuzz/host/vm.h"
#include "fuzz/wire/prog.h"

enum { TRIAL_RUNS = 10 };

struct verdict {
	char signature[SIGNATURE_MAX]; /* the most frequent; "" if none failed
					*/
	enum vm_class class;           /* that goes with it */
	unsigned runs;                 /* that came to an end */
	unsigned hits;                 /* that failed with this signature */
	unsigned others;               /* that failed in another way */
	unsigned broken;               /* that had to be left out */
	bool steady;                   /* all of them had one trace */
};

/* trial_once: one run; again if it is broken, but not for ever. */
enum vm_class trial_once(
	struct driver *driver, const struct prog *p, struct vm_result *result);

/* trial: run p so often and see what it does most of the time. */
struct verdict trial(
	struct driver *driver, const struct prog *p, unsigned runs);

/*
 * trial_witness: run p until it fails as verdict says, so that *result can be
 * reported; with the trace recorded.  False if it does not do so any more.
 */
bool trial_witness(struct driver *driver, const struct prog *p,
	const struct verdict *verdict, struct vm_result *result);

/*
 * trial_minimize: make *p minimal for *verdict, and *verdict what it is for
 * the result.  If that fails more rarely than it has to, *p stays as it was.
 * progress and stop as in minimize().
 */
void trial_minimize(struct driver *driver, struct prog *p,
	struct verdict *verdict, struct minimize_count *count,
	void (*progress)(
		void *, const struct prog *, const struct minimize_count *),
	bool (*stop)(void *));

#endif
