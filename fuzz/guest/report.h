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

/* The same without a look whether there is one; if not, it kills. */
static inline long
monitor_call(long call, long a, long b, long c, long d)
{
	register long a0 asm("a0") = call;
	register long a1 asm("a1") = a;
	register long a2 asm("a2") = b;
	register long a3 asm("a3") = c;
	register long a4 asm("a4") = d;
	register long a7 asm("a7") = USERCALL;

	asm volatile(".option push\n\t.option norvc\n\tebreak\n\t.option pop"
		     : "+r"(a0)
		     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7)
		     : "memory");
	return a0;
}

#endif
