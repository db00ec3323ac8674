/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - waiting for something to happen.
 *
 * Sleepers wait in buckets, hashed by what they sleep for.  No wake-up can be
 * lost: a sleeper puts itself into the bucket before it lets go of the lock
 * that guards its condition, and a waker holds that lock, or changed the
 * condition under it.
 *
 * Dying.  kill sets p->killed and then looks at p->chan; a killable sleeper
 * sets p->chan and then looks at p->killed.  Both are sequentially
 * consistent, so at least one sees the other.
 */
#include "kernel/check/lockdep.h"
#include "kernel/proc/proc.h"

enum { NBUCKET = 64 };

struct bucket {
	struct spinlock lock; /* rank waitq */
	struct list queue;    /* [lock] of struct proc.queue */
} __aligned(64);

static struct bucket buckets[NBUCKET];

void
sleep_init(void)
{
	for (int i = 0; i < NBUCKET; i++) {
		spin_init(&buckets[i].lock, RANK_waitq, "waitq");
		list_init(&buckets[i].queue);
	}
}

static struct bucket *
bucket_of(const void *chan)
{
	u64 key = (u64)chan >> 3;

	return &buckets[(key ^ key >> 6 ^ key >> 12) % NBUCKET];
}

/* Make a sleeper runnable; its bucket's lock is held. */
static void
wake(struct proc *p)
{
	DEBUG_ASSERT(p->state == PROC_SLEEPING && p->chan != NULL);
	list_remove(&p->queue);
	__atomic_store_n(&p->chan, NULL, __ATOMIC_SEQ_CST);
	/* It holds its own lock until it is off its stack. */
	acquire(&p->lock);
	ready(p);
	release(&p->lock);
}

void
sleep(void *chan, struct spinlock *lk)
{
	struct proc *p = myproc();
	struct bucket *b = bucket_of(chan);

	if (LOCKDEP)
		lockdep_sleep(lk);
	ASSERT(holding(lk));
	DEBUG_ASSERT(chan != NULL && p->chan == NULL);
	DEBUG_ASSERT(p->state == PROC_RUNNING);
	acquire(&b->lock);
	__atomic_store_n(&p->chan, chan, __ATOMIC_SEQ_CST);
	if (p->killable && __atomic_load_n(&p->killed, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&p->chan, NULL, __ATOMIC_SEQ_CST);
		release(&b->lock);
		return;
	}
	list_push(&b->queue, &p->queue);
	acquire(&p->lock);
	p->state = PROC_SLEEPING;
	p->midway = !p->killable;
	release(&b->lock);
	release(lk);
	sched();
	p->midway = false;
	release(&p->lock);
	acquire(lk);
}

int
sleep_killable(void *chan, struct spinlock *lk)
{
	struct proc *p = myproc();

	p->killable = true;
	sleep(chan, lk);
	p->killable = false;
	return killed(p) ? -EINTR : 0;
}

void
wakeup(void *chan)
{
	struct bucket *b = bucket_of(chan);
	struct proc *p;

	acquire(&b->lock);
	list_for_each(p, &b->queue, queue) if (p->chan == chan) wake(p);
	release(&b->lock);
}

void
sleep_kill(struct proc *p)
{
	void *chan = __atomic_load_n(&p->chan, __ATOMIC_SEQ_CST);
	struct bucket *b;

	if (chan == NULL)
		return;
	b = bucket_of(chan);
	acquire(&b->lock);
	/* If it sleeps for something else by now, it has seen p->killed. */
	if (p->chan == chan && p->killable)
		wake(p);
	release(&b->lock);
}

static bool
each_in(const struct bucket *b, void (*visit)(const struct proc *p))
{
	const struct proc *p;

	if (!list_ends(&b->queue, NPROC))
		return false;
	list_for_each(p, &b->queue, queue) if (bucket_of(p->chan) == b)
		visit(p);
	return true;
}

__audit_only bool
sleep_each(void (*visit)(const struct proc *p))
{
	bool all = true;

	for (int i = 0; i < NBUCKET; i++)
		all &= each_in(&buckets[i], visit);
	return all;
}
