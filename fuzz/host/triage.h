/* SPDX-License-Identifier: MIT */
/*
 * triage.h - what the parts of triage know of each other.
 */
#ifndef FUZZ_HOST_TRIAGE_H
#define FUZZ_HOST_TRIAGE_H

#include "fuzz/host/driver.h"
#include "fuzz/host/store.h"

/* A kernel, and the machine that runs it once it is needed. */
struct rig {
	struct vm_config config;
	struct driver driver;
	bool open;
	char build[BUILD_ID];
	char revision[FINDING_LINE];
};

struct tally {
	unsigned added;  /* new findings */
	unsigned better; /* replaced by smaller ones */
	unsigned hits;   /* more inputs of those that there are */
	unsigned odd;    /* did not fail again */
	unsigned broken; /* no program, or QEMU dies of it */
};

/* rig_open: start the machine, unless it runs; its kernel is kept in the
 * store.  deadline_ms as for driver_open().  False after a line to stderr. */
bool rig_open(struct rig *rig, struct store *store, unsigned deadline_ms);

/*
 * triage_input: run p, which came from the file path, on rig, which is open,
 * and record what it turns out to be; not if a signal asks for the end before
 * that.  hash is that of the file.  Returns 0, or -1 if it could not be
 * recorded, with a line in store_error().
 */
int triage_input(struct rig *rig, struct store *store, struct tally *tally,
	struct prog *p, const char *path, uint64_t hash);

#endif
