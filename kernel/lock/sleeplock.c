/* SPDX-License-Identifier: MIT */
/* sleeplock.c - locks that are held across sleeps, of inodes and buffers. */
#include "kernel/check/lockdep.h"
#include "kernel/lock/sleeplock.h"
#include "kernel/proc/proc.h"

/* As seen without the lock. */
static struct proc *
holder(const struct sleeplock *sl)
{
	return __atomic_load_n(&sl->holder, __ATOMIC_RELAXED);
}

void
sleeplock_init(struct sleeplock *sl, const char *name)
{
	spin_init(&sl->lk, RANK_sleeplock, name);
	sl->holder = NULL;
	sl->waiters = 0;
	sl->name = name;
}

void
sleeplock_acquire(struct sleeplock *sl)
{
	if (LOCKDEP)
		lockdep_enter(sl->name, holder(sl));
	acquire(&sl->lk);
	ASSERT(sl->holder != myproc());
	sl->waiters++;
	while (sl->holder != NULL)
		sleep(sl, &sl->lk);
	sl->waiters--;
	__atomic_store_n(&sl->holder, myproc(), __ATOMIC_RELAXED);
	release(&sl->lk);
}

void
sleeplock_release(struct sleeplock *sl)
{
	if (LOCKDEP)
		lockdep_leave(sl->name, holder(sl));
	acquire(&sl->lk);
	ASSERT(sl->holder == myproc());
	__atomic_store_n(&sl->holder, NULL, __ATOMIC_RELAXED);
	if (sl->waiters > 0)
		wakeup(sl);
	release(&sl->lk);
}

/* Nobody else makes us the holder, nor takes that from us. */
bool
sleeplock_holding(const struct sleeplock *sl)
{
	return holder(sl) == myproc();
}
