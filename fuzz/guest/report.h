/* SPDX-License-Identifier: MIT */
/*
 * report.h - accusations, and what else the executor tells the monitor.
 *
 * Without a monitor accusations are printed, and the rest is left out.
 */
#ifndef FUZZ_GUEST_REPORT_H
#define FUZZ_GUEST_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "fuzz/monitor/usercall.h"

enum { NO_OP = -1 };

extern bool monitored;
extern int verdict_fd; /* without monitor: a byte for each accusation */

/*
 * accuse: something is wrong with the kernel.  A lane ends here; the first
 * process comes back.
 */
void accuse(unsigned oracle, uint64_t want, uint64_t got);

/* One of the monitor's calls; 0 if there is none. */
long usercall(long call, long a, long b, long c, long d);

#endif
