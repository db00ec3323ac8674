/* SPDX-License-Identifier: MIT */
/*
 * watchdog.h - the last resort against a QEMU that neither ends an input nor
 * uses CPU time, which is what its budget is counted in.  One for a process,
 * however many machines it has, for they take turns.
 */
#ifndef FUZZ_HOST_WATCHDOG_H
#define FUZZ_HOST_WATCHDOG_H

#include <stdbool.h>

/* watchdog_start: a thread, unless there is one.  False if it cannot be. */
bool watchdog_start(void);

/*
 * watchdog_arm: QEMU, process pid, begins an input.  It is killed soon after
 * the deadline, in milliseconds, unless watchdog_disarm() is called before.
 * For the thread that started the watchdog; 0 is no deadline.
 */
void watchdog_arm(int pid, unsigned deadline_ms);
void watchdog_disarm(void);

/* watchdog_bites: how often it has killed. */
unsigned watchdog_bites(void);

#endif
