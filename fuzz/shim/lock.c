/* SPDX-License-Identifier: MIT */
/*
 * lock.c - a hart that would spin for a lock lets the one go on that holds
 * it: only one runs at a time, so the lock would never come free otherwise.
 *
 * The first word of a spinlock is not 0 while it is held, in xv6 and here.
 * Who holds it itself goes on to the kernel's own acquire(), and its report.
 */
#include "fuzz/shim/hooks.h"

struct spinlock;
_Bool holding(const struct spinlock *lk);
void __real_acquire(struct spinlock *lk);
void __wrap_acquire(struct spinlock *lk);

void
__wrap_acquire(struct spinlock *lk)
{
	while (__builtin_expect(*(volatile unsigned int *)lk != 0, 0) &&
		!holding(lk))
		shim_call(SHIM_YIELD, 0);
	__real_acquire(lk);
}
