/* SPDX-License-Identifier: MIT */
/* sleeplock.h - mutual exclusion between processes, across sleeps. */
#ifndef KERNEL_LOCK_SLEEPLOCK_H
#define KERNEL_LOCK_SLEEPLOCK_H

#include "kernel/lock/spinlock.h"

struct sleeplock {
	struct spinlock lk;  /* guards the fields below */
	struct proc *holder; /* NULL: free; read without lk, atomic */
	u32 waiters;         /* processes asleep for it */
	const char *name;
};

/* For locks that are initialised statically. */
#define SLEEPLOCK(text)                                                        \
	{                                                                      \
		.lk = SPINLOCK(sleeplock, text), .name = text                  \
	}

void sleeplock_init(struct sleeplock *sl, const char *name);

/* May sleep; not with a spinlock held, nor in an interrupt. */
void sleeplock_acquire(struct sleeplock *sl);
void sleeplock_release(struct sleeplock *sl);

/* Does this process hold it?  For assertions. */
bool sleeplock_holding(const struct sleeplock *sl);

#endif
