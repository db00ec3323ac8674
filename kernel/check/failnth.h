/* SPDX-License-Identifier: MIT */
/* failnth.h - the hook of allocations that can be made to fail (failnth.c). */
#ifndef KERNEL_CHECK_FAILNTH_H
#define KERNEL_CHECK_FAILNTH_H

#include "kernel/proc/proc.h"

/*
 * __injectable: for a function that allocates and asks fail_here().  Who
 * called it is the site, so it must not melt into its callers.
 */
#define __injectable __attribute__((noinline))

/* The call that led here, as the address behind it; in an __injectable. */
#define ALLOC_SITE() ((u64)__builtin_return_address(0))

/* failnth_hit: the rest of fail_here(), for a process that counts. */
bool failnth_hit(struct proc *p, u64 site);

/*
 * fail_here: is this the allocation that the calling process wants to fail?
 * Asked once for each allocation, before anything is taken.  Not from
 * interrupt handlers; any lock may be held.
 */
static inline bool
fail_here(u64 site)
{
	struct proc *p = myproc();

	if (__builtin_expect(p == NULL || p->fail_in == 0, 1))
		return false;
	return failnth_hit(p, site);
}

/*
 * failnth_report: print that a fault was injected, and where, if one ever
 * was; for those who report that something is wrong.
 */
void failnth_report(void);

#endif
