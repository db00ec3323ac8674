/* SPDX-License-Identifier: MIT */
/* spinlock.h - mutual exclusion between harts, for short stretches. */
#ifndef KERNEL_LOCK_SPINLOCK_H
#define KERNEL_LOCK_SPINLOCK_H

#include "kernel/lib/base.h"

enum lock_rank {
	RANK_none,
#define RANK(name, what) RANK_##name,
#include "kernel/lock/ranks.def"
#undef RANK
};

struct spinlock {
	u32 locked;          /* 0 or 1; atomic */
	u32 rank;            /* enum lock_rank; fixed */
	const char *name;    /* fixed */
	struct hart *holder; /* written by the holder alone */
};

#define SPINLOCK(rankname, text)                                               \
	{                                                                      \
		.rank = RANK_##rankname, .name = text                          \
	}

/* spin_init: for locks that are not initialised statically. */
void spin_init(struct spinlock *lk, enum lock_rank rank, const char *name);

/*
 * acquire: spin until lk is ours.  Interrupts stay off on this hart until
 * the last lock is released.  Panics if this hart holds lk, or holds a lock
 * of the same or a later rank.
 */
void acquire(struct spinlock *lk);
void release(struct spinlock *lk);

/* holding: does this hart hold lk?  For assertions. */
bool holding(const struct spinlock *lk);

/*
 * push_off, pop_off: turn interrupts off, and back to what they were when
 * as many pop_offs as push_offs have been made.
 */
void push_off(void);
void pop_off(void);

#endif
