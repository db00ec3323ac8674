/* SPDX-License-Identifier: MIT */
/*
 * qemu.h - the process that runs the guest: from its start to its end.
 */
#ifndef FUZZ_HOST_QEMU_H
#define FUZZ_HOST_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "fuzz/host/ram.h"
#include "fuzz/host/vm.h"

struct qemu {
	pid_t pid;       /* 0: none */
	clockid_t clock; /* of its CPU time */
	int to_guest;    /* pipes; -1: none */
	int from_guest;
	int log; /* what QEMU itself has to say */
};

/* qemu_init: there is none yet. */
void qemu_init(struct qemu *q);

/*
 * qemu_start: start one with the kernel, the monitor and the options of
 * config, and r as its memory.  It ends when its parent does.  False on
 * failure, with a line in err, and then qemu_stop() is still to be called.
 */
bool qemu_start(struct qemu *q, const struct vm_config *config,
	const struct ram *r, char *err, size_t size);

/* qemu_stop: kill it and wait for its end, if it runs. */
void qemu_stop(struct qemu *q);

/* qemu_close: the same, for good. */
void qemu_close(struct qemu *q);

/* qemu_said: the last line that it has printed, or "". */
void qemu_said(const struct qemu *q, char *line, size_t size);

#endif
