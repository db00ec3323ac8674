/* SPDX-License-Identifier: MIT */
/* sleeplock.c - locks that are held across sleeps, of inodes and buffers. */
#include "kernel/check/lockdep.h"
#include "kernel/lock/sleeplock.h"
#include "kernel/proc/proc.h"

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
		lockdep_enter(sl->name, sl->holder);
	acquire(&sl->lk);
	ASSERT(sl->holder != myproc());
	sl->waiters++;
	while (sl->holder != NULL)
		sleep(sl, &sl->lk);
	sl->waiters--;
	sl->holder = myproc();
	release(&sl->lk);
}

void
sleeplock_release(struct sleeplock *sl)
{
	if (LOCKDEP)
		lockdep_leave(sl->name, sl->holder);
	acquire(&sl->lk);
	ASSERT(sl->holder == myproc());
	sl->holder = NULL;
	if (sl->waiters > 0)
		wakeup(sl);
	release(&sl->lk);
}

bool
sleeplock_holding(struct sleeplock *sl)
{
	bool mine;

	acquire(&sl->lk);
	mine = sl->holder == myproc();
	release(&sl->lk);
	return mine;
}
