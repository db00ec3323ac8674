/* SPDX-License-Identifier: MIT */
/*
 * driver.h - runs inputs one after the other and keeps count: what is the
 * same whoever sends them.
 */
#ifndef FUZZ_HOST_DRIVER_H
#define FUZZ_HOST_DRIVER_H

#include <stdio.h>

#include "fuzz/host/elf.h"
#include "fuzz/host/runup.h"
#include "fuzz/host/vm.h"

enum { NAMES_MAX = 256 };

/* Signatures, by their hashes. */
struct driver_names {
	unsigned n;
	uint64_t hash[NAMES_MAX];
};

struct driver {
	struct vm *vm;
	struct elf *kernel;   /* may be NULL: then signatures have no names */
	unsigned deadline_ms; /* wall clock, the watchdog's; 0: none */
	unsigned budget_ms;   /* CPU time of QEMU */
	bool hasty;           /* believe a hang if one of its name was real */
	FILE *log;            /* may be NULL */
	const char *log_path;
	unsigned long runs;
	unsigned long failed;
	unsigned long broken;
	unsigned long skipped;
	unsigned broken_in_row;
	unsigned saved;             /* run-ups */
	struct driver_names logged; /* the log has a line about it */
	struct driver_names hangs;  /* that were real */
	struct runup runup;
};

/*
 * driver_open: QEMU, watchdog, log.  False on failure, with one line in err.
 * A log that cannot be opened is such a failure; log_path may be NULL.
 */
bool driver_open(struct driver *d, const struct vm_config *config,
	unsigned deadline_ms, const char *log_path, char *err, size_t size);

/*
 * driver_run: run one input, a second time if QEMU died in the first or if it
 * took too long.  What is news goes to the log.  Returns r->class.
 */
enum vm_class driver_run(
	struct driver *d, const void *input, size_t n, struct vm_result *r);

/* driver_note: one line to the log.  What cannot be written is lost. */
void driver_note(struct driver *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* driver_close: with a summary in the log. */
void driver_close(struct driver *d);

#endif
